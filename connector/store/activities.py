"""Activities: what people did, as far as the sources tell. Kept once by key, in the order they happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, or_, select

from connector.store.rows import chunks, from_json, insert_new, to_json
from connector.store.schema import activities, storable_text


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One activity of a lead. `key` says which it is, so that the same one reported twice is kept once."""

    lead_id: str
    key: str
    kind: str
    at_ms: int
    attributes: Mapping[str, Any] = field(default_factory=dict)


def put(conn: Connection, new: Iterable[ActivityRow]) -> list[ActivityRow]:
    """Keep activities; one whose key the lead has already is dropped. Returns those that are new."""
    wanted: dict[tuple[str, str], ActivityRow] = {}
    for row in new:
        wanted.setdefault((row.lead_id, storable_text(row.key)), row)
    known: set[tuple[str, str]] = set()
    for chunk in chunks(wanted):
        rows = conn.execute(
            select(activities.c.lead_id, activities.c.key).where(
                activities.c.lead_id.in_({lead_id for lead_id, _ in chunk}),
                activities.c.key.in_({key for _, key in chunk}),
            )
        )
        known.update((row.lead_id, row.key) for row in rows)
    added = [row for key, row in wanted.items() if key not in known]
    insert_new(
        conn,
        activities,
        [
            {
                "lead_id": row.lead_id,
                "key": row.key,
                "kind": row.kind,
                "at_ms": row.at_ms,
                "attributes": to_json(row.attributes),
            }
            for row in added
        ],
    )
    return added


def activities_of(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[ActivityRow]]:
    """Lead id to its activities, oldest first; every id asked for is a key."""
    found: dict[str, list[ActivityRow]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        rows = conn.execute(
            select(
                activities.c.lead_id,
                activities.c.key,
                activities.c.kind,
                activities.c.at_ms,
                activities.c.attributes,
            )
            .where(activities.c.lead_id.in_(chunk))
            .order_by(activities.c.at_ms, activities.c.key)
        )
        for lead_id, key, kind, at_ms, attributes in rows:
            found[lead_id].append(ActivityRow(lead_id, key, kind, at_ms, from_json(attributes)))
    return found


def drop_activities(conn: Connection, lead_id: str, records: Iterable[str]) -> None:
    """Take from a lead what it did as these records, or what these records say that it did: an activity's key
    begins with its record."""
    for chunk in chunks(dict.fromkeys(records), 100):
        theirs = (
            or_(activities.c.key == record, activities.c.key.startswith(f"{record}:", autoescape=True))
            for record in chunk
        )
        conn.execute(delete(activities).where(activities.c.lead_id == lead_id, or_(*theirs)))
