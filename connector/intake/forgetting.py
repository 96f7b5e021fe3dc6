"""Forgetting: a person asked to be erased. Their data leaves this database, and is never taken in again.

What stays is a keyed hash of each name that led to the person (address, record id): it tells whether a
record is theirs, and nothing about them. leadloop deletes nothing on a platform: what is left there is a hold
for the admin. The history of stages stays, under an id that leads to nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.ambiguity import put_ambiguities, records_in_doubt
from connector.intake.identity import CLAIM, NamesOf
from connector.intake.link import successors
from connector.moments import native_moment_ms
from connector.observation import Observation, RecordKey
from connector.store import holds as hold_store
from connector.store import waiting_activities
from connector.store.inbox import Hint, put_hints
from connector.store.leads import aliases_of
from connector.store.links import Link, keys_of_leads, linked, links_of
from connector.store.observations import observations_by_key, referring
from connector.store.retirement import (
    any_erased,
    erase_lead,
    erase_record,
    erased,
    keep_hashes,
    remember_again,
)
from connector.store.rows import lock_name
from connector.store.settings_values import get_value, put_value
from mappings.normalise import normalise
from mappings.values import Unreadable

Name = tuple[str, str]
"""Kind and value of what a record says about who it is."""

HOLD = "forgotten"
_KEY = "erasure_key"
_RECORD = "record"
_RELEASED = "released "
"""Begins the kind of a name that may be known again, whatever lead id its record still carries."""

_CONVERSION_MS = 60_000
"""The stamps of a record that is converted and of the one that this makes are never further apart."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased, and the records of the person that still stand on the platforms."""

    lead_id: str
    still_there: tuple[RecordKey, ...]


def forget_lead(conn: Connection, lead_id: str, now_ms: int, gone: RecordKey | None = None) -> Forgotten:
    """Erase a lead that exists, and hold what the platforms still have of it, for the admin. `gone` is a
    record that its platform has erased already."""
    lock_name(conn, _KEY)
    lock_name(conn, "identity")
    records = [link.key for link in links_of(conn, [lead_id])[lead_id]]
    seen = observations_by_key(conn, records)
    names = [(name.kind, name.value) for name in keys_of_leads(conn, [lead_id])[lead_id]]
    key = _secret(conn)
    names += map(_record_name, records)
    remember_again(conn, [_hash(key, _RELEASED + kind, value) for kind, value in names])
    ids = [(CLAIM, one) for one in (lead_id, *aliases_of(conn, lead_id))]
    hashes = [_hash(key, kind, value) for kind, value in (*names, *ids)]
    addresses = [value for kind, value in names if kind != _RECORD]
    shared = _shared(conn, records)
    _read_doubtful_again(conn, lead_id, now_ms)
    erase_lead(conn, lead_id, hashes, now_ms)
    put_hints(conn, [Hint(*one, "read", now_ms) for one in shared])
    waiting_activities.forget(conn, addresses)
    still_there = tuple(
        record for record in records if record != gone and (record not in seen or not seen[record].deleted)
    )
    _hold(conn, still_there, (), now_ms)
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
    put_ambiguities(conn, nobodys, [], now_ms)
    put_hints(conn, [Hint(*record, "read", now_ms) for record in nobodys])


def forget_record(conn: Connection, record: RecordKey, now_ms: int) -> None:
    """A platform says that the person behind a record was erased there for good: the lead goes, and where
    there is none, the record is never taken in."""
    lock_name(conn, _KEY)
    link = linked(conn, [record]).get(record)
    if link is not None:
        forget_lead(conn, link.lead_id, now_ms, gone=record)
    else:
        erase_record(conn, *record)
        keep_hashes(conn, [_hash(_secret(conn), *_record_name(record))], now_ms)


def forget_made(conn: Connection, records: Sequence[RecordKey], now_ms: int) -> None:
    """Records that were being made for a person while that person was forgotten: they stay out, and are held
    for the admin."""
    if records:
        keep_hashes(conn, [_hash(_secret(conn), *_record_name(record)) for record in records], now_ms)
        _hold(conn, records, (), now_ms)


def let_go(conn: Connection, gone: Iterable[RecordKey], now_ms: int) -> None:
    """These records are not on their platforms any more: nobody need erase them there."""
    records = list(gone)
    if records and hold_store.leads_held(conn, HOLD):
        _hold(conn, (), records, now_ms)


