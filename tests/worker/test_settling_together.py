"""Two workers settle one long queue: every lead once, none left over."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from connector.store import leads as lead_store
from connector.store import ledger, outbox
from connector.worker.actors import Duties
from tests.at_once import at_once
from tests.worker.crew import Crew, Woken, work
from tests.world import World

LEADS = 500


def test_two_workers_settle_500_leads_and_none_of_them_twice(world: World, crew: Crew) -> None:
    moves: Counter[tuple[object, ...]] = Counter()
    settled_by: Counter[int] = Counter()
    lock = threading.Lock()
    workers = [crew.hire(), crew.hire()]
    for number, installation in enumerate(workers):

        def noted(name: str, facts: Mapping[str, object], number: int = number) -> None:
            if name == "moved":
                with lock:
                    moves[facts["lead"], facts["from"], facts["to"]] += 1
                    settled_by[number] += 1

        installation.on_event = noted
    world.later(minutes=1)
    for number in range(LEADS):
        world.hubspot.create("contacts", email=f"p{number}@big.example", lastname="Lee")
    Duties(workers[0], Woken().send).poll("hubspot")

    at_once(Duties.settle, [Duties(each, Woken().send) for each in workers])

    with world.database.read() as conn:
        assert lead_store.backlog(conn, world.clock.now_ms()).dirty == 0
        ids = lead_store.iterate_lead_ids(conn)
        versions = Counter(lead.version for lead in lead_store.read_leads(conn, ids))
        entries = Counter(row.target for lead_id in ids for row in ledger.of_lead(conn, lead_id))
        writes = Counter(row.op for rows in outbox.of_leads(conn, ids).values() for row in rows)
    # made with version 1, saved once
    assert versions == {2: LEADS}
    assert set(entries.values()) == {LEADS}, entries
    assert set(moves.values()) == {1}
    assert writes == {"update": LEADS}
    assert set(settled_by) == {0, 1}

    work(*workers)
    assert {row["leadloop_stage"] for row in world.hubspot.rows("contacts")} == {"nurture"}
