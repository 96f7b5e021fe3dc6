"""`leadloop backtest` on a recorded year: better rules are found to be better, and nothing is written.

What the made-up people of the year really want is hidden from every rule and from the backtest; here it is
known, and what the backtest says is held against it.
"""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from connector.demo.crowd import crowd
from connector.demo.year import DAYS, LEADS, SEED, year_rules
from connector.store.database import Database
from tests.cli.shell import Shell

WANTS = {soul.email: soul.wants for soul in crowd(LEADS, SEED, DAYS)}


def rules_in(folder: Path, text: str) -> str:
    """A folder with one file of rules."""
    rules = folder / "wanted"
    rules.mkdir()
    (rules / "rules.yaml").write_text(text, encoding="utf-8")
    return str(rules)


def wanting(listed: list[dict[str, Any]], change: str, **more: str) -> float:
    """The true share of people who want to buy among the leads gained or lost."""
    found = [
        WANTS[one["name"]]
        for one in listed
        if one["change"] == change and all(one[name] == value for name, value in more.items())
    ]
    return sum(found) / len(found)


@pytest.fixture
def better(tmp_path: Path) -> str:
    return rules_in(tmp_path, year_rules("year-better"))


@pytest.fixture
def looser(tmp_path: Path) -> str:
    """The rules in force with a lower threshold."""
    return rules_in(tmp_path, year_rules("year").replace("mql: {score: 50", "mql: {score: 35"))


def test_better_rules_are_found_to_be_better(shell: Shell, year: Path, better: str) -> None:
    answer = shell("backtest", str(year), "--rules", better, "--leads", "--json")
    found = answer.json
    assert answer.code == 0
    before, after, lost, gained = (found[key] for key in ("in_force", "tried", "lost", "gained"))
    assert after["share_good"]["low"] > before["share_good"]["high"]
    assert lost["bad"] > 3 * lost["good"]
    assert before["mqls"] + gained["mqls"] - lost["mqls"] == after["mqls"]
    listed = found["listed"]
    assert wanting(listed, "gained") > 0.5 > 0.2 > wanting(listed, "lost")
    assert gained["expected_good"]["low"] < wanting(listed, "gained") < gained["expected_good"]["high"]
    assert wanting(listed, "gained", alike="good") > 2 * wanting(listed, "gained", alike="bad")
    rules = {one["rule"]: one for one in found["by_rule"]}
    assert rules["studies or advises"]["lost_bad"] > 3 * rules["studies or advises"]["lost_good"]
    assert rules["looked at prices"]["gained"] > 10


def test_a_lower_threshold_brings_more_mqls_like_those_that_sales_rejected(
    shell: Shell, year: Path, looser: str
) -> None:
    found = shell("backtest", str(year), "--rules", looser, "--leads", "--json").json
    gained = found["gained"]
    assert found["lost"]["mqls"] == 0
    assert gained["mqls"] > 60
    assert gained["like_bad"] > 4 * gained["like_good"]
    assert wanting(found["listed"], "gained") < 0.3
    assert {cause for one in found["listed"] for cause in one["because"]} == {"mql gate"}
    text = shell("backtest", str(year), "--rules", looser).out
    told = f"{gained['a_month']:.1f} gained, {gained['like_bad_a_month']:.1f} of them like ones that were not"
    assert told in text


def test_the_rules_in_force_find_the_recorded_mqls_again(shell: Shell, year: Path, tmp_path: Path) -> None:
    same = rules_in(tmp_path, year_rules("year"))
    found = shell("backtest", str(year), "--rules", same, "--json").json
    assert found["recorded"]["mqls"] > 100
    assert found["recorded"]["found_again"] == found["recorded"]["mqls"]
    assert found["gained"]["mqls"] == found["lost"]["mqls"] == 0
    assert found["kept"]["mqls"] == found["in_force"]["mqls"] == found["tried"]["mqls"]


