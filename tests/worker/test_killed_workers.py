"""A worker is killed with writes under way: another one looks what became of them, and finishes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connector.delivery import LEASE_MS
from connector.platforms.protocol import RecordWrite
from connector.store import leads as lead_store
from connector.store import outbox
from connector.worker.actors import Duties
from tests.worker.crew import Crew, Killed, Woken, watching, work
from tests.world import World


def kill(_: object) -> None:
    raise Killed


@pytest.mark.parametrize("moment", ["before_write", "after_write"])
def test_another_worker_finishes_a_dead_ones_writes(world: World, crew: Crew, moment: str) -> None:
    first, second = crew.hire(), crew.hire()
    world.later(minutes=1)
    # sales' own lead: updated in Salesforce, created in HubSpot
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    for duties in (Duties(first, Woken().send),):
        duties.poll("salesforce")
        duties.settle()
    calls: dict[str, Callable[..., object]] = {moment: kill}
    for side in ("salesforce", "hubspot"):
        with pytest.raises(Killed):
            Duties(watching(first, side, **calls), Woken().send).deliver(side)

    # while the dead one's claim lasts nobody else sends
    world.salesforce.requests.reset()
    world.hubspot.requests.reset()
    woken = Woken()
    for side in ("salesforce", "hubspot"):
        Duties(second, woken.send).deliver(side)
    assert world.salesforce.requests.count + world.hubspot.requests.count == 0

    writes: list[RecordWrite] = []
    world.clock.advance(LEASE_MS / 1_000)
    work(
        watching(
            watching(second, "hubspot", after_write=writes.extend), "salesforce", after_write=writes.extend
        )
    )
    lead = world.sf_lead("bo@small.example")
    contact = world.contact("bo@small.example")
    assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "nurture"
    assert lead["Leadloop_Id__c"] == contact["leadloop_id"]
    with world.database.read() as conn:
        assert not outbox.counts(conn)
        assert len(lead_store.find_leads(conn, "bo@small.example")) == 1
    creates = [write for write in writes if write.record_id is None]
    # what the dead one had sent is found, not sent again
    assert len(creates) == (1 if moment == "before_write" else 0)


def test_a_killed_workers_leads_are_settled_by_another(world: World, crew: Crew) -> None:
    first, second = crew.hire(), crew.hire()
    world.later(minutes=1)
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    Duties(first, Woken().send).poll("salesforce")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connector.settle._commit", lambda *_: kill(None))
        with pytest.raises(Killed):
            Duties(first, Woken().send).settle()
    Duties(second, Woken().send).settle()
    assert world.sf_lead("bo@small.example")["Leadloop_Stage__c"] is None
    world.later(minutes=5)
    work(second)
    assert world.sf_lead("bo@small.example")["Leadloop_Stage__c"] == "nurture"
