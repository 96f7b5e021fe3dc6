"""The ledger: what is written stays as it was written, and survives the lead's id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connector.store import ledger
from connector.store.database import Database
from connector.store.ledger import LedgerRow
from connector.store.retirement import erase_lead, retire_lead

MOVE = LedgerRow(
    lead_id="one",
    cycle=1,
    origin="qualification",
    target="opportunity",
    skipped=("nurture", "mql"),
    happened_ms=4_000,
    recorded_ms=5_000,
    cause="fact",
    actor="005A",
    rules=[{"rule": "pricing page", "points": 15}],
    reason="asked\0 for it",
    outcome=None,
    configuration="c1",
)


def _append(database: Database, *rows: LedgerRow) -> None:
    with database.begin() as conn:
        ledger.append(conn, rows)


def test_a_history_reads_as_it_was_written_in_order(database: Database) -> None:
    first = replace(MOVE, origin=None, target="inquiry", skipped=(), recorded_ms=1_000, reason=None, rules=[])
    same_moment = replace(MOVE, origin="opportunity", target="closed", outcome="won")
    _append(database, first, MOVE, same_moment, replace(MOVE, lead_id="two"))
    kept = [
        first,
        replace(MOVE, reason="asked\ufffd for it"),
        replace(same_moment, reason="asked\ufffd for it"),
    ]
    with database.read() as conn:
        assert ledger.of_lead(conn, "one") == kept
        assert ledger.of_leads(conn, ["one", "nobody"]) == {"one": kept, "nobody": []}


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger SET reason = 'other'", "DELETE FROM ledger", "DELETE FROM ledger WHERE id = 1"],
)
def test_the_database_refuses_to_change_or_delete_a_move(database: Database, statement: str) -> None:
    _append(database, MOVE)
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as conn:
        conn.execute(text(statement))
    with database.read() as conn:
        assert len(ledger.of_lead(conn, "one")) == 1


def test_a_ledger_cannot_be_emptied_on_postgresql(postgresql_url: str) -> None:
    database = Database.open(postgresql_url)
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as conn:
        conn.execute(text("TRUNCATE ledger"))
    database.close()


def test_the_history_of_a_united_lead_holds_both(database: Database, with_leads: Callable[..., None]) -> None:
    with_leads("one", "two", "three")
    _append(database, replace(MOVE, recorded_ms=2_000), replace(MOVE, lead_id="two", recorded_ms=1_000))
    with database.begin() as conn:
        retire_lead(conn, "one", "two")
        retire_lead(conn, "two", "three")
    _append(database, replace(MOVE, lead_id="three", recorded_ms=3_000))
    with database.read() as conn:
        assert [row.lead_id for row in ledger.of_lead(conn, "three")] == ["two", "one", "three"]
        (united,) = ledger.of_leads(conn, ["three"]).values()
        assert [row.lead_id for row in united] == ["two", "one", "three"]


def test_the_ledger_survives_an_erased_lead(database: Database, with_leads: Callable[..., None]) -> None:
    with_leads("one")
    _append(database, MOVE)
    with database.begin() as conn:
        erase_lead(conn, "one", [b"hash"], 9_000)
        assert [row.target for row in ledger.of_lead(conn, "one")] == ["opportunity"]
