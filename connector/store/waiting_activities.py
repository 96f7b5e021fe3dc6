"""Waiting activities: what people did whom no platform has shown yet, by their e-mail address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, func, select

from connector.store import activities as activity_store
from connector.store.rows import chunks, from_json, insert_new, to_json
from connector.store.schema import storable_text, waiting_activities


@dataclass(frozen=True, slots=True)
class WaitingActivity:
    """An activity without a lead. `key` says which it is; `email` is in its normal form."""

    key: str
    email: str
    kind: str
    at_ms: int
    attributes: Mapping[str, Any] = field(default_factory=dict)


def put(conn: Connection, new: Sequence[WaitingActivity]) -> int:
    """Keep activities until their person is known; one whose key waits already is dropped. Returns how many
    are new."""
    wanted = {storable_text(item.key): item for item in reversed(new)}
    known: set[str] = set()
    for chunk in chunks(wanted):
        found = select(waiting_activities.c.key).where(waiting_activities.c.key.in_(chunk))
        known.update(conn.scalars(found))
    rows = [
        {
            "key": key,
            "email": item.email,
            "kind": item.kind,
            "at_ms": item.at_ms,
            "attributes": to_json(item.attributes),
        }
        for key, item in wanted.items()
        if key not in known
    ]
    insert_new(conn, waiting_activities, rows)
    return len(rows)


def hand_over(conn: Connection, lead_of: Mapping[str, str]) -> set[str]:
    """Give the activities that wait for these addresses to their leads (address to lead id). Returns the
    leads that got any."""
    given: set[str] = set()
    for chunk in chunks(lead_of):
        rows = conn.execute(select(waiting_activities).where(waiting_activities.c.email.in_(chunk))).all()
        if not rows:
            continue
        activity_store.put(
            conn,
            [
                activity_store.ActivityRow(
                    lead_of[row.email], row.key, row.kind, row.at_ms, from_json(row.attributes)
                )
                for row in rows
            ],
        )
        forget(conn, chunk)
        given.update(lead_of[row.email] for row in rows)
    return given


def count(conn: Connection, emails: Iterable[str]) -> int:
    """How many wait for these addresses."""
    return sum(
        conn.scalar(
            select(func.count()).select_from(waiting_activities).where(waiting_activities.c.email.in_(chunk))
        )
        or 0
        for chunk in chunks(dict.fromkeys(emails))
    )


def forget(conn: Connection, emails: Iterable[str]) -> None:
    """Drop what waits for these addresses."""
    for chunk in chunks(dict.fromkeys(emails)):
        conn.execute(delete(waiting_activities).where(waiting_activities.c.email.in_(chunk)))
