"""Custom source: take in what people did outside the two platforms, once by its key.

A person who is known by the address or by leadloop's id is looked at again; what the others did waits until a
platform shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from connector.accounts import address_fields
from connector.activity_file import BadRow, FileActivity
from connector.intake.erased_names import ErasedNames, lock_erasures, somebody_is_erased
from connector.store import activities as activity_store
from connector.store import leads as lead_store
from connector.store import waiting_activities
from connector.store.database import Database
from connector.store.links import keys_of
from connector.store.rows import lock_name
from mappings.mapping import Mapping as LeadMapping

BATCH = 1_000


@dataclass(slots=True)
class Taken:
    """What became of the rows: `new` activities of known people, `known` before, `waiting` for their person
    (by line), those of people who were forgotten, which are not kept, and those that could not be used."""

    new: int = 0
    known: int = 0
    waiting: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def take_in(
    database: Database,
    mapping: LeadMapping,
    source: str,
    rows: Iterable[FileActivity | BadRow],
    now_ms: int,
) -> Taken:
    """Store the activities of a source, in batches; a batch is stored wholly or not at all."""
    taken = Taken()
    batch: list[FileActivity] = []
    for row in rows:
        if isinstance(row, BadRow):
            taken.bad.append(row)
            continue
        batch.append(row)
        if len(batch) == BATCH:
            with database.begin() as conn:
                _store(conn, mapping, source, batch, taken, now_ms)
            batch = []
    with database.begin() as conn:
        _store(conn, mapping, source, batch, taken, now_ms)
    taken.bad.sort(key=lambda bad: bad.line)
    return taken


def _store(
    conn: Connection,
    mapping: LeadMapping,
    source: str,
    batch: Sequence[FileActivity],
    taken: Taken,
    now_ms: int,
) -> None:
    if not batch:
        return
    lock_erasures(conn, shared=True)
    lock_name(conn, "identity")  # nobody begins one of these people meanwhile
    emails = {row.email for row in batch if row.email is not None}
    names = {(name, email) for name in address_fields(mapping) for email in emails}
    said = ErasedNames(conn).among(names) if somebody_is_erased(conn) else set()
    erased = {email for _, email in said}
    by_email = {value: lead_id for (_, value), lead_id in keys_of(conn, names).items()}
    named = {row.lead for row in batch if row.lead is not None}
    by_id = {lead.id: lead.id for lead in lead_store.read_leads(conn, named)}
    by_id.update(lead_store.resolve_aliases(conn, named))
    found: list[activity_store.ActivityRow] = []
    waiting: list[waiting_activities.WaitingActivity] = []
    for row in batch:
        key = f"source:{source}:{row.key}"
        lead_id = by_email.get(row.email or "") or by_id.get(row.lead or "")
        if lead_id is not None:
            found.append(activity_store.ActivityRow(lead_id, key, row.kind, row.at_ms, row.attributes))
        elif row.email in erased:
            taken.forgotten.append(row.line)
        elif row.email is not None:
            taken.waiting.append(row.line)
            waiting.append(
                waiting_activities.WaitingActivity(key, row.email, row.kind, row.at_ms, row.attributes)
            )
        else:
            taken.bad.append(BadRow(row.line, f'there is no lead "{row.lead}"'))
    new = activity_store.put(conn, found)
    waiting_activities.put(conn, waiting)
    taken.new += len(new)
    taken.known += len(found) - len(new)
    lead_store.mark_dirty(conn, {item.lead_id for item in new}, now_ms)
