"""Observations: the newest that each record has shown, and who refers to whom.

Older reads never replace newer ones, whatever the order of arrival. Compares stamps and content; what a
change means is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, or_, select, tuple_, update
from sqlalchemy import and_ as all_of

from connector.observation import Observation, RecordKey
from connector.store.links import Role
from connector.store.rows import (
    by_object,
    chunks,
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


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an observation. `changed`: a newer stamp, or other content at the same stamp. `same`:
    the stored stamp and content again; only the moment of reading is noted. `older`: discarded."""

    observation: Observation
    status: Status
    lead_id: str | None


@dataclass(frozen=True, slots=True)
class Linked:
    """An observation of a record in the role that its link gives it."""

    role: Role
    observation: Observation


_CONTENT = ("deleted", "merged_into", "converted", "refs", "modified_by", "fields")
_VALUES = ("stamp_ms", "read_started_ms", *_CONTENT)
_KEY = ("side", "object", "record_id")
_COLUMNS = tuple(observations.c[name] for name in (*_KEY, *_VALUES))
_ONTO_LINK = all_of(*(observations.c[name] == links.c[name] for name in _KEY))

_Place = tuple[str, str, str]
_Content = tuple[bool, str | None, bool, bytes | None, bytes]  # deleted, merged into, converted, refs, fields
_NOTHING: _Content = (False, None, False, None, b"")

_CHANGE_VALUES = (*(f"new_{name}" for name in _VALUES), "row")
_CHANGE = (
    update(observations)
    .where(observations.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in _VALUES})
)
_TOUCH = (
    update(observations)
    .where(observations.c.id == bindparam("row"))
    .values(read_started_ms=bindparam("new_read_started_ms"))
)


class _Record:
    """One record while a batch is gone through: as stored, or as the batch has left it so far."""

    __slots__ = (
        "content",
        "indexed_refs",
        "lead_id",
        "newest",
        "read_started_ms",
        "row",
        "stamp_ms",
        "touched",
    )

    def __init__(self, row: int | None, stamp_ms: int, read_started_ms: int, content: _Content) -> None:
        self.row = row  # None: not stored yet
        self.stamp_ms = stamp_ms
        self.read_started_ms = read_started_ms
        self.content = content
        self.indexed_refs = content[3]
        self.lead_id: str | None = None
        self.newest: Observation | None = None  # what is to be written, if anything
        self.touched = False  # only the moment of reading is to be written


def store_observations(conn: Connection, new: Sequence[Observation]) -> list[Stored]:
    """Keep each observation unless a newer one is stored: newer by stamp, then by the start of the read;
    of two equal in both the one that came later stays.

    One `Stored` for each, in the same order; `lead_id` is the lead that the record is linked to."""
    stored: list[Stored] = []
    for batch in chunks(new, 1_000):
        records = _records(conn, batch)
        stored.extend([_judged(one, records) for one in batch])
        _write(conn, records)
    return stored


def observations_of(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[Linked]]:
    """Lead id to the observations of its linked records, by side, object and id; every id asked for is a
    key, and linked records that have never been read are left out."""
    found: dict[str, list[Linked]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        rows = conn.execute(
            select(links.c.lead_id, links.c.role, *_COLUMNS)
            .join(observations, _ONTO_LINK)
            .where(links.c.lead_id.in_(chunk))
            .order_by(links.c.side, links.c.object, links.c.record_id)
        )
        for lead_id, role, *values in rows:
            found[lead_id].append(Linked(role, _observation(values)))
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
            for row in rows:
                one = _observation(row)
                found[one.key] = one
    return found


def referring(conn: Connection, side: str, object_name: str, ids: Iterable[str]) -> list[Observation]:
    """The observations on this side whose `refs` name one of these records of the object."""
    wanted = dict.fromkeys(ids)
    found: list[Observation] = []
    for chunk in chunks(wanted):
        rows = conn.execute(
            select(*_COLUMNS)
            .join(
                observation_refs,
                all_of(*(observations.c[name] == observation_refs.c[name] for name in _KEY)),
            )
            .where(
                observation_refs.c.side == side,
                observation_refs.c.ref_object == object_name,
                observation_refs.c.ref_id.in_(chunk),
            )
            .order_by(observations.c.object, observations.c.record_id)
        )
        found.extend(_observation(row) for row in rows)
    # one record has one ref per object, but the index may still hold an earlier one
    return list({one.key: one for one in found if one.refs.get(object_name) in wanted}.values())


def _records(conn: Connection, batch: Sequence[Observation]) -> dict[_Place, _Record]:
    """The stored records that the batch is about, locked, with the leads they are linked to."""
    by_place: dict[tuple[str, str], dict[str, None]] = {}
    for one in batch:
        by_place.setdefault((one.side, one.object), {})[one.record_id] = None
    records: dict[_Place, _Record] = {}
    for (side, name), ids in by_place.items():
        for chunk in chunks(ids):
            statement = (
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
                    observations.c.side == side,
                    observations.c.object == name,
                    observations.c.record_id.in_(chunk),
                )
            )
            if not is_sqlite(conn):
                # in one order, so that two writers cannot wait for each other
                statement = locked(statement.order_by(observations.c.record_id), of=observations)
            for record_id, row, stamp_ms, read_started_ms, *content, lead_id in conn.execute(statement):
                record = _Record(row, stamp_ms, read_started_ms, tuple(content))
                record.lead_id = lead_id
                records[side, name, record_id] = record
            unseen = [record_id for record_id in chunk if (side, name, record_id) not in records]
            leads_of_unseen = _leads_of(conn, side, name, unseen)
            for record_id in unseen:
                record = records[side, name, record_id] = _Record(None, 0, 0, _NOTHING)
                record.lead_id = leads_of_unseen.get(record_id)
    return records


