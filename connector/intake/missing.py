"""Missing: what is noted of a record that its platform does not show any more.

A platform that hides a record, or has purged it, says the same as of one that was deleted. So the last known
observation is kept as it was, marked as deleted; a read that tells more (a merge, a restore) replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from connector.observation import Observation, RecordKey
from connector.store.observations import observations_by_key


def as_deleted(conn: Connection, keys: Iterable[RecordKey], read_started_ms: int) -> list[Observation]:
    """The records that were live when last seen, as deleted. `read_started_ms` is when the read began that
    did not find them. Records that are not known here leave nothing to note."""
    known = observations_by_key(conn, keys)
    return [
        item._replace(read_started_ms=read_started_ms, deleted=True)
        for item in known.values()
        if not item.deleted
    ]
