"""The inbox: records that a platform said have changed, each to be read. Queries only.

A hint carries no value of any record: it says which one to look at. So a second hint about the same record
is the first one told again, and however often and in whatever order events come, the inbox holds one row for
each record and kind. `generation` counts how often it was told: what was told again while the record was
being read stays, and is read once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
    update,
)

from connector.store.noted_moments import is_too_far
from connector.store.rows import execute_many, insert_into, is_sqlite
from connector.store.schema import inbox

HintKind = Literal["read", "deleted", "merged", "restored", "forget"]
"""What the platform said of it. All but `forget` end in the same thing: the record is read."""

_KEY = ("side", "object", "record_id", "kind")
_NEW = (*_KEY, "received_ms", "due_ms", "generation", "attempts")
_ONE: ColumnElement[int] = literal_column("1")
_SAME = [inbox.c[name] == bindparam(f"key_{name}") for name in _KEY]
_UNCHANGED = [*_SAME, inbox.c.generation == bindparam("key_generation")]
_FINISH = delete(inbox).where(*_UNCHANGED)
_POSTPONE = (
    update(inbox).where(*_SAME).values(due_ms=bindparam("new_due_ms"), attempts=inbox.c.attempts + _ONE)
)


_ARRAYS = ("sides", "objects", "ids", "kinds", "moments")
# PostgreSQL takes thousands of rows as five arrays in a tenth of the time that it takes them one by one
_PUT_ARRAYS = text(
    "INSERT INTO inbox (side, object, record_id, kind, received_ms, due_ms, generation, attempts) "
    "SELECT side, object, record_id, kind, at_ms, at_ms, 1, 0 FROM unnest(CAST(:sides AS text[]), "
    "CAST(:objects AS text[]), CAST(:ids AS text[]), CAST(:kinds AS text[]), CAST(:moments AS bigint[])) "
    "AS told (side, object, record_id, kind, at_ms) "
    "ON CONFLICT (record_id, object, side, kind) DO UPDATE SET generation = inbox.generation + 1"
)


class Hint(NamedTuple):
    """One record that a platform told of, and when we were told."""

    side: str
    object: str
    record_id: str
    kind: HintKind
    received_ms: int


class Waiting(NamedTuple):
    """A hint as it lies in the inbox: first told at `received_ms`, `generation` times by now; reading it has
    failed `attempts` times."""

    side: str
    object: str
    record_id: str
    kind: HintKind
    received_ms: int
    generation: int
    attempts: int


class Filling(NamedTuple):
    """How many hints a side has waiting, and when the oldest of them came."""

    hints: int
    oldest_ms: int


def put_hints(conn: Connection, hints: Iterable[Hint]) -> int:
    """Keep the hints; returns how many different ones they were. One that waits already is told again: it
    keeps its moment and its pause."""
    # in one order, so that two writers cannot wait for each other
    rows = sorted({hint[:4]: (*hint, hint.received_ms, 1, 0) for hint in hints}.values())
    if not rows:
        return 0
    if not is_sqlite(conn):
        columns = list(zip(*rows, strict=True))[:5]
        conn.execute(_PUT_ARRAYS, dict(zip(_ARRAYS, map(list, columns), strict=True)))
        return len(rows)
    insert = insert_into(conn, inbox)
    statement = insert.on_conflict_do_update(
        index_elements=list(_KEY), set_={"generation": inbox.c.generation + _ONE}
    )
    execute_many(conn, "inbox.put", statement, _NEW, rows)
    return len(rows)


def due_hints(conn: Connection, side: str, now_ms: int, limit: int) -> list[Waiting]:
    """The side's hints whose moment has come, oldest moment first."""
    found: list[Waiting] = []
    # as one condition it would be no range of the index, and all that wait would be gone through
    for due in (inbox.c.due_ms <= now_ms, is_too_far(inbox.c.due_ms, now_ms)):
        if len(found) < limit:
            rows = conn.execute(
                select(*(inbox.c[name] for name in Waiting._fields))
                .where(inbox.c.side == side, due)
                .order_by(inbox.c.due_ms, inbox.c.object, inbox.c.record_id)
                .limit(limit - len(found))
            )
            found += [Waiting(*row) for row in rows.all()]
    return found


def next_hint_ms(conn: Connection, side: str) -> int | None:
    """The moment at which the side's next hint is due; None when none waits."""
    found: int | None = conn.scalar(select(func.min(inbox.c.due_ms)).where(inbox.c.side == side))
    return found


def finish_hints(conn: Connection, done: Sequence[Waiting]) -> None:
    """Take them out, those excepted that have been told again since they were taken up."""
    columns = (*(f"key_{name}" for name in _KEY), "key_generation")
    execute_many(
        conn, "inbox.finish", _FINISH, columns, [(*each[:4], each.generation) for each in sorted(done)]
    )


def postpone_hints(conn: Connection, later: Sequence[tuple[Waiting, int]]) -> None:
    """Each was not read: it is due again at the moment given, in milliseconds since the epoch."""
    columns = ("new_due_ms", *(f"key_{name}" for name in _KEY))
    execute_many(
        conn, "inbox.postpone", _POSTPONE, columns, [(due_ms, *each[:4]) for each, due_ms in sorted(later)]
    )


def count_hints(conn: Connection) -> dict[str, Filling]:
    """Side to what waits for it; sides for which nothing waits are left out."""
    rows = conn.execute(
        select(inbox.c.side, func.count(), func.min(inbox.c.received_ms)).group_by(inbox.c.side)
    )
    return {row[0]: Filling(row[1], row[2]) for row in rows.all()}
