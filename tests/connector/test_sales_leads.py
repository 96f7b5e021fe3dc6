"""HubSpot's leads object: what sales says there about somebody is sales' word, as the CRM's status is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.sandbox.hubspot.pipelines import Stage as PipelineStage
from mappings.problems import ConfigErrors
from tests.connector.switched_on import with_objects
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import RULES, World, configuration

SAM, KIM = "sam@sales.example", "kim@sales.example"
STAGES = {name: f"{name}-stage-id" for name in ("new", "attempting", "connected", "qualified", "unqualified")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    config = configuration(RULES, {"preset:hubspot": with_objects("leads")})
    with World(tmp_path, config) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


def owner(world: World, email: str) -> str:
    (found,) = [row.owner_id for row in world.hubspot.crm.owners.values() if row.email == email]
    return str(found)


def open_lead(world: World, stage: str = "new", by: str = KIM, email: str = ANN) -> str:
    """Sales makes a HubSpot lead of somebody."""
    made = world.hubspot.create(
        "leads",
        hs_lead_name="Ann at Acme",
        hs_pipeline="lead-pipeline-id",
        hs_pipeline_stage=STAGES.get(stage, stage),
        hubspot_owner_id=owner(world, by),
    )
    contact = world.hubspot.find("contacts", "email", email)
    assert contact is not None
    world.hubspot.associate("leads", made, "contacts", contact)
    return made


def move(world: World, lead: str, stage: str, reason: str | None = None) -> None:
    more = {} if reason is None else {"hs_lead_disqualification_reason": reason}
    world.hubspot.update("leads", lead, hs_pipeline_stage=STAGES.get(stage, stage), **more)
    world.run()


def stage(world: World) -> str:
    shown = str(world.contact(ANN)["leadloop_stage"])
    for row in world.salesforce.rows("Lead"):
        assert row["Leadloop_Stage__c"] == shown
    return shown


def test_who_works_on_a_lead_in_hubspot_accepts_and_qualifies_it(world: World) -> None:
    make_mql(world)
    lead = open_lead(world)
    world.run()
    assert stage(world) == "distributed", "that it is new says nothing"

    move(world, lead, "attempting")
    assert stage(world) == "accepted"
    assert world.sf_lead(ANN)["Status"] == "Working - Contacted"
    move(world, lead, "connected")
    assert stage(world) == "accepted"
    move(world, lead, "qualified")
    assert stage(world) == "qualified"
    assert world.run().written == 0
    assert world.holds(ANN) == []


def test_a_lead_that_hubspot_disqualifies_is_rejected_with_its_reason_on_both_platforms(world: World) -> None:
    make_mql(world)
    lead = open_lead(world)
    world.run()
    move(world, lead, "unqualified", "timing")

    contact, record = world.contact(ANN), world.sf_lead(ANN)
    assert stage(world) == "nurture"
    assert contact["leadloop_rejection_reason"] == record["Leadloop_Rejection_Reason__c"] == "timing"
    assert contact["leadloop_rejected_by"] == record["Leadloop_Rejected_By__c"] == KIM
    assert contact["leadloop_cycle"] == "2"
    assert world.run().written == 0

    world.later(days=40)  # the cooling-off is over
    world.hubspot.submit_form(ANN, "Demo")
    world.run()
    assert stage(world) == "distributed"
    assert world.sf_lead(ANN)["Leadloop_Rejection_Reason__c"] is None, "an old reason serves no new rejection"
    assert world.run().written == 0


def test_a_reason_that_disqualifies_does_so_from_hubspot_too(world: World) -> None:
    make_mql(world)
    lead = open_lead(world)
    world.run()
    move(world, lead, "unqualified", "Bad data")
    assert stage(world) == "disqualified"
    assert world.sf_lead(ANN)["Status"] == "Closed - Not Converted"


def test_a_reason_that_is_missing_is_asked_for_and_may_come_in_hubspot(world: World) -> None:
    make_mql(world)
    lead = open_lead(world)
    world.run()
    move(world, lead, "unqualified")
    assert stage(world) == "distributed"
    world.later(minutes=15)
    world.run()
    assert [hold.kind for hold in world.holds(ANN)] == ["reason_missing"]
    assert world.sf_lead(ANN)["Leadloop_Rejection_Reason__c"] == "reason needed"

    move(world, lead, "unqualified", "timing")
    assert stage(world) == "nurture"
    assert world.sf_lead(ANN)["Leadloop_Rejection_Reason__c"] == "timing"
    assert world.holds(ANN) == []


def test_a_rejection_that_is_taken_back_in_hubspot_before_its_reason_comes_is_none(world: World) -> None:
    make_mql(world)
    lead = open_lead(world)
    world.run()
    move(world, lead, "unqualified")
    move(world, lead, "new")
    world.later(days=2)
    world.run()
    assert stage(world) == "distributed"
    assert world.contact(ANN)["leadloop_rejection_reason"] is None


def test_of_several_the_newest_of_the_current_cycle_counts(world: World) -> None:
    make_mql(world)
    old = open_lead(world)
    world.later(minutes=5)
    new = open_lead(world)
    world.run()
    move(world, old, "unqualified", "timing")
    assert stage(world) == "distributed", "the newer one stands"
    move(world, new, "unqualified", "timing")
    assert stage(world) == "nurture"

    world.later(days=40)
    world.hubspot.submit_form(ANN, "Demo")
    world.run()
    move(world, new, "attempting")
    assert stage(world) == "distributed", "it belongs to the cycle before"
    open_lead(world, "attempting")
    world.run()
    assert stage(world) == "accepted", "made in that stage, it says so at once"


def test_what_the_crm_says_at_the_same_time_counts_more(world: World) -> None:
    sf_id = make_mql(world)
    lead = open_lead(world)
    world.run()
    world.salesforce.update("Lead", sf_id, Status="Working - Contacted")
    move(world, lead, "unqualified", "timing")
    assert stage(world) == "accepted"


def test_a_lead_that_nobody_handed_over_is_held_until_it_is(world: World) -> None:
    enter_ann(world)
    world.run()
    open_lead(world, "attempting")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    (hold,) = world.holds(ANN)
    assert hold.kind == "illegal_move"
    assert "nurture → accepted is no legal move for sales" in hold.message

    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    world.run()
    assert stage(world) == "accepted"
    assert world.holds(ANN) == []


def test_a_stage_of_a_pipeline_that_nobody_mapped_is_a_hold_with_a_remedy(world: World) -> None:
    make_mql(world)
    lead = open_lead(world)
    world.run()
    (pipeline,) = world.hubspot.crm.pipelines["leads"]
    parked = PipelineStage("parked-stage-id", "Parked", "0.0", is_closed=False)
    world.hubspot.crm.pipelines["leads"] = (replace(pipeline, stages=(*pipeline.stages, parked)),)
    move(world, lead, "parked-stage-id")
    assert stage(world) == "distributed"
    (hold,) = world.holds(ANN)
    assert hold.kind == "stage_unknown"
    assert "'parked-stage-id', of which the mapping says nothing" in hold.message
    assert "stage: values: of leads" in hold.remedy
    move(world, lead, "attempting")
    assert (stage(world), world.holds(ANN)) == ("accepted", [])


def test_a_lead_of_nobody_and_one_that_is_archived_say_nothing(world: World) -> None:
    make_mql(world)
    world.hubspot.create("leads", hs_lead_name="?", hs_pipeline_stage=STAGES["unqualified"])
    lead = open_lead(world)
    world.run()
    world.hubspot.archive("leads", lead)
    world.later(hours=2)
    world.run()
    assert (stage(world), world.holds(ANN)) == ("distributed", [])


def test_somebody_who_is_met_with_a_lead_that_is_worked_on_begins_there(world: World) -> None:
    enter_ann(world)
    open_lead(world, "connected")
    world.run()
    assert stage(world) == "accepted"
    assert world.lead(ANN).rejections == ()


@pytest.mark.parametrize("line", ["    created: hs_createdate\n", None])
def test_a_sales_lead_needs_its_birth_and_its_stages(line: str | None) -> None:
    text = with_objects("leads")
    head, mark, rest = text.partition("  leads:\n")
    if line is None:
        rest = rest[: rest.index("    stage:\n")]
    else:
        assert line in rest
        rest = rest.replace(line, "")
    with pytest.raises(ConfigErrors) as refused:
        configuration(documents={"preset:hubspot": head + mark + rest})
    assert "a sales lead needs " in str(refused.value)


def test_the_sweep_sees_a_lead_of_hubspots_that_no_look_has_shown(world: World) -> None:
    make_mql(world)
    made = open_lead(world)
    world.later(hours=3)
    world.run()
    world.run()
    assert stage(world) == "distributed"
    shown = world.hubspot.crm.table("leads").records[int(made)].properties
    shown["hs_pipeline_stage"] = STAGES["attempting"]  # at the version that is known

    found = world.verify()
    world.run()

    assert found.found["altered"] == 1
    assert stage(world) == "accepted"
    assert world.verify().amiss == 0


def test_the_sweep_sees_whom_a_lead_of_hubspots_is_about_by_now(world: World) -> None:
    """HubSpot calculates that, so the lead stays at the version it has."""
    make_mql(world)
    made = open_lead(world)
    other = world.hubspot.create("contacts", email="bob@acme.example", lastname="Ray")
    world.later(hours=3)
    world.run()
    world.hubspot.crm.table("leads").records[int(made)].properties["hs_primary_contact_id"] = other

    assert world.verify().found["missed"] == 1
    world.run()
    assert world.verify().amiss == 0
