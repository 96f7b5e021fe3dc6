"""What a platform shows late, or with a clock of its own: an old state is never taken for somebody's word."""

from __future__ import annotations

from pathlib import Path

from connector.configuration import shipped
from connector.sandbox.faults import Rewrite
from connector.worker.passes import Pass, act, look
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import World, configuration


def test_a_search_that_still_shows_the_state_before_our_write_takes_nothing_back(tmp_path: Path) -> None:
    newest, hubspot = "{type: text, policy: newest, else: salesforce}", "{type: text, policy: hubspot}"
    lead = shipped("mappings", "lead").replace(f"job_title:    {newest}", f"job_title: {hubspot}")
    with World(tmp_path, configuration(documents={"preset:lead": lead})) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        lead_id = make_mql(world)
        contact_id = world.contact(ANN)["id"]
        world.later(minutes=20)
        world.run()
        world.hubspot.update("contacts", contact_id, city="Bonn")
        world.run()
        world.hubspot.faults.visibility_lag_seconds = 300
        world.salesforce.update("Lead", lead_id, Title="Director")
        world.run()
        world.later(minutes=1)
        world.run()  # a look far back: the index still shows the title of before our write
        world.salesforce.update("Lead", lead_id, Phone="+1 850 644 4200")
        world.run()
        world.hubspot.faults.visibility_lag_seconds = 0
        world.later(minutes=8)
        world.salesforce.update("Lead", lead_id, Title="Head of Buying")
        world.run()  # and now the one that we wrote
        assert world.sf_lead(ANN)["Title"] == "Head of Buying"
        assert world.contact(ANN)["jobtitle"] == "Head of Buying"
        assert world.run().written == 0


def test_a_write_that_left_no_trace_is_looked_at_and_tried_again_by_itself(world: World) -> None:
    """A platform that resets a value at once moves no stamp, and no poll tells of it."""
    lead_id = make_mql(world)
    world.hubspot.faults.rewrite_on_save.append(Rewrite("contacts", "hs_lead_status", "set", "OPEN"))
    given = {"Status": "Closed - Not Converted", "Leadloop_Rejection_Reason__c": "bad_data"}
    world.salesforce.update("Lead", lead_id, **given)
    world.run()
    world.later(minutes=16)
    world.run()
    assert [(hold.kind, hold.subject) for hold in world.holds(ANN)] == [
        ("stage_not_taken", "hubspot:contacts.hs_lead_status")
    ]
    world.hubspot.faults.clear()
    world.later(days=1)
    world.run()
    assert world.contact(ANN)["hs_lead_status"] == "UNQUALIFIED"
    assert world.holds(ANN) == []
    assert world.run().written == 0


def test_a_verdict_given_on_a_record_whose_making_got_no_answer_counts(world: World) -> None:
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.salesforce.faults.lose_answer(1, match="PATCH")
    world.later(minutes=1)
    look(world.leadloop, Pass())
    act(world.leadloop, Pass())
    world.salesforce.update(
        "Lead",
        world.sf_lead(ANN)["Id"],
        by_user=world.users["sam@sales.example"],
        Phone="+1 850 644 4200",
        Leadloop_Verdict__c="rejected",
        Leadloop_Rejection_Reason__c="timing",
    )
    world.later(minutes=16)
    world.run()
    contact = world.contact(ANN)
    assert (contact["leadloop_stage"], contact["leadloop_rejection_reason"]) == ("nurture", "timing")
    assert contact["phone"] == "+18506444200"
    assert len(world.salesforce.rows("Lead")) == 1
    assert world.run().written == 0
