"""The shipped rules load over the shipped mappings, and do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector.configuration import presets
from mappings.source import parse
from mappings.values import Value
from rules.document import RulesDocument
from rules.evaluate import Rules
from rules.facts import Activity
from tests.rules.example_lead import DAY_MS, NOW_MS, blank_lead
from tests.rules.shipped import (
    PRESETS,
    SHIPPED,
    load_shipped,
    run_shipped_cases,
    shipped_mapping,
    shipped_source,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_rules_load_without_a_mistake(name: str) -> None:
    rules, _, _ = load_shipped(name)
    assert rules.default_reason in rules.reasons
    assert rules.routes[-1].name


def test_every_shipped_preset_is_tested_here() -> None:
    assert set(PRESETS) == set(presets("rules"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_cases_pass(name: str) -> None:
    report = run_shipped_cases(name)
    assert [str(error) for error in (*report.errors, *(failure.error for failure in report.failures))] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_cases_show_what_rules_can_do(name: str) -> None:
    cases = RulesDocument.model_validate(parse(shipped_source(name)).data).cases
    assert len(cases) >= 8
    expected = [case.expect for case in cases]
    assert any(each.stage == "mql" and each.fast_track is None for each in expected)
    assert any(each.fast_track for each in expected)
    assert any(each.disqualified for each in expected)
    assert any(each.route for each in expected)
    assert any(each.track for each in expected)
    assert any(case.case.startswith("near miss") and case.expect.stage == "nurture" for case in cases)
    rejected = {case.expect.stage for case in cases if case.rejections}
    assert rejected == {"nurture", "mql"}


@pytest.mark.parametrize("preset", PRESETS)
def test_who_answers_a_campaign_or_comes_to_an_event_earns_points(preset: str) -> None:
    rules, _, kinds = load_shipped(f"presets/{preset}.yaml")
    for kind in ("campaign_response", "event_attendance"):
        assert kind in kinds
        assert rules.evaluate(blank_lead(activities=[Activity(kind, NOW_MS)]), NOW_MS).engagement > 0


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_reasons_are_those_that_the_deployed_picklist_offers(name: str) -> None:
    folder = ROOT / "deploy" / "salesforce" / "force-app" / "main" / "default" / "objects" / "Lead" / "fields"
    text = (folder / "Leadloop_Rejection_Reason__c.field-meta.xml").read_text(encoding="utf-8")
    offered = set(re.findall(r"<fullName>([a-z_ ]+)</fullName>", text)) - {"reason needed"}
    reasons = set(load_shipped(name)[0].reasons)
    assert reasons <= offered
    assert reasons == offered or name == "examples/x-education.yaml"


@pytest.mark.parametrize(
    ("preset", "values", "detail", "missing"),
    [
        (
            "b2b-saas",
            {"email": "a@b.example", "job_title": "Sales Manager", "country": "US"},
            "Guide",
            "15 more engagement points",
        ),
        (
            "manufacturer",
            {
                "email": "a@b.example",
                "job_title": "Design Engineer",
                "industry": "Automotive",
                "country": "DE",
            },
            "Catalogue",
            "15 more engagement points",
        ),
        (
            "services",
            {"email": "a@b.example", "job_title": "Director", "country": "GB"},
            "Webinar",
            "10 more engagement points",
        ),
    ],
)
def test_a_near_miss_is_told_what_is_missing(
    preset: str, values: dict[str, Value], detail: str, missing: str
) -> None:
    rules, _, _ = load_shipped(f"presets/{preset}.yaml")
    lead = blank_lead(values=values, activities=forms(0, detail=detail))
    assert ", ".join(rules.evaluate(lead, NOW_MS).gates["mql"].missing) == missing


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
    rules = shipped_source("examples/x-education.yaml").text.split("\ncases:")[0]
    text = re.sub(r"#.*", "", rules)
    assert not [
        word for word in ("tag", "quality", "profile", "notable", "asymmetrique") if word in text.lower()
    ]
    assert "last_activity" in fields
