"""What a database of either kind knows is copied into a new one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from connector.intake.rehearsal import scratch_copy
from connector.observation import Observation
from connector.store import leads as lead_store
from connector.store.database import Database
from connector.store.holds import WantedHold, sync_holds
from connector.store.links import Link, put_links
from connector.store.observations import store_observations
from connector.store.schema import metadata
from connector.store.settings_values import put_value

NOT_COPIED = {"ledger", "outbox", "inbox", "leases"}


def rows_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as conn:
        return {
            table.name: sorted((tuple(row) for row in conn.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


@pytest.fixture
def filled(database: Database) -> Database:
    """2,500 leads with a record each, a hold, and a value."""
    ids = [f"L{number:024x}" for number in range(2_500)]
    with database.begin() as conn:
        lead_store.insert_leads(
            conn, [lead_store.Lead(each, 1, 1, "inquiry", 1, None, 5, 5, b'{"x":"\\u00fc"}') for each in ids]
        )
        store_observations(
            conn, [Observation("map", "contacts", str(at), at, 1, {"email": f"ü{at}"}) for at in range(2_500)]
        )
        put_links(conn, [Link("map", "contacts", str(at), each, "primary") for at, each in enumerate(ids)])
        sync_holds(conn, {ids[0]: [WantedHold("ambiguous", "x", "m", "r", {"candidates": ids[:2]})]}, 7)
        put_value(conn, "live_since_ms", 5)
    return database


def test_a_copy_knows_what_the_source_knows(filled: Database) -> None:
    with scratch_copy(filled) as scratch:
        there, here = rows_of(filled), rows_of(scratch)
    assert {name: rows for name, rows in here.items() if name not in NOT_COPIED} == {
        name: rows for name, rows in there.items() if name not in NOT_COPIED
    }
    assert len(here["leads"]) == len(here["observations"]) == 2_500


def test_a_copy_is_gone_afterwards_and_leaves_the_source_alone(filled: Database) -> None:
    before = rows_of(filled)
    with scratch_copy(filled) as scratch:
        path = scratch.file
        assert path is not None
        with scratch.begin() as conn:
            put_value(conn, "live_since_ms", 6)
    assert not Path(path).exists()
    assert rows_of(filled) == before
