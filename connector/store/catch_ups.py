"""Catch-ups: objects to be polled from an earlier moment on than their cursor says, once.

For events that a stream has lost, and for objects of which all records are wanted. Kept beside the cursors,
not in them: a poll that is under way meanwhile sets a cursor as far as it has come.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, update

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


def move_catch_up(conn: Connection, side: str, name: str, before_ms: int, after_ms: int | None) -> None:
    """The object, which was to be polled from `before_ms` on, is polled up to `after_ms`; None: to the end.
    An earlier moment that was asked for meanwhile stays."""
    asked = (catch_ups.c.side == side, catch_ups.c.object == name, catch_ups.c.since_ms == before_ms)
    if after_ms is None:
        conn.execute(delete(catch_ups).where(*asked))
    elif after_ms != before_ms:
        conn.execute(update(catch_ups).where(*asked).values(since_ms=after_ms))
