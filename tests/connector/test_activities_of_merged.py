"""What people did is counted once, whoever is merged into whom, and is the survivor's afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.store.activities import activities_of
from connector.store.links import links_of
from mappings.stages import Stage
from tests.world import RULES, World, configuration

ANN, ANNS_OTHER = "ann@acme.example", "a.lee@acme.example"

TWO_FORMS = RULES.replace("engagement: 30}", "engagement: 60}")
"""One form is 30 points, so that an MQL needs two."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    assert TWO_FORMS != RULES
    return World(tmp_path, configuration(TWO_FORMS))


def forms(world: World, text: str) -> int:
    lead_id = world.lead(text).lead_id
    with world.database.read() as conn:
        return sum(item.kind == "form_submission" for item in activities_of(conn, [lead_id])[lead_id])


def submit(world: World, email: str, form: str = "Pricing") -> str:
    fields = {"firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales"}
    world.hubspot.submit_form(email, form, **fields)
    return str(world.contact(email)["id"])


@pytest.mark.parametrize("keeps_its_id", [False, True])
def test_a_form_is_counted_once_when_its_contact_is_merged_with_one_that_nobody_knew(
    world: World, keeps_its_id: bool
) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        ann = submit(world, ANN)
        world.run()
        world.hubspot.crm.keep_primary_id = keeps_its_id
        world.hubspot.merge(ann, world.hubspot.create("contacts", email=ANNS_OTHER, lastname="Lee"))
        world.run()
        assert forms(world, ANN) == 1
        assert world.lead(ANN).stage is Stage.NURTURE, "one form is not enough for sales"
        assert world.salesforce.rows("Lead") == []


@pytest.mark.parametrize("keeps_its_id", [False, True])
@pytest.mark.parametrize("adds_up", [False, True])
def test_the_forms_of_two_contacts_that_are_merged_stay_two_and_the_next_is_the_third(
    world: World, keeps_its_id: bool, adds_up: bool
) -> None:
    """Whether HubSpot adds up what both had counted is not known."""
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        ann, other = submit(world, ANN), submit(world, ANNS_OTHER)
        world.run()
        world.hubspot.crm.keep_primary_id = keeps_its_id
        merged = world.hubspot.merge(ann, other)
        if adds_up:
            world.hubspot.update("contacts", merged, num_conversion_events="2")
        world.run()
        assert forms(world, ANN) == 2
        world.later(hours=1)
        submit(world, ANN, "Another")
        world.run()
        assert forms(world, ANN) == 3
        world.run()
        assert world.verify().amiss == 0


@pytest.mark.parametrize("adds_up", [False, True])
@pytest.mark.parametrize("survivor_last", [False, True])
def test_forms_of_different_days_are_not_counted_again_by_a_merge_that_keeps_the_id(
    world: World, survivor_last: bool, adds_up: bool
) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        first = submit(world, ANN)
        world.run()
        world.later(hours=1)
        last = submit(world, ANNS_OTHER)
        world.run()
        world.hubspot.crm.keep_primary_id = True
        survivor, other = (last, first) if survivor_last else (first, last)
        world.hubspot.merge(survivor, other)
        if adds_up:
            world.hubspot.update("contacts", survivor, num_conversion_events="2")
        world.run()
        assert forms(world, survivor) == 2


def test_a_form_that_was_filled_in_just_before_the_merge_is_not_lost(world: World) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        ann = submit(world, ANN)
        other = world.hubspot.create("contacts", email=ANNS_OTHER, lastname="Lee")
        world.run()
        world.later(minutes=5)
        submit(world, ANN, "Asks for a demo")
        world.hubspot.merge(ann, other)
        world.run()
        assert forms(world, ANN) == 2
        assert world.lead(ANN).stage is Stage.DISTRIBUTED


def test_a_merge_in_salesforce_does_not_count_again_what_the_contact_in_hubspot_had_counted(
    world: World,
) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        leads = [
            world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=email)
            for email in (ANN, ANNS_OTHER)
        ]
        submit(world, ANN)
        world.run()
        assert forms(world, ANN) == 1
        world.salesforce.merge(leads[1], leads[0])
        world.run()
        united = world.lead(ANN)
        assert united.lead_id == world.lead(leads[1]).lead_id
        assert forms(world, ANN) == 1
        assert united.stage is Stage.NURTURE, "one form is not enough for sales"
        assert world.run().written == 0


def test_what_members_of_campaigns_and_their_tasks_told_follows_the_survivor_of_a_merge(world: World) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        leads = [
            world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=email)
            for email in (ANN, ANNS_OTHER)
        ]
        world.run()
        for lead in leads:
            campaign = world.salesforce.insert("Campaign", Name="Fair")
            world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
        world.run()
        world.salesforce.merge(leads[1], leads[0])
        world.run()
        made = world.salesforce.convert_lead(leads[1], "Closed - Converted")
        world.run()
        lead_id = world.lead(made.contact_id).lead_id
        with world.database.read() as conn:
            told = activities_of(conn, [lead_id])[lead_id]
        assert [item.kind for item in told] == ["campaign_response"] * 2


