"""Comparing: whether what is seen is what a story says, value by value, and the difference in words. Pure."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from connector.clock import MINUTE_MS
from mappings.moments import ms_from_datetime
from tests.stories.moments import is_moment, moment_ms, told

BLANK = "blank"
_WORDS = ("contains", "at_least", "at_most", "not")


def mistake_in(expected: Any, zone: ZoneInfo) -> str | None:
    """What is wrong with an expectation, whatever is seen; None when it can be compared."""
    if isinstance(expected, dict):
        unknown = [word for word in expected if word not in _WORDS]
        if unknown or not expected:
            return f"what is expected of a value is another value, or one of {', '.join(_WORDS)}"
        return None
    if isinstance(expected, list):
        return "what is expected of a value is no list"
    if isinstance(expected, str) and is_moment(expected):
        try:
            moment_ms(expected, zone)
        except ValueError as error:
            return str(error)
    return None


def is_met(expected: Any, seen: Any, zone: ZoneInfo) -> bool:
    """Whether a value that is seen is the expected one. Platforms show numbers and moments in spellings of
    their own: they are compared by meaning, moments to the minute."""
    if isinstance(expected, dict):
        return all(_meets(word, wanted, seen, zone) for word, wanted in expected.items())
    if expected is None or expected == BLANK:
        return seen in (None, "", [])
    if isinstance(expected, bool):
        return str(seen).lower() == str(expected).lower()
    if isinstance(expected, int | float):
        number = _number(seen)
        return number is not None and number == float(expected)
    if is_moment(expected):
        shown = _moment(seen)
        return shown is not None and shown // MINUTE_MS == moment_ms(expected, zone) // MINUTE_MS
    return str(seen) == str(expected)


def shown(value: Any, expected: Any, zone: ZoneInfo) -> str:
    """A value that is seen, as a story would write it."""
    if value in (None, "", []):
        return "nothing"
    moment = _moment(value) if isinstance(expected, str) and is_moment(expected) else None
    return told(moment, zone) if moment is not None else f'"{value}"'


def wanted(expected: Any) -> str:
    """An expectation in words."""
    if isinstance(expected, dict):
        return " and ".join(f"{word.replace('_', ' ')} {wanted(value)}" for word, value in expected.items())
    return "nothing" if expected in (None, BLANK) else f'"{expected}"'


def _meets(word: str, expected: Any, seen: Any, zone: ZoneInfo) -> bool:
    if word == "not":
        return not is_met(expected, seen, zone)
    if word == "contains":
        return str(expected).lower() in str(seen or "").lower()
    number, limit = _number(seen), _number(expected)
    if number is None or limit is None:
        return False
    return number >= limit if word == "at_least" else number <= limit


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _moment(value: Any) -> int | None:
    """Epoch milliseconds of a moment as a platform shows it."""
    text = str(value)
    if text.isdecimal() and len(text) >= 12:
        return int(text)
    try:
        return ms_from_datetime(text.replace("+0000", "+00:00"))
    except ValueError:
        return None
