"""Observations: the newest that each record has shown, and who refers to whom.

Older reads never replace newer ones, whatever the order of arrival. Compares stamps and content; what a
change means is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, bindparam, delete, or_, select, update
from sqlalchemy import and_ as all_of

from connector.observation import NO_REFS, Observation, RecordKey, Refs
from connector.store.links import Role
from connector.store.rows import (
    by_object,
    chunks,
    execute_in,
    execute_many,
    from_json,
    insert_into,
    insert_new,
    is_sqlite,
    locked,
    to_json,
)
from connector.store.schema import links, observation_refs, observations

Status = Literal["new", "changed", "same", "older"]


class Stored(NamedTuple):
    """What became of an observation. `changed`: a newer stamp, or other content at the same stamp. `same`:
    the stored stamp and content again; only the moment of reading is noted. `older`: discarded.
    `before` is what a changed record showed until now, its fields as JSON bytes; `pointed_at` what it pointed
    at, where that is something else now."""

    observation: Observation
    status: Status
    lead_id: str | None
    before: bytes = b""
    pointed_at: tuple[RecordKey, ...] = ()


class Linked(NamedTuple):
    """An observation of a record in the role that its link gives it."""

    role: Role
    observation: Observation


_Known = tuple[Any, ...]
"""A record as it is stored, or as the batch has left it so far: the columns of `_KNOWN`. A bare tuple, since
there are two of them for every record that is read again."""

_ROW, _STAMP, _READ, _FLAGS, _REFS, _FIELDS_JSON, _LEAD = 1, 2, 3, slice(4, 8), 7, 8, 9
"""Places in it. The row is 0 when the record is not stored yet; `_FLAGS` are deleted, merged_into, converted
and refs."""


_KEY = ("side", "object", "record_id")
_VALUES = (
    "stamp_ms",
    "read_started_ms",
    "deleted",
    "merged_into",
    "converted",
    "refs",
    "modified_by",
    "fields",
)
_COLUMNS = tuple(observations.c[name] for name in (*_KEY, *_VALUES))
_ONTO_LINK = all_of(*(observations.c[name] == links.c[name] for name in _KEY))

_KNOWN = (
    select(
        observations.c.record_id,
        observations.c.id,
        observations.c.stamp_ms,
        observations.c.read_started_ms,
        observations.c.deleted,
        observations.c.merged_into,
        observations.c.converted,
        observations.c.refs,
        observations.c.fields,
        links.c.lead_id,
    )
    .outerjoin(links, _ONTO_LINK)
    .where(
        observations.c.side == bindparam("side"),
        observations.c.object == bindparam("object"),
        observations.c.record_id.in_(bindparam("ids", expanding=True)),
    )
)
# in one order, so that two writers cannot wait for each other
_KNOWN_LOCKED = locked(_KNOWN.order_by(observations.c.record_id), of=observations)
_OF_LEADS = (
    select(links.c.lead_id, links.c.role, *_COLUMNS)
    .join(observations, _ONTO_LINK)
    .where(links.c.lead_id.in_(bindparam("ids", expanding=True)))
    .order_by(links.c.side, links.c.object, links.c.record_id)
)
_REFERRING = (
    select(*_COLUMNS)
    .join(observation_refs, all_of(*(observations.c[name] == observation_refs.c[name] for name in _KEY)))
    .where(
        observation_refs.c.side == bindparam("side"),
        observation_refs.c.ref_object == bindparam("object"),
        observation_refs.c.ref_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(observations.c.object, observations.c.record_id)
)
_LEADS_OF = select(links.c.record_id, links.c.lead_id).where(
    links.c.side == bindparam("side"),
    links.c.object == bindparam("object"),
    links.c.record_id.in_(bindparam("ids", expanding=True)),
)
_CHANGE = (
    update(observations)
    .where(observations.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in _VALUES})
)
# most changes leave the rest alone; on SQLite this takes half the time of writing all columns
_FIELDS = ("stamp_ms", "read_started_ms", "modified_by", "fields")
_CHANGE_FIELDS = (
    update(observations)
    .where(observations.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in _FIELDS})
)
_TOUCH = (
    update(observations)
    .where(observations.c.id == bindparam("row"))
    .values(read_started_ms=bindparam("new_read_started_ms"))
)


def store_observations(conn: Connection, new: Sequence[Observation]) -> list[Stored]:
    """Keep each observation unless a newer one is stored: newer by stamp, then by the start of the read;
    of two that are equal in both, the one that came later stays.

    One `Stored` for each, in the same order; `lead_id` is the lead that the record is linked to."""
    places = {(one.side, one.object) for one in new}
    stored: list[Stored] = []
    for batch in chunks(new, 1_000):
        if len(places) == 1:
            stored.extend(_store(conn, *next(iter(places)), batch))
            continue
        results = {
            place: iter(_store(conn, *place, [one for one in batch if (one.side, one.object) == place]))
            for place in sorted(places)
        }
        stored.extend([next(results[one.side, one.object]) for one in batch])
    return stored


def observations_of(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[Linked]]:
    """Lead id to the observations of its linked records, by side, object and id; every id asked for is a
    key, and linked records that have never been read are left out."""
    found: dict[str, list[Linked]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        for row in execute_in(conn, "observations.of", _OF_LEADS, {}, chunk).all():
            found[row[0]].append(Linked(row[1], _observation(row[2:])))
    return found


def observations_by_key(conn: Connection, keys: Iterable[RecordKey]) -> dict[RecordKey, Observation]:
    """The stored observation of each record; records never seen are left out."""
    found: dict[RecordKey, Observation] = {}
    for (side, name), ids in by_object(keys).items():
        for chunk in chunks(ids):
            rows = conn.execute(
                select(*_COLUMNS).where(
                    observations.c.side == side,
                    observations.c.object == name,
                    observations.c.record_id.in_(chunk),
                )
            )
            found.update((one.key, one) for one in map(_observation, rows.all()))
    return found


def records_with_id(conn: Connection, record_id: str) -> list[RecordKey]:
    """The records, on whichever side and of whichever object, that were seen with this id."""
    rows = conn.execute(
        select(observations.c.side, observations.c.object, observations.c.record_id)
        .where(observations.c.record_id == record_id)
        .order_by(observations.c.side, observations.c.object)
    )
    return [RecordKey(*row) for row in rows]


def referring(conn: Connection, side: str, object_name: str, ids: Iterable[str]) -> list[Observation]:
    """The observations on this side whose `refs` name one of these records of the object."""
    wanted = dict.fromkeys(ids)
    found: dict[RecordKey, Observation] = {}
    for chunk in chunks(wanted):
        place = {"side": side, "object": object_name}
        rows = execute_in(conn, "observations.referring", _REFERRING, place, chunk)
        found.update((one.key, one) for one in map(_observation, rows.all()))
    # the index may still hold what a record referred to earlier
    return [one for one in found.values() if not wanted.keys().isdisjoint(one.refs.get(object_name, ()))]


def empty_observations(conn: Connection, keys: Iterable[RecordKey]) -> None:
    """Keep of these records that there were such, and nothing of what they showed."""
    for (side, name), ids in by_object(keys).items():
        for chunk in chunks(ids):
            is_one = (
                observations.c.side == side,
                observations.c.object == name,
                observations.c.record_id.in_(chunk),
            )
            conn.execute(update(observations).where(*is_one).values(fields=to_json({}), modified_by=None))


def _store(conn: Connection, side: str, name: str, batch: Sequence[Observation]) -> list[Stored]:
    """`store_observations` for one object of one side."""
    before = _known(conn, side, name, dict.fromkeys([one.record_id for one in batch]))
    now = dict(before)
    newest: dict[str, Observation] = {}
    stored: list[Stored] = []
    for one in batch:
        _, _, record_id, stamp_ms, read_started_ms, fields, deleted, merged_into, converted, refs, _ = one
        known = now[record_id]
        known_stamp_ms, known_read_ms, lead_id = known[_STAMP], known[_READ], known[_LEAD]
        unseen = not known[_ROW] and record_id not in newest
        if not unseen and (
            stamp_ms < known_stamp_ms or (stamp_ms == known_stamp_ms and read_started_ms < known_read_ms)
        ):
            stored.append(Stored(one, "older", lead_id))
            continue
        # the bytes themselves are compared: that is cheaper than hashing them, and exact
        shown = to_json(fields)
        content = (deleted, merged_into, converted, to_json(refs) if refs else None, shown)
        if not unseen and stamp_ms == known_stamp_ms and content == known[_FLAGS] + (known[_FIELDS_JSON],):
            if read_started_ms > known_read_ms:
                now[record_id] = (*known[:_READ], read_started_ms, *content, lead_id)
            stored.append(Stored(one, "same", lead_id))
            continue
        newest[record_id] = one
        now[record_id] = (record_id, known[_ROW], stamp_ms, read_started_ms, *content, lead_id)
        pointed_at: tuple[RecordKey, ...] = ()
        if known[_REFS] is not None and known[_REFS] != content[3]:
            pointed_at = tuple(one._replace(refs=refs_from(known[_REFS])).points_at())
        status: Status = "new" if unseen else "changed"
        stored.append(Stored(one, status, lead_id, known[_FIELDS_JSON], pointed_at))
    _write(conn, side, name, before, now, newest)
    return stored


def _known(conn: Connection, side: str, name: str, ids: Iterable[str]) -> dict[str, _Known]:
    """Every one of the records, locked, with the lead that it is linked to."""
    known: dict[str, _Known] = {}
    statement = _KNOWN if is_sqlite(conn) else _KNOWN_LOCKED
    for chunk in chunks(ids):
        place = {"side": side, "object": name}
        rows = execute_in(conn, "observations.known", statement, place, chunk).all()
        known.update([(row[0], row) for row in map(tuple, rows)])
        if len(rows) == len(chunk):
            continue
        unseen = [record_id for record_id in chunk if record_id not in known]
        leads = _leads_of(conn, side, name, unseen)
        for record_id in unseen:
            known[record_id] = (record_id, 0, 0, 0, False, None, False, None, b"", leads.get(record_id))
    return known


def _leads_of(conn: Connection, side: str, name: str, ids: Sequence[str]) -> dict[str, str]:
    """Record id to lead, for records that are linked before they are first read: those we created."""
    place = {"side": side, "object": name}
    rows = execute_in(conn, "observations.leads", _LEADS_OF, place, ids)
    return {row[0]: row[1] for row in rows.all()}


def _write(
    conn: Connection,
    side: str,
    name: str,
    before: Mapping[str, _Known],
    now: Mapping[str, _Known],
    newest: Mapping[str, Observation],
) -> None:
    """Bring what a batch has changed into the tables."""
    fresh: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    changed_fields: list[tuple[Any, ...]] = []
    for record_id, one in newest.items():
        known = now[record_id]
        _, row, stamp_ms, read_started_ms, *_, shown, _ = known
        if not row:
            fresh.append((side, name, record_id, *known[_STAMP:_FIELDS_JSON], one.modified_by, shown))
        elif known[_FLAGS] == before[record_id][_FLAGS]:
            changed_fields.append((stamp_ms, read_started_ms, one.modified_by, shown, row))
        else:
            changed.append((*known[_STAMP:_FIELDS_JSON], one.modified_by, shown, row))
    touched = [
        (known[_READ], known[_ROW])
        for record_id, known in now.items()
        if known is not before[record_id] and record_id not in newest
    ]
    _insert(conn, sorted(fresh, key=itemgetter(2)))
    for what, statement, columns, rows in (
        ("change", _CHANGE, _VALUES, changed),
        ("change_fields", _CHANGE_FIELDS, _FIELDS, changed_fields),
        ("touch", _TOUCH, ("read_started_ms",), touched),
    ):
        rows.sort(key=itemgetter(-1))  # neighbours lie on one page of the file
        names = (*(f"new_{column}" for column in columns), "row")
        execute_many(conn, f"observations.{what}", statement, names, rows)
    moved = [record_id for record_id in newest if now[record_id][_REFS] != before[record_id][_REFS]]
    if moved:
        indexed = [record_id for record_id in moved if before[record_id][_REFS] is not None]
        _index_refs(conn, side, name, indexed, {record_id: newest[record_id] for record_id in moved})


def _insert(conn: Connection, fresh: Sequence[tuple[Any, ...]]) -> None:
    if not fresh:
        return
    insert = insert_into(conn, observations)
    # PostgreSQL: another writer may have stored the same records meanwhile; the newer one stays
    newer = or_(
        insert.excluded.stamp_ms > observations.c.stamp_ms,
        all_of(
            insert.excluded.stamp_ms == observations.c.stamp_ms,
            insert.excluded.read_started_ms >= observations.c.read_started_ms,
        ),
    )
    statement = insert.on_conflict_do_update(
        index_elements=list(_KEY), set_={name: insert.excluded[name] for name in _VALUES}, where=newer
    )
    execute_many(conn, "observations.insert", statement, (*_KEY, *_VALUES), fresh)


def _index_refs(
    conn: Connection, side: str, name: str, gone: Sequence[str], new: Mapping[str, Observation]
) -> None:
    for chunk in chunks(gone):
        conn.execute(
            delete(observation_refs).where(
                observation_refs.c.side == side,
                observation_refs.c.object == name,
                observation_refs.c.record_id.in_(chunk),
            )
        )
    insert_new(
        conn,
        observation_refs,
        [
            {"side": side, "object": name, "record_id": record_id, "ref_object": to, "ref_id": ref_id}
            for record_id, one in new.items()
            for to, ids in one.refs.items()
            for ref_id in ids
        ],
    )


def _observation(values: Sequence[Any]) -> Observation:
    side, name, record_id, stamp_ms, read_started_ms, *content = values
    deleted, merged_into, converted, refs, modified_by, fields = content
    return Observation(
        side,
        name,
        record_id,
        stamp_ms,
        read_started_ms,
        from_json(fields),
        bool(deleted),
        merged_into,
        bool(converted),
        refs_from(refs),
        modified_by,
    )


def refs_from(stored: bytes | None) -> Refs:
    """The refs as they are stored; earlier versions kept one id for each object, as a text."""
    if stored is None:
        return NO_REFS
    return {name: (ids,) if isinstance(ids, str) else tuple(ids) for name, ids in from_json(stored).items()}
