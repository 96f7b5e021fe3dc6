"""Calls: how many requests we have sent, by side, hour and lane. Counting only; limits are set elsewhere."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select

from connector.clock import HOUR_MS
from connector.store.rows import insert_into
from connector.store.schema import calls


def count_calls(conn: Connection, side: str, lane: int, now_ms: int, number: int = 1) -> None:
    """Count requests in the hour of `now_ms`."""
    statement = insert_into(conn, calls)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["side", "hour_ms", "lane"],
            set_={"count": calls.c.count + statement.excluded["count"]},
        ),
        {"side": side, "hour_ms": now_ms - now_ms % HOUR_MS, "lane": int(lane), "count": number},
    )


def used(conn: Connection, side: str, since_ms: int) -> int:
    """Requests since then, rounded up to the whole hour in which it lies."""
    return sum(used_by_lane(conn, side, since_ms).values())


def used_by_lane(conn: Connection, side: str, since_ms: int) -> dict[int, int]:
    """Lane to requests since then, rounded up to the whole hour; lanes without are left out."""
    rows = conn.execute(
        select(calls.c.lane, func.sum(calls.c.count))
        .where(calls.c.side == side, calls.c.hour_ms > since_ms - HOUR_MS)
        .group_by(calls.c.lane)
    )
    return {lane: int(count) for lane, count in rows}


def forget_calls(conn: Connection, before_ms: int) -> None:
    """Drop the counts of the hours that ended before then."""
    conn.execute(delete(calls).where(calls.c.hour_ms <= before_ms - HOUR_MS))
