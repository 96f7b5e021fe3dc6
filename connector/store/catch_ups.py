"""Catch-ups: objects to be polled from an earlier moment on than their cursor says, once.

Kept beside the cursors, not in them: a poll that is under way meanwhile sets a cursor as far as it has come.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from connector.store.rows import insert_into
from connector.store.schema import catch_ups


def ask_catch_ups(conn: Connection, side: str, objects: Iterable[str], since_ms: int) -> None:
    """Have the objects polled from `since_ms` on; an earlier moment that is asked for already stays."""
    statement = insert_into(conn, catch_ups)
    earlier = statement.excluded.since_ms < catch_ups.c.since_ms
    rows = [{"side": side, "object": name, "since_ms": since_ms} for name in sorted(set(objects))]
    if rows:
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["side", "object"],
                set_={"since_ms": statement.excluded.since_ms},
                where=earlier,
            ),
            rows,
        )


def catch_ups_of(conn: Connection, side: str) -> dict[str, int]:
    """Object to the moment from which on it is to be polled."""
    found = conn.execute(select(catch_ups.c.object, catch_ups.c.since_ms).where(catch_ups.c.side == side))
    return {row.object: row.since_ms for row in found}


def finish_catch_up(conn: Connection, side: str, name: str, since_ms: int) -> None:
    """The object was polled from `since_ms` on; an earlier moment that was asked for meanwhile stays."""
    conn.execute(
        delete(catch_ups).where(
            catch_ups.c.side == side, catch_ups.c.object == name, catch_ups.c.since_ms == since_ms
        )
    )
