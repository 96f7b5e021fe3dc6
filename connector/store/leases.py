"""Leases: by name, one holder at a time of a duty such as polling a side; and what the dead have left leased.

A lease outlives a holder that dies. Only who knows that all of them are dead may end leases early.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, or_, select, update

from connector.store.noted_moments import has_ended
from connector.store.rows import insert_into
from connector.store.schema import leads, leases, outbox


class Left(NamedTuple):
    """How many leads and writes in flight somebody had leased who is dead."""

    leads: int
    writes: int


def take_lease(conn: Connection, name: str, token: str, now_ms: int, lease_ms: int) -> bool:
    """Take or renew the lease until `now_ms + lease_ms`. False when another token has it."""
    statement = insert_into(conn, leases)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"token": statement.excluded.token, "until_ms": statement.excluded.until_ms},
            where=or_(leases.c.token == token, has_ended(leases.c.until_ms, now_ms)),
        ),
        {"name": name, "token": token, "until_ms": now_ms + lease_ms},
    )
    return conn.scalar(select(leases.c.token).where(leases.c.name == name)) == token


def lease_held(conn: Connection, name: str, now_ms: int) -> bool:
    """Whether anybody holds the lease."""
    return (
        conn.scalar(select(leases.c.name).where(leases.c.name == name, ~has_ended(leases.c.until_ms, now_ms)))
        is not None
    )


def drop_lease(conn: Connection, name: str, token: str) -> None:
    """Give the lease back; one that another token has stays."""
    conn.execute(delete(leases).where(leases.c.name == name, leases.c.token == token))


def end_leases(conn: Connection, now_ms: int) -> Left:
    """End every lease on leads, and on writes in flight: those are then taken over as after any lease that
    ran out, and read before they are sent again. Only for who is alone at work (`at_work`); leases by name
    run out by themselves."""
    freed = conn.execute(
        update(leads).where(leads.c.lease_token.is_not(None)).values(lease_token=None, lease_until_ms=None)
    )
    ended = conn.execute(
        update(outbox)
        .where(outbox.c.state == "in_flight", outbox.c.lease_until_ms > now_ms)
        .values(lease_until_ms=now_ms)
    )
    return Left(freed.rowcount, ended.rowcount)
