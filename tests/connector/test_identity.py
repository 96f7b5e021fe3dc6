"""Who is who: links, merges, conversions into somebody else's contact, deletions, shared addresses."""

from __future__ import annotations

from connector.settle import settle
from connector.store import ledger
from connector.worker.passes import Pass, look
from mappings.stages import Stage
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import World


def test_one_person_in_both_systems_is_one_lead(world: World) -> None:
    enter_ann(world)
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email="ANN@acme.example")
    world.run()
    assert len(world.salesforce.rows("Lead")) == len(world.hubspot.rows("contacts")) == 1
    assert world.salesforce.rows("Lead")[0]["Leadloop_Id__c"] == world.contact(ANN)["leadloop_id"]


def test_a_person_who_is_in_salesforce_already_is_found_there_before_one_is_created(world: World) -> None:
    """Records from before leadloop was connected are never read by a poll."""
    world.leadloop.complete.discard("salesforce")
    old = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.salesforce.touch("Lead", old, SystemModstamp="2020-01-01T00:00:00.000+0000")
    make_mql(world)
    assert [row["Id"] for row in world.salesforce.rows("Lead")] == [old]
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_two_people_behind_a_shared_address_are_two_leads(world: World) -> None:
    for name in ("Lee", "Kim"):
        world.salesforce.insert("Lead", LastName=name, Company="Acme", Email="info@acme.example")
    world.run()
    ids = {row["Leadloop_Id__c"] for row in world.salesforce.rows("Lead")}
    assert len(ids) == 2
    assert None not in ids


def test_several_open_leads_of_one_person_keep_the_oldest_in_step(world: World) -> None:
    first = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    second = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()
    assert world.salesforce.get("Lead", first)["Leadloop_Stage__c"] == "nurture"
    assert world.salesforce.get("Lead", second)["Leadloop_Stage__c"] is None


def test_a_merge_in_salesforce_unites_two_leads_and_keeps_the_one_in_pursuit(world: World) -> None:
    pursued = make_mql(world)
    other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email="a.lee@acme.example")
    world.run()
    retired = world.lead(pursued).lead_id
    world.salesforce.merge(other, pursued)
    world.run()
    united = world.lead(other)
    assert united.stage is Stage.DISTRIBUTED
    assert world.lead(retired).lead_id == united.lead_id, "the old id is an alias"
    assert world.salesforce.get("Lead", other)["Leadloop_Stage__c"] == "distributed"
    assert world.run().written == 0


def test_a_merge_in_hubspot_moves_the_lead_to_the_new_contact(world: World) -> None:
    first = enter_ann(world)
    second = world.hubspot.create("contacts", email="a.lee@acme.example", firstname="Ann", lastname="Lee")
    world.run()
    survivor = world.hubspot.merge(first, second)
    world.run()
    assert survivor not in (first, second)
    contact = world.hubspot.get("contacts", survivor)
    assert contact["leadloop_stage"] == "nurture"
    assert contact["leadloop_id"] == world.lead(ANN).lead_id
    assert world.run().written == 0


def test_a_conversion_into_an_existing_contact_unites_the_two_leads(world: World) -> None:
    account = world.salesforce.insert("Account", Name="Acme")
    contact = world.salesforce.insert("Contact", LastName="Lee", AccountId=account, Email="lee@acme.example")
    lead_id = make_mql(world)
    world.run()
    world.salesforce.convert_lead(lead_id, "Closed - Converted", account_id=account, contact_id=contact)
    world.run()
    assert world.lead(contact).lead_id == world.lead(lead_id).lead_id
    assert world.salesforce.get("Contact", contact)["Leadloop_Stage__c"] == "qualified"


def test_a_deleted_record_is_not_created_again_and_the_other_side_is_left_alone(world: World) -> None:
    lead_id = make_mql(world)
    before = world.contact(ANN)
    world.salesforce.delete("Lead", lead_id)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing again")
    world.run()
    assert world.salesforce.rows("Lead") == []
    assert world.contact(ANN)["leadloop_stage"] == before["leadloop_stage"]


def test_a_record_that_vanished_between_read_and_write_stops_nobody(world: World) -> None:
    contact_id = enter_ann(world)
    world.hubspot.create("contacts", email="bob@acme.example", lastname="Bo")
    world.run()
    world.hubspot.update("contacts", contact_id, jobtitle="Director")
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Title="Clerk")
    world.hubspot.archive("contacts", contact_id)
    world.run()
    assert world.contact("bob@acme.example")["leadloop_stage"] == "nurture"
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "nurture"


def test_a_contact_that_holds_the_address_as_a_second_one_is_taken_and_not_made_twice(world: World) -> None:
    contact_id = enter_ann(world)
    world.hubspot.update("contacts", contact_id, hs_additional_emails="ann.lee@home.example")
    world.run()
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email="ann.lee@home.example")
    world.run()
    assert len(world.hubspot.rows("contacts")) == 1


def test_a_merge_into_a_record_that_was_only_read_so_far_is_in_the_ledger_from_the_beginning(
    world: World,
) -> None:
    pursued = make_mql(world)
    other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email="a.lee@acme.example")
    look(world.leadloop, Pass())
    world.salesforce.merge(other, pursued)
    world.run()
    lead_id = world.lead(other).lead_id
    with world.database.read() as conn:
        own = [row for row in ledger.of_lead(conn, lead_id) if row.lead_id == lead_id]
    assert [(row.origin, row.target) for row in own] == [(None, "distributed")]


def test_a_value_that_was_on_its_way_to_a_lead_when_sales_converted_it_reaches_the_contact(
    world: World,
) -> None:
    lead_id = make_mql(world)
    world.hubspot.update("contacts", world.contact(ANN)["id"], jobtitle="Chief Buyer", city="Bonn")
    look(world.leadloop, Pass())
    settle(world.leadloop)
    world.salesforce.update("Lead", lead_id, City="Oslo")
    world.salesforce.convert_lead(lead_id, "Closed - Converted")
    world.run()
    shown = world.salesforce.rows("Contact")[0]
    assert shown["Title"] == world.contact(ANN)["jobtitle"] == "Chief Buyer"
    assert shown["MailingCity"] == "Oslo", "what sales has just entered is not written over"
    assert set(world.lead(ANN).differences) == {"city"}
    assert world.run().written == 0
