"""Conditions give what three-valued logic says, and say when that next changes."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.problems import ConfigErrors
from rules.expressions import compile_condition
from rules.facts import LeadFacts
from rules.functions import FUNCTIONS
from rules.signature import Function
from tests.rules.example_lead import ACTIVITIES, DAY_MS, FIELDS, NOW_MS, SIDES, blank_lead, lead
from tests.rules.reference import business_days


def ask(text: str, facts: LeadFacts | None = None, now_ms: int = NOW_MS) -> bool | None:
    return compile_condition(text, FIELDS, activities=ACTIVITIES)(facts or lead(), now_ms)


# opted_out is true in one lead, false in another, blank in the third; the same for a comparison of employees
LEADS = {
    True: lead(values={"opted_out": True, "employees": 1}),
    False: lead(values={"opted_out": False, "employees": 9}),
    None: lead(values={"opted_out": None, "employees": None}),
}


@pytest.mark.parametrize("value", [True, False, None])
def test_not_leaves_unknown_unknown(value: bool | None) -> None:
    expected = {True: False, False: True, None: None}[value]
    assert ask("not opted_out", LEADS[value]) is expected
    assert ask("not employees < 5", LEADS[value]) is expected


@pytest.mark.parametrize("a", [True, False, None])
@pytest.mark.parametrize("b", [True, False, None])
def test_and_or_follow_kleene(a: bool | None, b: bool | None) -> None:
    facts = lead(values={"opted_out": a, "employees": {True: 1, False: 9, None: None}[b]})
    conjunction = False if False in (a, b) else None if None in (a, b) else True
    disjunction = True if True in (a, b) else None if None in (a, b) else False
    assert ask("opted_out and employees < 5", facts) is conjunction
    assert ask("opted_out or employees < 5", facts) is disjunction
    assert ask("not (opted_out or employees < 5)", facts) is (
        None if disjunction is None else not disjunction
    )


@pytest.mark.parametrize(
    "text",
    [
        "employees > 5",
        "employees != 5",
        'country == "DE"',
        'country in ["DE"]',
        'country not in ["DE"]',
        'contains(job_title, "x")',
        'matches(job_title, "x")',
        "is_free_mail(email)",
        'domain(email) == "x"',
        "length(company) > 3",
        'any_of(interests, ["x"])',
        '"x" in interests',
        "days_since(created) > 3",
        "within_days(created, 3)",
        "not within_days(created, 3)",
        "employees + 1 > 0",
        "days_since(last_activity()) > 3",
        "opted_out == false",
    ],
)
def test_a_missing_value_makes_everything_but_is_blank_unknown(text: str) -> None:
    assert ask(text, blank_lead()) is None
    assert ask(f"not ({text})", blank_lead()) is None
    assert ask("is_blank(employees) and is_blank(email) and is_blank(created)", blank_lead()) is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('job_title == "vp SALES"', True),
        ('job_title != "vp sales"', False),
        ('country in ["de", "FR"]', True),
        ('"crm" in interests', True),
        ('any_of(interests, ["CRM", "x"])', True),
        ('stage == "NURTURE" and origin == "HubSpot"', True),
        ('starts_with(job_title, "VP ") and ends_with(job_title, "SALES")', True),
        ('matches(job_title, "^vp")', True),
        ("0 < employees <= 250", True),
        ("employees / 0 > 1", None),
        ("employees * 2 - 100 == 400", True),
        ("revenue >= 1500000.5", True),
        ('created >= "2026-03-20" and created < "2026-03-21"', True),
        ('trial_ends == "2026-04-10"', True),
        ('trial_ends > created and created > "2026-03-20T07:59:59Z"', True),
        ("days_since(trial_ends) == -9", True),
        ("days_since(created) - days_in_stage() == 8", True),
        ("days_since(created) > days_in_stage()", True),
        ("4 <= days_in_stage()", True),
        ('count("form_submission") == 2 and count("form_submission", days=30) == 1', True),
        ('count("email_open") == 0 and touches(10) == 1', True),
        ('days_since(last_activity("form_submission")) == 20', True),
        ('is_blank(last_activity("email_open"))', True),
        ("is_blank(domain(email))", False),
        ('rejected() and not rejected("no_budget")', True),
        ('exists_on("hubspot") and not exists_on("salesforce")', True),
        ("opted_out == false", True),
        ("employees == -250 or employees == 250", True),
    ],
)
def test_what_expressions_mean(text: str, expected: bool | None) -> None:
    assert ask(text) is expected


def test_white_space_and_lines_do_not_matter() -> None:
    assert ask("  employees\n   >=\n 200\n") is True


@pytest.mark.parametrize("first", range(7))
def test_business_days_are_mondays_to_fridays(first: int) -> None:
    created_ms = NOW_MS + first * DAY_MS
    facts = lead(stage_since_ms=created_ms)
    for hour in range(-30 * 24, 30 * 24, 6):
        now_ms = created_ms + hour * 3_600_000
        expected = business_days(created_ms, now_ms)
        assert ask(f"business_days_in_stage() == {expected}", facts, now_ms) is True


@pytest.mark.parametrize(
    "function", [each for each in FUNCTIONS.values() if not each.pure], ids=lambda f: f.name
)
def test_each_function_says_when_it_changes(function: Function) -> None:
    """From one change to the next through 500 days, and looked at between them every few hours."""
    text, _ = function.example
    condition = compile_condition(text, FIELDS, activities=ACTIVITIES, sides=SIDES)
    facts = lead()
    now_ms, end_ms = NOW_MS - 100 * DAY_MS, NOW_MS + 400 * DAY_MS
    while now_ms < end_ms:
        decided = condition.decide(facts, now_ms)
        until_ms = min(decided.next_change_ms or end_ms, end_ms)
        assert until_ms > now_ms
        for later_ms in (*range(now_ms, until_ms, 5 * 3_600_000), until_ms - 1):
            assert condition(facts, later_ms) is decided.value
        now_ms = until_ms


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("days_since(created) >= 30", 30),
        ("days_since(created) > 30", 31),
        ("days_since(created) < 30", 30),
        ("not days_since(created) <= 30", 31),
        ("days_since(created) == 40", 40),
        ("within_days(created, 20)", 20),
        ("days_since(created) + 1 > 90", 13),  # arithmetic: looked at every day
        ("opted_out and days_since(created) >= 30", None),  # decided by what does not change
        ("days_since(created) >= 3", None),  # is true and stays so
    ],
)
def test_the_next_change_is_exact(text: str, days: int | None) -> None:
    created_ms = NOW_MS - 12 * DAY_MS - 4 * 3_600_000
    decided = compile_condition(text, FIELDS).decide(lead(), NOW_MS)
    assert decided.next_change_ms == (None if days is None else created_ms + days * DAY_MS)


# strange values ------------------------------------------------------------------------------------------

STRANGE = [
    0,
    "",
    "x",
    True,
    3.5,
    float("nan"),
    float("inf"),
    10**400,
    (),
    ("a", 1),
    [1],
    "2026-13-45",
    "9" * 50,
    "\ud800",
]


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
@pytest.mark.parametrize(
    "text",
    [
        'contains(job_title, "x") or length(company) > 3',
        "employees * 1.5 / revenue > 3 or employees - revenue > 1",
        "opted_out",
        'any_of(interests, ["x"]) or "y" in interests',
        "days_since(created) > 3 or within_days(trial_ends, employees)",
        'domain(email) == "x" or is_free_mail(email)',
    ],
)
def test_a_value_of_the_wrong_kind_is_unknown_and_reported(text: str, value: Any) -> None:
    facts = lead(values=dict.fromkeys(FIELDS, value))
    decided = compile_condition(text, FIELDS).decide(facts, NOW_MS)
    assert decided.value in (True, False, None)


def test_what_was_strange_is_told_without_its_content() -> None:
    decided = compile_condition("employees > 3", FIELDS).decide(lead(values={"employees": "secret"}), NOW_MS)
    assert decided.value is None
    assert decided.errors == ("employees holds text that is no number: it counts as unknown",)


def test_hostile_texts_cannot_become_code() -> None:
    text = "\"'); import os; ('\" + job_title"
    with pytest.raises(ConfigErrors):
        compile_condition(text, FIELDS)
    assert ask("""job_title == "'); raise SystemExit; ('" """) is False
    assert ask('contains(job_title, "{0}{v0}")') is False
