"""Forecast: how many calls a day will have taken when it is over, by what the last hours took. Pure.

What goes on goes on: hand-offs, updates and polls at the rate of the last three hours, or at that of the
polls alone where less was seen (leadloop has just been started); a backfill that is not finished at its own
rate, up to the ceiling of its lane. What waits in the outbox comes on top, in full batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from connector.clock import DAY_MS, HOUR_MS
from connector.lane import Lane

RATE_HOURS = 3
SHORTEST_RATE_MS = HOUR_MS // 4
"""Less than this is no rate yet: the calls of a start would be taken for those of every minute."""

Hours = Mapping[int, Mapping[int, int]]
"""Calls by the lane and the hour in which they were made."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The most calls that will count at once before the day is over, and when the ceiling is reached; None:
    not today. Where the calls of the last 24 hours count, the day is the 24 hours to come."""

    calls: int
    reached_ms: int | None


def polls_a_day(objects: int, every_seconds: float, objects_a_call: int) -> float:
    """Calls a day for looking at so many objects, every so often, so many of them in one call."""
    return DAY_MS / 1_000 / every_seconds * ceil(objects / objects_a_call)


def forecast(
    hours: Hours,
    now_ms: int,
    ends_ms: int | None,
    *,
    ceilings: tuple[int, int],
    polls_a_day: float,
    waiting: int,
    filling: bool,
) -> Forecast:
    """`hours` are those that count now. `ends_ms`: when the day is over; None: calls count for 24 hours.
    `ceilings`: leadloop's, and that of a backfill. `waiting`: calls that the outbox will take. `filling`:
    whether a backfill is unfinished."""
    counted: dict[int, int] = {}
    for by_hour in hours.values():
        for hour_ms, calls in by_hour.items():
            counted[hour_ms] = counted.get(hour_ms, 0) + calls
    steady = _rate(hours, now_ms, (Lane.HANDOFF, Lane.UPDATE, Lane.LOOK))
    steady = max(steady, polls_a_day / DAY_MS)
    filled = _rate(hours, now_ms, (Lane.BACKFILL,)) if filling else 0.0
    most, reached_ms = 0, None
    for at_ms in _moments(now_ms, ends_ms):
        kept = sum(
            calls
            for hour_ms, calls in counted.items()
            if ends_ms is not None or hour_ms + HOUR_MS > at_ms - DAY_MS
        )
        ahead_ms = at_ms - now_ms
        expected = kept + waiting + steady * ahead_ms
        expected += min(filled * ahead_ms, max(0.0, ceilings[1] - expected))
        most = max(most, ceil(expected - 1e-6))
        if reached_ms is None and expected >= ceilings[0]:
            reached_ms = at_ms
    return Forecast(most, reached_ms)


def _moments(now_ms: int, ends_ms: int | None) -> list[int]:
    """Now, each full hour to come, and the end."""
    last_ms = ends_ms if ends_ms is not None else now_ms + DAY_MS
    return [now_ms, *range(now_ms - now_ms % HOUR_MS + HOUR_MS, last_ms, HOUR_MS), last_ms]


def _rate(hours: Hours, now_ms: int, lanes: tuple[Lane, ...]) -> float:
    """Calls a millisecond within the last hours, or since the first of them in which any was made."""
    begin_ms = now_ms - now_ms % HOUR_MS - (RATE_HOURS - 1) * HOUR_MS
    first_ms = min((hour_ms for by_hour in hours.values() for hour_ms in by_hour), default=now_ms)
    since_ms = max(begin_ms, first_ms)
    calls = sum(
        count
        for lane in lanes
        for hour_ms, count in hours.get(lane, {}).items()
        if since_ms <= hour_ms <= now_ms
    )
    return calls / max(now_ms - since_ms, SHORTEST_RATE_MS)
