"""Reported leads: those that the report lists by name, found without reading every lead. Queries only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, LargeBinary, func, literal, or_, select

from connector.store.rows import is_sqlite
from connector.store.schema import deadline_events, leads, links, quarantine

AT_ONCE = 500


def states_in(conn: Connection, stages: Sequence[str]) -> Iterator[bytes]:
    """The states of all leads in these stages, a few at a time."""
    statement = select(leads.c.state).where(leads.c.stage.in_(stages))
    yield from conn.execute(statement.execution_options(yield_per=AT_ONCE)).scalars()


def states_that_name(conn: Connection, parts: Sequence[str]) -> Iterator[bytes]:
    """The states of all leads in which one of these parts is not empty, a few at a time; maybe some more."""
    names = [literal(f'"{part}":'.encode(), LargeBinary) for part in parts]
    if is_sqlite(conn):
        named = [func.instr(leads.c.state, name) > 0 for name in names]
    else:
        # without its schema it would be the standard's position(x IN y)
        named = [func.pg_catalog.position(leads.c.state, name) > 0 for name in names]
    statement = select(leads.c.state).where(or_(*named))
    yield from conn.execute(statement.execution_options(yield_per=AT_ONCE)).scalars()


def refused_values(conn: Connection) -> list[tuple[str, str, str, str]]:
    """Lead, side, native field and reason of every value that a platform has refused."""
    rows = conn.execute(
        select(links.c.lead_id, quarantine.c.side, quarantine.c.field, quarantine.c.reason)
        .join(
            links,
            (links.c.side == quarantine.c.side)
            & (links.c.object == quarantine.c.object)
            & (links.c.record_id == quarantine.c.record_id),
        )
        .order_by(links.c.lead_id, quarantine.c.side, quarantine.c.field)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def deadline_counts(
    conn: Connection, since_ms: int, until_ms: int, owner: str | None = None
) -> list[tuple[str, str, str, int]]:
    """Deadline, owner, what happened and how often, from one moment until before another."""
    events = deadline_events.c
    statement = (
        select(events.deadline, events.owner, events.what, func.count())
        .where(events.at_ms >= since_ms, events.at_ms < until_ms)
        .group_by(events.deadline, events.owner, events.what)
    )
    if owner is not None:
        statement = statement.where(events.owner == owner)
    return [(row[0], row[1] or "", row[2], row[3]) for row in conn.execute(statement)]
