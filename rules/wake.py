"""When a result next changes by time alone. A `Wake` collects moments and keeps the earliest future one.

Every function of the expression language that depends on time reports here; so waiting costs nothing. No
clock: `now_ms` is an argument.
"""

from __future__ import annotations

from math import ceil, floor, isfinite
from typing import Final

DAY_MS = 86_400_000

_NEVER_MS = 253_402_300_800_000
"""The end of the year 9999: what lies beyond is never waited for."""


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
    if isfinite(days):
        wake.at(since_ms + ceil(days) * DAY_MS)
    return (now - since_ms) // DAY_MS


def days_exceeding(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """Like `days_passed`, for `>` and `<=`: what matters is only when `days` are exceeded."""
    if isfinite(days):
        wake.at(since_ms + (floor(days) + 1) * DAY_MS)
    return (now - since_ms) // DAY_MS


def days_equalling(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """Like `days_passed`, for `==` and `!=`: when `days` are reached, and when they are exceeded."""
    days_reaching(since_ms, days, now, wake)
    return days_exceeding(since_ms, days, now, wake)


def within_days(moment_ms: int, days: float, now: int, wake: Wake) -> bool:
    """Whether the moment lies in the `days` (of 24 hours) before now; not in the future."""
    if not isfinite(days):
        return days > 0 and moment_ms <= now
    end = moment_ms + floor(days * DAY_MS) if days < 1e9 else _NEVER_MS
    if moment_ms > now:
        if end > moment_ms:
            wake.at(moment_ms)
        return False
    wake.at(end)
    return now < end
