"""Lead ids that this database does not know: taken up again where it was lost, never written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.installation import new_lead_id
from connector.store.database import Database
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import START_MS, World

SOMEBODY_ELSES = new_lead_id(START_MS)


def lose_the_database(world: World, tmp_path: Path) -> None:
    """leadloop starts again with an empty one."""
    world.reconnect()
    world.database.close()
    world.database = Database.open(f"sqlite:///{tmp_path}/empty.db")
    world.database.migrate()
    world.leadloop  # noqa: B018  # connected before anybody acts


def test_an_empty_database_takes_up_the_ids_that_the_records_carry(world: World, tmp_path: Path) -> None:
    record_id = make_mql(world)
    lead_id = world.lead(ANN).lead_id
    lose_the_database(world, tmp_path)
    world.salesforce.update("Lead", record_id, Title="CEO", Email="a.lee@acme.example")
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Tampa")
    world.run()
    assert world.lead(record_id).lead_id == lead_id
    assert world.lead(ANN).lead_id == lead_id, "found by the id, though the addresses differ"
    assert (
        world.contact(ANN)["leadloop_id"]
        == world.salesforce.get("Lead", record_id)["Leadloop_Id__c"]
        == lead_id
    )
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    assert world.run().written == 0


def test_a_text_that_no_leadloop_has_given_is_no_id(world: World) -> None:
    world.hubspot.create("contacts", email=ANN, lastname="Lee", leadloop_id="mine")
    world.run()
    assert world.contact(ANN)["leadloop_id"] == world.lead(ANN).lead_id != "mine"


def test_the_id_of_another_installation_is_held_and_not_written_over(world: World) -> None:
    contact_id = enter_ann(world)
    world.run()
    world.hubspot.update("contacts", contact_id, leadloop_id=SOMEBODY_ELSES, jobtitle="Clerk")
    world.run()
    contact = world.contact(ANN)
    assert contact["leadloop_id"] == SOMEBODY_ELSES
    assert contact["leadloop_score"] == "20", "nothing is written to it"
    (hold,) = world.holds(ANN)
    assert (hold.kind, hold.subject) == ("foreign_id", f"hubspot:contacts:{contact_id}")
    assert SOMEBODY_ELSES in hold.message
    assert "empty leadloop_id" in hold.remedy
    assert world.lead(ANN).values["job_title"] == "Clerk", "it is read"

    world.hubspot.update("contacts", contact_id, leadloop_id=None)
    world.run()
    assert world.contact(ANN)["leadloop_id"] == world.lead(ANN).lead_id
    assert world.contact(ANN)["leadloop_score"] == "0"
    assert world.holds(ANN) == []


def test_a_known_persons_second_record_with_a_foreign_id_is_held(world: World) -> None:
    enter_ann(world)
    world.run()
    record_id = world.salesforce.insert(
        "Lead", LastName="Lee", Company="Acme", Email=ANN, Leadloop_Id__c=SOMEBODY_ELSES
    )
    world.run()
    assert world.salesforce.get("Lead", record_id)["Leadloop_Id__c"] == SOMEBODY_ELSES
    assert [hold.kind for hold in world.holds(ANN)] == ["foreign_id"]
    assert world.contact(ANN)["leadloop_stage"] == "nurture", "her other record is kept in step"


@pytest.mark.parametrize("written", ["bobs", "mine"])
def test_what_a_person_writes_into_the_id_is_put_right(world: World, written: str) -> None:
    contact_id = enter_ann(world)
    bob = world.salesforce.insert("Lead", LastName="Ray", Company="Acme", Email="bob@acme.example")
    world.run()
    ids = {"bobs": world.lead(bob).lead_id, "mine": "mine"}
    # the id is unique in HubSpot
    world.hubspot.archive("contacts", world.contact("bob@acme.example")["hs_object_id"])
    world.hubspot.update("contacts", contact_id, leadloop_id=ids[written])
    world.run()
    assert world.contact(ANN)["leadloop_id"] == world.lead(ANN).lead_id
