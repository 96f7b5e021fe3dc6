"""Several processes and threads on one database: nobody gets the same work twice, nothing is lost, and
ordinary contention is never an error."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

from connector.store.database import Database
from connector.store.leads import (
    LeadSave,
    claim_leads,
    count_by_stage,
    insert_leads,
    mark_dirty,
    save_leads,
)
from connector.store.outbox import Row, claim_writes, replace_pending
from connector.store.pools import lock_states, put_states, read_states
from connector.store.settings_values import get_value, put_value
from tests.at_once import at_once
from tests.store.conftest import a_lead

WithLeads = Callable[..., None]
LEADS = [f"lead-{number:03}" for number in range(240)]
TURNS = 40


def _work(url: str, token: str) -> tuple[list[str], list[int]]:
    """Claim and save leads, claim writes, and take turns, until nothing is left: the lead ids and the row
    numbers that this worker got."""
    database = Database.open(url)
    lead_ids: list[str] = []
    row_ids: list[int] = []
    turns = TURNS
    more = True
    while more or turns:
        more = False
        with database.begin() as conn:
            claimed = claim_leads(conn, token, now_ms=10_000, lease_ms=60_000, limit=7)
        if claimed:
            more = True
            lead_ids.extend(lead.id for lead in claimed)
            with database.begin() as conn:
                saves = [
                    LeadSave(lead.id, lead.version, lead.generation, "mql", 1, None, b"") for lead in claimed
                ]
                save_leads(conn, token, saves)
        with database.begin() as conn:
            rows = claim_writes(conn, "salesforce", token, now_ms=10_000, lease_ms=60_000, limit=5)
        if rows:
            more = True
            row_ids.extend(row.id for row in rows)
        if turns:
            turns -= 1
            with database.begin() as conn:
                turn = lock_states(conn, ["emea"])["emea"].get("turn", 0)
                put_states(conn, {"emea": {"turn": turn + 1}})
    database.close()
    return lead_ids, row_ids


def _prepare(database: Database, with_leads: WithLeads) -> None:
    with_leads(*LEADS)
    with_leads("clean")
    with database.begin() as conn:
        rows = [
            Row("clean", "salesforce", "Contact", f"003{number:03}", "update", 1, {"Title": "CEO"})
            for number in range(120)
        ]
        replace_pending(conn, ["clean"], rows)
        mark_dirty(conn, LEADS, 5_000)


def test_processes_share_the_work_without_overlap(
    database: Database, database_url: str, with_leads: WithLeads
) -> None:
    _prepare(database, with_leads)
    workers = 3
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_work, database_url, f"worker-{number}") for number in range(workers)]
        results = [future.result(timeout=120) for future in futures]
    claimed = Counter(lead_id for lead_ids, _ in results for lead_id in lead_ids)
    sent = Counter(row_id for _, row_ids in results for row_id in row_ids)
    assert claimed == Counter(LEADS)
    assert (len(sent), set(sent.values())) == (120, {1})
    with database.read() as conn:
        assert count_by_stage(conn) == {"mql": 240, "inquiry": 1}
        assert read_states(conn, ["emea"]) == {"emea": {"turn": workers * TURNS}}


def test_threads_lose_no_read_modify_write(database: Database) -> None:
    """One row that all threads read and write, through one Database object."""
    with database.begin() as conn:
        lock_states(conn, ["counted"])

    def count(_turn: int) -> None:
        for _ in range(50):
            with database.begin() as conn:
                lock_states(conn, ["counted"])
                put_value(conn, "count", get_value(conn, "count", 0) + 1)

    at_once(count, list(range(6)))
    with database.read() as conn:
        assert get_value(conn, "count") == 300


def test_marks_in_any_order_do_not_wait_for_each_other_for_ever(
    database: Database, with_leads: WithLeads
) -> None:
    with_leads(*LEADS)

    def mark(turn: int) -> None:
        for _ in range(8):
            with database.begin() as conn:
                mark_dirty(conn, LEADS if turn % 2 else LEADS[::-1], 5_000)

    at_once(mark, list(range(4)))
    with database.begin() as conn:
        claimed = claim_leads(conn, "t", 6_000, 1_000, limit=1_000)
    assert {lead.generation for lead in claimed} == {32}


@pytest.fixture
def impatient(postgresql_url: str) -> Database:
    """A second worker on PostgreSQL that waits for no lock."""
    return Database.open(postgresql_url, busy_seconds=0.05)


def test_a_claim_passes_over_what_another_is_just_claiming(postgresql_url: str, impatient: Database) -> None:
    database = Database.open(postgresql_url)
    with database.begin() as conn:
        insert_leads(conn, [a_lead(name, dirty_since_ms=1_000) for name in ("a", "b", "c")])
    with database.begin() as conn:
        mine = claim_leads(conn, "t", 6_000, 1_000, limit=2)
        with impatient.begin() as other:
            theirs = claim_leads(other, "u", 6_000, 1_000, limit=2)
    assert len(mine) == 2
    assert {lead.id for lead in mine + theirs} == {"a", "b", "c"}
    assert len(theirs) == 1
    database.close()
    impatient.close()
