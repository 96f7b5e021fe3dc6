"""The brake's memory: what was done how often, per configuration, kind and window, and what is stopped.

Whether a number is too high is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from connector.store.rows import insert_into
from connector.store.schema import brake_counts, brakes


@dataclass(frozen=True, slots=True)
class Brake:
    """One kind of change that was stopped. `released_ms` is None while it is; `per_hour` is the rate at
    which a released kind may go on, None for no limit."""

    configuration: str
    kind: str
    message: str
    tripped_ms: int
    released_ms: int | None = None
    per_hour: int | None = None


_COLUMNS = (
    brakes.c.configuration,
    brakes.c.kind,
    brakes.c.message,
    brakes.c.tripped_ms,
    brakes.c.released_ms,
    brakes.c.per_hour,
)


def count_changes(conn: Connection, configuration: str, window_ms: int, numbers: Mapping[str, int]) -> None:
    """Add to the counts by kind, in the window that begins at `window_ms`."""
    if not numbers:
        return
    statement = insert_into(conn, brake_counts)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["configuration", "kind", "window_ms"],
            set_={"count": brake_counts.c.count + statement.excluded["count"]},
        ),
        [
            {"configuration": configuration, "kind": kind, "window_ms": window_ms, "count": number}
            for kind, number in sorted(numbers.items())
        ],
    )


def counted(conn: Connection, configuration: str, since_ms: int) -> dict[str, int]:
    """Kind to how often, in the windows that began at or after `since_ms`; kinds without are left out."""
    rows = conn.execute(
        select(brake_counts.c.kind, func.sum(brake_counts.c.count))
        .where(brake_counts.c.configuration == configuration, brake_counts.c.window_ms >= since_ms)
        .group_by(brake_counts.c.kind)
    )
    return {kind: int(number) for kind, number in rows}


def forget_counts(conn: Connection, before_ms: int) -> None:
    """Drop the counts of the windows that began before then."""
    conn.execute(delete(brake_counts).where(brake_counts.c.window_ms < before_ms))


def trip(conn: Connection, configuration: str, kind: str, message: str, now_ms: int) -> None:
    """Stop a kind. One that is stopped stays as it is; one that was released is stopped again."""
    statement = insert_into(conn, brakes)
    new = {
        "configuration": configuration,
        "kind": kind,
        "message": message,
        "tripped_ms": now_ms,
        "released_ms": None,
        "per_hour": None,
    }
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["configuration", "kind"],
            set_={name: statement.excluded[name] for name in new},
            where=brakes.c.released_ms.is_not(None),
        ),
        new,
    )


def brakes_of(conn: Connection, configuration: str) -> dict[str, Brake]:
    """Kind to its brake, stopped or released; kinds that were never stopped are left out."""
    rows = conn.execute(
        select(*_COLUMNS).where(brakes.c.configuration == configuration).order_by(brakes.c.kind)
    )
    return {row.kind: Brake(*row) for row in rows}


def release(
    conn: Connection, configuration: str, kind: str | None, now_ms: int, per_hour: int | None = None
) -> list[str]:
    """Let a kind (all when None) go on, at once or at a rate. Returns the kinds that were stopped."""
    stopped = [
        name
        for name, brake in brakes_of(conn, configuration).items()
        if brake.released_ms is None and kind in (None, name)
    ]
    conn.execute(
        update(brakes)
        .where(brakes.c.configuration == configuration, brakes.c.kind.in_(stopped))
        .values(released_ms=now_ms, per_hour=per_hour)
    )
    return stopped
