"""Pools: whose turn it is in each routing pool. The pick itself is made by rules, over the locked row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from connector.store.rows import insert_new, locked, upsert
from connector.store.schema import pools


def lock_turns(conn: Connection, names: Iterable[str]) -> dict[str, int]:
    """Pool to its turn (0 for a new one), locked until the transaction ends, so that no turn is given
    twice. Locked in one order, so that two workers cannot wait for each other."""
    wanted = sorted(set(names))
    insert_new(conn, pools, [{"name": name, "turn": 0} for name in wanted])
    # one by one: the order of locking is ours, not the planner's
    return {
        name: conn.execute(locked(select(pools.c.turn).where(pools.c.name == name))).scalar_one()
        for name in wanted
    }


def read_turns(conn: Connection, names: Iterable[str]) -> dict[str, int]:
    """Pool to its turn (0 for a new one), without a lock: for showing what would happen."""
    wanted = sorted(set(names))
    rows = conn.execute(select(pools.c.name, pools.c.turn).where(pools.c.name.in_(wanted)))
    return {**dict.fromkeys(wanted, 0), **{row.name: row.turn for row in rows}}


def put_turns(conn: Connection, turns: Mapping[str, int]) -> None:
    """Set the turns after the picks; the caller has locked them."""
    upsert(conn, pools, [{"name": name, "turn": turn} for name, turn in turns.items()])