def held_records(conn: Connection, side: str, name: str) -> list[RecordKey]:
    """Records of forgotten people that were still on the platform when somebody last looked."""
    held = hold_store.open_holds(conn, [hold_store.INSTALLATION]).get(hold_store.INSTALLATION, [])
    records = [RecordKey(*hold.subject.split(" ", 2)) for hold in held if hold.kind == HOLD]
    return [record for record in records if (record.side, record.object) == (side, name)]


def stay_out(conn: Connection, records: Iterable[RecordKey]) -> set[RecordKey]:
    """Those of the records that are a forgotten person's by their own id."""
    wanted = list(records)
    if not wanted or not any_erased(conn):
        return set()
    key = _secret(conn)
    hashes = {record: _hash(key, *_record_name(record)) for record in wanted}
    known = erased(conn, hashes.values())
    return {record for record, one in hashes.items() if one in known}


def remember(conn: Connection, installation: Installation, said: str, now_ms: int = 0) -> int:
    """Let a person be known again who was forgotten and came back: by an address, or by a record as the hold
    names it (`SIDE OBJECT ID`). Returns how many names were released; the next change of a record, or a
    resync, takes it in."""
    lock_name(conn, _KEY)
    key = _secret(conn)
    names = list(_spellings(installation, said))
    parts = said.split()
    if len(parts) == 3:
        record = RecordKey(*parts)
        names.append(_record_name(record))
        _hold(conn, (), (record,), 0)
    gone = remember_again(conn, [_hash(key, kind, value) for kind, value in names])
    if gone:
        keep_hashes(conn, [_hash(key, _RELEASED + kind, value) for kind, value in names], now_ms)
    return gone


def keep_out(
    conn: Connection, installation: Installation, observations: Sequence[Observation], now_ms: int
) -> Sequence[Observation]:
    """The observations without those of people who were forgotten, and without what points at their records.
    A record of theirs that still stands is held for the admin; one that is gone now, no longer."""
    if not observations:
        return observations
    lock_name(conn, _KEY, shared=True)  # nobody is forgotten between this look and the storing
    if not any_erased(conn):
        return observations
    key = _secret(conn)
    names_of = NamesOf(installation.policy.mapping)
    names = {item.key: list(_names_of(installation, item, names_of)) for item in observations}
    spelled = {name for found in names.values() for name in found}
    hashes = {name: _hash(key, *name) for name in spelled}
    known = erased(conn, hashes.values())
    if not known:
        return observations
    said = {name for name, one in hashes.items() if one in known}
    if any(kind == CLAIM for kind, _ in said):
        released = {
            (_RELEASED + kind, value): _hash(key, _RELEASED + kind, value)
            for found in names.values()
            if not said.isdisjoint(found)
            for kind, value in found
        }
        known = erased(conn, released.values())
        said.update(name for name, one in released.items() if one in known)
    shared = {
        item.key: left
        for item in observations
        if not _is_person(installation, item) and (left := _about_others(item, said)) is not None
    }
    out = {item.key for item in observations if item.key not in shared and _is_out(names[item.key], said)}
    if shared:
        observations = [shared.get(item.key, item) for item in observations]
    if not out:
        return observations
    later = _live_on(conn, installation, observations, out, now_ms)
    out |= later
    theirs = [item for item in observations if item.key in out]
    people = [item for item in theirs if _is_person(installation, item)]
    # a record that names a forgotten person in a new way stays out under its own id too
    records = {*later, *(item.key for item in people)}
    keep_hashes(conn, [_hash(key, *_record_name(record)) for record in records], now_ms)
    standing = tuple(item.key for item in people if not item.deleted)
    _hold(conn, standing, tuple(item.key for item in people if item.deleted), now_ms)
    return [item for item in observations if item.key not in out]


def _about_others(item: Observation, said: Set[Name]) -> Observation | None:
    """A record that points at a forgotten person's record and at another's of the same object (a deal with
    two contacts), without what points at the former. None for any other."""
    left = {
        name: tuple(each for each in ids if _record_name(RecordKey(item.side, name, each)) not in said)
        for name, ids in item.refs.items()
    }
    if left == item.refs or not all(left.values()):
        return None
    return item._replace(refs=left)


