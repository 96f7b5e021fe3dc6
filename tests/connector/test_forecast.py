"""How many calls a day will have taken: by the last hours, polls, what waits, and an unfinished backfill."""

from __future__ import annotations

import pytest

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS
from connector.forecast import Forecast, forecast, polls_a_day
from connector.lane import Lane

MIDNIGHT_MS = 1_799_971_200_000  # 2027-01-15T00:00:00Z
NOON_MS = MIDNIGHT_MS + 12 * HOUR_MS


def told(
    hours: dict[int, dict[int, int]],
    now_ms: int = NOON_MS,
    ends_ms: int | None = MIDNIGHT_MS + DAY_MS,
    ceilings: tuple[int, int] = (10_000, 5_000),
    polls: float = 0.0,
    waiting: int = 0,
    *,
    filling: bool = False,
) -> Forecast:
    return forecast(
        hours, now_ms, ends_ms, ceilings=ceilings, polls_a_day=polls, waiting=waiting, filling=filling
    )


def evenly(calls: int, hours: int, now_ms: int = NOON_MS) -> dict[int, int]:
    """So many calls in each of the last full hours."""
    return {now_ms - back * HOUR_MS: calls for back in range(1, hours + 1)}


def test_what_goes_on_goes_on_until_midnight() -> None:
    assert told({Lane.UPDATE: evenly(100, 12)}) == Forecast(1_200 + 1_200, None)


def test_the_last_three_hours_count_for_the_rate_and_all_for_the_sum() -> None:
    quiet_morning = {Lane.UPDATE: {**evenly(0, 12), **evenly(90, 2)}}
    assert told(quiet_morning).calls == 180 + 90 * 12


def test_a_leadloop_that_has_just_been_started_will_at_least_poll() -> None:
    assert told({}, polls=2_880).calls == 1_440
    start = {Lane.HANDOFF: {NOON_MS: 20}}
    assert told(start, now_ms=NOON_MS + MINUTE_MS).calls < 20 + 20 * 4 * 12 + 1


def test_what_waits_comes_on_top() -> None:
    assert told({}, waiting=70, polls=240).calls == 190


def test_an_unfinished_backfill_goes_on_up_to_the_ceiling_of_its_lane() -> None:
    hours = {Lane.BACKFILL: evenly(100, 3)}
    assert told(hours).calls == 300, "it is over"
    assert told(hours, filling=True).calls == 300 + 1_200
    assert told(hours, filling=True, ceilings=(10_000, 800)).calls == 800


def test_it_is_told_when_the_ceiling_is_reached() -> None:
    found = told({Lane.UPDATE: evenly(1_000, 3)}, ceilings=(5_000, 3_000))
    assert found == Forecast(15_000, NOON_MS + 2 * HOUR_MS)


@pytest.mark.parametrize(("calls", "hours", "most"), [(100, 24, 2_400), (100, 3, 2_400)])
def test_a_rolling_day_drops_what_is_older_than_24_hours(calls: int, hours: int, most: int) -> None:
    found = told({Lane.UPDATE: evenly(calls, hours)}, ends_ms=None)
    assert most <= found.calls <= most + calls, "an hour counts until it is wholly over"


def test_a_busy_yesterday_that_drops_out_is_the_most_that_counts_now() -> None:
    hours = {Lane.UPDATE: {NOON_MS - 20 * HOUR_MS: 4_000, **evenly(10, 3)}}
    found = told(hours, ends_ms=None, ceilings=(4_000, 1_000))
    assert 4_030 < found.calls < 4_100
    assert found.reached_ms == NOON_MS


@pytest.mark.parametrize(("objects", "every", "at_once", "calls"), [(5, 60, 5, 1_440), (2, 30, 1, 5_760)])
def test_polls_cost_one_call_for_what_one_call_can_ask(
    objects: int, every: float, at_once: int, calls: int
) -> None:
    assert polls_a_day(objects, every, at_once) == calls