def ann_with_two_contacts(world: World) -> tuple[str, str]:
    """Two Leads of Salesforce, each with the contact that leadloop made of it, become one there. Returns the
    addresses of the contact that speaks for Ann from then on, and of the other."""
    leads = [
        world.salesforce.insert("Lead", LastName="Lee", FirstName="Ann", Company="Acme", Email=email)
        for email in (ANN, ANNS_OTHER)
    ]
    world.run()
    world.later(minutes=5)
    world.salesforce.merge(leads[0], leads[1])
    world.run()
    with world.database.read() as conn:
        roles = {link.record_id: link.role for link in links_of(conn, [world.lead(ANN).lead_id]).popitem()[1]}
    contacts = {roles[str(row["id"])]: str(row["email"]) for row in world.hubspot.rows("contacts")}
    return contacts["primary"], contacts["secondary"]


def test_a_form_counts_on_whichever_of_a_persons_contacts_it_was_filled_in(world: World) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        primary, secondary = ann_with_two_contacts(world)
        submit(world, secondary)
        world.run()
        assert forms(world, ANN) == 1
        assert world.lead(ANN).stage is Stage.NURTURE, "one form is not enough for sales"
        world.later(hours=1)
        submit(world, primary)
        world.run()
        assert forms(world, ANN) == 2
        assert world.lead(ANN).stage is Stage.DISTRIBUTED
        world.later(hours=1)
        submit(world, secondary, "Another")
        world.run()
        assert forms(world, ANN) == 3
        assert world.contact(secondary)["leadloop_stage"] != "distributed", "nothing is written to it"
        assert world.verify().amiss == 0
        assert world.run().written == 0


@pytest.mark.parametrize("keeps_its_id", [False, True])
@pytest.mark.parametrize("adds_up", [False, True])
@pytest.mark.parametrize("secondary_survives", [False, True])
def test_the_forms_of_a_persons_two_contacts_are_not_counted_again_when_these_are_merged(
    world: World, keeps_its_id: bool, adds_up: bool, secondary_survives: bool
) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        primary, secondary = ann_with_two_contacts(world)
        for email in (secondary, primary, secondary):
            world.later(hours=1)
            submit(world, email)
            world.run()
        assert forms(world, ANN) == 3
        world.hubspot.crm.keep_primary_id = keeps_its_id
        both = [str(world.contact(email)["id"]) for email in (primary, secondary)]
        merged = world.hubspot.merge(*(reversed(both) if secondary_survives else both))
        if adds_up:
            world.hubspot.update("contacts", merged, num_conversion_events="3")
        world.run()
        assert forms(world, ANN) == 3
        world.later(hours=1)
        submit(world, str(world.hubspot.get("contacts", merged)["email"]), "Another")
        world.run()
        assert forms(world, ANN) == 4
        assert world.verify().amiss == 0


def test_what_two_contacts_had_counted_counts_no_second_time_when_they_are_one_person(world: World) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        for email in (ANN, ANNS_OTHER):
            submit(world, email)
        primary, secondary = ann_with_two_contacts(world)
        assert forms(world, ANN) == 2
        world.later(hours=1)
        world.hubspot.archive("contacts", str(world.contact(primary)["id"]))
        world.run()
        world.later(hours=2)
        world.run()
        assert forms(world, ANN) == 2, "the other one speaks for Ann now"
        submit(world, secondary, "Another")
        world.run()
        assert forms(world, ANN) == 3


def test_who_opts_out_on_a_further_contact_is_out_in_salesforce_too(world: World) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        _, secondary = ann_with_two_contacts(world)
        lead = world.salesforce.rows("Lead")[0]["Id"]
        assert not world.salesforce.get("Lead", lead)["HasOptedOutOfEmail"]
        world.hubspot.update("contacts", str(world.contact(secondary)["id"]), hs_email_optout="true")
        world.run()
        assert world.salesforce.get("Lead", lead)["HasOptedOutOfEmail"] is True
        assert world.run().written == 0
        world.salesforce.update("Lead", lead, HasOptedOutOfEmail=False)
        world.run()
        assert world.salesforce.get("Lead", lead)["HasOptedOutOfEmail"] is True
        assert world.verify().amiss == 0


def test_a_campaign_counts_on_whichever_of_a_persons_leads_the_member_is(world: World) -> None:
    with world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        leads = [world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN) for _ in range(2)]
        world.run()
        for lead in leads:
            campaign = world.salesforce.insert("Campaign", Name="Fair")
            world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
        world.run()
        lead_id = world.lead(ANN).lead_id
        with world.database.read() as conn:
            told = activities_of(conn, [lead_id])[lead_id]
        assert [item.kind for item in told] == ["campaign_response"] * 2
