"""Sweeps: where a sweep of a side stands, and what the last one found. What is in them is intake's own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete

from connector.clock import MINUTE_MS
from connector.store.noted_moments import has_come
from connector.store.schema import settings_values
from connector.store.settings_values import get_value, put_value

_DONE = "swept:"
_UNDER_WAY = "sweep:"
_LIVE_SINCE = "live_since_ms"


def under_way(conn: Connection, side: str, part: str = "") -> dict[str, Any] | None:
    """Where the sweep of a side (or of one object there) was left; None when none was."""
    found: dict[str, Any] | None = get_value(conn, f"{_UNDER_WAY}{side}:{part}")
    return found


def put_under_way(conn: Connection, side: str, part: str, place: dict[str, Any], not_before_ms: int) -> None:
    """Remember the place; the sweep is to go on at that moment at the earliest."""
    put_value(conn, f"{_UNDER_WAY}{side}:{part}", {**place, "not_before_ms": not_before_ms})


def end_sweep(conn: Connection, side: str, part: str, result: dict[str, Any] | None) -> None:
    """The sweep is done; `result` is kept as the side's last one."""
    conn.execute(delete(settings_values).where(settings_values.c.key == f"{_UNDER_WAY}{side}:{part}"))
    if result is not None:
        put_value(conn, _DONE + side, result)


def last_result(conn: Connection, side: str) -> dict[str, Any] | None:
    """What the last sweep of a side that came to its end has found."""
    found: dict[str, Any] | None = get_value(conn, _DONE + side)
    return found


def next_sweep_ms(conn: Connection, side: str, every_ms: int, now_ms: int) -> int | None:
    """When the side is to be swept next, or its sweep goes on; the first time comes `every_ms` after going
    live. None for a side that is not live yet, or with an interval of 0. It is due where our clock has been
    put back since the last one: nobody would sweep until it has caught up."""
    if every_ms <= 0:
        return None
    left = under_way(conn, side)
    if left is not None:
        not_before_ms = int(left["not_before_ms"])
        return min(not_before_ms, now_ms) if has_come(not_before_ms, now_ms) else not_before_ms
    last, live_ms = last_result(conn, side), get_value(conn, _LIVE_SINCE)
    began_ms = live_ms if last is None else last["started_ms"]
    if began_ms is None:
        return None
    return now_ms if int(began_ms) > now_ms + MINUTE_MS else int(began_ms) + every_ms
