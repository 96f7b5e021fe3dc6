"""Quarantine: values that a platform refused, by field, until the value changes or somebody clears them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, delete, func, select

from connector.observation import RecordKey
from connector.store.rows import by_object, chunks, insert_into
from connector.store.schema import quarantine


@dataclass(frozen=True, slots=True)
class Refusal:
    """One native field that a platform refused with this value (kept as a hash only). `attempts` counts how
    often, `since_ms` is when it was first refused with this value."""

    side: str
    object: str
    record_id: str
    field: str
    value_hash: str
    code: str
    reason: str
    since_ms: int
    attempts: int = 1

    @property
    def key(self) -> RecordKey:
        return RecordKey(self.side, self.object, self.record_id)


_COLUMNS = tuple(quarantine.c)


def put(conn: Connection, new: Sequence[Refusal]) -> None:
    """Quarantine fields. One that is quarantined with the same value counts an attempt more and keeps its
    `since_ms`; with another value it starts anew."""
    if not new:
        return
    statement = insert_into(conn, quarantine)
    same = quarantine.c.value_hash == statement.excluded.value_hash
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[column.name for column in quarantine.primary_key],
            set_={
                "value_hash": statement.excluded.value_hash,
                "code": statement.excluded.code,
                "reason": statement.excluded.reason,
                "since_ms": case((same, quarantine.c.since_ms), else_=statement.excluded.since_ms),
                "attempts": case((same, quarantine.c.attempts + 1), else_=statement.excluded.attempts),
            },
        ),
        [
            {
                "side": refusal.side,
                "object": refusal.object,
                "record_id": refusal.record_id,
                "field": refusal.field,
                "value_hash": refusal.value_hash,
                "code": refusal.code,
                "reason": refusal.reason,
                "since_ms": refusal.since_ms,
                "attempts": refusal.attempts,
            }
            for refusal in sorted(new, key=lambda one: (one.side, one.object, one.record_id, one.field))
        ],
    )


def of_records(conn: Connection, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Refusal]]:
    """What is quarantined of these records; records with nothing are left out."""
    found: dict[RecordKey, list[Refusal]] = {}
    for (side, name), ids in by_object(keys).items():
        for chunk in chunks(ids):
            rows = conn.execute(
                select(*_COLUMNS)
                .where(
                    quarantine.c.side == side,
                    quarantine.c.object == name,
                    quarantine.c.record_id.in_(chunk),
                )
                .order_by(quarantine.c.record_id, quarantine.c.field)
            )
            for row in rows:
                refusal = Refusal(*row)
                found.setdefault(refusal.key, []).append(refusal)
    return found


def quarantined(conn: Connection, *, side: str | None = None, limit: int = 1_000) -> list[Refusal]:
    """What is quarantined, oldest first, for a listing."""
    statement = select(*_COLUMNS).order_by(quarantine.c.since_ms, quarantine.c.record_id, quarantine.c.field)
    if side is not None:
        statement = statement.where(quarantine.c.side == side)
    return [Refusal(*row) for row in conn.execute(statement.limit(limit))]


def clear(
    conn: Connection,
    keys: Iterable[RecordKey] | None = None,
    *,
    fields: Iterable[str] | None = None,
    side: str | None = None,
) -> int:
    """Let refused values be tried again: of these records (all when None), these fields (all when None), of
    one side (all when None). Returns how many fields were cleared."""
    everywhere = [] if side is None else [quarantine.c.side == side]
    if fields is not None:
        everywhere.append(quarantine.c.field.in_(sorted(set(fields))))
    places = (
        [and_(True, *everywhere)]
        if keys is None
        else [
            and_(
                quarantine.c.side == place,
                quarantine.c.object == name,
                quarantine.c.record_id.in_(chunk),
                *everywhere,
            )
            for (place, name), ids in by_object(keys).items()
            for chunk in chunks(ids)
        ]
    )
    return sum(conn.execute(delete(quarantine).where(where)).rowcount for where in places)


def count(conn: Connection) -> dict[str, int]:
    """Side to the number of quarantined fields."""
    statement = select(quarantine.c.side, func.count()).group_by(quarantine.c.side)
    return {row[0]: row[1] for row in conn.execute(statement)}