def _leads_of(conn: Connection, side: str, name: str, ids: Sequence[str]) -> dict[str, str]:
    """Record id to lead, for records that are linked before they are first read: those we created."""
    if not ids:
        return {}
    statement = select(links.c.record_id, links.c.lead_id).where(
        links.c.side == side, links.c.object == name, links.c.record_id.in_(ids)
    )
    return dict(conn.execute(statement).tuples().all())


def _judged(one: Observation, records: dict[_Place, _Record]) -> Stored:
    """Compare an observation with what is known, and keep it there if it is newer."""
    record = records[one.side, one.object, one.record_id]
    status: Status
    if record.row is None and record.newest is None:
        status = "new"
    elif one.stamp_ms < record.stamp_ms or (
        one.stamp_ms == record.stamp_ms and one.read_started_ms < record.read_started_ms
    ):
        return Stored(one, "older", record.lead_id)
    else:
        status = "changed"
    refs = to_json(one.refs) if one.refs else None
    content = (one.deleted, one.merged_into, one.converted, refs, to_json(one.fields))
    if status == "changed" and one.stamp_ms == record.stamp_ms and content == record.content:
        status = "same"
        record.touched = record.touched or one.read_started_ms > record.read_started_ms
        record.read_started_ms = one.read_started_ms
    else:
        record.newest = one
        record.stamp_ms = one.stamp_ms
        record.read_started_ms = one.read_started_ms
        record.content = content
    return Stored(one, status, record.lead_id)


def _write(conn: Connection, records: dict[_Place, _Record]) -> None:
    """Bring what a batch has changed into the tables."""
    fresh: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    touched: list[tuple[int, int]] = []
    referring_anew: list[tuple[_Place, _Record]] = []
    for place, record in records.items():
        if record.newest is None:
            if record.touched and record.row is not None:
                touched.append((record.read_started_ms, record.row))
            continue
        deleted, merged_into, converted, refs, fields = record.content
        values = (
            record.stamp_ms,
            record.read_started_ms,
            deleted,
            merged_into,
            converted,
            refs,
            record.newest.modified_by,
            fields,
        )
        if record.row is None:
            fresh.append((*place, *values))
        else:
            changed.append((*values, record.row))
        if refs != record.indexed_refs:
            referring_anew.append((place, record))
    changed.sort(key=itemgetter(-1))  # neighbours lie on one page of the file
    touched.sort(key=itemgetter(-1))
    execute_many(conn, "observations.change", _CHANGE, _CHANGE_VALUES, changed)
    execute_many(conn, "observations.touch", _TOUCH, ("new_read_started_ms", "row"), touched)
    if fresh:
        # PostgreSQL: another writer may have stored the same records meanwhile; the newer one stays
        insert = insert_into(conn, observations)
        newer = or_(
            insert.excluded.stamp_ms > observations.c.stamp_ms,
            all_of(
                insert.excluded.stamp_ms == observations.c.stamp_ms,
                insert.excluded.read_started_ms >= observations.c.read_started_ms,
            ),
        )
        kept = {name: insert.excluded[name] for name in _VALUES}
        statement = insert.on_conflict_do_update(index_elements=list(_KEY), set_=kept, where=newer)
        execute_many(conn, "observations.insert", statement, (*_KEY, *_VALUES), sorted(fresh))
    if referring_anew:
        _index_refs(conn, referring_anew)


def _index_refs(conn: Connection, changed: Sequence[tuple[_Place, _Record]]) -> None:
    for chunk in chunks(place for place, record in changed if record.indexed_refs is not None):
        key = tuple_(*(observation_refs.c[name] for name in _KEY))
        conn.execute(delete(observation_refs).where(key.in_(chunk)))
    insert_new(
        conn,
        observation_refs,
        [
            {"side": side, "object": name, "record_id": record_id, "ref_object": to, "ref_id": ref_id}
            for (side, name, record_id), record in changed
            if record.newest is not None
            for to, ref_id in record.newest.refs.items()
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
        deleted,
        merged_into,
        converted,
        {} if refs is None else from_json(refs),
        modified_by,
    )
