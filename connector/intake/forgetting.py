"""Forgetting: a person asked to be erased. Their data leaves this database.

What stays is a keyed hash of each name that led to the person, by which `keeping_out` knows what is theirs.
leadloop deletes nothing on a platform: what is left there is a hold for the admin. The history of stages
stays, under an id that leads to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.ambiguity import put_ambiguities, records_in_doubt
from connector.intake.erased_names import RECORD, ErasedNames, lock_erasures, record_name
from connector.intake.forgotten_records import hold_records
from connector.intake.identity import CLAIM
from connector.intake.leadless import Leadless, leadless, names_said, record_said
from connector.observation import RecordKey
from connector.store import outsiders, waiting_activities
from connector.store.inbox import Hint, put_hints
from connector.store.leads import aliases_of, mark_dirty
from connector.store.links import keys_of_leads, linked, links_of
from connector.store.observations import observations_by_key, referring
from connector.store.retirement import erase_lead, erase_record
from connector.store.rows import lock_name
from connector.store.write_ahead_log import ask_to_empty


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased: the lead, if it was one, and what the `records` showed. `still_there` are those that
    stand on the platforms."""

    lead_id: str | None
    records: tuple[RecordKey, ...]
    still_there: tuple[RecordKey, ...]


def forget_lead(
    conn: Connection, installation: Installation, lead_id: str, now_ms: int, gone: RecordKey | None = None
) -> Forgotten:
    """Erase a lead that exists, and hold what the platforms still have of it, for the admin. `gone` is a
    record that its platform has erased already."""
    lock_forgetting(conn)
    ask_to_empty(conn)
    records = [link.key for link in links_of(conn, [lead_id])[lead_id]]
    seen = observations_by_key(conn, records)
    names = [(name.kind, name.value) for name in keys_of_leads(conn, [lead_id])[lead_id]]
    names += map(record_name, records)
    kept = ErasedNames(conn)
    kept.hold_again(names)
    ids = [(CLAIM, one) for one in (lead_id, *aliases_of(conn, lead_id))]
    shared = _shared(conn, records)
    _read_doubtful_again(conn, lead_id, now_ms)
    erase_lead(conn, lead_id, kept.hashes([*names, *ids]), now_ms)
    put_hints(conn, [Hint(*one, "read", now_ms) for one in shared])
    still_there = tuple(
        record for record in records if record != gone and (record not in seen or not seen[record].deleted)
    )
    hold_records(conn, still_there, () if gone is None else (gone,), now_ms)
    # what carries the same names and was never made the lead's, and what waits for its addresses
    left = leadless(conn, installation, [name for name in names if name[0] != RECORD])
    more = forget_leadless(conn, left, now_ms, gone)
    return Forgotten(lead_id, (*records, *more.records), (*still_there, *more.still_there))


def forget_leadless(
    conn: Connection, person: Leadless, now_ms: int, gone: RecordKey | None = None
) -> Forgotten:
    """Erase somebody who is no lead, in the transaction in which they were found with `lock_forgetting`, and
    hold what the platforms still have of them. `gone` is a record that its platform has erased already."""
    ask_to_empty(conn)
    names = [*person.names, *map(record_name, person.records)]
    kept = ErasedNames(conn)
    kept.hold_again(names)
    shared = _shared(conn, person.records)
    for record in person.records:
        erase_record(conn, *record)
    outsiders.drop_names(conn, person.names)
    waiting_activities.forget(conn, [value for _, value in person.names])
    mark_dirty(conn, put_ambiguities(conn, person.records, [], now_ms), now_ms)
    kept.keep(names, now_ms)
    put_hints(conn, [Hint(*one, "read", now_ms) for one in shared])
    still_there = tuple(record for record in person.standing if record != gone)
    hold_records(conn, still_there, () if gone is None else (gone,), now_ms)
    return Forgotten(None, person.records, still_there)


def lock_forgetting(conn: Connection) -> None:
    """Nobody is taken in, and nobody else forgotten, until this transaction ends."""
    lock_erasures(conn)
    lock_name(conn, "identity")


def _shared(conn: Connection, records: Sequence[RecordKey]) -> list[RecordKey]:
    """What speaks of one of these records and of somebody else's: it goes with them, and is read again."""
    found: dict[RecordKey, None] = {}
    theirs = set(records)
    for record in records:
        for one in referring(conn, record.side, record.object, [record.record_id]):
            if any(len(ids) > 1 for ids in one.refs.values()) and not theirs.issuperset(one.points_at()):
                found[one.key] = None
    return list(found)


def _read_doubtful_again(conn: Connection, lead_id: str, now_ms: int) -> None:
    """Records of which nobody knows whether they are this person's: what they showed goes, and they are read
    once more. By then the names that are left tell whose they are, or that they stay out."""
    doubtful = records_in_doubt(conn, [lead_id])
    known = linked(conn, doubtful)
    nobodys = [record for record in doubtful if record not in known]
    for record in nobodys:
        erase_record(conn, *record)
    mark_dirty(conn, put_ambiguities(conn, nobodys, [], now_ms) - {lead_id}, now_ms)
    put_hints(conn, [Hint(*record, "read", now_ms) for record in nobodys])


def forget_record(conn: Connection, installation: Installation, record: RecordKey, now_ms: int) -> None:
    """A platform says that the person behind a record was erased there for good: the lead goes, and where
    there is none, neither the record nor anything else with its names is ever taken in."""
    lock_forgetting(conn)
    link = linked(conn, [record]).get(record)
    if link is not None:
        forget_lead(conn, installation, link.lead_id, now_ms, gone=record)
    else:
        forget_leadless(conn, leadless(conn, installation, (), [record]), now_ms, gone=record)


def forget_made(conn: Connection, records: Sequence[RecordKey], now_ms: int) -> None:
    """Records that were being made for a person while that person was forgotten: they stay out, and are held
    for the admin."""
    if records:
        ErasedNames(conn).keep(map(record_name, records), now_ms)
        hold_records(conn, records, (), now_ms)


def remember(conn: Connection, installation: Installation, said: str, now_ms: int = 0) -> int:
    """Let a person be known again who was forgotten and came back: by an address, or by a record as the hold
    names it (`SIDE OBJECT ID`). Returns how many names were released; the next change of a record, or a
    resync, takes it in."""
    lock_erasures(conn)
    names = names_said(installation, said)
    record = record_said(said)
    if record is not None:
        names.append(record_name(record))
        hold_records(conn, (), (record,), 0)
    return ErasedNames(conn).release(names, now_ms)
