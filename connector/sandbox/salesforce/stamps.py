"""Dates and date-times as Salesforce spells them, and back to epoch milliseconds.

Stored and sent as `2026-01-31T10:34:07.000+0000`: one-second resolution, always UTC, so that text order is
time order. Source: facts/salesforce.md 2.2. This file must not ask what time it is.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:(Z)|([+-])(\d\d):?(\d\d))", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@lru_cache(maxsize=4096)
def stamp(second: int) -> str:
    """The spelling of a moment given in whole seconds since the epoch."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def stamp_of_ms(moment_ms: int) -> str:
    """The spelling of a moment; milliseconds are cut off."""
    return stamp(moment_ms // 1_000)


def day_of_ms(moment_ms: int) -> str:
    """The UTC day of a moment, `YYYY-MM-DD`."""
    return stamp_of_ms(moment_ms)[:10]


def read_datetime(text: str) -> int | None:
    """Milliseconds of an ISO 8601 date-time with a zone (`Z`, `+00:00`, `+0000`); None when it is not one.
    Fractions of a second are cut off, as Salesforce does on save."""
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    zone = UTC
    if match[7] is None:
        offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
        zone = timezone(-offset if match[8] == "-" else offset)
    try:
        moment = datetime(*(int(match[part]) for part in range(1, 7)), tzinfo=zone)  # type: ignore[misc,arg-type]  # six ints, then the zone
        return int(moment.timestamp()) * 1_000
    except (ValueError, OverflowError):
        return None


def read_date(text: str) -> str | None:
    """A `YYYY-MM-DD` day as given; None when it is not a day of the calendar."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def add_days(day: str, days: int) -> str:
    """The day `days` after this one."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def end_of_quarter(day: str) -> str:
    """The last day of the calendar quarter of this day."""
    of = date.fromisoformat(day)
    month = (of.month - 1) // 3 * 3 + 4
    first_of_next = date(of.year + month // 12, month % 12, 1) if month > 12 else date(of.year, month, 1)
    return (first_of_next - timedelta(days=1)).isoformat()


def http_date(moment_ms: int) -> str:
    """A moment as HTTP headers spell it."""
    return format_datetime(datetime.fromtimestamp(moment_ms // 1_000, UTC), usegmt=True)


def read_http_date(text: str | None) -> int | None:
    """Milliseconds of an HTTP date; None when there is none or it cannot be read."""
    if not text:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp()) * 1_000
    except ValueError:
        return None
