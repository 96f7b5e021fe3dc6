"""Budgets: one row for each side, with what all workers share about its limits. Queries only."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select, update

from connector.side_limits import SideLimits
from connector.store.rows import execute_in, execute_many, insert_new, locked
from connector.store.schema import budgets

_LOCK = locked(select(budgets.c.limits).where(budgets.c.side.in_(bindparam("ids", expanding=True))))
_PUT = update(budgets).where(budgets.c.side == bindparam("at")).values(limits=bindparam("new"))


def lock_limits(conn: Connection, side: str) -> SideLimits:
    """The limits of a side (empty ones for a new side), locked until the transaction ends."""
    blob = execute_in(conn, "budgets.lock", _LOCK, {}, [side]).scalar()
    if blob is None:
        insert_new(conn, budgets, [{"side": side, "limits": SideLimits().to_json()}])
        blob = conn.execute(_LOCK, {"ids": [side]}).scalar_one()
    return SideLimits.from_json(blob)


def put_limits(conn: Connection, side: str, limits: SideLimits) -> None:
    """Store the limits of a side, which the caller has locked."""
    execute_many(conn, "budgets.put", _PUT, ("new", "at"), [(limits.to_json(), side)])


def read_limits(conn: Connection, sides: Iterable[str]) -> dict[str, SideLimits]:
    """Side to its limits, without a lock; sides that nobody has called yet are left out."""
    rows = conn.execute(select(budgets.c.side, budgets.c.limits).where(budgets.c.side.in_(list(sides))))
    return {side: SideLimits.from_json(blob) for side, blob in rows}


def is_left_alone(conn: Connection, side: str, now_ms: int) -> bool:
    """Whether the side is left alone by everybody."""
    limits = read_limits(conn, [side]).get(side)
    return limits is not None and limits.pause is not None and not limits.pause.is_over(now_ms)
