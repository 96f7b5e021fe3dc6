"""The filters of a search (hubspot.md section 6), compiled to functions over a record. Pure.

Strings compare without case, but IN and NOT_IN need lower-case values; enumerations compare with case; dates
are epoch milliseconds as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from connector.sandbox.hubspot.definitions import Definition
from connector.sandbox.hubspot.problems import Problem, not_valid
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.standard import ObjectType
from connector.sandbox.hubspot.times import moment_of

Matches = Callable[[Record], bool]
Comparable = Any
"""A number for numbers and moments, otherwise text."""

OPERATORS = (
    "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
)  # fmt: skip
_ORDERED: Mapping[str, Callable[[Comparable, Comparable], bool]] = {
    "LT": lambda value, bound: bool(value < bound),
    "LTE": lambda value, bound: bool(value <= bound),
    "GT": lambda value, bound: bool(value > bound),
    "GTE": lambda value, bound: bool(value >= bound),
}
_WORDS = re.compile(r"[^\s,;:|/\\()\"']+")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition. `low` and `high` are inclusive bounds when it is a range of a moment or number."""

    name: str
    operator: str
    values: tuple[Comparable, ...]
    matches: Matches
    low: Comparable = None
    high: Comparable = None


def value_reader(kind: ObjectType, definition: Definition) -> Callable[[Record], Comparable]:
    """How to read a property of a record in a form that compares; None where it has no value."""
    name = definition.name
    if name == kind.modified:
        return lambda record: record.updated_ms
    if name == kind.created:
        return lambda record: record.created_ms
    if name == "hs_object_id":
        return lambda record: record.record_id
    if definition.type == "number":
        return lambda record: _number(record.properties.get(name))
    if definition.type in ("date", "datetime"):
        return lambda record: _moment(record.properties.get(name))
    if definition.type in ("enumeration", "bool"):
        return lambda record: record.properties.get(name) or None
    return lambda record: (record.properties.get(name) or "").lower() or None


def compile_filter(kind: ObjectType, definition: Definition, given: Mapping[str, Any]) -> Filter:
    """A filter of a request. Raises Problem 400."""
    operator = given.get("operator")
    if operator not in OPERATORS:
        raise not_valid(f"Invalid input JSON: {operator} is not one of the operators {', '.join(OPERATORS)}")
    read = value_reader(kind, definition)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        wanted = operator == "HAS_PROPERTY"
        return Filter(definition.name, operator, (), lambda record: (read(record) is not None) == wanted)
    if operator in ("IN", "NOT_IN"):
        texts = given.get("values")
        if not isinstance(texts, list) or not texts:
            raise not_valid(f"operator {operator} requires values")
        # no folding of case here: an upper-case value never matches a string (documented)
        values = tuple(_operand(definition, text, fold=False) for text in texts)
        among = frozenset(values)
        if operator == "IN":
            return Filter(
                definition.name, operator, values, lambda record: _any_part(definition, read(record), among)
            )
        return Filter(
            definition.name, operator, values, lambda record: not _any_part(definition, read(record), among)
        )
    value = _operand(definition, given.get("value"))
    if operator == "BETWEEN":
        high = _operand(definition, given.get("highValue"))
        return Filter(
            definition.name,
            operator,
            (value, high),
            lambda record: (found := read(record)) is not None and bool(value <= found <= high),
            value,
            high,
        )
    return _simple(definition, operator, value, read)


def _simple(
    definition: Definition, operator: str, value: Comparable, read: Callable[[Record], Comparable]
) -> Filter:
    name = definition.name
    if operator in _ORDERED:
        compare = _ORDERED[operator]
        low = high = None
        if isinstance(value, int):
            low = {"GT": value + 1, "GTE": value}.get(operator)
            high = {"LT": value - 1, "LTE": value}.get(operator)
        return Filter(
            name,
            operator,
            (value,),
            lambda record: (found := read(record)) is not None and compare(found, value),
            low,
            high,
        )
    if operator in ("EQ", "NEQ"):
        among = frozenset([value])
        if operator == "EQ":
            equal: Matches = lambda record: _any_part(definition, read(record), among)  # noqa: E731  # one of two
            return Filter(name, operator, (value,), equal, value, value)
        return Filter(name, operator, (value,), lambda record: not _any_part(definition, read(record), among))
    pattern = str(value).lower()
    if operator == "CONTAINS_TOKEN":
        return Filter(name, operator, (value,), lambda record: _has_token(record, name, pattern))
    return Filter(name, operator, (value,), lambda record: not _has_token(record, name, pattern))


def _operand(definition: Definition, text: Any, fold: bool = True) -> Comparable:
    if isinstance(text, bool) or not isinstance(text, str | int | float) or text == "":
        raise not_valid(f"A filter on {definition.name} requires a value")
    text = str(text)
    if definition.type == "number":
        number = _number(text)
        if number is None:
            raise _unreadable(definition, text)
        return number
    if definition.type in ("date", "datetime"):
        if not re.fullmatch(r"-?\d{1,15}", text):
            raise _unreadable(definition, text)
        return int(text)
    if definition.type in ("enumeration", "bool") or not fold:
        return text
    return text.lower()


def _unreadable(definition: Definition, text: str) -> Problem:
    return not_valid(f"{text} is not a valid value for the {definition.type} property {definition.name}")


def _number(text: str | None) -> int | float | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str | None) -> int | None:
    return moment_of(text) if text else None


def _any_part(definition: Definition, found: Comparable, among: frozenset[Comparable]) -> bool:
    if found is None:
        return False
    if definition.multiple:
        return not among.isdisjoint(found.split(";"))
    return found in among


def _has_token(record: Record, name: str, pattern: str) -> bool:
    text = (record.properties.get(name) or "").lower()
    if not text:
        return False
    words = _WORDS.findall(text)
    tokens = {text, *words, *(part for word in words for part in re.split(r"[@.\-_+]", word))}
    return any(fnmatchcase(token, pattern) for token in tokens)
