"""Routing stays fair over restarts and with several workers at once, on both databases."""

from __future__ import annotations

import json
from collections import Counter
from threading import Thread

import pytest

from connector.brake import KINDS
from connector.cli.offline import go_offline
from connector.clock import ManualClock
from connector.configuration import Configuration
from connector.installation import Installation
from connector.lead import LeadState
from connector.settle import settle
from connector.store.database import Database
from connector.store.errors import StoreBusy
from connector.store.leads import Lead, insert_leads, iterate_lead_ids, read_leads
from connector.store.pools import put_states, read_states
from mappings.stages import Stage
from tests.world import RULES, START_MS, configuration

LEADS, MEMBERS, WORKERS = 260, 50, 3
NAMES = [f"m{number:02}@sales.example" for number in range(MEMBERS)]


def config(members: list[str]) -> Configuration:
    unbraked = ", ".join(f"{kind}: {{share: 1, at_least: 100000}}" for kind in KINDS)
    return configuration(
        RULES.replace("[sam@sales.example, kim@sales.example]", f"[{', '.join(members)}]"),
        {"leadloop.yaml": f"rules: [rules.yaml]\nbrake: {{limits: {{{unbraked}}}}}\n"},
    )


def insert(database: Database, first: int, number: int) -> None:
    """Leads that are ready for sales, and that nobody has yet."""
    with database.begin() as conn:
        insert_leads(
            conn,
            [
                Lead(
                    id=lead_id,
                    version=1,
                    generation=1,
                    stage="mql",
                    cycle=1,
                    due_at_ms=None,
                    dirty_since_ms=START_MS,
                    state=LeadState(lead_id, "hubspot", START_MS, stage=Stage.MQL, started=True).to_json(),
                    created_ms=START_MS,
                )
                for lead_id in (f"L{count:05}" for count in range(first, first + number))
            ],
        )


def connected(url: str, members: list[str]) -> Installation:
    """leadloop as it is after a start: nothing is known but what the database holds."""
    database = Database.open(url)
    clock = ManualClock(START_MS + 60_000)
    with database.begin() as conn:
        return go_offline(conn, database, config(members), clock).installation


def work(url: str, members: list[str], failed: list[BaseException]) -> None:
    installation = connected(url, members)
    try:
        busy = 0
        while True:
            try:
                if not settle(installation, limit=7).leads:
                    return
            except StoreBusy:
                busy += 1
                if busy > 1_000:
                    raise
    except BaseException as error:  # noqa: BLE001  # reported by the assertion in the test
        failed.append(error)
    finally:
        installation.database.close()


def owners(database: Database) -> Counter[str | None]:
    with database.read() as conn:
        found = read_leads(conn, iterate_lead_ids(conn, limit=100_000))
    return Counter(LeadState.from_json(lead.state).owner for lead in found)


def test_several_workers_at_once_and_restarts_between_stay_within_one_of_fair(
    database: Database, database_url: str
) -> None:
    for start in range(2):  # each worker's installation is new the second time
        insert(database, start * LEADS, LEADS - start * 23)
        failed: list[BaseException] = []
        workers = [Thread(target=work, args=(database_url, NAMES, failed)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert failed == []
        given = owners(database)
        assert set(given) == set(NAMES)
        assert max(given.values()) - min(given.values()) <= 1
    assert sum(given.values()) == 2 * LEADS - 23


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_turns_that_were_stored_as_a_number_go_on(database: Database, database_url: str) -> None:
    with database.begin() as conn:
        put_states(conn, {"everyone": {"turn": 3}})
    insert(database, 0, 2)
    work(database_url, ["a@x.example", "b@x.example"], [])
    with database.read() as conn:
        leads = read_leads(conn, iterate_lead_ids(conn))
        stored = read_states(conn, ["everyone"])["everyone"]
    assert [LeadState.from_json(lead.state).owner for lead in leads] == ["b@x.example", "a@x.example"]
    assert "turn" not in json.dumps(stored)
