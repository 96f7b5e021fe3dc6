"""Cursors: how far each feed of each side has been read and stored."""

from __future__ import annotations

from sqlalchemy import Connection, select

from connector.platforms.protocol import Cursor
from connector.store.rows import put_rows
from connector.store.schema import cursors


def cursors_of(conn: Connection, side: str) -> dict[str, Cursor]:
    """Feed (an object's name, or a name the intake chose) to how far it has been read."""
    rows = conn.execute(
        select(cursors.c.feed, cursors.c.stamp_ms, cursors.c.record_id).where(cursors.c.side == side)
    )
    return {row.feed: Cursor(row.stamp_ms, row.record_id) for row in rows}


def put_cursor(conn: Connection, side: str, feed: str, cursor: Cursor, now_ms: int) -> None:
    """Set a feed's cursor. The caller stores the observations before it, in the same transaction."""
    columns = ("side", "feed", "stamp_ms", "record_id", "updated_ms")
    put_rows(conn, cursors, columns, [(side, feed, cursor.stamp_ms, cursor.record_id, now_ms)], "replace")


def updated_ms(conn: Connection, side: str) -> dict[str, int]:
    """Feed to the moment, by our clock, at which its cursor was last set."""
    rows = conn.execute(select(cursors.c.feed, cursors.c.updated_ms).where(cursors.c.side == side))
    return {row.feed: row.updated_ms for row in rows}