def test_without_rules_it_names_the_folder_whose_rules_it_tries(
    shell: Shell, year: Path, tmp_path: Path
) -> None:
    shipped = shell("backtest", str(year)).out
    rules_in(tmp_path, year_rules("year"))
    (tmp_path / "leadloop.yaml").write_text("rules: [wanted/rules.yaml]\n", encoding="utf-8")
    own = shell("backtest", str(year)).out

    assert "What the shipped configuration would have made of the recorded history" in shipped
    assert " ".join(own.split()).startswith(f"What {tmp_path} would have made of the recorded history")


def every_row(path: Path) -> dict[str, list[Any]]:
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: conn.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    finally:
        conn.close()


def test_not_one_row_changes(shell: Shell, year: Path, better: str) -> None:
    before = every_row(year)
    assert shell("backtest", str(year), "--rules", better, "--leads").code == 0
    assert every_row(year) == before
    assert len(before["ledger"]) > 1_000


def test_the_leads_are_listed_on_the_screen_and_in_a_csv_file(
    shell: Shell, year: Path, better: str, tmp_path: Path
) -> None:
    out = tmp_path / "changed.csv"
    answer = shell("backtest", str(year), "--rules", better, "--csv", str(out), "--leads", "--json")
    listed = answer.json["listed"]
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [one["name"] for one in listed]
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert all(row["because"] and row["rules"] for row in rows)
    assert {row["change"] for row in rows} == {"gained", "lost"}
    text = shell("backtest", str(year), "--rules", better, "--leads").out
    assert all(one["name"][:20] in text for one in listed)
    assert max(map(len, text.splitlines())) <= 100
    again = shell("backtest", str(year), "--rules", better, "--csv", str(out))
    assert (again.code, "is there already" in again.err) == (2, True)


def test_a_list_without_leads_has_its_headings(shell: Shell, year: Path, tmp_path: Path) -> None:
    same = rules_in(tmp_path, year_rules("year"))
    assert shell("backtest", str(year), "--rules", same, "--csv", "none.csv").code == 0
    (line,) = (tmp_path / "none.csv").read_text(encoding="utf-8").splitlines()
    assert line.startswith("at,change,lead,name")


def test_the_parts_of_a_period_add_up(shell: Shell, year: Path, better: str) -> None:
    whole, *parts = (
        shell("backtest", str(year), "--rules", better, "--json", *period).json
        for period in ((), ("--until", "2026-07-01"), ("--since", "2026-07-01"))
    )
    for key in ("in_force", "tried", "gained", "lost"):
        assert whole[key]["mqls"] == sum(part[key]["mqls"] for part in parts)
    assert parts[0]["until"] == parts[1]["since"] == "2026-07-01T00:00:00Z"


def test_no_rule_looks_at_a_barred_field(shell: Shell, year: Path, better: str) -> None:
    found = shell("backtest", str(year), "--rules", better, "--bar", "job_title", "--json").json
    fired = {one["rule"] for one in found["by_rule"] if one["tried"] or one["in_force"]}
    assert not fired & {"decides", "owns the firm", "studies or advises"}
    assert "job_title" not in found["fields_as_now"]
    assert "email" in found["fields_as_now"]


def test_a_good_lead_may_be_one_that_was_won(shell: Shell, year: Path, better: str) -> None:
    accepted, won = (
        shell("backtest", str(year), "--rules", better, "--outcome", aim, "--json").json
        for aim in ("accepted", "won")
    )
    assert 0 < won["in_force"]["good"] < accepted["in_force"]["good"]
    assert won["tried"]["share_good"]["share"] > won["in_force"]["share_good"]["share"]


