"""Outsiders: records that take no part and belong to no lead, by the names of their person.

So that a person who becomes known by another record is not made a second time beside this one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, select, tuple_

from connector.observation import RecordKey
from connector.store.rows import chunks, insert_new
from connector.store.schema import outsiders

Name = tuple[str, str]
"""Kind and value of an identity key."""


def any_there(conn: Connection) -> bool:
    """Whether there are any at all."""
    return conn.execute(select(outsiders.c.kind).limit(1)).first() is not None


def named(conn: Connection, names: Iterable[Name]) -> dict[Name, list[RecordKey]]:
    """The outsiders that carry these names."""
    found: dict[Name, list[RecordKey]] = {}
    for chunk in chunks(dict.fromkeys(names)):
        rows = conn.execute(
            select(outsiders).where(tuple_(outsiders.c.kind, outsiders.c.value).in_(list(chunk)))
        )
        for row in rows:
            record = RecordKey(row.side, row.object, row.record_id)
            found.setdefault((row.kind, row.value), []).append(record)
    return found


def names_of(conn: Connection, record: RecordKey) -> list[Name]:
    """The names that an outsider carries, or carried when it was deleted."""
    is_it = (outsiders.c[column] == value for column, value in record._asdict().items())
    return [(row.kind, row.value) for row in conn.execute(select(outsiders).where(*is_it))]


def beginning(conn: Connection, kind: str, text: str) -> list[Name]:
    """The names of this kind that begin with the text."""
    rows = conn.execute(
        select(outsiders.c.kind, outsiders.c.value)
        .where(outsiders.c.kind == kind, outsiders.c.value.startswith(text, autoescape=True))
        .distinct()
    )
    return [(row.kind, row.value) for row in rows]


def drop_names(conn: Connection, names: Iterable[Name]) -> None:
    """Forget by which records these names are carried, or ever were."""
    for chunk in chunks(dict.fromkeys(names)):
        conn.execute(delete(outsiders).where(tuple_(outsiders.c.kind, outsiders.c.value).in_(list(chunk))))


def replace(
    conn: Connection, records: Collection[RecordKey], now: Iterable[tuple[str, str, RecordKey]]
) -> None:
    """Forget what is known of these records, and keep the names (kind, value, record) that they carry now."""
    for chunk in chunks(records):
        is_one = tuple_(outsiders.c.side, outsiders.c.object, outsiders.c.record_id).in_(list(chunk))
        conn.execute(delete(outsiders).where(is_one))
    insert_new(
        conn,
        outsiders,
        [{"kind": kind, "value": value, **record._asdict()} for kind, value, record in dict.fromkeys(now)],
    )
