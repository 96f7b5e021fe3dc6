"""When a result next changes by time alone. A `Wake` collects moments and keeps the earliest future one.

Every function of the expression language that depends on time reports here; so waiting costs nothing. No
clock: `now_ms` is an argument.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Final

DAY_MS = 86_400_000

_NEVER_MS = 253_402_300_800_000
"""The end of the year 9999: what lies beyond is never waited for."""

MOST_DAYS: Final = 1e9
"""More days than that are never reached, and never have passed."""

MONDAY: Final = 3
"""Days from a Monday to 1 January 1970."""


class Wake:
    """The earliest moment after `now_ms` that was reported."""

    __slots__ = ("_at", "now_ms")

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._at = _NEVER_MS

    def at(self, moment_ms: int) -> None:
        """Something changes at `moment_ms`; what lies in the past or present is no news."""
        if self.now_ms < moment_ms < self._at:
            self._at = moment_ms

    @property
    def next_change_ms(self) -> int | None:
        return None if self._at == _NEVER_MS else self._at


NOBODY: Final = Wake(_NEVER_MS)
"""Takes reports that are of no interest."""


def days_passed(since_ms: int, now: int, wake: Wake) -> int:
    """Whole days (of 24 hours) from `since_ms` to now; negative for the future. Changes every day."""
    days = (now - since_ms) // DAY_MS
    wake.at(since_ms + (days + 1) * DAY_MS)
    return days


def days_reaching(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """Like `days_passed`, for `>=` and `<`: what matters is only when `days` are reached."""
    if abs(days) < MOST_DAYS:
        wake.at(since_ms + ceil(days) * DAY_MS)
    return (now - since_ms) // DAY_MS


def days_exceeding(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """Like `days_passed`, for `>` and `<=`: what matters is only when `days` are exceeded."""
    if abs(days) < MOST_DAYS:
        wake.at(since_ms + (floor(days) + 1) * DAY_MS)
    return (now - since_ms) // DAY_MS


def days_equalling(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """Like `days_passed`, for `==` and `!=`: when `days` are reached, and when they are exceeded."""
    days_reaching(since_ms, days, now, wake)
    return days_exceeding(since_ms, days, now, wake)


def within_days(moment_ms: int, days: float, now: int, wake: Wake) -> bool:
    """Whether the moment lies in the `days` (of 24 hours) before now; not in the future."""
    end = moment_ms + floor(min(days, MOST_DAYS) * DAY_MS) if days > 0 else moment_ms
    if end == moment_ms:
        return False
    if moment_ms > now:
        wake.at(moment_ms)
        return False
    wake.at(end)
    return now < end


def within_next_days(moment_ms: int, days: float, now: int, wake: Wake) -> bool:
    """Whether the moment lies in the `days` (of 24 hours) after now; not in the past."""
    if moment_ms <= now or days <= 0:
        return False
    begin = moment_ms - floor(min(days, MOST_DAYS) * DAY_MS)
    wake.at(begin if now < begin else moment_ms)
    return begin <= now


def weekday(moment_ms: int) -> int:
    """The day of the week in UTC, 1 for Monday to 7 for Sunday."""
    return (moment_ms // DAY_MS + MONDAY) % 7 + 1
