"""Forgetting: a person asked to be erased. Their data leaves this database.

What stays is a keyed hash of each name that led to the person, by which `keeping_out` knows what is theirs.
leadloop deletes nothing on a platform: what is left there is a hold for the admin. The history of stages
stays, under an id that leads to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.ambiguity import put_ambiguities, records_in_doubt
from connector.intake.erased_names import RECORD, ErasedNames, Name, lock_erasures, record_name
from connector.intake.forgotten_records import hold_records
from connector.intake.identity import CLAIM, NamesOf
from connector.intake.keeping_out import is_person
from connector.observation import RecordKey
from connector.store import outsiders, waiting_activities
from connector.store.inbox import Hint, put_hints
from connector.store.leads import aliases_of, mark_dirty, read_leads, resolve_aliases
from connector.store.links import keys_of, keys_of_leads, linked, links_of
from connector.store.observations import observations_by_key, referring
from connector.store.retirement import erase_lead, erase_record
from connector.store.rows import lock_name
from connector.store.write_ahead_log import ask_to_empty
from mappings.normalise import normalise
from mappings.values import Unreadable


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased, and the records of the person that still stand on the platforms."""

    lead_id: str
    still_there: tuple[RecordKey, ...]


def forget_lead(conn: Connection, lead_id: str, now_ms: int, gone: RecordKey | None = None) -> Forgotten:
    """Erase a lead that exists, and hold what the platforms still have of it, for the admin. `gone` is a
    record that its platform has erased already."""
    lock_erasures(conn)
    lock_name(conn, "identity")
    ask_to_empty(conn)
    records = [link.key for link in links_of(conn, [lead_id])[lead_id]]
    seen = observations_by_key(conn, records)
    names = [(name.kind, name.value) for name in keys_of_leads(conn, [lead_id])[lead_id]]
    names += map(record_name, records)
    kept = ErasedNames(conn)
    kept.hold_again(names)
    ids = [(CLAIM, one) for one in (lead_id, *aliases_of(conn, lead_id))]
    addresses = [value for kind, value in names if kind != RECORD]
    shared = _shared(conn, records)
    _read_doubtful_again(conn, lead_id, now_ms)
    erase_lead(conn, lead_id, kept.hashes([*names, *ids]), now_ms)
    put_hints(conn, [Hint(*one, "read", now_ms) for one in shared])
    waiting_activities.forget(conn, addresses)
    still_there = tuple(
        record for record in records if record != gone and (record not in seen or not seen[record].deleted)
    )
    hold_records(conn, still_there, (), now_ms)
    return Forgotten(lead_id, still_there)


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
    lock_erasures(conn)
    lock_name(conn, "identity")
    ask_to_empty(conn)
    link = linked(conn, [record]).get(record)
    if link is not None:
        forget_lead(conn, link.lead_id, now_ms, gone=record)
        return
    names = _names_of_nobodys(conn, installation, record)
    others = {each for found in outsiders.named(conn, names).values() for each in found} - {record}
    erased_there = [record, *sorted(others)]
    for each in erased_there:
        erase_record(conn, *each)
    mark_dirty(conn, put_ambiguities(conn, erased_there, [], now_ms), now_ms)
    ErasedNames(conn).keep([*names, *map(record_name, erased_there)], now_ms)
    hold_records(conn, sorted(others), (), now_ms)


def _names_of_nobodys(conn: Connection, installation: Installation, record: RecordKey) -> list[Name]:
    """The names that a record of no lead has shown and that lead to nobody who is known."""
    seen = observations_by_key(conn, [record]).get(record)
    if seen is None or not is_person(installation, seen):
        return []
    names = NamesOf(installation.policy.mapping)(seen).keys(seen.fields, installation.policy.directory)
    names += outsiders.names_of(conn, record)  # what is known of one that was told to be deleted before
    known = keys_of(conn, names)
    claims = [value for kind, value in names if kind == CLAIM]
    standing = {lead.id for lead in read_leads(conn, claims)} | resolve_aliases(conn, claims).keys()
    return [name for name in names if name not in known and (name[0] != CLAIM or name[1] not in standing)]


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
    names = list(_spellings(installation, said))
    parts = said.split()
    if len(parts) == 3:
        record = RecordKey(*parts)
        names.append(record_name(record))
        hold_records(conn, (), (record,), 0)
    return ErasedNames(conn).release(names, now_ms)


def _spellings(installation: Installation, said: str) -> Iterable[Name]:
    """What was typed, as each identity field has it."""
    for name, rule in installation.policy.mapping.fields.items():
        if not rule.identity:
            continue
        try:
            value = normalise(rule.type, said)
        except Unreadable:
            continue
        if isinstance(value, str):
            yield name, value
