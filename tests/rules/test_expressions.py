"""Conditions give what three-valued logic says, and say when that next changes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from mappings.problems import ConfigErrors
from mappings.stages import Stage
from rules.expressions import Condition, compile_condition
from rules.facts import Activity, LeadFacts, Rejection
from rules.functions import FUNCTIONS
from rules.parse import parse_condition
from rules.scope import Scope
from rules.signature import Function, Parameter
from rules.value_types import TYPE_OF_FIELD, Type
from tests.rules.example_lead import ACTIVITIES, DAY_MS, FIELDS, NOW_MS, SIDES, blank_lead, lead
from tests.rules.reference import business_days, interpret


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


# random expressions against the reference ----------------------------------------------------------------


def spell(function: Function, arguments: Sequence[str]) -> str:
    return f"{function.name}({', '.join(arguments)})"


WRITTEN = {
    Type.TEXT: ['"a"', '"VP sales"', '"ß"', '"x.example"'],
    Type.NUMBER: ["0", "3", "250", "-1.5", "100000000000000"],
    Type.DATE: ['"2026-03-30"'],
    Type.MOMENT: ['"2026-03-28T12:00:00Z"'],
}
NAMED = {
    "activity": [f'"{kind}"' for kind in ACTIVITIES],
    "reason": ['"timing"', '"no_budget"'],
    "side": [f'"{side}"' for side in SIDES],
    "pattern": ['"(a|v)p"', r'r"\bs"', '"^[^a]+$"'],
}
FIELDS_OF = {
    kind: [name for name, declared in FIELDS.items() if TYPE_OF_FIELD[declared] is kind] for kind in Type
}


def arguments_of(parameter: Parameter, depth: int) -> st.SearchStrategy[str]:
    """Something that the parameter takes."""
    if parameter.names is not None:
        return st.sampled_from(NAMED[parameter.names])
    if parameter.listed:
        lists = st.lists(st.sampled_from(['"CRM"', '"a"', '"ß"']), min_size=1, max_size=3)
        return lists.map(lambda entries: f"[{', '.join(entries)}]")
    if parameter.name == "days":
        return st.sampled_from(["1", "7.5", "400", "employees"])
    return st.one_of([values(kind, depth) for kind in parameter.accepts])


def calls(function: Function, depth: int) -> st.SearchStrategy[str]:
    if function.name in ("matches", "length"):  # the reference looks at the field itself
        first = st.sampled_from(
            [*FIELDS_OF[Type.TEXT], *(FIELDS_OF[Type.TEXTS] * (function.name == "length"))]
        )
        more = [arguments_of(parameter, depth) for parameter in function.parameters[1:]]
        return st.tuples(first, *more).map(lambda given: spell(function, given))
    given = []
    for parameter in function.parameters:
        argument = arguments_of(parameter, depth)
        if parameter.optional:
            named = argument.map(lambda text, name=parameter.name: f"{name}={text}")
            given.append(st.just("") | named)
        else:
            given.append(argument)
    return st.tuples(*given).map(lambda found: spell(function, [each for each in found if each]))


@cache
def values(kind: Type, depth: int) -> st.SearchStrategy[str]:
    """Something of this type: a field, something written, a call, arithmetic."""
    found = [st.sampled_from([*FIELDS_OF[kind], *WRITTEN.get(kind, FIELDS_OF[kind])])]
    if depth:
        found += [calls(each, depth - 1) for each in FUNCTIONS.values() if each.result is kind]
        if kind is Type.NUMBER:
            found += [st.just("cycle")]
            numbers = values(kind, depth - 1)
            found += [
                st.tuples(numbers, st.sampled_from("+-*/"), numbers).map("({0[0]} {0[1]} {0[2]})".format)
            ]
    return st.one_of(found)


def pairs(kind: Type, operators: Sequence[str]) -> st.SearchStrategy[str]:
    return st.tuples(values(kind, 2), st.sampled_from(operators), values(kind, 1)).map(" ".join)


SCOPE = Scope(FIELDS, ACTIVITIES, sides=SIDES)
ORDER = ["==", "!=", "<", "<=", ">", ">="]
simple = st.one_of(
    *(calls(each, 1) for each in FUNCTIONS.values() if each.result is Type.BOOLEAN),
    pairs(Type.NUMBER, ORDER),
    pairs(Type.MOMENT, ORDER),
    pairs(Type.DATE, ORDER),
    pairs(Type.TEXT, ["==", "!="]),
    st.tuples(values(Type.TEXT, 1), st.sampled_from(['in ["vp sales", "DE"]', "not in interests"])).map(
        " ".join
    ),
    st.sampled_from(
        ["opted_out", 'stage in ["nurture", "mql"]', 'origin == "hubspot"', "0 < employees <= 250"]
    ),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        inner.map(lambda a: f"not ({a})"),
        st.builds(lambda a, b: f"({a}) and ({b})", inner, inner),
        st.builds(lambda a, b: f"({a}) or ({b})", inner, inner),
    ),
    max_leaves=6,
)
hours = st.integers(-30 * 24, 5 * 24)
texts = st.sampled_from(
    ["VP Sales", "apache", "İstanbul ß", "SALES", "ss", "\ud800", "a@x.example", "", "ſ\u0307"]
)
odd = st.sampled_from(
    [None, True, 0, -3, 7.5, 10**400, -1e308, math.nan, math.inf, "", "x", (), ("a", 1), ["CRM"], b"x", {}]
)
USUAL: dict[Type, st.SearchStrategy[Any]] = {
    Type.TEXT: texts | st.text(max_size=5),
    Type.NUMBER: st.sampled_from([0, 1, 3, 250, 7.5, -1, 1e9, 1e300, -(10**20)]) | st.floats(-1e6, 1e6),
    Type.BOOLEAN: st.booleans(),
    Type.DATE: st.sampled_from(["2026-03-30", "2026-04-03", "2026-04-04", "0001-01-01", "9999-12-31"]),
    Type.MOMENT: st.sampled_from(["2026-03-22T12:00:00Z", "2026-03-28T00:00:00Z", "2026-04-02T00:00:01Z"]),
    Type.TEXTS: st.lists(st.sampled_from(["CRM", "a", "b", "SS"]), max_size=3).map(tuple),
}
leads = st.builds(
    lambda values, stage, cycle, since, activities, rejections, sides: LeadFacts(
        values=values,
        stage=stage,
        cycle=cycle,
        stage_since_ms=NOW_MS + since * 3_600_000,
        created_ms=NOW_MS,
        activities=[Activity(kind, NOW_MS + at * 3_600_000) for kind, at in activities],
        rejections=[Rejection(reason, NOW_MS + at * 3_600_000, 1) for reason, at in rejections],
        sides=sides,
        origin="hubspot",
    ),
    st.fixed_dictionaries(
        {},
        optional={
            name: USUAL[TYPE_OF_FIELD[declared]] | USUAL[TYPE_OF_FIELD[declared]] | odd
            for name, declared in FIELDS.items()
        },
    ),
    st.sampled_from(list(Stage)),
    st.integers(1, 3),
    hours,
    st.lists(st.tuples(st.sampled_from(list(ACTIVITIES)), hours), max_size=3),
    st.lists(
        st.tuples(st.sampled_from(["timing", "no_budget", ""]), hours), max_size=2, unique_by=lambda r: r[1]
    ),
    st.frozensets(st.sampled_from(SIDES)),
)


def compiled(text: str) -> Condition:
    """The condition, unless the checker finds that it says nothing."""
    try:
        return compile_condition(text, FIELDS, activities=ACTIVITIES, sides=SIDES)
    except ConfigErrors as found:
        if all(re.search(NO_SENSE, error.message) for error in found.errors):
            reject()
        raise


NO_SENSE = "same for every lead|with itself|no lead can meet|for which it is known|never"


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(conditions, leads)
def test_generated_code_agrees_with_the_reference(text: str, facts: LeadFacts) -> None:
    decided = compiled(text).decide(facts, NOW_MS)
    node = parse_condition(text, SCOPE)
    assert decided.value is interpret(node, facts, NOW_MS)
    assert [error for error in decided.errors if "it counts as unknown" not in error] == []


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(conditions, leads, st.lists(st.floats(0, 1), max_size=5))
def test_nothing_changes_before_the_next_change(text: str, facts: LeadFacts, moments: list[float]) -> None:
    condition = compiled(text)
    decided = condition.decide(facts, NOW_MS)
    end_ms = decided.next_change_ms or NOW_MS + 400 * DAY_MS
    assert end_ms > NOW_MS
    for part in [*moments, 1]:
        later_ms = NOW_MS + int((end_ms - 1 - NOW_MS) * part)
        assert condition(facts, later_ms) is decided.value


def about(function: Function) -> st.SearchStrategy[str]:
    """Conditions in which this function decides."""
    called = calls(function, 1)
    match function.result:
        case Type.BOOLEAN:
            return called
        case Type.NUMBER:
            other = st.sampled_from(["0", "1", "2", "5", "7.5", "-3", "employees"])
            return st.tuples(called, st.sampled_from(ORDER), other).map(" ".join)
        case Type.MOMENT:
            return st.tuples(called, st.sampled_from(ORDER[2:]), st.just('"2026-03-28"')).map(" ".join)
        case _:
            other = st.sampled_from(['"vp sales"', '"x.example"', '"timing"', "company"])
            return st.tuples(called, st.sampled_from(ORDER[:2]), other).map(" ".join)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_each_function_agrees_with_the_reference(function: Function) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
    @given(about(function), leads, hours)
    def each(text: str, facts: LeadFacts, hour: int) -> None:
        now_ms = NOW_MS + hour * 3_600_000
        condition = compiled(text)
        assert condition(facts, now_ms) is interpret(parse_condition(text, SCOPE), facts, now_ms)

    each()


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
