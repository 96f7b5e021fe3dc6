"""WHERE made executable: a test for a row, and what narrows down which rows need testing.

Text compares without regard to letter case, ids as 15 or 18 characters, null only equals null. Source:
facts/salesforce.md 3.2. This file must not read tables; it says which indexes would help.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce import ids, stamps
from connector.sandbox.salesforce.refusals import Refusal, malformed, pointing
from connector.sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, ObjectSpec, Row
from connector.sandbox.salesforce.soql_columns import Column, find_column
from connector.sandbox.salesforce.soql_tree import (
    LITERAL_PERCENT,
    LITERAL_UNDERSCORE,
    Comparison,
    Condition,
    Junction,
    Literal,
)
from connector.sandbox.salesforce.world import Test, World

Lookup = tuple[str, tuple[Any, ...]]
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """`test` decides. A row that passes is among the rows that the `lookups` find (each an indexed field and
    values, joined by or; None: no such narrowing), its SystemModstamp is between `low` and `high`, and its Id
    is `from_id` or comes after it."""

    test: Test
    lookups: tuple[Lookup, ...] | None = None
    low: str | None = None
    high: str | None = None
    from_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Span:
    """A date literal such as TODAY: all from `start` on, before `end`."""

    start: str
    end: str


def compile_filter(world: World, spec: ObjectSpec, condition: Condition, text: str) -> Filter:
    """Raises Refusal for names and values that do not fit."""
    if isinstance(condition, Comparison):
        return _comparison(world, spec, condition, text)
    parts = [compile_filter(world, spec, part, text) for part in condition.parts]
    return _joined(condition, parts)


def _joined(junction: Junction, parts: Sequence[Filter]) -> Filter:
    tests = tuple(part.test for part in parts)
    if junction.kind == "not":
        negated = tests[0]
        return Filter(lambda row: not negated(row))
    if junction.kind == "and":
        lookups = min(
            (part.lookups for part in parts if part.lookups is not None), key=_lookup_size, default=None
        )
        low = max((part.low for part in parts if part.low is not None), default=None)
        high = min((part.high for part in parts if part.high is not None), default=None)
        from_id = max((part.from_id for part in parts if part.from_id is not None), default=None)
        if len(tests) == 2:
            first, second = tests
            return Filter(lambda row: first(row) and second(row), lookups, low, high, from_id)
        return Filter(lambda row: all(test(row) for test in tests), lookups, low, high, from_id)
    either: tuple[Lookup, ...] | None = ()
    for part in parts:
        either = None if either is None or part.lookups is None else either + part.lookups
    lows, highs = [part.low for part in parts], [part.high for part in parts]
    return Filter(
        lambda row: any(test(row) for test in tests),
        either,
        None if None in lows else min(low for low in lows if low is not None),
        None if None in highs else max(high for high in highs if high is not None),
    )


def _lookup_size(lookups: tuple[Lookup, ...]) -> int:
    return sum(len(values) for _, values in lookups)


def _comparison(world: World, spec: ObjectSpec, part: Comparison, text: str) -> Filter:
    column = find_column(world, spec, part.field, text)
    if not column.field.filterable:
        message = f"field '{column.field.name}' can not be filtered in a query call"
        raise pointing("INVALID_FIELD", message, text, part.field.at)
    if part.operator == "like":
        return Filter(_like(column, part, text))
    values = [_value(world, column, literal, text) for literal in part.values]
    narrow = _Narrowing(world, spec, column)
    if part.operator in ("=", "in", "!=", "not in"):
        holds = _is_one_of(column, values)
        if part.operator in ("=", "in"):
            return narrow.equal(holds, values)
        return Filter(lambda row: not holds(row))
    if part.operator in ("includes", "excludes"):
        return Filter(_includes(column, part, values, text))
    return narrow.ordered(_ordered(column, part.operator, values[0], text, part), part.operator, values[0])


@dataclass(frozen=True, slots=True)
class _Narrowing:
    world: World
    spec: ObjectSpec
    column: Column

    def equal(self, test: Test, values: Sequence[Any]) -> Filter:
        name = self.column.field.name
        if self.column.reference is not None or any(
            value is None or isinstance(value, _Span) for value in values
        ):
            return Filter(test)
        if name == "SystemModstamp":
            return Filter(test, None, min(values), max(values))
        if name == "Id" or name in self.world.tables[self.spec.name].postings:
            return Filter(test, ((name, tuple(values)),))
        return Filter(test)

    def ordered(self, test: Test, sign: str, value: Any) -> Filter:
        name = self.column.field.name
        if self.column.reference is not None or value is None:
            return Filter(test)
        if name == "Id" and sign[0] == ">":
            return Filter(test, from_id=str(value))
        if name != "SystemModstamp":
            return Filter(test)
        bound = (value.start if sign in (">=", "<") else value.end) if isinstance(value, _Span) else value
        return Filter(test, None, bound, None) if sign[0] == ">" else Filter(test, None, None, bound)


def _norm(column: Column) -> Callable[[Any], Any] | None:
    """How a stored value is made comparable; None when it is as it is."""
    if column.field.type in TEXT_TYPES and not column.field.case_sensitive:
        return str.lower
    return None


def _is_one_of(column: Column, values: Sequence[Any]) -> Test:
    get, norm = column.get, _norm(column)
    spans = [value for value in values if isinstance(value, _Span)]
    if spans:
        return lambda row: (
            (found := get(row)) is not None and any(span.start <= found < span.end for span in spans)
        )
    if len(values) == 1 and norm is None:
        only = values[0]
        return lambda row: bool(get(row) == only)
    wanted = frozenset(values)
    if norm is None:
        return lambda row: get(row) in wanted
    lower = norm
    return lambda row: (lower(found) if (found := get(row)) is not None else None) in wanted


def _ordered(column: Column, sign: str, value: Any, text: str, part: Comparison) -> Test:
    if column.field.type in ("boolean", "multipicklist", "address"):
        raise _invalid_operator(part, text)
    get, norm, compare = column.get, _norm(column), _ORDERED[sign]
    if value is None:
        return lambda _row: False
    if isinstance(value, _Span):
        value, compare = {
            "<": (value.start, operator.lt),
            "<=": (value.end, operator.lt),
            ">": (value.end, operator.ge),
            ">=": (value.start, operator.ge),
        }[sign]
    if norm is None:
        return lambda row: (found := get(row)) is not None and compare(found, value)
    lower = norm
    return lambda row: (found := get(row)) is not None and compare(lower(found), value)


def _like(column: Column, part: Comparison, text: str) -> Test:
    if column.field.type not in TEXT_TYPES:
        raise _invalid_operator(part, text)
    pattern = "".join(
        {"%": ".*", "_": ".", LITERAL_PERCENT: "%", LITERAL_UNDERSCORE: "_"}.get(char, re.escape(char))
        for char in part.values[0].text
    )
    matches = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    get = column.get
    return lambda row: (found := get(row)) is not None and matches(found) is not None


def _includes(column: Column, part: Comparison, values: Sequence[Any], text: str) -> Test:
    if column.field.type != "multipicklist":
        raise _invalid_operator(part, text)
    wanted = [frozenset(str(value).split(";")) for value in values]
    get, includes = column.get, part.operator == "includes"

    def test(row: Row) -> bool:
        chosen = frozenset(str(get(row) or "").lower().split(";"))
        return any(each <= chosen for each in wanted) is includes

    return test


def _invalid_operator(part: Comparison, text: str) -> Refusal:
    message = f"invalid operator: {part.operator} on field '{part.field.text}'"
    return pointing("INVALID_QUERY_FILTER_OPERATOR", message, text, part.field.at)


def _value(world: World, column: Column, literal: Literal, text: str) -> Any:
    field = column.field
    if literal.kind == "null":
        return False if field.type == "boolean" else None
    if field.type in ("id", "reference"):
        return _id(literal, text)
    if field.type in TEXT_TYPES and literal.kind == "string":
        if literal.text == "":
            return None
        return literal.text if field.case_sensitive else literal.text.lower()
    if field.type in NUMBER_TYPES and literal.kind == "number":
        return float(literal.text)
    if field.type == "boolean" and literal.kind == "boolean":
        return literal.text.lower() == "true"
    if field.type in ("date", "datetime"):
        return _moment(world, column, literal, text)
    if literal.kind == "word":
        raise malformed(f"unexpected token: '{literal.text}'", text, literal.at)
    kind = {"datetime": "dateTime"}.get(field.type, "string" if field.type in TEXT_TYPES else field.type)
    quotes = "should be" if field.type in TEXT_TYPES else "should not be"
    message = (
        f"value of filter criterion for field '{column.name}' must be of type {kind} and {quotes} "
        "enclosed in quotes"
    )
    raise pointing("INVALID_FIELD", message, text, literal.at)


def _id(literal: Literal, text: str) -> str:
    found = ids.canonical(literal.text) if literal.kind == "string" else None
    if found is None:
        message = f"invalid ID field: {literal.text}"
        raise pointing("INVALID_QUERY_FILTER_OPERATOR", message, text, literal.at)
    return found


def _moment(world: World, column: Column, literal: Literal, text: str) -> Any:
    is_date = column.field.type == "date"
    if literal.kind == "date" and is_date and (day := stamps.read_date(literal.text)):
        return day
    if literal.kind == "datetime" and not is_date:
        moment_ms = stamps.read_datetime(literal.text)
        if moment_ms is not None:
            return stamps.stamp_of_ms(moment_ms)
    span = _days(world, literal)
    if span is not None:
        if is_date:
            return _Span(*span)
        return _Span(*(f"{day}T00:00:00.000+0000" for day in span))
    kind = "date" if is_date else "dateTime"
    message = (
        f"value of filter criterion for field '{column.name}' must be of type {kind} and should not be "
        "enclosed in quotes"
    )
    raise pointing("INVALID_FIELD", message, text, literal.at)


def _days(world: World, literal: Literal) -> tuple[str, str] | None:
    """The days from, and before, that a date literal stands for (UTC)."""
    today = stamps.day_of_ms(world.now_ms())
    if literal.kind == "word":
        shift = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}.get(literal.text.upper())
        return None if shift is None else (stamps.add_days(today, shift), stamps.add_days(today, shift + 1))
    if literal.kind == "days":
        kind, count = literal.text.upper().split(":")
        if kind.startswith("LAST"):
            return stamps.add_days(today, -int(count)), stamps.add_days(today, 1)
        return stamps.add_days(today, 1), stamps.add_days(today, int(count) + 1)
    return None
