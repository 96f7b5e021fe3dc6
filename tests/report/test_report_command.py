"""`leadloop report`: its figures add up, it says what matters first, and it survives what it is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.lead import LeadState
from connector.report import history
from connector.report.context import MoveContext
from connector.store.database import Database
from connector.store.leads import insert_leads
from mappings.stages import Stage
from tests.cli.shell import Shell
from tests.report.test_history import move, to_mql
from tests.store.conftest import a_lead
from tests.world import START_MS

DAY = 86_400_000


def opened(folder: Path) -> Database:
    return Database.open(f"sqlite:///{folder}/leadloop.db")


# a small history that can be counted by hand ------------------------------------------------------------


@pytest.fixture
def by_hand(newcomer: Shell, folder: Path) -> Shell:
    """Twelve MQLs of the last month: eight accepted (two won), three rejected, one that nobody touched."""
    database = opened(folder)
    web = MoveContext("Web", "Pricing", "DE", "anna@x.example", 4)
    mail = MoveContext("Mail", "Newsletter", "US", "bruno@x.example", 2)
    for number in range(12):
        lead, about = f"L{number}", web if number < 8 else mail
        rows = to_mql(lead, -20)
        if number < 8:
            rows.append(move(lead, "accepted", "distributed", -18, cause="sales"))
        if number < 2:
            rows.append(move(lead, "opportunity", "accepted", -10, cause="fact", skipped=("qualified",)))
            rows.append(move(lead, "closed", "opportunity", -5, cause="fact", outcome="won"))
        if 8 <= number < 11:
            reason = "timing" if number < 10 else "unspecified"
            rows.append(move(lead, "nurture", "distributed", -17, cycle=2, cause="sales", reason=reason))
        with database.begin() as conn:
            history.write_down(conn, [(row, about) for row in rows])
    state = LeadState(
        "L11", "hubspot", START_MS - 30 * DAY, stage=Stage.DISTRIBUTED, stage_since_ms=START_MS - 19 * DAY,
        owner="bruno@x.example", values={"email": "zoë@x.example", "lead_source": "Mail"}, started=True,
        differences={"job_title": {"salesforce": "CEO", "hubspot": "Chief"},
                     "last_name": {"salesforce": "Lee", "hubspot": "Li"}},
    )  # fmt: skip
    with database.begin() as conn:
        insert_leads(conn, [a_lead("L11", stage="distributed", state=state.to_json())])
    database.close()
    return newcomer


def test_what_became_of_the_mqls_is_counted(by_hand: Shell) -> None:
    now = by_hand("report", "--json").json["mqls"]["now"]

    assert {name: now[name] for name in ("made", "accepted", "rejected", "waiting", "won", "lost")} == {
        "made": 12, "accepted": 8, "rejected": 3, "waiting": 1, "won": 2, "lost": 0,
    }  # fmt: skip
    assert now["acceptance"]["share"] == pytest.approx(8 / 11, abs=1e-3)
    assert now["mql_to_sal"] == 1.5


def test_the_funnel_has_arrivals_skips_and_those_still_there(by_hand: Shell) -> None:
    rows = {row["stage"]: row for row in by_hand("report", "--json").json["funnel"]}

    assert rows["distributed"]["entered"] == 12
    assert rows["distributed"]["left"] == {"onward": 8, "rejected": 3}
    assert rows["distributed"]["still_there"] == 1
    assert rows["qualified"]["skipped"] == 2
    assert rows["nurture"]["later_cycles"] == 3
    assert rows["closed"]["won"] == 2


def test_times_are_within_the_stated_error(by_hand: Shell) -> None:
    data = by_hand("report", "--json").json

    answers = {row["way"]: row for row in data["velocity"]}
    assert answers["handed over → accepted"]["median_ms"] == pytest.approx(DAY, rel=data["times_are_within"])
    assert answers["handed over → rejected"]["p90_ms"] == pytest.approx(2 * DAY, rel=data["times_are_within"])


def test_rejections_are_told_by_reason_and_those_without_one(by_hand: Shell) -> None:
    rejected = by_hand("report", "--json").json["rejections"]

    assert {row["reason"]: row["hits"] for row in rejected["reasons"]} == {"timing": 2, "unspecified": 1}
    assert (rejected["without_reason"]["hits"], rejected["without_reason"]["of"]) == (1, 3)


def test_rules_are_told_with_what_became_of_their_mqls(by_hand: Shell) -> None:
    (rule,) = [row for row in by_hand("report", "--json").json["rules"] if row["rule"] == "senior"]

    assert (rule["part"], rule["made"], rule["accepted"], rule["rejected"], rule["won"]) == (
        "fit",
        12,
        8,
        3,
        2,
    )
    assert rule["reasons"] == {"timing": 2, "unspecified": 1}


def test_the_leads_that_nobody_touched_are_listed_by_name(by_hand: Shell) -> None:
    untouched = by_hand("report", "--json").json["untouched"]

    assert untouched["number"] == 1
    assert [(row["name"], row["owner"], row["days"]) for row in untouched["leads"]] == [
        ("zoë@x.example", "bruno@x.example", 19)
    ]


def test_a_lead_that_sales_has_called_is_not_untouched(by_hand: Shell, folder: Path) -> None:
    database = opened(folder)
    with database.begin() as conn:
        blob = conn.scalar(text("SELECT state FROM leads WHERE id = 'L11'"))
        data = json.loads(blob)
        data["values"]["last_sales_touch"] = "2027-01-10T00:00:00Z"
        conn.execute(text("UPDATE leads SET state = :state"), {"state": json.dumps(data).encode()})
    database.close()

    assert by_hand("report", "--json").json["untouched"]["number"] == 0


def test_disagreements_are_told_by_name_without_personal_values(by_hand: Shell) -> None:
    found = by_hand("report", "--json").json["disagreements"]

    assert [(row["name"], row["field"], row["shows"]) for row in found["list"]] == [
        ("zoë@x.example", "job_title", {"salesforce": "CEO", "hubspot": "Chief"}),
        ("zoë@x.example", "last_name", {"salesforce": "(personal)", "hubspot": "(personal)"}),
    ]


def test_names_can_be_left_out(by_hand: Shell) -> None:
    for how in (["--json"], [], ["--html", "page.html"]):
        answer = by_hand("report", "--without-names", *how)
        assert "zoë" not in answer.out
    assert "zoë" not in (by_hand.folder / "page.html").read_text(encoding="utf-8")


def test_only_some_leads_can_be_reported_on(by_hand: Shell) -> None:
    data = by_hand("report", "--only", "source=web", "--json").json

    assert data["only"] == {"dimension": "source", "value": "Web"}
    assert (data["mqls"]["now"]["made"], data["mqls"]["now"]["accepted"]) == (8, 8)
    assert data["untouched"]["number"] == 0
    (rule,) = [row for row in data["rules"] if row["rule"] == "senior"]
    assert (rule["made"], rule["accepted"], rule["rejected"]) == (8, 8, 0)


def test_owners_are_told_by_what_they_were_handed(by_hand: Shell) -> None:
    rows = {row["value"]: row["handed_over"] for row in by_hand("report", "--json").json["by"]["owner"]}

    assert (rows["anna@x.example"]["number"], rows["anna@x.example"]["accepted"]) == (8, 8)
    assert (rows["bruno@x.example"]["rejected"], rows["bruno@x.example"]["waiting"]) == (3, 1)


# a larger one, whose parts must add up ------------------------------------------------------------------


def test_the_parts_of_every_dimension_add_up_to_the_whole(company: Shell) -> None:
    data = company("report", "--json").json

    whole = data["mqls"]["now"]
    for rows in data["by"].values():
        for name in ("made", "accepted", "rejected", "lapsed", "won", "waiting"):
            assert sum(row[name] for row in rows) == whole[name], name
    assert sum(part["made"] for part in data["quality"]["parts"]) == whole["made"]
    assert sum(row["mqls"] for row in data["touches_before_mql"]["distribution"]) == whole["made"]


def test_the_rules_of_every_source_add_up_to_those_of_all(company: Shell) -> None:
    data = company("report", "--json").json
    whole = {row["rule"]: (row["made"], row["accepted"], row["rejected"]) for row in data["rules"]}

    parts: dict[str, list[tuple[int, int, int]]] = {}
    for source in data["by"]["source"]:
        for row in company("report", "--only", f"source={source['value']}", "--json").json["rules"]:
            parts.setdefault(row["rule"], []).append((row["made"], row["accepted"], row["rejected"]))

    assert {rule: tuple(map(sum, zip(*found, strict=True))) for rule, found in parts.items()} == whole


def test_two_halves_of_a_period_add_up_to_it(company: Shell) -> None:
    def made(since: str, until: str) -> int:
        answer = company("report", "--since", since, "--until", until, "--json")
        return int(answer.json["mqls"]["now"]["made"])

    assert made("2026-10-01", "2026-11-15") + made("2026-11-16", "2026-12-31") == made(
        "2026-10-01", "2026-12-31"
    )


def test_a_rule_that_sales_does_not_want_is_pointed_out(company: Shell) -> None:
    data = company("report", "--json").json

    low = [row["rule"] for row in data["rules"] if row["compared"] == "below"]
    assert "opened e-mails" in low
    assert any("opened e-mails" in sentence for sentence in data["summary"]["to_do"])
    assert any("bruno@sales.example" in sentence for sentence in data["summary"]["to_do"])


def test_the_text_fits_a_hundred_columns_and_says_what_matters_first(company: Shell) -> None:
    answer = company("report")

    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= 100
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings[1:4] == ["What changed", "What leaks", "What to do"]
    assert answer.code == 0


def test_the_shape_of_the_json_is_the_documented_one(company: Shell) -> None:
    page = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    table = page.partition("## JSON")[2]
    for name, value in company("report", "--json").json.items():
        assert f"`{name}`" in table, name
        for part in value if isinstance(value, dict) else ():
            assert f"`{part}`" in page or name in ("by", "fields"), f"{name}.{part}"


def test_a_lead_from_the_database_of_an_earlier_leadloop_is_counted_at_the_first_report(
    company: Shell,
) -> None:
    first, second = company("report", "--json"), company("report", "--json")

    assert "Counting the ledger" in first.err
    assert second.err == ""
    assert first.json == second.json


def test_counting_anew_gives_the_same(company: Shell) -> None:
    before = company("report", "--json").json
    again = company("report", "--rebuild", "--json")

    assert again.json == before
    assert "moves counted anew" in again.err


# what cannot be ------------------------------------------------------------------------------------------


def test_a_database_without_a_move_gives_a_page_that_says_so(newcomer: Shell, folder: Path) -> None:
    answer = newcomer("report")
    newcomer("report", "--html", "page.html")

    assert answer.code == 0
    assert "No lead became an MQL in this period" in answer.out
    assert "No lead became an MQL" in (folder / "page.html").read_text(encoding="utf-8")


def test_a_period_without_moves_gives_a_page_too(company: Shell, folder: Path) -> None:
    answer = company("report", "--since", "2020-01-01", "--until", "2020-02-01", "--html", "page.html")

    assert answer.code == 0
    assert (folder / "page.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--by", "campagne"], "there is no dimension 'campagne'; did you mean \"campaign\"?"),
        (["--by", "xyz"], "known: campaign, owner, segment, source"),
        (["--only", "Web"], "write it as source=Web"),
        (["--only", "sorce=Web"], 'did you mean "source"?'),
        (["--only", "source=Wbe"], "no lead has moved with the source 'Wbe'; did you mean \"Web\"?"),
        (["--since", "tomorrow"], "--since: 'tomorrow' is no day"),
        (["--html", "nowhere/page.html"], "nowhere/page.html cannot be written: No such file or directory"),
        (["--html", "."], "--html: . is a folder: name a file in it."),
    ],
)
def test_what_cannot_be_is_told_with_its_remedy(company: Shell, arguments: list[str], told: str) -> None:
    answer = company("report", *arguments)

    assert answer.code == 2
    assert told in answer.err


def test_without_a_database_there_is_a_sentence_and_no_empty_file(shell_elsewhere: Shell) -> None:
    answer = shell_elsewhere("report")

    assert answer.code == 2
    assert "There is no database" in answer.err
    assert list(shell_elsewhere.folder.glob("*.db")) == []


@pytest.fixture
def shell_elsewhere(folder: Path) -> Shell:
    return Shell(folder, {})


def test_a_page_that_cannot_be_written_leaves_the_old_one(
    company: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "page.html").write_text("kept", encoding="utf-8")

    def no_space(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    answer = company("report", "--html", "page.html")

    assert answer.code == 2
    assert "page.html cannot be written: No space left on device" in answer.err
    assert [path.name for path in folder.glob("*page*")] == ["page.html"]
    assert (folder / "page.html").read_text(encoding="utf-8") == "kept"
