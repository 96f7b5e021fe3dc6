"""Copying: what one database knows into another, an empty one, table by table in bounded memory."""

from __future__ import annotations

from sqlalchemy import Connection, select

from connector.store.schema import metadata

_BATCH = 1_000


def copy_tables(source: Connection, target: Connection, *, leave_out: frozenset[str] = frozenset()) -> None:
    """Every row of every table that is not left out. The target has the tables, and nothing in them."""
    for table in metadata.sorted_tables:
        if table.name in leave_out:
            continue
        rows = source.execution_options(yield_per=_BATCH).execute(select(table)).mappings()
        for batch in rows.partitions(_BATCH):
            target.execute(table.insert(), [dict(row) for row in batch])
