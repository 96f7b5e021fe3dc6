"""Streams: how far each side's stream of events has been read and stored. What a position says is the
adapter's own."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from connector.store.rows import upsert
from connector.store.schema import streams


class StreamPlace(NamedTuple):
    """Where a stream stands. `position`: where to go on; None: from now on. `reached_ms`: everything that the
    platform told up to then is stored, by its own clock; `seen_ms`: when it last gave us something, by ours.
    `lost_ms` and `lost`: when a position was last lost, and why. `warning` is what it does not tell as it
    stands, or why it is not followed, and `warned_ms` when that was last so."""

    position: str | None = None
    reached_ms: int | None = None
    seen_ms: int = 0
    lost_ms: int | None = None
    lost: str | None = None
    warned_ms: int | None = None
    warning: str | None = None


_PLACE = tuple(streams.c[name] for name in StreamPlace._fields)


def stream_places(conn: Connection) -> dict[str, StreamPlace]:
    """Side to where its stream stands; sides whose stream was never followed are left out."""
    return {row[0]: StreamPlace(*row[1:]) for row in conn.execute(select(streams.c.side, *_PLACE))}


def put_stream_place(conn: Connection, side: str, place: StreamPlace) -> None:
    """Set it. The caller stores the hints of everything before it, in the same transaction."""
    upsert(conn, streams, [{"side": side, **place._asdict()}])


def put_stream_warning(conn: Connection, side: str, warning: str, now_ms: int) -> None:
    """Set why it is not followed, and nothing else: another process may follow it by now."""
    row = {"side": side, **StreamPlace(warned_ms=now_ms, warning=warning)._asdict()}
    upsert(conn, streams, [row], update=("warned_ms", "warning"))
