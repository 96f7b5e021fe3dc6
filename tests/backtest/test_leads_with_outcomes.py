"""`leadloop backtest` on a file of leads: which are good, what rules may look at, and what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Answer, Shell

RULES = """
score:
  fit:
    - {rule: decides, when: 'contains(job_title, "vp")', points: 40}
    - {rule: rated, when: 'rating == "Hot"', points: 40}
gates:
  qualification: {when: not is_blank(email)}
  nurture: {}
  mql: {score: 40}
disqualify:
  - {rule: rival, when: 'company == "Rival"', reason: competitor}
routes:
  - {route: all, owner: "queue:Inbound"}
rejection:
  reasons: {competitor: {then: disqualify}}
"""
LEADS = """email,job_title,company,rating,Became Customer,Stage
a@x.example,VP Sales,Acme,,yes,Won
b@x.example,VP IT,Acme,,yes,Signed
c@x.example,VP,Acme,,no,Lost
d@x.example,Clerk,Acme,Hot,yes,Won
e@x.example,Clerk,Acme,,no,Lost
f@x.example,VP,Rival,,no,Lost
g@x.example,VP,Acme,,,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "leadloop.yaml").write_text("rules: [rules.yaml]\n", encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    return tmp_path


def measure(shell: Shell, *more: str) -> dict[str, Any]:
    answer = shell("backtest", "leads.csv", "--json", *more)
    assert answer.code == 0, answer.err
    found: dict[str, Any] = answer.json
    return found


@pytest.mark.parametrize(
    ("outcome", "mqls", "right", "recall"),
    [
        ("Became Customer", 4, 3, 1.0),
        ("Stage=Won", 4, 2, 1.0),
        ("Stage = won, signed", 4, 3, 1.0),
    ],
)
def test_good_leads_are_told_by_a_column(
    shell: Shell, folder: Path, outcome: str, mqls: int, right: int, recall: float
) -> None:
    found = measure(shell, "--outcome", outcome)
    assert (found["mqls"], found["right"]) == (mqls, right)
    assert found["recall"]["hits"] == recall * found["good"]
    assert (found["leads"], found["without_outcome"]) == (6, 1)


def test_each_rule_has_its_own_precision_recall_and_lift(shell: Shell, folder: Path) -> None:
    found = measure(shell, "--outcome", "Became Customer")
    rules = {one["rule"]: (one["mqls"], one["right"], one["lift"]) for one in found["by_rule"]}
    assert rules == {"decides": (4, 2, 1.0), "rated": (1, 1, 2.0), "rival": (1, 0, 0.0)}
    assert found["precision"]["too_few"]


def test_a_field_that_tells_the_outcome_is_kept_from_the_rules(shell: Shell, folder: Path) -> None:
    found = measure(shell, "--outcome", 'not is_blank(rating) or contains(email, "a@")')
    assert found["barred_as_outcome"] == ["email", "rating"]
    assert "rated" not in {one["rule"] for one in found["by_rule"]}
    by_column = measure(shell, "--outcome", "company=Acme")
    assert by_column["barred_as_outcome"] == ["company"]
    assert "rival" not in {one["rule"] for one in by_column["by_rule"]}


def test_a_barred_field_is_blank(shell: Shell, folder: Path) -> None:
    found = measure(shell, "--outcome", "Became Customer", "--bar", "rating")
    assert (found["mqls"], found["right"]) == (3, 2)


def test_the_mqls_are_listed_by_their_lines(shell: Shell, folder: Path) -> None:
    answer = shell("backtest", "leads.csv", "--outcome", "Became Customer", "--leads", "--csv", "out.csv")
    assert answer.code == 0
    assert "d@x.example" in answer.out
    lines = (folder / "out.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["2", "a@x.example"], ["3", "b@x.example"], ["4", "c@x.example"], ["5", "d@x.example"],
    ]  # fmt: skip


def test_leads_of_a_json_file_have_an_outcome_beside_their_fields(shell: Shell, folder: Path) -> None:
    leads = [
        {"email": f"{number}@x.example", "job_title": "VP" if number % 2 else "Clerk", "won": number % 2 == 1}
        for number in range(10)
    ]
    (folder / "leads.json").write_text(json.dumps(leads), encoding="utf-8")
    answer = shell("backtest", "leads.json", "--outcome", "won", "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["mqls"], answer.json["right"], answer.json["good"]) == (5, 5, 5)


def test_fields_of_which_the_file_has_nothing_are_told(shell: Shell, folder: Path) -> None:
    more = RULES.replace("score:", "fast_track:\n  - {rule: big, when: employees >= 100}\nscore:", 1)
    (folder / "rules.yaml").write_text(more, encoding="utf-8")
    answer = shell("backtest", "leads.csv", "--outcome", "Became Customer")
    assert "no lead here has a value: employees." in answer.out


def refused(shell: Shell, *arguments: str) -> Answer:
    answer = shell("backtest", *arguments)
    assert answer.code == 2
    assert not answer.out
    return answer


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("leads.csv",), "--outcome is missing"),
        (("leads.csv", "--outcome", "Became Costumer"), 'did you mean "Became Customer"'),
        (("leads.csv", "--outcome", "Stage"), 'leads.csv:3: the outcome "Signed" is neither yes nor no'),
        (("leads.csv", "--outcome", "Stage="), "no value of"),
        (("leads.csv", "--outcome", "Stage=Gone"), "All 6 leads are not good"),
        (("leads.csv", "--outcome", "Became Customer", "--rows", "1-2"), "All 2 leads are good"),
        (("leads.csv", "--outcome", "Became Customer", "--rows", "7-"), "no lead with an outcome (1 lead"),
        (("leads.csv", "--outcome", "Became Customer", "--rows", "9"), '"9" is no part of a file'),
        (("leads.csv", "--outcome", "Became Customer", "--rows", "4-2"), "ends before it begins"),
        (("leads.csv", "--outcome", "contains(job_titel, 'x')"), 'did you mean "job_title"'),
        (("leads.csv", "--outcome", "Became Customer", "--since", "2026-01-01"), "--since is for recorded"),
        (("leads.csv", "--outcome", "Became Customer", "--bar", "ratng"), 'did you mean "rating"'),
        (("leads.csv", "--outcome", "Became Customer", "--stage", "nurtur"), 'did you mean "nurture"'),
        (("gone.csv", "--outcome", "Became Customer"), "no file or database gone.csv"),
    ],
)
def test_what_cannot_be_measured_is_told_with_its_remedy(
    shell: Shell, folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    assert told in refused(shell, *arguments).err


def test_a_name_that_is_like_no_other_is_told_with_its_remedy_too(shell: Shell, folder: Path) -> None:
    columns = ",".join(f"Answer {number}" for number in range(20))
    (folder / "wide.csv").write_text(f"email,{columns}\na@x.example{',1' * 20}\n", encoding="utf-8")

    outcome = refused(shell, "wide.csv", "--outcome", "Zyx")
    barred = refused(shell, "leads.csv", "--outcome", "Became Customer", "--bar", "zyx")

    assert 'there is no column "Zyx"; write it as it stands in the file' in outcome.err
    assert 'there is no field "zyx"; the fields are those of the mapping' in barred.err
