"""Pools: whose turn it is in each routing pool. The pick itself is made by rules, over the locked row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, select

from connector.store.rows import insert_new, locked, upsert
from connector.store.schema import pools


def lock_states(conn: Connection, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Pool to its state as JSON data (empty for a new one), locked until the transaction ends, so that no
    turn is given twice. Locked in one order, so that two workers cannot wait for each other."""
    wanted = sorted(set(names))
    insert_new(conn, pools, [{"name": name, "state": orjson.dumps({})} for name in wanted])
    # one by one: the order of locking is ours, not the planner's
    return {
        name: orjson.loads(
            conn.execute(locked(select(pools.c.state).where(pools.c.name == name))).scalar_one()
        )
        for name in wanted
    }


def read_states(conn: Connection, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Pool to its state (empty for a new one), without a lock: for showing what would happen."""
    wanted = sorted(set(names))
    rows = conn.execute(select(pools.c.name, pools.c.state).where(pools.c.name.in_(wanted)))
    return {**{name: {} for name in wanted}, **{row.name: orjson.loads(row.state) for row in rows}}


def put_states(conn: Connection, states: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the states after the picks; the caller has locked them."""
    upsert(conn, pools, [{"name": name, "state": orjson.dumps(state)} for name, state in states.items()])
