"""Settings values: what this database remembers about the installation: account ids, coverage flags."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from connector.store.rows import from_json, to_json, upsert
from connector.store.schema import settings_values


def get_value(conn: Connection, key: str, default: Any = None) -> Any:
    """The JSON value of a key, or `default`."""
    blob = conn.scalar(select(settings_values.c.value).where(settings_values.c.key == key))
    return default if blob is None else from_json(blob)


def values_under(conn: Connection, prefix: str = "") -> dict[str, Any]:
    """All keys that begin with `prefix`, and their values."""
    rows = conn.execute(
        select(settings_values.c.key, settings_values.c.value)
        .where(settings_values.c.key.startswith(prefix, autoescape=True))
        .order_by(settings_values.c.key)
    )
    # SQLite's LIKE does not tell A from a
    return {row.key: from_json(row.value) for row in rows if row.key.startswith(prefix)}


def put_value(conn: Connection, key: str, value: Any) -> None:
    """Set a key to a JSON-able value."""
    upsert(conn, settings_values, [{"key": key, "value": to_json(value)}])
