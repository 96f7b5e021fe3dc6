"""Office hours: when an office is open, in its own time zone, with holidays and the two odd days a year.

An office is open at a moment when its wall clock then shows a time within one of its spans, on a day that is
no holiday. So an hour that the clocks skip in spring is not there, and one that they repeat in autumn counts
twice, as it does for those who work in it. Pure: moments are epoch milliseconds, and arguments. The rules of
time zones come from `zoneinfo`, which reads them once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from rules.wake import DAY_MS

MINUTE_MS: Final = 60_000
MOST_DAYS_CLOSED: Final = 30 * 366
"""Nothing is searched further than that: an office that stays closed so long never opens."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()


class NeverOpen(ValueError):
    """The office does not open within 30 years. Says which."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When an office is open, by its wall clock.

    `time_zone` is an IANA name, such as 'Europe/Berlin'. `week` has the spans of each day, Monday first:
    pairs of minutes since midnight, the end excluded, in order and apart from each other. `holidays` are
    single days, as `date.toordinal()` counts them; `every_year` are (month, day); `closed` are ranges of
    such days, first and last, both included."""

    name: str
    time_zone: str
    week: tuple[tuple[tuple[int, int], ...], ...]
    holidays: frozenset[int] = frozenset()
    every_year: frozenset[tuple[int, int]] = frozenset()
    closed: tuple[tuple[int, int], ...] = ()

    def closed_on(self, ranges: Iterable[tuple[int, int]]) -> OfficeHours:
        """The same hours, closed on these days too: (first, last) as `date.toordinal()` counts them. Used for
        somebody who is away."""
        return replace(self, closed=(*self.closed, *ranges))


def around_the_clock(time_zone: str, name: str = "around the clock") -> OfficeHours:
    """Open all the time."""
    return OfficeHours(name, time_zone, (((0, 1440),),) * 7)


def local_day(time_zone: str, at_ms: int) -> int:
    """The day on the wall there at `at_ms`, as `date.toordinal()` counts."""
    return (at_ms + _offset_ms(time_zone, at_ms)) // DAY_MS + _FIRST_DAY


def next_open_ms(hours: OfficeHours, at_ms: int) -> int:
    """The first open moment from `at_ms` on; `at_ms` itself when it is open then. Raises NeverOpen."""
    begins_ms, _ = next(_open_times(hours, at_ms))
    return begins_ms


def add_open_time(hours: OfficeHours, start_ms: int, minutes: float) -> int:
    """The earliest moment by which the office has been open for `minutes` since `start_ms`: that of closing
    when the last minute of a day is the last one needed, and `start_ms` for none. Raises NeverOpen."""
    left_ms = round(minutes * MINUTE_MS)
    if left_ms <= 0:
        return start_ms
    for begins_ms, ends_ms in _open_times(hours, start_ms):
        if ends_ms - begins_ms >= left_ms:
            return begins_ms + left_ms
        left_ms -= ends_ms - begins_ms
    raise AssertionError("open times do not end")


def open_ms_between(hours: OfficeHours, start_ms: int, end_ms: int) -> int:
    """How many milliseconds the office is open from `start_ms` to `end_ms`; 0 when that is no later."""
    total_ms = 0
    for begins_ms, ends_ms in _open_times(hours, start_ms, end_ms):
        total_ms += ends_ms - begins_ms
    return total_ms


def _open_times(hours: OfficeHours, start_ms: int, end_ms: int | None = None) -> Iterator[tuple[int, int]]:
    """The open times from `start_ms` on, in order, as (from, to); up to `end_ms`, or without end. Without
    end it raises NeverOpen after 30 years without one."""
    at_ms, limit_ms = start_ms, start_ms + MOST_DAYS_CLOSED * DAY_MS
    while end_ms is None or at_ms < end_ms:
        if end_ms is None and at_ms > limit_ms:
            raise NeverOpen(f'the hours "{hours.name}" are not open within 30 years')
        until_ms, offset_ms = _steady(hours.time_zone, at_ms)
        first, last = (at_ms + offset_ms) // DAY_MS, (until_ms - 1 + offset_ms) // DAY_MS
        for day in range(first, last + 1):
            midnight_ms = day * DAY_MS - offset_ms
            for begins, ends in _spans_of(hours, day + _FIRST_DAY):
                begins_ms = max(at_ms, midnight_ms + begins * MINUTE_MS)
                ends_ms = min(until_ms, midnight_ms + ends * MINUTE_MS)
                if end_ms is not None:
                    ends_ms = min(ends_ms, end_ms)
                if begins_ms < ends_ms:
                    limit_ms = ends_ms + MOST_DAYS_CLOSED * DAY_MS
                    yield begins_ms, ends_ms
        at_ms = until_ms


def _spans_of(hours: OfficeHours, day: int) -> tuple[tuple[int, int], ...]:
    """The spans of one day, none on a holiday."""
    spans = hours.week[(day - 1) % 7]
    if not spans or day in hours.holidays or any(first <= day <= last for first, last in hours.closed):
        return ()
    if hours.every_year:
        written = date.fromordinal(day)
        if (written.month, written.day) in hours.every_year:
            return ()
    return spans


def _steady(time_zone: str, at_ms: int) -> tuple[int, int]:
    """Until when, within this day of UTC, the clocks there stay as they are, and how far they are ahead."""
    offset_ms = _offset_ms(time_zone, at_ms)
    low, high = at_ms, (at_ms // DAY_MS + 1) * DAY_MS
    if _offset_ms(time_zone, high) == offset_ms:
        return high, offset_ms
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ms(time_zone, middle) == offset_ms:
            low = middle
        else:
            high = middle
    return high, offset_ms


def _offset_ms(time_zone: str, at_ms: int) -> int:
    """How far the clocks there are ahead of UTC."""
    # ten thousand leads that are routed at once ask about a handful of moments
    return _offset_at(time_zone, at_ms // 1000)


@lru_cache(maxsize=65_536)
def _offset_at(time_zone: str, at_seconds: int) -> int:
    ahead = (_EPOCH + timedelta(seconds=at_seconds)).astimezone(ZoneInfo(time_zone)).utcoffset()
    return 0 if ahead is None else round(ahead.total_seconds() * 1000)
