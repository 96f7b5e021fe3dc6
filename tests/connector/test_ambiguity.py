"""A record that may be one of several people is held with their names, and released when that is clear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.configuration import shipped
from connector.lane import Lane
from connector.observation import RecordKey
from connector.rereading import meet_existing
from connector.store import leads as lead_store
from connector.store import outbox
from connector.store.holds import Hold, open_holds
from connector.store.links import linked
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import World, configuration

BOB = "bob@acme.example"
ANNS_PHONE, BOBS_PHONE = "+1 850 644 4200", "+1 850 644 4300"

WITH_PHONE = shipped("mappings", "lead").replace(
    "  phone:        {type: phone,", "  phone:        {type: phone, identity: true,"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A telephone number is identity as well as an address; Ann and Bob are in HubSpot."""
    with World(tmp_path, configuration(documents={"preset:lead": WITH_PHONE})) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts
        enter_ann(made, phone=ANNS_PHONE)
        made.hubspot.create("contacts", email=BOB, firstname="Bob", lastname="Ray", phone=BOBS_PHONE)
        made.run()
        yield made


def enter_someone(world: World, **fields: str) -> str:
    """Sales enters a Lead."""
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", **fields)
    world.run()
    return lead_id


def ambiguities(world: World) -> list[Hold]:
    with world.database.read() as conn:
        return [hold for held in open_holds(conn).values() for hold in held if hold.kind == "ambiguous"]


def stage_shown(world: World, lead_id: str) -> object:
    return world.salesforce.get("Lead", lead_id)["Leadloop_Stage__c"]


def lead_ids(world: World) -> list[str]:
    return sorted([world.lead(ANN).lead_id, world.lead(BOB).lead_id])


