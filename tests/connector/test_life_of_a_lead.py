"""The life of a lead, as people on both platforms see it."""

from __future__ import annotations

from pathlib import Path

from connector.settle import settle
from connector.store import ledger
from connector.worker.passes import Pass, act, look
from mappings.stages import Stage
from tests.world import World

ANN = "ann@acme.example"


def enter_ann(world: World, **more: str) -> str:
    """Ann fills in a form: HubSpot has a contact that fits, but has done too little to be an MQL."""
    fields = {"firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales", "company": "Acme", **more}
    return world.hubspot.create("contacts", source="FORM", email=ANN, **fields)


def make_mql(world: World) -> str:
    """Ann is in HubSpot, asks for prices, and is handed to sales; returns her Salesforce Lead's id."""
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    return str(world.sf_lead(ANN)["Id"])


def test_an_inquiry_is_nurtured_and_does_not_reach_sales(world: World) -> None:
    enter_ann(world)
    world.run()
    contact = world.contact(ANN)
    assert contact["leadloop_stage"] == "nurture"
    assert contact["leadloop_id"] == world.lead(ANN).lead_id
    assert contact["leadloop_score"] == "20"
    assert contact["leadloop_score_reasons"] == "senior title"
    assert world.salesforce.rows("Lead") == []


def test_an_mql_is_created_in_salesforce_with_its_owner_stage_and_score(world: World) -> None:
    make_mql(world)
    lead, contact = world.sf_lead(ANN), world.contact(ANN)
    assert lead["LastName"] == "Lee"
    assert lead["Company"] == "Acme"
    assert lead["Leadloop_Id__c"] == contact["leadloop_id"]
    assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "distributed"
    assert lead["OwnerId"] == world.users["sam@sales.example"]
    assert lead["Leadloop_Owner__c"] == contact["leadloop_owner"] == "sam@sales.example"
    assert lead["Leadloop_Score__c"] == 50
    assert lead["Status"] == "Open - Not Contacted"
    assert contact["lifecyclestage"] == "marketingqualifiedlead"


def test_when_nothing_changes_nothing_is_written(world: World) -> None:
    make_mql(world)
    assert world.run().written == 0
    world.later(days=2)
    assert world.run().written == 0


def test_a_rejection_comes_back_to_nurture_in_both_systems_with_its_reason(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead",
        lead_id,
        by_user=world.users["sam@sales.example"],
        Status="Closed - Not Converted",
        Leadloop_Rejection_Reason__c="timing",
        Leadloop_Rejection_Comment__c="Budget comes next year",
    )
    world.run()
    lead, contact = world.sf_lead(ANN), world.contact(ANN)
    assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "nurture"
    assert lead["Status"] == "Closed - Not Converted"
    assert contact["lifecyclestage"] == "lead"
    assert contact["leadloop_verdict"] == "rejected"
    assert contact["leadloop_rejection_reason"] == "timing"
    assert contact["leadloop_rejection_comment"] == "Budget comes next year"
    assert contact["leadloop_rejected_by"] == "sam@sales.example"
    assert contact["leadloop_nurture_track"] == "later"
    assert contact["leadloop_cycle"] == "2"


def test_a_lifecycle_stage_is_cleared_before_it_goes_back(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead", lead_id, Status="Closed - Not Converted", Leadloop_Rejection_Reason__c="timing"
    )
    world.run()
    contact = world.contact(ANN)
    history = world.hubspot.history("contacts", contact["hs_object_id"], "lifecyclestage")
    assert [item["value"] or "" for item in reversed(history)] == [
        "lead",
        "marketingqualifiedlead",
        "",
        "lead",
    ]