def test_a_field_that_is_filled_in_for_good_leads_only_is_told(
    shell: Shell, year: Path, tmp_path: Path
) -> None:
    """Sales fills in the rating of the leads it likes: a rule on it knows the end."""
    copy = tmp_path / "filled.db"
    copy.write_bytes(year.read_bytes())
    conn = sqlite3.connect(copy)
    won = "SELECT lead_id FROM ledger WHERE target = 'accepted'"
    filled = """replace(CAST(state AS TEXT), '"rating":null', '"rating":"Hot"')"""
    conn.execute(f"UPDATE leads SET state = CAST({filled} AS BLOB) WHERE id IN ({won})")
    conn.commit()
    conn.close()
    hot = "    - {rule: hot, when: 'rating == \"Hot\"', points: 40}\n"
    rules = rules_in(tmp_path, year_rules("year").replace("  engagement:\n", hot + "  engagement:\n"))
    shown = shell("backtest", str(copy), "--rules", rules, "--json").json
    text = shell("backtest", str(copy), "--rules", rules).out
    assert set(shown["filled_in_later"]) == {"rating"}
    assert "--bar rating" in text
    honest = shell("backtest", str(copy), "--rules", rules, "--bar", "rating", "--json").json
    fired = [{one["rule"] for one in found["by_rule"] if one["tried"]} for found in (shown, honest)]
    assert ("hot" in fired[0], "hot" in fired[1]) == (True, False)
    assert honest["filled_in_later"] == {}


# what cannot be used ----------------------------------------------------------------------------------------


def test_rules_that_are_wrong_are_told_as_check_tells_them(shell: Shell, year: Path, tmp_path: Path) -> None:
    broken = year_rules("year").replace("job_title", "job_titel", 1)
    answer = shell("backtest", str(year), "--rules", rules_in(tmp_path, broken))
    assert answer.code == 2
    line = next(number for number, text in enumerate(broken.splitlines(), 1) if "job_titel" in text)
    assert f"rules.yaml:{line}:" in answer.out
    assert 'did you mean "job_title"' in answer.out
    assert "^" in answer.out
    assert "1 error: these rules cannot be tried." in answer.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--rules", "nowhere"), "There is no folder nowhere"),
        (("--rules", "."), "There are no rules in ."),
        (("--outcome", "acepted"), 'did you mean "accepted"'),
        (("--bar", "job_titel"), 'did you mean "job_title"'),
        (("--since", "soon"), '"soon" is no day'),
        (("--since", "2026-05-01", "--until", "2026-04-01"), "--since must be before --until"),
        (("--since", "2030-01-01"), "Nothing is recorded in this period"),
        (("--until", "2020-01-01"), "Nothing is recorded in this period"),
        (("--rows", "1-5"), "--rows is for files of leads"),
        (("--mapping", "csv.yaml"), "--mapping is for files of leads"),
    ],
)
def test_a_wrong_option_is_told_with_its_remedy(
    shell: Shell, year: Path, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    fine = [] if "--rules" in arguments else ["--rules", rules_in(tmp_path, year_rules("year"))]
    answer = shell("backtest", str(year), *fine, *arguments)
    assert answer.code == 2
    assert told in answer.err


def test_a_database_without_history_or_tables_or_of_another_time_is_told(
    shell: Shell, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.db"
    database = Database.open(f"sqlite:///{empty}")
    database.migrate()
    database.close()
    rules = rules_in(tmp_path, year_rules("year"))
    answer = shell("backtest", str(empty), "--rules", rules)
    assert (answer.code, "has no history yet" in answer.err) == (2, True)
    old = tmp_path / "old.db"
    old.write_bytes(empty.read_bytes())
    conn = sqlite3.connect(old)
    (table,) = conn.execute("SELECT name FROM sqlite_master WHERE name LIKE '%version%'").fetchone()
    conn.execute(f"UPDATE {table} SET version_num = '0001'")
    conn.commit()
    conn.close()
    answer = shell("backtest", str(old), "--rules", rules)
    assert (answer.code, "brings them up to date" in answer.err) == (2, True)
    assert shell("backtest", str(tmp_path / "none.db"), "--rules", rules).code == 2
    assert not (tmp_path / "none.db").exists()
