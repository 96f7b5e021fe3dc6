"""The verdicts of sales, in whatever order and moment they come."""

from __future__ import annotations

from mappings.stages import Stage
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import World


def contact_in_nurture(world: World) -> str:
    """Ann is a Contact in Salesforce and in HubSpot, and nobody pursues her; returns the Contact's id."""
    account = world.salesforce.insert("Account", Name="Acme")
    contact_id = world.salesforce.insert("Contact", LastName="Lee", Email=ANN, AccountId=account)
    enter_ann(world)
    world.run()
    assert world.lead(ANN).stage is Stage.NURTURE
    return str(contact_id)


def test_a_verdict_given_before_a_lead_is_taken_up_is_cleared_and_can_be_given_again(world: World) -> None:
    contact_id = contact_in_nurture(world)
    given = {"Leadloop_Verdict__c": "rejected", "Leadloop_Rejection_Reason__c": "timing"}
    world.salesforce.update("Contact", contact_id, by_user=world.users["sam@sales.example"], **given)
    world.run()
    assert world.lead(ANN).stage is Stage.NURTURE, "a lead that nobody pursues cannot be rejected"
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    shown = world.salesforce.get("Contact", contact_id)
    assert shown["Leadloop_Stage__c"] == "distributed"
    assert shown["Leadloop_Verdict__c"] is None
    assert shown["Leadloop_Rejection_Reason__c"] is None
    world.salesforce.update("Contact", contact_id, by_user=world.users["sam@sales.example"], **given)
    world.run()
    assert world.lead(ANN).stage is Stage.NURTURE
    assert world.contact(ANN)["leadloop_rejection_reason"] == "timing"
    assert world.run().written == 0


def test_a_reason_written_before_a_lead_is_taken_up_never_serves_a_later_rejection(world: World) -> None:
    contact_id = contact_in_nurture(world)
    world.salesforce.update("Contact", contact_id, Leadloop_Rejection_Reason__c="bad_data")
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    assert world.lead(ANN).stage is Stage.DISTRIBUTED
    world.salesforce.update("Contact", contact_id, Leadloop_Verdict__c="rejected")
    world.run()
    assert world.lead(ANN).stage is Stage.DISTRIBUTED, "sales is asked for the reason of this one"
    world.salesforce.update("Contact", contact_id, Leadloop_Rejection_Reason__c="timing")
    world.run()
    assert world.lead(ANN).stage is Stage.NURTURE
    assert world.contact(ANN)["leadloop_rejection_reason"] == "timing"


def test_an_acceptance_given_before_the_new_record_was_first_read_counts(world: World) -> None:
    sam = world.users["sam@sales.example"]
    lead_id = world.salesforce.insert("Lead", by_user=sam, LastName="Lee", Company="Acme", Email=ANN)
    world.salesforce.update("Lead", lead_id, by_user=sam, OwnerId=sam, Leadloop_Verdict__c="accepted")
    world.run()
    shown = world.salesforce.get("Lead", lead_id)
    assert shown["Leadloop_Stage__c"] == world.contact(ANN)["leadloop_stage"] == "accepted"
    assert shown["Leadloop_Owner__c"] == "sam@sales.example"
    assert world.run().written == 0


def test_a_verdict_given_when_the_record_has_just_been_merged_is_heard(world: World) -> None:
    pursued = make_mql(world)
    other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email="a.lee@acme.example")
    world.run()
    world.salesforce.merge(pursued, other)
    world.salesforce.update(
        "Lead", pursued, by_user=world.users["sam@sales.example"], Leadloop_Verdict__c="accepted"
    )
    world.run()
    assert world.lead(pursued).stage is Stage.ACCEPTED
    assert world.contact(ANN)["leadloop_stage"] == "accepted"
    assert world.run().written == 0