def _is_out(names: Sequence[Name], said: Set[Name]) -> bool:
    """Whether one of a record's names is a forgotten person's. The lead id alone says nothing where the
    person came back under another of the names."""
    found = [name for name in names if name in said]
    if all(kind == CLAIM for kind, _ in found):
        return bool(found) and not any((_RELEASED + kind, value) in said for kind, value in names)
    return True


def _forget_begun(
    conn: Connection,
    installation: Installation,
    seen: Mapping[RecordKey, Observation],
    taken: Mapping[RecordKey, Link],
    now_ms: int,
) -> None:
    """A record that a conversion has just made was read before the one that it was made of, and a lead began
    with it: the same person, who is to be forgotten as well. One that was there before is somebody else's.
    """
    if not taken:
        return
    converted = {
        RecordKey(item.side, *successor): item.stamp_ms
        for item in seen.values()
        if item.converted
        for successor in successors(item, installation.policy.mapping)
    }
    records = observations_by_key(conn, taken.keys() & converted.keys())
    links = links_of(conn, {taken[key].lead_id for key in records})
    put_hints(
        conn,
        [
            Hint(*key, "forget", now_ms)
            for key, record in records.items()
            if len(links[taken[key].lead_id]) == 1
            and (made_ms := _made_ms(installation, record)) is not None
            and abs(converted[key] - made_ms) <= _CONVERSION_MS
        ],
    )


def _made_ms(installation: Installation, record: Observation) -> int | None:
    created = installation.policy.mapping.sides[record.side].objects[record.object].created
    return None if created is None else native_moment_ms(record.fields.get(created))


def _live_on(
    conn: Connection,
    installation: Installation,
    observations: Sequence[Observation],
    out: Set[RecordKey],
    now_ms: int,
) -> set[RecordKey]:
    """The records that those of forgotten people live on in (merged, converted), and nobody else's."""
    seen = {item.key: item for item in observations if _is_person(installation, item)}
    found: set[RecordKey] = set()
    wave = set(out)
    while wave:
        after = {
            RecordKey(item.side, *successor)
            for key in wave
            if (item := seen.get(key)) is not None
            for successor in successors(item, installation.policy.mapping)
        }
        wave = after - found - out
        theirs = linked(conn, wave)
        wave -= theirs.keys()
        found |= wave
        _forget_begun(conn, installation, seen, theirs, now_ms)
    return found


def _names_of(installation: Installation, item: Observation, names_of: NamesOf) -> Iterable[tuple[str, str]]:
    """Everything by which an observation could be a forgotten person's."""
    yield _record_name(item.key)
    if _is_person(installation, item):
        yield from names_of(item).keys(item.fields, installation.policy.directory)
    else:
        yield from map(_record_name, item.points_at())


def _is_person(installation: Installation, item: Observation) -> bool:
    side = installation.policy.mapping.sides.get(item.side)
    described = None if side is None else side.objects.get(item.object)
    return described is not None and described.role == "person"


def _spellings(installation: Installation, said: str) -> Iterable[tuple[str, str]]:
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


def _hold(conn: Connection, standing: Sequence[RecordKey], gone: Sequence[RecordKey], now_ms: int) -> None:
    subjects = {_said(record): record for record in (*standing, *gone)}
    wanted = [
        hold_store.WantedHold(
            kind=HOLD,
            subject=_said(record),
            message=f"The person behind {_said(record)} was forgotten here; the record is still there. "
            "leadloop neither reads nor writes it.",
            remedy=f"Erase it on {record.side}, or, if the person wants to be known again, say "
            f'`leadloop forget --undo "{_said(record)}"`.',
        )
        for record in standing
    ]
    hold_store.sync_holds_about(conn, HOLD, list(subjects), {hold_store.INSTALLATION: wanted}, now_ms)


def _said(record: RecordKey) -> str:
    return f"{record.side} {record.object} {record.record_id}"


def _record_name(record: RecordKey) -> tuple[str, str]:
    return _RECORD, _said(record)


def _secret(conn: Connection) -> bytes:
    """The key of the hashes, made when first needed: without this database they say nothing."""
    stored = get_value(conn, _KEY)
    if stored is None:
        stored = secrets.token_hex(32)
        put_value(conn, _KEY, stored)
    return bytes.fromhex(stored)


def _hash(key: bytes, kind: str, value: str) -> bytes:
    return hmac.digest(key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256)
