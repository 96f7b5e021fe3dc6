"""Versions: which version of each record is stored, and its values, in the order of ids, for holding it
against a listing. Queries only. Values stay the text that they are stored as until they are compared: a
window of many records takes little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, or_, select

from connector.observation import NO_REFS, Fields, RecordKey, Refs
from connector.store.observations import refs_from
from connector.store.rows import by_object, chunks, from_json, is_sqlite, to_json
from connector.store.schema import baselines, links, observation_refs, observations


class OtherValues(NamedTuple):
    """Fields that are shown with another value than the one stored, and those that were not read when the
    record was seen, since they have been mapped since."""

    differing: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


NO_OTHERS = OtherValues()


class Version(NamedTuple):
    """What is stored of a record: its stamp, whether it is gone, the lead that it is linked to, what it
    points at, and its fields as JSON."""

    record_id: str
    stamp_ms: int
    deleted: bool
    lead_id: str | None
    refs: Refs = NO_REFS
    fields_json: bytes = b"{}"

    def other_values(self, shown: Fields) -> OtherValues:
        """What is shown otherwise than it is stored."""
        stored = from_json(self.fields_json)
        if stored == shown:  # nearly always, and the fastest way to know
            return NO_OTHERS
        shown = from_json(to_json(shown))  # what no database can hold is stored otherwise than it came
        known = stored.keys() & shown.keys()
        return OtherValues(
            tuple(sorted(name for name in known if stored[name] != shown[name])),
            tuple(sorted(shown.keys() - known)),
        )


def versions_after(conn: Connection, side: str, name: str, after: str | None, limit: int) -> list[Version]:
    """The next records of an object after an id, by length and then text of the id."""
    # by the bytes, as `id_order` does; the database's own language may order letters otherwise
    column: ColumnElement[str] = observations.c.record_id
    if not is_sqlite(conn):
        column = column.collate("C")
    length = func.length(observations.c.record_id)
    statement = _versions().where(observations.c.side == side, observations.c.object == name)
    if after is not None:
        statement = statement.where(or_(length > len(after), and_(length == len(after), column > after)))
    return list(_rows(conn, statement.order_by(length, column).limit(limit)))


def versions_of(conn: Connection, side: str, name: str, ids: Iterable[str]) -> dict[str, Version]:
    """What is stored of these records; those that never were are left out."""
    found: dict[str, Version] = {}
    for chunk in chunks(dict.fromkeys(ids)):
        statement = _versions().where(
            observations.c.side == side, observations.c.object == name, observations.c.record_id.in_(chunk)
        )
        found.update((one.record_id, one) for one in _rows(conn, statement))
    return found


def drop_observations(conn: Connection, keys: Iterable[RecordKey]) -> None:
    """Take back what is stored of these records, so that the next read stands whatever its stamp."""
    _drop(conn, (observation_refs, observations), keys)


def drop_links(conn: Connection, keys: Iterable[RecordKey]) -> None:
    """These records belong to nobody: their links go, and what was agreed on with them."""
    _drop(conn, (baselines, links), keys)


def _drop(conn: Connection, tables: Sequence[Any], keys: Iterable[RecordKey]) -> None:
    for (side, name), ids in by_object(keys).items():
        for chunk in chunks(ids):
            for table in tables:
                conn.execute(
                    delete(table).where(
                        table.c.side == side, table.c.object == name, table.c.record_id.in_(chunk)
                    )
                )


def _versions() -> Select[tuple[Any, ...]]:
    onto_link = and_(*(observations.c[part] == links.c[part] for part in ("side", "object", "record_id")))
    return select(
        observations.c.record_id,
        observations.c.stamp_ms,
        observations.c.deleted,
        links.c.lead_id,
        observations.c.refs,
        observations.c.fields,
    ).outerjoin(links, onto_link)


def _rows(conn: Connection, statement: Select[tuple[Any, ...]]) -> Iterator[Version]:
    for record_id, stamp_ms, deleted, lead_id, refs, fields in conn.execute(statement):
        yield Version(record_id, stamp_ms, bool(deleted), lead_id, refs_from(refs), fields)
