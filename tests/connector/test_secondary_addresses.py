"""The further addresses of a HubSpot contact are its person's: nobody is doubled or lost by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.configuration import shipped
from connector.store import leads as lead_store
from mappings.problems import ConfigErrors
from tests.connector.forgetting.test_privacy_deletes import privacy_delete
from tests.connector.test_ambiguity import ambiguities
from tests.connector.test_backfill import backfill
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import World, configuration

HOME, BOB = "ann.lee@home.example", "bob@acme.example"


def leads(world: World) -> list[str]:
    with world.database.read() as conn:
        return lead_store.iterate_lead_ids(conn)


def enter_lead(world: World, email: str) -> str:
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=email)
    world.run()
    return str(lead_id)


def swept(world: World) -> None:
    world.later(hours=3)
    world.run()
    found = world.verify()
    assert found.amiss == 0, found
    assert world.run().written == 0


def test_who_is_entered_in_salesforce_with_one_of_them_is_the_contacts_person(world: World) -> None:
    contact = enter_ann(world)
    world.hubspot.update("contacts", contact, hs_additional_emails=f"other@acme.example;{HOME}")
    world.run()
    lead_id = enter_lead(world, HOME.upper())
    assert leads(world) == [world.lead(lead_id).lead_id]
    assert len(world.hubspot.rows("contacts")) == 1
    assert world.contact(ANN)["email"] == ANN
    assert world.salesforce.get("Lead", lead_id)["Email"].lower() == HOME, "neither address is overwritten"
    assert world.salesforce.get("Lead", lead_id)["Leadloop_Id__c"] == world.contact(ANN)["leadloop_id"]
    swept(world)


def test_two_data_sets_meet_by_them(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        contact = world.hubspot.create("contacts", email=ANN, lastname="Lee")
        world.hubspot.update("contacts", contact, hs_additional_emails=HOME)
        world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=HOME)
        world.later(days=1)
        backfill(world.leadloop)
        assert len(leads(world)) == 1


def test_one_that_is_another_persons_first_address_is_a_hold_until_it_is_taken_away(world: World) -> None:
    enter_lead(world, HOME)
    contact = enter_ann(world)
    world.hubspot.archive("contacts", world.contact(HOME)["id"])
    world.run()
    world.hubspot.update("contacts", contact, hs_additional_emails=HOME)
    world.run()
    assert len(leads(world)) == 2
    assert {hold.subject for hold in ambiguities(world)} == {f"hubspot:contacts:{contact}"}
    swept(world)
    world.hubspot.update("contacts", contact, hs_additional_emails="")
    world.run()
    assert ambiguities(world) == []
    swept(world)


def test_a_merge_in_hubspot_keeps_what_both_were_known_by(world: World) -> None:
    first = enter_ann(world)
    second = world.hubspot.create("contacts", email=BOB, lastname="Lee")
    world.hubspot.merge(first, second)
    world.run()
    lead_id = enter_lead(world, BOB)
    assert leads(world) == [world.lead(lead_id).lead_id]
    assert len(world.hubspot.rows("contacts")) == 1


def test_who_was_deleted_for_privacy_does_not_come_back_by_one_of_them(world: World) -> None:
    contact = enter_ann(world)
    world.hubspot.update("contacts", contact, hs_additional_emails=HOME)
    world.run()
    privacy_delete(world, contact)
    made = enter_lead(world, HOME)
    assert leads(world) == []
    assert world.hubspot.rows("contacts") == []
    assert world.salesforce.get("Lead", made)["Leadloop_Id__c"] is None
    assert world.verify().found == {"forgotten": 1}


def test_only_an_identity_of_the_object_can_have_more_values() -> None:
    text = shipped("mappings", "hubspot").replace("also_known_by: {email:", "also_known_by: {emial:")
    with pytest.raises(ConfigErrors) as found:
        configuration(documents={"preset:hubspot": text})
    (error,) = found.value.errors
    assert '"emial" is no field with "identity: true" that "contacts" has under "fields"' in str(error)
    assert '"email"' in str(error)
