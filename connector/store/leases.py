"""Leases by name: one holder at a time of a duty such as polling a side. Outlives a holder that dies."""

from __future__ import annotations

from sqlalchemy import Connection, delete, or_, select

from connector.store.rows import insert_into
from connector.store.schema import leases


def take_lease(conn: Connection, name: str, token: str, now_ms: int, lease_ms: int) -> bool:
    """Take or renew the lease until `now_ms + lease_ms`. False when another token has it."""
    statement = insert_into(conn, leases)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"token": statement.excluded.token, "until_ms": statement.excluded.until_ms},
            where=or_(leases.c.token == token, leases.c.until_ms <= now_ms),
        ),
        {"name": name, "token": token, "until_ms": now_ms + lease_ms},
    )
    return conn.scalar(select(leases.c.token).where(leases.c.name == name)) == token


def drop_lease(conn: Connection, name: str, token: str) -> None:
    """Give the lease back; one that another token has stays."""
    conn.execute(delete(leases).where(leases.c.name == name, leases.c.token == token))
