"""Keeping out: what is read of people who were forgotten is never taken in again.

Their records are known by the names that were kept of them, those records' successors by what they say
themselves. One that still stands on a platform is a hold for the admin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.erased_names import ErasedNames, Name, lock_erasures, record_name, somebody_is_erased
from connector.intake.forgotten_records import hold_records
from connector.intake.identity import CLAIM, NamesOf
from connector.intake.related import successors
from connector.moments import native_moment_ms
from connector.observation import Observation, RecordKey
from connector.store.inbox import Hint, put_hints
from connector.store.links import Link, linked, links_of
from connector.store.observations import observations_by_key

_CONVERSION_MS = 60_000
"""The stamps of a record that is converted and of the one that this makes are never further apart."""


def keep_out(
    conn: Connection, installation: Installation, observations: Sequence[Observation], now_ms: int
) -> Sequence[Observation]:
    """The observations without those of people who were forgotten, and without what points at their records.
    A record of theirs that still stands is held for the admin; one that is gone now, no longer."""
    if not observations:
        return observations
    lock_erasures(conn, shared=True)  # nobody is forgotten between this look and the storing
    if not somebody_is_erased(conn):
        return observations
    erased = ErasedNames(conn)
    names_of = NamesOf(installation.policy.mapping)
    names = {item.key: list(_names_of(installation, item, names_of)) for item in observations}
    said = erased.among({name for found in names.values() for name in found})
    if not said:
        return observations
    released: set[Name] = set()
    if any(kind == CLAIM for kind, _ in said):
        released = erased.released(
            {name for found in names.values() if not said.isdisjoint(found) for name in found}
        )
    shared = {
        item.key: left
        for item in observations
        if not is_person(installation, item) and (left := _about_others(item, said)) is not None
    }
    out = {
        item.key
        for item in observations
        if item.key not in shared and _is_out(names[item.key], said, released)
    }
    if shared:
        observations = [shared.get(item.key, item) for item in observations]
    if not out:
        return observations
    later = _live_on(conn, installation, observations, out, now_ms)
    out |= later
    theirs = [item for item in observations if item.key in out]
    people = [item for item in theirs if is_person(installation, item)]
    # a record that names a forgotten person in a new way stays out under its own id too
    records = {*later, *(item.key for item in people)}
    erased.keep(map(record_name, records), now_ms)
    standing = [item.key for item in people if not item.deleted]
    hold_records(conn, standing, [item.key for item in people if item.deleted], now_ms)
    return [item for item in observations if item.key not in out]


def _about_others(item: Observation, said: Set[Name]) -> Observation | None:
    """A record that points at a forgotten person's record and at another's of the same object (a deal with
    two contacts), without what points at the former. None for any other."""
    left = {
        name: tuple(each for each in ids if record_name(RecordKey(item.side, name, each)) not in said)
        for name, ids in item.refs.items()
    }
    if left == item.refs or not all(left.values()):
        return None
    return item._replace(refs=left)


def _is_out(names: Sequence[Name], said: Set[Name], released: Set[Name]) -> bool:
    """Whether one of a record's names is a forgotten person's. The lead id alone says nothing where the
    person came back under another of the names."""
    found = [name for name in names if name in said]
    if all(kind == CLAIM for kind, _ in found):
        return bool(found) and released.isdisjoint(names)
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
    seen = {item.key: item for item in observations if is_person(installation, item)}
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


def _names_of(installation: Installation, item: Observation, names_of: NamesOf) -> Iterable[Name]:
    """Everything by which an observation could be a forgotten person's."""
    yield record_name(item.key)
    if is_person(installation, item):
        yield from names_of(item).keys(item.fields, installation.policy.directory)
    else:
        yield from map(record_name, item.points_at())


def is_person(installation: Installation, item: Observation) -> bool:
    """Whether the mapping knows the record's object as one of people."""
    side = installation.policy.mapping.sides.get(item.side)
    described = None if side is None else side.objects.get(item.object)
    return described is not None and described.role == "person"


def stay_out(conn: Connection, records: Iterable[RecordKey]) -> set[RecordKey]:
    """Those of the records that are a forgotten person's by their own id."""
    wanted = list(records)
    if not wanted or not somebody_is_erased(conn):
        return set()
    names = {record_name(record): record for record in wanted}
    return {names[name] for name in ErasedNames(conn).among(names)}
