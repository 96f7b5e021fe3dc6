"""The brake stops one kind of change, and counts each change once."""

from __future__ import annotations

from pathlib import Path

from connector.brake import BrakeLimit, BrakeLimits
from connector.store import brakes
from tests.connector.test_life_of_a_lead import ANN
from tests.world import World


def creates_counted(world: World) -> int:
    installation = world.leadloop
    with world.database.read() as conn:
        window_ms = installation.brake.window_start_ms(world.clock.now_ms())
        return brakes.counted(conn, installation.configuration, window_ms).get("creates", 0)


def test_a_create_that_waits_is_counted_once_however_often_it_is_planned(world: World) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.hubspot.faults.fail_next(50, 503, match="batch/create")
    world.run()
    for title in ("Clerk", "Buyer", "Head of Buying"):
        world.salesforce.update("Lead", lead_id, Title=title)
        world.run()
    assert world.hubspot.rows("contacts") == []
    assert creates_counted(world) == 1


def test_too_many_creates_are_stopped_and_released_by_hand(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.leadloop.brake = BrakeLimits({"creates": BrakeLimit(share=0.0, at_least=2)})
        for number in range(3):
            world.salesforce.insert(
                "Lead", LastName=f"No {number}", Company="Acme", Email=f"n{number}@acme.example"
            )
        world.run()
        assert len(world.hubspot.rows("contacts")) == 0, "a batch that goes too far is held as a whole"
        assert {hold.kind for hold in world.holds("n0@acme.example")} == {"brake"}
        assert world.sf_lead("n0@acme.example")["Leadloop_Stage__c"] == "nurture", "nothing else is stopped"
        with world.database.begin() as conn:
            brakes.release(conn, world.leadloop.configuration, "creates", world.clock.now_ms())
        world.salesforce.update("Lead", world.sf_lead("n0@acme.example")["Id"], Title="Clerk")
        world.run()
        assert [row["email"] for row in world.hubspot.rows("contacts")] == ["n0@acme.example"]
