"""Calls: how many requests we have sent, by side, hour and lane. Counting only; limits are set elsewhere."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, UpdateBase, delete, select, true
from sqlalchemy.dialects import postgresql, sqlite

from connector.clock import HOUR_MS
from connector.store.rows import execute_many
from connector.store.schema import calls

_COLUMNS = ("side", "hour_ms", "lane", "count")


@cache
def _count(dialect: str) -> UpdateBase:
    statement = sqlite.insert(calls) if dialect == "sqlite" else postgresql.insert(calls)
    return statement.on_conflict_do_update(
        index_elements=["side", "hour_ms", "lane"],
        set_={"count": calls.c.count + statement.excluded["count"]},
    )


def count_calls(conn: Connection, side: str, lane: int, now_ms: int, number: int = 1) -> None:
    """Count requests in the hour of `now_ms`."""
    row = (side, now_ms - now_ms % HOUR_MS, int(lane), number)
    execute_many(conn, "calls.count", _count(conn.dialect.name), _COLUMNS, [row])


def used_by_lane(conn: Connection, side: str, since_ms: int, now_ms: int | None = None) -> dict[int, int]:
    """Lane to requests since then, rounded up to the whole hour; lanes without are left out. `now_ms` as with
    `hours_of`."""
    return {lane: sum(hours.values()) for lane, hours in hours_of(conn, side, since_ms, now_ms).items()}


def hours_of(
    conn: Connection, side: str, since_ms: int, now_ms: int | None = None
) -> dict[int, dict[int, int]]:
    """Lane to hour to requests in it, from the hour in which that moment lies; what has none is left out.
    With `now_ms` not those of hours to come: our clock was ahead, and they would count until it is there."""
    until_ms = None if now_ms is None else now_ms + HOUR_MS
    found: dict[int, dict[int, int]] = {}
    rows = conn.execute(
        select(calls.c.lane, calls.c.hour_ms, calls.c.count)
        .where(calls.c.side == side, calls.c.hour_ms > since_ms - HOUR_MS)
        .where(true() if until_ms is None else calls.c.hour_ms <= until_ms)
        .order_by(calls.c.lane, calls.c.hour_ms)
    )
    for lane, hour_ms, count in rows:
        found.setdefault(lane, {})[hour_ms] = count
    return found


def forget_calls(conn: Connection, before_ms: int) -> None:
    """Drop the counts of the hours that ended before then."""
    conn.execute(delete(calls).where(calls.c.hour_ms <= before_ms - HOUR_MS))
