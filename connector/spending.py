"""Spending: what has become of a side's calls today: used, limit, ceiling, reserve, forecast. Reads the
database only, so that any process can tell, whether it calls the platform or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection

from connector.clock import DAY_MS
from connector.forecast import Forecast, forecast
from connector.lane import Lane
from connector.pause import Pause
from connector.store import outbox
from connector.store.budgets import read_limits
from connector.store.calls import hours_of
from connector.store.settings_values import get_value, put_value, values_under

_TOLD = "forecast_told:"


@dataclass(frozen=True, slots=True)
class Account:
    """What the platform told of the whole account: calls today, ours and everybody else's, and when."""

    used: int
    limit: int
    told_ms: int


@dataclass(frozen=True, slots=True)
class Spending:
    """One side's day. `used` is by lane. `ends_ms`: when calls begin anew; None: they count for 24 hours.
    `ceiling`: how many are leadloop's; `reserve`: how many of those are for hand-offs alone;
    `looks_to_come`: how many updates leave besides to the looks that the day still needs."""

    used: Mapping[int, int]
    limit: int
    ceiling: int
    reserve: int
    looks_to_come: int
    quota_percent: int
    time_zone: str
    began_ms: int
    ends_ms: int | None
    forecast: Forecast
    account: Account | None
    pause: Pause | None

    @property
    def total(self) -> int:
        """All our calls of the day."""
        return sum(self.used.values())

    @property
    def too_many(self) -> bool:
        """Whether the day will end above the ceiling."""
        return self.forecast.calls > self.ceiling


def spending_of(conn: Connection, side: str, now_ms: int) -> Spending | None:
    """What a side has spent; None before it was first called."""
    limits = read_limits(conn, [side]).get(side)
    if limits is None or limits.terms is None:
        return None
    terms, told = limits.terms, limits.told
    began_ms, ends_ms = terms.day_start_ms(now_ms), terms.day_end_ms(now_ms)
    hours = hours_of(conn, side, began_ms, now_ms)
    account = None
    if (
        told.day_used is not None
        and told.day_limit is not None
        and told.at_ms >= max(began_ms, now_ms - DAY_MS)
    ):
        account = Account(told.day_used, told.day_limit, told.at_ms)
    ceiling = terms.ceiling(Lane.HANDOFF, told.day_limit)
    rows = sum(number for queue, number in outbox.counts(conn).items() if queue.side == side)
    used = {lane: sum(by_hour.values()) for lane, by_hour in hours.items()}
    pause = limits.pause
    if pause is not None and pause.is_over(now_ms):
        pause = None
    return Spending(
        used=used,
        limit=told.day_limit or terms.day_limit,
        ceiling=ceiling,
        reserve=ceiling - terms.ceiling(Lane.UPDATE, told.day_limit),
        looks_to_come=terms.looks_to_come(Lane.UPDATE, told.day_limit, used.get(Lane.LOOK, 0), now_ms),
        quota_percent=terms.quota_percent,
        time_zone=terms.time_zone,
        began_ms=began_ms,
        ends_ms=ends_ms,
        forecast=forecast(
            hours,
            now_ms,
            ends_ms,
            ceilings=(ceiling, terms.ceiling(Lane.BACKFILL, told.day_limit)),
            polls_a_day=terms.polls_a_day,
            waiting=ceil(rows / terms.records_a_write),
            filling=bool(unfinished_backfills(conn, side)),
        ),
        account=account,
        pause=pause,
    )


def unfinished_backfills(conn: Connection, side: str) -> list[Mapping[str, object]]:
    """The objects of a side that a backfill has begun to read and not finished."""
    begun = values_under(conn, f"backfill:{side}:").values()
    return [each for each in begun if each["resume"] and not each["done"]]


def first_warning_today(conn: Connection, side: str, spending: Spending, now_ms: int) -> bool:
    """Whether the day's forecast is above the ceiling, and nobody has said so in this day (24 hours)."""
    if not spending.too_many:
        return False
    if get_value(conn, _TOLD + side, 0) >= spending.began_ms:
        return False
    put_value(conn, _TOLD + side, now_ms)
    return True
