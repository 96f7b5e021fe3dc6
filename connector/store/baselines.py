"""Baselines: per record, what was last agreed, shown and sent, as a blob that only reconcile understands."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from connector.observation import RecordKey
from connector.store.rows import chunks, upsert
from connector.store.schema import baselines


def baselines_of(conn: Connection, lead_ids: Iterable[str]) -> dict[RecordKey, bytes]:
    """The baselines of all records of these leads."""
    found: dict[RecordKey, bytes] = {}
    for chunk in chunks(dict.fromkeys(lead_ids)):
        rows = conn.execute(
            select(baselines.c.side, baselines.c.object, baselines.c.record_id, baselines.c.baseline).where(
                baselines.c.lead_id.in_(chunk)
            )
        )
        found.update((RecordKey(*row[:3]), row[3]) for row in rows)
    return found


def put_baselines(conn: Connection, new: Iterable[tuple[RecordKey, str, bytes]]) -> None:
    """Store (record, lead id, blob), replacing what the record had."""
    rows = {
        key: {
            "side": key.side,
            "object": key.object,
            "record_id": key.record_id,
            "lead_id": lead_id,
            "baseline": blob,
        }
        for key, lead_id, blob in new
    }
    upsert(conn, baselines, list(rows.values()))
