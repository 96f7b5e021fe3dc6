"""Leases that the dead have left, and the lock that tells whether anybody is alive."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store import outbox
from connector.store.at_work import at_work
from connector.store.database import Database
from connector.store.errors import LeaseLost, StoreError
from connector.store.leads import Lead, LeadSave, claim_leads, insert_leads, save_leads
from connector.store.leases import Left, end_leases, take_lease

MINUTE_MS = 60_000


def a_lead(lead_id: str, dirty_since_ms: int | None) -> Lead:
    return Lead(lead_id, 1, 1, "inquiry", 1, None, dirty_since_ms, 0, b"{}")


def a_write(lead_id: str) -> outbox.Row:
    return outbox.Row(lead_id, "hubspot", "contacts", "7", "update", 20, {"city": "Tampa"})


def test_ended_leases_are_taken_over_at_once_and_writes_in_flight_as_unknown(database: Database) -> None:
    with database.begin() as conn:
        insert_leads(conn, [a_lead("one", 1), a_lead("two", None)])
        outbox.replace_pending(conn, ["two"], [a_write("two")])
        claim_leads(conn, "dead", 1_000, 5 * MINUTE_MS, 10)
        outbox.claim_writes(conn, "hubspot", "dead", 1_000, 10 * MINUTE_MS, 10)
        take_lease(conn, "poll.hubspot", "dead", 1_000, 5 * MINUTE_MS)
    with database.begin() as conn:
        assert claim_leads(conn, "next", 2_000, MINUTE_MS, 10) == []
        assert outbox.claim_expired(conn, "hubspot", "next", 2_000, MINUTE_MS) == []

        assert end_leases(conn, 2_000) == Left(leads=1, writes=1)

        assert [lead.id for lead in claim_leads(conn, "next", 2_000, MINUTE_MS, 10)] == ["one"]
        (write,) = outbox.claim_expired(conn, "hubspot", "next", 2_000, MINUTE_MS)
        assert write.unknown, "it is read before it is sent again"
        assert outbox.finish(conn, "dead", [write.id]) == []
        with pytest.raises(LeaseLost):
            save_leads(conn, "dead", [LeadSave("one", 1, 1, "inquiry", 1, None, b"{}")])
        assert not take_lease(conn, "poll.hubspot", "next", 2_000, MINUTE_MS), "those run out by themselves"
        assert end_leases(conn, 2_000) == Left(leads=1, writes=1)


@pytest.fixture
def file_database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path}/leadloop.db")
    yield opened
    opened.close()


def test_whoever_comes_first_is_alone_and_the_next_one_is_not(file_database: Database) -> None:
    told: list[str] = []
    with at_work(file_database, lambda: told.append("first")):
        with at_work(file_database, lambda: told.append("second")):
            pass
        with at_work(file_database):
            pass
    with at_work(file_database, lambda: told.append("third")):
        pass
    assert told == ["first", "third"]


def test_a_killed_process_is_not_at_work(file_database: Database, tmp_path: Path) -> None:
    holding = """
import sys, threading
from connector.store.at_work import at_work
from connector.store.database import Database
with at_work(Database.open(sys.argv[1])):
    print("at work", flush=True)
    threading.Event().wait()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", holding, f"sqlite:///{tmp_path}/leadloop.db"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    told: list[str] = []
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        with at_work(file_database, lambda: told.append("too early")):
            pass
    finally:
        process.kill()
        process.communicate()
    with at_work(file_database, lambda: told.append("alone")):
        pass
    assert told == ["alone"]


def test_a_lock_file_of_somebody_else_is_told(file_database: Database, tmp_path: Path) -> None:
    (tmp_path / "leadloop.db.lock").mkdir()  # root may write any file, but none that is a folder
    with (
        pytest.raises(StoreError, match=r"leadloop\.db\.lock beside the database cannot be written"),
        at_work(file_database),
    ):
        pass
