"""One bad record, field or answer never stops the rest, and nothing is lost."""

from __future__ import annotations

from connector.sandbox.salesforce.world import ValidationRule
from connector.store import quarantine
from connector.store.leads import mark_all_dirty
from connector.worker.passes import run_until_quiet
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import World


def test_a_refused_field_is_left_out_and_the_rest_is_written(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.add_validation_rule(
        ValidationRule("Lead", "no_gmbh", "Industry = 'Forbidden'", "Not this industry", "Industry")
    )
    world.hubspot.update(
        "contacts", world.contact(ANN)["hs_object_id"], industry="Forbidden", jobtitle="Chief Buyer"
    )
    world.run()
    lead = world.salesforce.get("Lead", lead_id)
    assert lead["Title"] == "Chief Buyer"
    assert lead["Industry"] is None
    with world.database.read() as conn:
        refused = quarantine.quarantined(conn)
    assert [(item.field, item.code) for item in refused] == [
        ("Industry", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    ]
    assert "Not this industry" in refused[0].reason
    assert world.run().written == 0, "it is not tried again with the same value"
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], industry="Agriculture")
    world.run()
    assert world.salesforce.get("Lead", lead_id)["Industry"] == "Agriculture"


def test_one_bad_record_does_not_fail_its_batch(world: World) -> None:
    world.salesforce.add_validation_rule(
        ValidationRule("Lead", "no_bad", "LastName = 'Bad'", "No bad people", None)
    )
    for name in ("Good", "Bad", "Fine"):
        world.hubspot.create(
            "contacts", email=f"{name.lower()}@acme.example", lastname=name, company="Acme", jobtitle="VP"
        )
    world.run()
    for name in ("good", "bad", "fine"):
        world.hubspot.submit_form(f"{name}@acme.example", "Pricing")
    world.run()
    names = {row["LastName"] for row in world.salesforce.rows("Lead")}
    assert names == {"Good", "Fine"}
    hold = world.holds("bad@acme.example")[0]
    assert hold.kind == "record_refused"
    assert "No bad people" in hold.message
    world.salesforce.remove_validation_rule("Lead", "no_bad")
    world.hubspot.update("contacts", world.contact("bad@acme.example")["hs_object_id"], lastname="Better")
    world.run()
    assert world.sf_lead("bad@acme.example")["LastName"] == "Better"
    assert world.holds("bad@acme.example") == []


def test_a_lost_answer_to_a_create_makes_no_second_record(world: World) -> None:
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.salesforce.faults.lose_answer(1, match="PATCH")
    world.run()
    world.later(hours=1)
    world.run()
    assert len(world.salesforce.rows("Lead")) == 1
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_a_lost_answer_to_a_create_in_hubspot_makes_no_second_contact(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.hubspot.faults.lose_answer(1, match="batch/create")
    world.run()
    world.later(hours=1)
    world.run()
    assert len(world.hubspot.rows("contacts")) == 1
    assert world.contact(ANN)["leadloop_stage"] == "nurture"


def test_an_outage_is_waited_for_and_nothing_is_lost(world: World) -> None:
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.salesforce.faults.fail_next(3, 503, match="PATCH")
    world.run()
    for _ in range(6):
        world.later(hours=1)
        run_until_quiet(world.leadloop)
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_a_lead_without_an_address_stays_in_salesforce_and_is_counted(world: World) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme")
    world.run()
    assert world.salesforce.get("Lead", lead_id)["Leadloop_Stage__c"] == "inquiry"
    assert world.hubspot.rows("contacts") == []


def test_a_field_hidden_from_the_integration_user_is_a_hold_and_not_an_error(world: World) -> None:
    from connector.store.holds import INSTALLATION, open_holds

    world.salesforce.faults.hidden_fields.add(("Lead", "Phone"))
    world.reconnect()
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()
    assert world.salesforce.get("Lead", lead_id)["Leadloop_Stage__c"] == "nurture"
    with world.database.read() as conn:
        subjects = [hold.subject for hold in open_holds(conn, [INSTALLATION])[INSTALLATION]]
    assert subjects == ["salesforce has no field Lead.Phone"]


def test_a_field_that_can_be_seen_again_is_read_of_records_that_nobody_has_changed(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Phone="+1 850 644 4200")
    world.salesforce.faults.hidden_fields.add(("Lead", "Phone"))
    world.reconnect()
    world.run()
    assert world.contact(ANN)["phone"] is None
    for _ in range(2):  # by then no look at what has changed lately would meet it
        world.later(hours=1)
        world.run()
    world.salesforce.faults.hidden_fields.clear()
    world.reconnect()
    world.run()
    assert world.contact(ANN)["phone"] == "+18506444200"
    assert world.run().written == 0


def test_a_refused_hand_off_leaves_the_lifecycle_stage_where_it_was(world: World) -> None:
    lead_id = make_mql(world)
    world.hubspot.set_options("contacts", "hs_lead_status", ["NEW", "OPEN", "IN_PROGRESS"])
    given = {"Status": "Closed - Not Converted", "Leadloop_Rejection_Reason__c": "bad_data"}
    world.salesforce.update("Lead", lead_id, **given)
    world.run()
    contact = world.contact(ANN)
    assert contact["leadloop_stage"] == "distributed"
    assert contact["lifecyclestage"] == "marketingqualifiedlead"
    assert contact["leadloop_verdict"] is None
    assert world.run().written == 0
    (hold,) = world.holds(ANN)
    assert (hold.kind, hold.subject) == ("handoff_refused", "hubspot:contacts")
    refused = f"hubspot refuses the hand-off of {contact['hs_object_id']} because of hs_lead_status: "
    assert hold.message.startswith(refused)
    world.hubspot.set_options(
        "contacts", "hs_lead_status", ["NEW", "OPEN", "IN_PROGRESS", contact["hs_lead_status"], "UNQUALIFIED"]
    )
    with world.database.begin() as conn:
        quarantine.clear(conn)
        mark_all_dirty(conn, world.clock.now_ms())
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == world.lead(ANN).stage != "distributed"
    assert world.holds(ANN) == []


def test_an_address_of_which_one_part_is_refused_is_held_back_as_a_whole(world: World) -> None:
    lead_id = make_mql(world)
    contact = world.contact(ANN)["hs_object_id"]
    world.hubspot.update("contacts", contact, address="1 Old Street", city="Austin", zip="73301")
    world.run()
    assert world.salesforce.get("Lead", lead_id)["City"] == "Austin"
    world.salesforce.add_validation_rule(
        ValidationRule("Lead", "no_gotham", "City = 'Gotham'", "There is no such city", "City")
    )
    world.hubspot.update("contacts", contact, address="2 New Street", city="Gotham", jobtitle="Chief Buyer")
    world.run()
    world.run()
    lead = world.salesforce.get("Lead", lead_id)
    assert (lead["Street"], lead["City"], lead["Title"]) == ("1 Old Street", "Austin", "Chief Buyer")
    assert world.lead(ANN).unspelled["salesforce.street"].startswith("it waits for city")
    assert world.run().written == 0
    world.hubspot.update("contacts", contact, city="Dallas")
    world.run()
    lead = world.salesforce.get("Lead", lead_id)
    assert (lead["Street"], lead["City"]) == ("2 New Street", "Dallas")
    assert not world.lead(ANN).unspelled