def test_a_record_whose_names_lead_to_two_leads_is_linked_to_neither(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    holds = ambiguities(world)
    assert sorted(hold.lead_id for hold in holds) == lead_ids(world), "each of the two tells of it"
    assert {hold.subject for hold in holds} == {f"salesforce:Lead:{mixed}"}
    assert holds[0].details["candidates"] == lead_ids(world)
    assert all(lead_id in holds[0].message for lead_id in lead_ids(world))
    assert ANN not in holds[0].message
    assert stage_shown(world, mixed) is None
    with world.database.read() as conn:
        assert linked(conn, [RecordKey("salesforce", "Lead", mixed)]) == {}
    assert world.run().written == 0, "it stays so"
    assert len(ambiguities(world)) == 2


def test_the_people_it_may_be_go_on_but_get_no_second_record_on_its_side(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    assert [row["Id"] for row in world.salesforce.rows("Lead")] == [mixed]
    world.salesforce.update("Lead", mixed, Phone=ANNS_PHONE)
    world.run()
    assert ambiguities(world) == []
    assert stage_shown(world, mixed) == "distributed"
    assert len(world.salesforce.rows("Lead")) == 1


def test_whoever_asks_for_the_record_is_told_of_the_people_it_may_be(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    with world.database.read() as conn:
        for asked in (mixed, f"salesforce:Lead:{mixed}"):
            assert [lead.id for lead in lead_store.find_leads(conn, asked)] == lead_ids(world)


def test_a_record_that_the_platform_itself_says_is_somebodys_is_no_longer_open(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    ann, bob = world.lead(ANN).lead_id, world.lead(BOB).lead_id
    refused = outbox.Row(ann, "salesforce", "Lead", None, "create", Lane.UPDATE, {"Email": ANN})
    meet_existing(world.leadloop, "salesforce", [(refused, mixed)])
    assert {hold.details["lead"] for hold in ambiguities(world)} == {ann}
    assert f"is lead {ann}, but by its phone it may be lead {bob} as well" in ambiguities(world)[0].message
    world.run()
    assert stage_shown(world, mixed) == "nurture"
    world.salesforce.update("Lead", mixed, Phone=ANNS_PHONE)
    world.run()
    assert ambiguities(world) == []


def test_it_is_released_when_the_address_on_it_is_corrected(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    world.salesforce.update("Lead", mixed, Email=BOB)
    world.run()
    assert ambiguities(world) == []
    assert world.salesforce.get("Lead", mixed)["Leadloop_Id__c"] == world.lead(BOB).lead_id
    assert world.holds(ANN) == []


def test_it_is_released_when_a_persons_own_record_is_corrected(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    bob = world.contact(BOB)["hs_object_id"]
    world.hubspot.update("contacts", bob, phone="+1 850 644 4399")
    world.run()
    assert ambiguities(world) == []
    assert world.salesforce.get("Lead", mixed)["Leadloop_Id__c"] == world.lead(ANN).lead_id


def test_it_is_released_when_the_people_are_merged_on_the_platform(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    ann, bob = (world.contact(email)["hs_object_id"] for email in (ANN, BOB))
    world.hubspot.merge(ann, bob)
    world.run()
    assert ambiguities(world) == []
    assert world.salesforce.get("Lead", mixed)["Leadloop_Id__c"] == world.lead(ANN).lead_id
    assert stage_shown(world, mixed) == "nurture"


def test_it_is_released_when_it_is_merged_into_one_of_the_people(world: World) -> None:
    anns = enter_someone(world, Email=ANN)
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    assert len(ambiguities(world)) == 2
    world.salesforce.merge(anns, mixed)
    world.run()
    assert ambiguities(world) == []
    assert world.lead(mixed).lead_id == world.lead(ANN).lead_id


def test_a_survivor_that_takes_over_the_other_ones_address_is_not_in_doubt(world: World) -> None:
    anns, bobs = enter_someone(world, Email=ANN), enter_someone(world, Email=BOB)
    world.salesforce.merge(bobs, anns)
    world.salesforce.update("Lead", bobs, Email=ANN)
    world.run()
    assert ambiguities(world) == []
    assert world.lead(bobs).lead_id == world.lead(anns).lead_id


def test_it_is_released_when_the_record_is_deleted(world: World) -> None:
    mixed = enter_someone(world, Email=ANN, Phone=BOBS_PHONE)
    world.salesforce.delete("Lead", mixed)
    world.run()
    assert ambiguities(world) == []


def test_a_persons_record_that_takes_anothers_name_is_told_and_stays_with_its_lead(world: World) -> None:
    bob = world.contact(BOB)["hs_object_id"]
    world.hubspot.update("contacts", bob, phone=ANNS_PHONE)
    world.run()
    assert sorted(hold.lead_id for hold in ambiguities(world)) == lead_ids(world)
    assert world.contact(BOB)["leadloop_id"] == world.lead(BOB).lead_id
    world.hubspot.update("contacts", bob, jobtitle="Head of Buying")
    world.run()
    assert world.contact(BOB)["leadloop_score"] == "20", "Bob goes on meanwhile"

    third = enter_someone(world, Phone=ANNS_PHONE)
    assert stage_shown(world, third) is None, "Ann and Bob both show that number"
    assert f"salesforce:Lead:{third}" in {hold.subject for hold in ambiguities(world)}

    ann = world.contact(ANN)["hs_object_id"]
    world.hubspot.update("contacts", ann, phone="+1 850 644 4200 x2")
    world.run()
    assert ambiguities(world) == []
    assert world.salesforce.get("Lead", third)["Leadloop_Id__c"] == world.lead(BOB).lead_id


def test_an_address_that_was_given_up_is_free_for_somebody_else(world: World) -> None:
    ann = world.contact(ANN)["hs_object_id"]
    world.hubspot.update("contacts", ann, email="ann.lee@acme.example", phone=None)
    world.run()
    other = enter_someone(world, Email=ANN)
    assert (
        world.salesforce.get("Lead", other)["Leadloop_Id__c"]
        != world.contact("ann.lee@acme.example")["leadloop_id"]
    )
