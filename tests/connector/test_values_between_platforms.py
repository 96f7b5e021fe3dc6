"""Field values: who wins, what is left alone, and how a platform's own spelling is lived with."""

from __future__ import annotations

import pytest

from connector.sandbox.faults import Rewrite
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import World


def test_a_change_on_one_side_reaches_the_other(world: World) -> None:
    lead_id = make_mql(world)
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], phone="+1 850 644 4200")
    world.run()
    assert world.sf_lead(ANN)["Phone"] == "+18506444200"
    world.salesforce.update("Lead", lead_id, Title="Chief Buyer")
    world.run()
    assert world.contact(ANN)["jobtitle"] == "Chief Buyer"
    assert world.run().written == 0


def test_when_both_changed_the_policy_decides(world: World) -> None:
    lead_id = make_mql(world)
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], jobtitle="Buyer")
    world.salesforce.update("Lead", lead_id, Title="Head of Buying")
    world.run()
    assert world.sf_lead(ANN)["Title"] == world.contact(ANN)["jobtitle"] == "Head of Buying", (
        "nobody can tell which came last, and then the policy says salesforce"
    )


def test_a_blank_never_erases_by_default(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update("Lead", lead_id, Title=None)
    world.run()
    assert world.contact(ANN)["jobtitle"] == "VP Sales"


def test_opting_out_on_either_side_wins_and_is_never_taken_back(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update("Lead", lead_id, DoNotCall=True)
    world.run()
    assert world.lead(ANN).values["do_not_call"] is True
    world.salesforce.update("Lead", lead_id, DoNotCall=False)
    world.run()
    assert world.lead(ANN).values["do_not_call"] is True


def test_at_first_contact_blanks_are_filled_and_differences_left_alone(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Title="Clerk")
    world.run()
    contact_id = world.contact(ANN)["hs_object_id"]
    world.hubspot.archive("contacts", contact_id)
    world.hubspot.restore("contacts", contact_id)
    other = world.salesforce.insert(
        "Lead", LastName="Kim", Company="Beta", Email="kim@beta.example", Title="Clerk", City="Oslo"
    )
    world.hubspot.create("contacts", email="kim@beta.example", lastname="Kim", jobtitle="Director")
    world.run()
    contact = world.contact("kim@beta.example")
    assert contact["city"] == "Oslo", "a blank is filled"
    assert contact["jobtitle"] == "Director", "a difference is left alone"
    assert world.salesforce.get("Lead", other)["Title"] == "Clerk"
    assert world.lead("kim@beta.example").differences["job_title"]
    world.hubspot.update("contacts", contact["hs_object_id"], jobtitle="Vice Director")
    world.run()
    assert world.salesforce.get("Lead", other)["Title"] == "Vice Director", "until one side changes"


@pytest.mark.parametrize(
    ("how", "argument", "shown"),
    [("truncate", 4, "Chie"), ("lower", None, "chief buyer"), ("set", "n/a", "n/a")],
)
def test_a_platforms_own_spelling_is_lived_with(world: World, how: str, argument: object, shown: str) -> None:
    make_mql(world)
    world.salesforce.faults.rewrite_on_save.append(Rewrite("Lead", "Title", how, argument))
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], jobtitle="Chief Buyer")
    world.run()
    assert world.sf_lead(ANN)["Title"] == shown
    assert world.contact(ANN)["jobtitle"] == "Chief Buyer", "it does not flip back"
    assert world.run().written == 0
    world.later(days=1)
    assert world.run().written == 0


def test_a_persons_edit_right_after_our_write_is_a_change_and_no_spelling(world: World) -> None:
    lead_id = make_mql(world)
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], jobtitle="Chief Buyer")
    installation = world.leadloop
    world.later(minutes=1)
    from connector.worker.passes import Pass, act, look

    look(installation, Pass())
    act(installation, Pass())
    assert world.sf_lead(ANN)["Title"] == "Chief Buyer"
    world.salesforce.update("Lead", lead_id, by_user=world.users["sam@sales.example"], Title="Head of Buying")
    world.run()
    assert world.contact(ANN)["jobtitle"] == "Head of Buying"


def test_an_edit_of_an_output_field_is_put_right(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update("Lead", lead_id, Leadloop_Stage__c="closed")
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_two_writers_to_one_field_are_a_hold_and_not_a_war(world: World) -> None:
    lead_id = make_mql(world)
    for _ in range(8):
        world.later(hours=1)
        world.salesforce.update("Lead", lead_id, Leadloop_Stage__c="closed")
        world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "closed"
    holds = {hold.kind: hold for hold in world.holds(ANN)}
    assert "'distributed'" in holds["oscillates"].message
    assert "'closed'" in holds["oscillates"].message


def test_a_stage_that_hubspot_silently_refuses_is_a_hold_and_not_a_loop(world: World) -> None:
    lead_id = make_mql(world)
    world.hubspot.faults.rewrite_on_save.append(
        Rewrite("contacts", "lifecyclestage", "set", "marketingqualifiedlead")
    )
    world.salesforce.update(
        "Lead", lead_id, Status="Closed - Not Converted", Leadloop_Rejection_Reason__c="timing"
    )
    world.run()
    for _ in range(3):
        world.later(minutes=20)
        world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert "stage_not_taken" in {hold.kind for hold in world.holds(ANN)}
    assert world.run().written == 0


def test_emoji_right_to_left_and_markup_arrive_as_they_are(world: World) -> None:
    enter_ann(world, firstname="Zoë 🚀", lastname="שלום", company="<b>Acme</b> & Söhne")
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    lead = world.sf_lead(ANN)
    assert (lead["FirstName"], lead["LastName"], lead["Company"]) == ("Zoë 🚀", "שלום", "<b>Acme</b> & Söhne")


def test_a_name_too_long_for_salesforce_is_cut_there_and_kept_in_hubspot(world: World) -> None:
    enter_ann(world, lastname="x" * 300)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    assert world.sf_lead(ANN)["LastName"] == "x" * 80
    assert world.contact(ANN)["lastname"] == "x" * 300
    assert world.run().written == 0
