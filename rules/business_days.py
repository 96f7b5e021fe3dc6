"""Business days: Mondays to Fridays in UTC, and when their number next changes.

A business day counts from its first moment, 0:00 UTC. There is no calendar of holidays: they count like any
other day. Arithmetic on day numbers, so no date is too far away. No clock: `now` is an argument.
"""

from __future__ import annotations

from math import ceil, floor

from rules.wake import DAY_MS, MONDAY, MOST_DAYS, Wake


def business_days_passed(since_ms: int, now: int, wake: Wake) -> int:
    """How many business days have begun after the day of `since_ms`; negative for the future. Changes with
    every business day."""
    begun = _number_of(now)
    wake.at(_begin_ms(begun + 1))
    return begun - _number_of(since_ms)


def business_days_reaching(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """The same, for `>=` and `<`: what matters is only when `days` are reached."""
    first = _number_of(since_ms)
    if abs(days) < MOST_DAYS:
        wake.at(_begin_ms(first + ceil(days)))
    return _number_of(now) - first


def business_days_exceeding(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """The same, for `>` and `<=`: what matters is only when `days` are exceeded."""
    first = _number_of(since_ms)
    if abs(days) < MOST_DAYS:
        wake.at(_begin_ms(first + floor(days) + 1))
    return _number_of(now) - first


def business_days_equalling(since_ms: int, days: float, now: int, wake: Wake) -> int:
    """The same, for `==` and `!=`: when `days` are reached, and when they are exceeded."""
    business_days_reaching(since_ms, days, now, wake)
    return business_days_exceeding(since_ms, days, now, wake)


def _number_of(moment_ms: int) -> int:
    """The running number of the last business day that had begun by then."""
    week, day = divmod(moment_ms // DAY_MS + MONDAY, 7)
    return 5 * week + min(day, 4)


def _begin_ms(number: int) -> int:
    """When the business day with this running number begins."""
    week, day = divmod(number, 5)
    return (7 * week + day - MONDAY) * DAY_MS
