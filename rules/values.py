"""A lead's values as generated code takes them in: what is not what its field declares becomes unknown.

Nothing that a platform sends may stop a rule, so these never raise; what they could not use they report, by
name and kind and never by content, since it may be personal.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from math import floor, inf
from typing import Any

from rules.literals import read_time

_KINDS = {
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    list: "a list",
}

_read = lru_cache(maxsize=4096)(read_time)


def strange(name: str, value: Any, wanted: str, errors: list[str]) -> None:
    """Reports a value of the wrong kind, and gives the None that takes its place."""
    kind = _KINDS.get(type(value), "something else")
    errors.append(f"{name} holds {kind} that is no {wanted}: it counts as unknown")


def clean_number(name: str, value: Any, errors: list[str]) -> int | float | None:
    """The number, unless it is none, or not finite."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < inf:
        return value
    strange(name, value, "number", errors)
    return None


def fold_texts(name: str, value: Any, errors: list[str]) -> tuple[str, ...] | None:
    """The entries of a list field without regard to case."""
    if isinstance(value, tuple | list) and all(isinstance(entry, str) for entry in value):
        return tuple(entry.casefold() for entry in value)
    strange(name, value, "list of texts", errors)
    return None


def read_moment(name: str, value: Any, errors: list[str]) -> int | None:
    """A date (midnight UTC) or date and time as epoch milliseconds."""
    moment_ms = _read(value) if isinstance(value, str) else None
    if moment_ms is None:
        strange(name, value, "date", errors)
    return moment_ms


def add(left: float, right: float) -> float | None:
    """The sum; unknown where it is no finite number."""
    try:
        return _finite(left + right)
    except OverflowError:
        return None


def subtract(left: float, right: float) -> float | None:
    """The difference; unknown where it is no finite number."""
    try:
        return _finite(left - right)
    except OverflowError:
        return None


def multiply(left: float, right: float) -> float | None:
    """The product; unknown where it is no finite number."""
    try:
        return _finite(left * right)
    except OverflowError:
        return None


def divide(left: float, right: float) -> float | None:
    """The quotient; unknown where there is none."""
    if right == 0:
        return None
    try:
        return _finite(left / right)
    except OverflowError:
        return None


def round_number(number: float) -> int:
    """The nearest whole number, halves away from zero."""
    if isinstance(number, int):
        return number
    whole = floor(abs(number) + 0.5)
    return whole if number > 0 else -whole


def contains_any(text: str, parts: Collection[str]) -> bool:
    """Whether the text contains one of the parts."""
    return any(part in text for part in parts)


def _finite(number: float) -> float | None:
    return number if -inf < number < inf else None
