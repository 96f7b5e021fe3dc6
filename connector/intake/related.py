"""Related: which records speak of the same person as another, by what the platforms say of them: who was
converted or merged into whom, and what points at a person's record.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from connector.observation import Observation, RecordKey
from connector.store.links import linked
from connector.store.observations import Stored, referring
from mappings.mapping import Mapping as LeadMapping


def successors(record: Observation, mapping: LeadMapping) -> list[tuple[str, str]]:
    """The records that this one lives on in, by object and id."""
    found: list[tuple[str, str]] = []
    if record.converted:
        people = {target.object for target in mapping.sides[record.side].person_objects}
        found.extend((name, each) for name, ids in record.refs.items() if name in people for each in ids)
    if record.merged_into:
        found.append((record.object, record.merged_into))
    return found


def related_records(
    conn: Connection, mapping: LeadMapping, people: Sequence[Observation]
) -> dict[RecordKey, list[RecordKey]]:
    """Records whose lead is this record's lead too: what it points at, and what points at it. Records
    without any are left out."""
    related: dict[RecordKey, list[RecordKey]] = {}
    by_object: dict[tuple[str, str], list[str]] = {}
    for record in people:
        for successor in successors(record, mapping):
            related.setdefault(record.key, []).append(RecordKey(record.side, *successor))
        by_object.setdefault((record.side, record.object), []).append(record.record_id)
    for (side, name), ids in by_object.items():
        for other in referring(conn, side, name, ids):
            if other.converted:
                for record_id in other.refs[name]:
                    related.setdefault(RecordKey(side, name, record_id), []).append(other.key)
    return related


def leads_behind(conn: Connection, stored: Stored) -> set[str]:
    """The leads that an opportunity or a contact role speaks about, or did until now."""
    item = stored.observation
    keys = {*item.points_at(), *stored.pointed_at}
    for other in referring(conn, item.side, item.object, [item.record_id]):
        keys.add(other.key)
        keys.update(other.points_at())
    return {link.lead_id for link in linked(conn, keys).values()}


def leads_of_activities(conn: Connection, records: Sequence[Observation]) -> set[str]:
    """The leads that did these. A person who is not known yet finds them when its own record is read."""
    keys = {key for item in records for key in item.points_at()}
    return {link.lead_id for link in linked(conn, keys).values()} if keys else set()