def test_a_rejected_lead_cools_off_is_earned_again_and_comes_without_the_old_reason(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead", lead_id, Status="Closed - Not Converted", Leadloop_Rejection_Reason__c="timing"
    )
    world.run()
    world.hubspot.submit_form(ANN, "Newsletter")
    world.run()
    assert world.lead(ANN).stage is Stage.NURTURE, "the cooling-off is not over"
    world.later(days=31)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing again")
    world.run()
    lead = world.sf_lead(ANN)
    assert lead["Leadloop_Stage__c"] == "distributed"
    assert lead["Leadloop_Cycle__c"] == 2
    assert lead["Status"] == "Open - Not Contacted"
    assert lead["Leadloop_Rejection_Reason__c"] is None
    assert lead["OwnerId"] == world.users["kim@sales.example"], (
        "the next of the pool, not the one who rejected it"
    )


def test_a_rejection_without_a_reason_is_asked_for_and_then_the_default_applies(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update("Lead", lead_id, Status="Closed - Not Converted")
    world.run()
    assert world.lead(ANN).stage is Stage.DISTRIBUTED
    world.later(minutes=11)
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Rejection_Reason__c"] == "reason needed"
    assert [hold.kind for hold in world.holds(ANN)] == ["reason_missing"]
    world.later(days=2)
    world.run()
    assert world.lead(ANN).stage is Stage.NURTURE
    assert world.contact(ANN)["leadloop_rejection_reason"] == "unspecified"
    assert world.holds(ANN) == []


def test_a_reason_given_when_asked_is_taken(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update("Lead", lead_id, Status="Closed - Not Converted")
    world.run()
    world.later(minutes=11)
    world.run()
    world.salesforce.update("Lead", lead_id, Leadloop_Rejection_Reason__c="bad_data")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "disqualified"
    assert world.contact(ANN)["leadloop_rejection_reason"] == "bad_data"


def test_the_wrong_territory_is_routed_again_in_the_same_cycle(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead", lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="wrong_territory"
    )
    world.run()
    lead = world.sf_lead(ANN)
    assert lead["Leadloop_Stage__c"] == "distributed"
    assert lead["Leadloop_Cycle__c"] == 1
    assert lead["OwnerId"] == world.users["kim@sales.example"]


def test_acceptance_conversion_and_a_won_opportunity_reach_marketing(world: World) -> None:
    lead_id = make_mql(world)
    sam = world.users["sam@sales.example"]
    world.salesforce.update("Lead", lead_id, by_user=sam, Status="Working - Contacted")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "accepted"
    assert world.contact(ANN)["lifecyclestage"] == "salesqualifiedlead"
    made = world.salesforce.convert_lead(lead_id, "Closed - Converted", by_user=sam)
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "qualified"
    assert world.salesforce.get("Contact", made.contact_id)["Leadloop_Stage__c"] == "qualified"
    opportunity = world.salesforce.insert(
        "Opportunity",
        by_user=sam,
        Name="Acme",
        StageName="Prospecting",
        CloseDate="2027-06-30",
        AccountId=made.account_id,
    )
    world.salesforce.insert(
        "OpportunityContactRole", OpportunityId=opportunity, ContactId=made.contact_id, IsPrimary=True
    )
    world.run()
    assert world.contact(ANN)["lifecyclestage"] == "opportunity"
    world.salesforce.update("Opportunity", opportunity, by_user=sam, StageName="Closed Won")
    world.run()
    contact = world.contact(ANN)
    assert contact["leadloop_stage"] == "closed"
    assert contact["lifecyclestage"] == "customer"
    assert world.lead(ANN).outcome == "won"
    assert world.run().written == 0


def test_a_conversion_from_nurture_records_the_stages_it_passed_over(world: World) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()
    world.salesforce.convert_lead(lead_id, "Closed - Converted", opportunity_name="Acme")
    world.run()
    with world.database.read() as conn:
        last = ledger.of_lead(conn, world.lead(ANN).lead_id)[-1]
    assert (last.origin, last.target, last.cause) == ("nurture", "opportunity", "fact")
    assert last.skipped == ("mql", "distributed", "accepted", "qualified")


def test_a_lost_opportunity_closes_the_lead_and_a_reopened_one_opens_it_again(world: World) -> None:
    lead_id = make_mql(world)
    made = world.salesforce.convert_lead(lead_id, "Closed - Converted", opportunity_name="Acme")
    world.salesforce.update("Opportunity", made.opportunity_id, StageName="Closed Lost")
    world.run()
    assert (world.lead(ANN).stage, world.lead(ANN).outcome) == (Stage.CLOSED, "lost")
    world.salesforce.update("Opportunity", made.opportunity_id, StageName="Negotiation/Review")
    world.run()
    assert world.lead(ANN).stage is Stage.OPPORTUNITY


def test_a_lead_that_sales_enters_itself_appears_in_hubspot(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", FirstName="Ann", Company="Acme", Email=ANN)
    world.run()
    contact = world.contact(ANN)
    assert contact["lastname"] == "Lee"
    assert contact["leadloop_id"] == world.sf_lead(ANN)["Leadloop_Id__c"]


def test_a_fast_track_goes_straight_to_sales(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Description="Asked for a demo")
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    with world.database.read() as conn:
        moves = [(row.target, row.skipped) for row in ledger.of_lead(conn, world.lead(ANN).lead_id)]
    assert ("mql", ("qualification", "nurture")) in moves


def test_a_competitor_is_disqualified_with_the_rule_as_reason(world: World) -> None:
    enter_ann(world, company="Rival Inc")
    world.run()
    contact = world.contact(ANN)
    assert contact["leadloop_stage"] == "disqualified"
    assert contact["hs_lead_status"] == "UNQUALIFIED"


def test_an_illegal_move_by_sales_is_put_right(world: World) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()
    world.salesforce.update("Lead", lead_id, Status="Working - Contacted")
    world.run()
    assert world.sf_lead(ANN)["Status"] == "Open - Not Contacted"
    assert world.lead(ANN).stage is Stage.NURTURE


def test_a_verdict_given_before_the_new_record_was_first_read_counts(world: World) -> None:
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.later(minutes=1)
    look(world.leadloop, Pass())
    act(world.leadloop, Pass())
    world.salesforce.update(
        "Lead",
        world.sf_lead(ANN)["Id"],
        by_user=world.users["sam@sales.example"],
        Leadloop_Verdict__c="rejected",
        Leadloop_Rejection_Reason__c="timing",
    )
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert world.contact(ANN)["leadloop_rejection_reason"] == "timing"


def test_a_lead_born_in_the_second_of_going_live_is_new(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.clock.advance(0.4)
        world.leadloop  # noqa: B018  # goes live in the middle of a second, as it mostly does
        world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture"


def test_a_reason_given_in_the_moment_it_is_asked_for_is_not_overwritten(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update("Lead", lead_id, Status="Closed - Not Converted")
    world.run()
    world.later(minutes=11)
    look(world.leadloop, Pass())
    settle(world.leadloop)  # the question is planned, and not sent yet
    world.salesforce.update("Lead", lead_id, Leadloop_Rejection_Reason__c="bad_data")
    world.run()
    assert world.contact(ANN)["leadloop_rejection_reason"] == "bad_data"
    assert world.sf_lead(ANN)["Leadloop_Rejection_Reason__c"] == "bad_data"


def test_the_form_that_makes_a_contact_is_its_first_activity(world: World) -> None:
    world.hubspot.submit_form(ANN, "Pricing", firstname="Ann", lastname="Lee", jobtitle="VP Sales")
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.contact(ANN)["leadloop_engagement"] == "30"


def test_the_person_who_takes_a_lead_is_shown_as_its_owner(world: World) -> None:
    lead_id = make_mql(world)
    kim = world.users["kim@sales.example"]
    world.salesforce.update("Lead", lead_id, by_user=kim, OwnerId=kim, Status="Working - Contacted")
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Owner__c"] == "kim@sales.example"
    assert world.contact(ANN)["leadloop_owner"] == "kim@sales.example"
