"""Office hours agree with a clock on the wall, counted minute by minute, whatever the zone does that day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.office_hours import (
    NeverOpen,
    OfficeHours,
    add_open_time,
    around_the_clock,
    next_open_ms,
    open_ms_between,
)

MINUTE_MS = 60_000
NINE_TO_FIVE = ((540, 1020),)
BERLIN = OfficeHours("berlin", "Europe/Berlin", (NINE_TO_FIVE,) * 5 + ((), ()))


def moment_ms(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(wall.timestamp() * 1000)


def open_on_the_wall(hours: OfficeHours, at_ms: int) -> bool:
    """What the clock on the wall says, and nothing else."""
    wall = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(hours.time_zone))
    minute = wall.hour * 60 + wall.minute
    day = wall.date()
    return (
        any(begins <= minute < ends for begins, ends in hours.week[day.weekday()])
        and day.toordinal() not in hours.holidays
        and (day.month, day.day) not in hours.every_year
        and not any(first <= day.toordinal() <= last for first, last in hours.closed)
    )


def is_open(hours: OfficeHours, at_ms: int) -> bool:
    """Whether the millisecond that begins at `at_ms` is an open one."""
    return open_ms_between(hours, at_ms, at_ms + 1) == 1


ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",  # the clocks go half an hour
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",  # went without 30 December 2011
    "Africa/Casablanca",
    "UTC",
]
ODD_DAYS = [
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 4, 5),
    date(2011, 12, 30),
    date(2028, 2, 29),
    date(2026, 12, 31),
]


@st.composite
def some_spans(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    ends = sorted(draw(st.sets(st.integers(0, 96), min_size=0, max_size=6)))
    return tuple((begins * 15, until * 15) for begins, until in zip(ends[::2], ends[1::2], strict=False))


@st.composite
def some_hours(draw: st.DrawFn) -> OfficeHours:
    around = draw(st.sampled_from(ODD_DAYS)).toordinal()
    days = st.integers(around - 4, around + 4)
    first, yearly = draw(days), date.fromordinal(draw(days))
    return OfficeHours(
        "drawn",
        draw(st.sampled_from(ZONES)),
        tuple(draw(some_spans()) for _ in range(7)),
        holidays=frozenset(draw(st.sets(days, max_size=2))),
        every_year=frozenset({(yearly.month, yearly.day)}),
        closed=draw(st.sampled_from([(), ((first, first + 1),)])),
    )


def minutes_around(hours: OfficeHours, draw: st.DataObject) -> int:
    day = draw.draw(st.sampled_from(ODD_DAYS))
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    return round(begins.timestamp() * 1000) + draw.draw(st.integers(0, 4 * 1440)) * MINUTE_MS


@settings(max_examples=60, deadline=None)
@given(hours=some_hours(), data=st.data())
def test_open_minutes_are_those_on_the_wall(hours: OfficeHours, data: st.DataObject) -> None:
    start_ms = minutes_around(hours, data)
    minutes = data.draw(st.integers(0, 2 * 1440))
    counted = [open_on_the_wall(hours, start_ms + minute * MINUTE_MS) for minute in range(minutes)]
    assert open_ms_between(hours, start_ms, start_ms + minutes * MINUTE_MS) == sum(counted) * MINUTE_MS
    for minute in range(0, minutes, 97):
        assert is_open(hours, start_ms + minute * MINUTE_MS) is counted[minute]


@settings(max_examples=100, deadline=None)
@given(hours=some_hours(), data=st.data())
def test_the_next_open_moment_is_open_and_none_before_it_is(hours: OfficeHours, data: st.DataObject) -> None:
    start_ms = minutes_around(hours, data)
    if not any(hours.week):
        with pytest.raises(NeverOpen):
            next_open_ms(hours, start_ms)
        return
    opens_ms = next_open_ms(hours, start_ms)
    assert is_open(hours, opens_ms)
    assert open_ms_between(hours, start_ms, opens_ms) == 0
    if opens_ms > start_ms:
        assert not is_open(hours, opens_ms - 1)


@settings(max_examples=100, deadline=None)
@given(hours=some_hours(), data=st.data())
def test_adding_open_time_and_measuring_it_agree(hours: OfficeHours, data: st.DataObject) -> None:
    if not any(hours.week):
        return
    start_ms = minutes_around(hours, data)
    minutes = data.draw(st.integers(0, 3000))
    end_ms = add_open_time(hours, start_ms, minutes)
    assert open_ms_between(hours, start_ms, end_ms) == minutes * MINUTE_MS
    if minutes:  # and it is the earliest such moment
        assert open_ms_between(hours, start_ms, end_ms - 1) == minutes * MINUTE_MS - 1


def test_four_hours_from_friday_afternoon_end_on_monday() -> None:
    friday = moment_ms("2026-11-20T15:00")
    assert add_open_time(BERLIN, friday, 240) == moment_ms("2026-11-23T11:00")
    assert add_open_time(BERLIN, friday, 120) == moment_ms("2026-11-20T17:00")
    assert add_open_time(BERLIN, friday, 120 + 1 / 60) == moment_ms("2026-11-23T09:00:01")


def test_no_time_at_all_ends_where_it_begins() -> None:
    saturday = moment_ms("2026-11-21T12:00")
    assert add_open_time(BERLIN, saturday, 0) == saturday
    assert open_ms_between(BERLIN, saturday, saturday - 1) == 0


def test_a_night_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    night = OfficeHours("night", "Europe/Berlin", (((0, 360),),) * 7)
    for day, hours in (("2026-03-29", 5), ("2026-10-25", 7), ("2026-10-26", 6)):
        begins = moment_ms(f"{day}T00:00")
        assert open_ms_between(night, begins, moment_ms(f"{day}T12:00")) == hours * 3_600_000


def test_the_hour_that_comes_twice_is_open_twice() -> None:
    hours = OfficeHours("odd", "Europe/Berlin", (((135, 150),),) * 7)  # 02:15 to 02:30
    first, again = moment_ms("2026-10-25T02:15"), moment_ms("2026-10-25T02:15", fold=1)
    assert again - first == 3_600_000
    assert is_open(hours, first)
    assert is_open(hours, again)
    assert not is_open(hours, again - MINUTE_MS)
    assert next_open_ms(hours, first + 15 * MINUTE_MS) == again


def test_an_hour_that_is_skipped_is_not_open() -> None:
    hours = OfficeHours("odd", "Europe/Berlin", (((135, 150),),) * 7)
    assert next_open_ms(hours, moment_ms("2026-03-29T00:00")) == moment_ms("2026-03-30T02:15")


def test_holidays_of_one_year_and_of_every_year() -> None:
    hours = OfficeHours(
        "berlin",
        "Europe/Berlin",
        BERLIN.week,
        holidays=frozenset({date(2026, 12, 24).toordinal()}),
        every_year=frozenset({(12, 25)}),
    )
    assert next_open_ms(hours, moment_ms("2026-12-24T10:00")) == moment_ms("2026-12-28T09:00")
    assert next_open_ms(hours, moment_ms("2025-12-24T18:00")) == moment_ms("2025-12-26T09:00")


def test_who_is_away_is_back_on_the_day_after_the_last_one() -> None:
    away = BERLIN.closed_on([(date(2026, 11, 23).toordinal(), date(2026, 11, 25).toordinal())])
    assert next_open_ms(away, moment_ms("2026-11-21T12:00")) == moment_ms("2026-11-26T09:00")
    assert is_open(BERLIN, moment_ms("2026-11-23T12:00"))


@pytest.mark.parametrize(
    "hours",
    [
        OfficeHours("shut", "Europe/Berlin", ((),) * 7),
        BERLIN.closed_on([(0, 3_000_000)]),
    ],
    ids=["no day", "closed for ever"],
)
def test_an_office_that_never_opens_is_told_and_does_not_hang(hours: OfficeHours) -> None:
    now_ms = moment_ms("2026-11-21T12:00")
    for ask in (
        lambda: next_open_ms(hours, now_ms),
        lambda: add_open_time(hours, now_ms, 1),
    ):
        with pytest.raises(NeverOpen, match="not open within 30 years"):
            ask()
    assert open_ms_between(hours, now_ms, moment_ms("2027-11-21T12:00")) == 0


def test_around_the_clock_counts_every_minute() -> None:
    start_ms = moment_ms("2026-03-28T13:07")
    hours = around_the_clock("Europe/Berlin")
    assert add_open_time(hours, start_ms, 100_000) == start_ms + 100_000 * MINUTE_MS
