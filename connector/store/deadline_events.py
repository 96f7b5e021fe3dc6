"""Deadline events: what happened to the deadlines of leads, in order. Rows are only added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection, func, insert, select

from connector.store.schema import deadline_events

What = Literal["started", "reminded", "met", "breached", "ended"]


class DeadlineEvent(NamedTuple):
    """A deadline of a lead in one cycle and stage: it started, its owner was reminded, it was met or
    breached, or it ended because the lead went elsewhere. Moments are epoch milliseconds."""

    lead_id: str
    cycle: int
    deadline: str
    stage: str
    what: What
    at_ms: int
    due_ms: int
    owner: str | None


def add(conn: Connection, events: Iterable[DeadlineEvent]) -> None:
    """Add events; the moment and the lead need not be new."""
    rows = [event._asdict() for event in events]
    if rows:
        conn.execute(insert(deadline_events), rows)


def of_lead(conn: Connection, lead_id: str) -> list[DeadlineEvent]:
    """The events of one lead, in the order in which they were recorded."""
    columns = [deadline_events.c[name] for name in DeadlineEvent._fields]
    found = conn.execute(
        select(*columns).where(deadline_events.c.lead_id == lead_id).order_by(deadline_events.c.id)
    )
    return [DeadlineEvent(*row) for row in found]


def count(conn: Connection, since_ms: int) -> dict[str, int]:
    """How often each thing has happened to a deadline since a moment."""
    what = deadline_events.c.what
    found = conn.execute(select(what, func.count()).where(deadline_events.c.at_ms >= since_ms).group_by(what))
    return {row.what: row[1] for row in found}
