"""The shipped rules load over the shipped mappings, do what they say, and their figures are true."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from mappings.csv_columns import load_columns
from mappings.source import Source
from mappings.stages import Stage
from rules.evaluate import Rules
from rules.facts import Activity, LeadFacts
from tests.rules.example_lead import DAY_MS, NOW_MS, blank_lead
from tests.rules.shipped import SHIPPED, load_shipped, shipped_mapping, shipped_source

X_EDUCATION = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "leads" / "x-education.csv"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_rules_load_without_a_mistake(name: str) -> None:
    rules, _, _ = load_shipped(name)
    assert rules.default_reason in rules.reasons
    assert rules.routes[-1].name


@pytest.fixture(scope="module")
def default() -> Rules:
    return load_shipped("presets/default.yaml")[0]


def forms(*days_ago: float, detail: str = "Newsletter") -> list[Activity]:
    return [Activity("form_submission", NOW_MS - int(days * DAY_MS), {"detail": detail}) for days in days_ago]


DIRECTOR = {
    "email": "ana@acme.example",
    "last_name": "Silva",
    "job_title": "Director of Operations",
    "country": "DE",
    "employees": 300,
}


def test_default_a_director_who_fills_in_two_forms_is_an_mql(default: Rules) -> None:
    one = default.evaluate(blank_lead(values=DIRECTOR, activities=forms(1)), NOW_MS)
    assert (one.fit, one.engagement) == (50, 20)
    assert one.gates["nurture"].passed
    assert one.gates["mql"].missing == ("5 more engagement points",)
    two = default.evaluate(blank_lead(values=DIRECTOR, activities=forms(1, 5)), NOW_MS)
    assert two.gates["mql"].passed
    assert two.reasons == "filled in a form, decides, large company, served country, work address"


def test_default_a_student_is_none_however_busy(default: Rules) -> None:
    values = {"email": "kim@uni.edu", "job_title": "Student", "country": "US"}
    verdict = default.evaluate(blank_lead(values=values, activities=forms(1, 2, 3)), NOW_MS)
    assert verdict.engagement == 40
    assert not verdict.gates["mql"].passed


def test_default_a_manager_is_not_counted_as_two_people(default: Rules) -> None:
    for title, rule in (("VP, Team Lead", "decides"), ("Team Lead", "leads a team")):
        fired = default.evaluate(blank_lead(values={"job_title": title}), NOW_MS).fired
        assert [each.rule for each in fired] == [rule]


def test_default_who_asks_for_a_demo_is_sales_ready_at_once(default: Rules) -> None:
    verdict = default.evaluate(blank_lead(activities=forms(0, detail="Request a demo")), NOW_MS)
    assert verdict.fast_track == "asked to talk to sales"


def test_default_nobody_can_be_reached_without_an_address_or_a_number(default: Rules) -> None:
    verdict = default.evaluate(blank_lead(), NOW_MS)
    assert verdict.gates["qualification"].missing == ("an email or a phone or a mobile phone",)


def test_default_test_entries_and_competitors_never_reach_sales(default: Rules) -> None:
    test = blank_lead(values={"email": "test1@acme.example"})
    rival = blank_lead(values={"email": "spy@Competitor.example"})
    assert default.evaluate(test, NOW_MS).disqualify == ("test entry", "bad_data")
    assert default.evaluate(rival, NOW_MS).disqualify == ("competitor", "competitor")


def test_x_education_reads_nothing_that_was_filled_in_afterwards() -> None:
    fields = set(shipped_mapping("examples/x-education.yaml").fields)
    text = re.sub(r"#.*", "", shipped_source("examples/x-education.yaml").text)
    assert not [
        word for word in ("tag", "quality", "profile", "notable", "asymmetrique") if word in text.lower()
    ]
    assert "last_activity" in fields


@pytest.mark.skipif(not X_EDUCATION.exists(), reason="the leads of x-education.csv are not here")
def test_x_education_is_as_good_as_its_header_says() -> None:
    name = "examples/x-education.yaml"
    rules, _, _ = load_shipped(name)
    columns_file = Path(__file__).resolve().parents[2] / "mappings" / "examples" / "x-education" / "csv.yaml"
    columns = load_columns(
        Source("csv.yaml", columns_file.read_text(encoding="utf-8")), shipped_mapping(name)
    )
    with X_EDUCATION.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    judged = []
    for row in rows:
        facts = LeadFacts({**columns.read(row).values, "email": "a@b.example"}, Stage.NURTURE, 1, 0, 0)
        verdict = rules.evaluate(facts, NOW_MS)
        assert verdict.errors == ()
        judged.append(
            (verdict.gates["mql"].passed or verdict.fast_track is not None, row["Converted"] == "1")
        )
    half = len(judged) // 2
    header = shipped_source(name).text.split("score:")[0]
    for line, part in (("first half", judged[:half]), ("second half", judged[half:])):
        mqls = sum(mql for mql, _ in part)
        right = sum(mql and won for mql, won in part)
        won = sum(won for _, won in part)
        told = re.search(
            rf"{line} .*\)\s+(\d+)\s+(\d+) % \((\d+) of (\d+)\)\s+(\d+) % \((\d+) of (\d+)\)", header
        )
        assert told is not None
        assert [int(number) for number in told.groups()] == [
            mqls,
            round(100 * right / mqls),
            right,
            mqls,
            round(100 * right / won),
            right,
            won,
        ]
