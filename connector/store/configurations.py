"""Configurations: every set of documents that was ever loaded, by version, and which one is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from connector.store.rows import from_json, insert_new, to_json
from connector.store.schema import configurations


@dataclass(frozen=True, slots=True)
class Configuration:
    """The documents by name, as text. `applied_ms` is None until it has been put in force."""

    version: str
    loaded_ms: int
    applied_ms: int | None
    documents: Mapping[str, str]


_COLUMNS = tuple(configurations.c)


def put_configuration(conn: Connection, version: str, documents: Mapping[str, str], now_ms: int) -> None:
    """Keep the documents of a version; one that is known stays as it is."""
    row = {"version": version, "loaded_ms": now_ms, "applied_ms": None, "documents": to_json(documents)}
    insert_new(conn, configurations, [row])


def apply_configuration(conn: Connection, version: str, now_ms: int) -> None:
    """Put a stored version in force. Raises LookupError when it is not stored."""
    done = conn.execute(
        update(configurations).where(configurations.c.version == version).values(applied_ms=now_ms)
    )
    if not done.rowcount:
        raise LookupError(f"no configuration {version} is stored")


def applied_configuration(conn: Connection) -> Configuration | None:
    """The version in force: the one applied last."""
    row = conn.execute(
        select(*_COLUMNS)
        .where(configurations.c.applied_ms.is_not(None))
        .order_by(configurations.c.applied_ms.desc(), configurations.c.loaded_ms.desc())
        .limit(1)
    ).first()
    return None if row is None else Configuration(row[0], row[1], row[2], from_json(row[3]))
