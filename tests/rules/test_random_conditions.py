"""Random conditions: generated code agrees with the reference, and nothing changes before it says so."""

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
from tests.rules.example_lead import ACTIVITIES, DAY_MS, FIELDS, NOW_MS, SIDES
from tests.rules.reference import interpret


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
