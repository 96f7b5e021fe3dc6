"""Who is who after several things at once: chains of merges on both sides, survivors that go and come back,
conversions into people who have a HubSpot contact of their own, two people behind one address on each side.
"""

from __future__ import annotations

import pytest

from connector.intake.hints import follow_hints
from connector.observation import RecordKey
from connector.store import leads as lead_store
from connector.store.inbox import Hint, put_hints
from connector.store.links import linked
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World

BOB = "bob@acme.example"


def leads(world: World) -> list[str]:
    with world.database.read() as conn:
        return lead_store.iterate_lead_ids(conn)


def swept(world: World) -> None:
    """In the end nothing is amiss, and nothing is left to do."""
    world.later(hours=3)
    world.run()
    found = world.verify()
    assert found.left == 0, found
    assert found.unexplained == 0, found
    world.run()
    again = world.verify()
    assert again.amiss == 0, again
    assert world.run().written == 0


def three_people(world: World) -> tuple[list[str], list[str]]:
    """Their Leads and their contacts."""
    emails = [f"{name}@acme.example" for name in "abc"]
    entered = [
        world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=email) for email in emails
    ]
    world.run()
    assert len(leads(world)) == 3
    return entered, [str(world.contact(email)["id"]) for email in emails]


@pytest.mark.parametrize("keeps_its_id", [False, True])
@pytest.mark.parametrize("first", ["salesforce", "hubspot"])
def test_chains_of_merges_on_both_sides_at_once_leave_one_lead(
    world: World, keeps_its_id: bool, first: str
) -> None:
    """Each chain goes its own way, and one side is seen before the other."""
    entered, contacts = three_people(world)
    world.hubspot.crm.keep_primary_id = keeps_its_id
    world.salesforce.merge(entered[1], entered[0])
    world.salesforce.merge(entered[2], entered[1])
    last = world.hubspot.merge(contacts[0], world.hubspot.merge(contacts[2], contacts[1]))
    told = (
        [Hint("salesforce", "Lead", entered[0], "read", world.clock.now_ms())]
        if first == "salesforce"
        else [Hint("hubspot", "contacts", last, "read", world.clock.now_ms())]
    )
    with world.database.begin() as conn:
        put_hints(conn, told)
    follow_hints(world.leadloop, first)
    world.run()
    (lead_id,) = leads(world)
    keys = [
        RecordKey("salesforce", "Lead", entered[2]),
        RecordKey("hubspot", "contacts", last),
    ]
    with world.database.read() as conn:
        assert {(link.lead_id, link.role) for link in linked(conn, keys).values()} == {(lead_id, "primary")}
    assert world.lead(world.hubspot.get("contacts", last)["leadloop_id"]).lead_id == lead_id
    swept(world)


def test_a_chain_whose_last_merge_is_seen_first_leaves_one_lead(world: World) -> None:
    """Both in one second, so that they come in one look, in the order of ids."""
    entered, _ = three_people(world)
    middle, last, first = sorted(entered)
    world.salesforce.merge(middle, first)
    world.salesforce.merge(last, middle)
    world.run()

    with world.database.read() as conn:
        found = linked(conn, [RecordKey("salesforce", "Lead", each) for each in entered])
        known = lead_store.read_leads(conn, {link.lead_id for link in found.values()})
    (lead,) = known
    assert {link.lead_id for link in found.values()} == {lead.id} == set(leads(world))
    assert [key.record_id for key, link in found.items() if link.role == "primary"] == [last]
    swept(world)


@pytest.mark.parametrize("keeps_its_id", [False, True])
def test_a_survivor_that_was_archived_before_anybody_read_it_takes_its_people_up_when_it_is_restored(
    world: World, keeps_its_id: bool
) -> None:
    lead_id = make_mql(world)
    ann = str(world.contact(ANN)["id"])
    bob = world.hubspot.create("contacts", email=BOB, lastname="Ray")
    world.run()
    world.hubspot.crm.keep_primary_id = keeps_its_id
    survivor = world.hubspot.merge(bob, ann)
    world.hubspot.archive("contacts", survivor)
    world.later(hours=2)
    world.run()
    world.verify()
    world.run()
    assert world.lead(ANN).cut_sides == ("hubspot",)
    assert world.hubspot.rows("contacts") == [], "nobody is made again"

    world.hubspot.restore("contacts", survivor)
    world.later(minutes=10)
    world.run()

    assert leads(world) == [world.lead(lead_id).lead_id]
    assert world.lead(ANN).cut_sides == ()
    keys = [RecordKey("hubspot", "contacts", each) for each in {ann, bob, survivor}]
    with world.database.read() as conn:
        assert {link.lead_id for link in linked(conn, keys).values()} == set(leads(world))
    assert world.hubspot.get("contacts", survivor)["leadloop_stage"] == "distributed"
    swept(world)


def test_a_conversion_into_a_contact_with_a_hubspot_record_of_its_own_leaves_one_lead_and_one_in_step(
    world: World,
) -> None:
    account = world.salesforce.insert("Account", Name="Acme")
    contact = world.salesforce.insert("Contact", LastName="Ray", AccountId=account, Email=BOB)
    world.hubspot.create("contacts", email=BOB, lastname="Ray")
    lead_id = make_mql(world)
    assert len(leads(world)) == 2
    world.salesforce.convert_lead(lead_id, "Closed - Converted", account_id=account, contact_id=contact)
    world.run()

    assert leads(world) == [world.lead(contact).lead_id]
    keys = {
        "bob": RecordKey("hubspot", "contacts", str(world.contact(BOB)["id"])),
        "ann": RecordKey("hubspot", "contacts", str(world.contact(ANN)["id"])),
        "lead": RecordKey("salesforce", "Lead", lead_id),
        "contact": RecordKey("salesforce", "Contact", contact),
    }
    with world.database.read() as conn:
        links = linked(conn, keys.values())
    assert {name: links[key].role for name, key in keys.items()} == {
        "bob": "primary",
        "ann": "secondary",
        "lead": "past",
        "contact": "primary",
    }
    assert world.contact(BOB)["leadloop_stage"] == "qualified"
    assert world.contact(ANN)["leadloop_stage"] == "distributed", "the extra record is never written"
    swept(world)


def test_two_people_behind_one_mailbox_on_both_sides_stay_two(world: World) -> None:
    """HubSpot has one contact for an address: the other one is told of, and not mixed up with it."""
    shared = "info@acme.example"
    world.hubspot.create("contacts", email=shared, lastname="Lee")
    records = {
        name: world.salesforce.insert("Lead", LastName=name, Company="Acme", Email=shared)
        for name in ("Lee", "Kim")
    }
    world.run()
    assert len(leads(world)) == 2
    assert world.contact(shared)["leadloop_id"] == world.lead(records["Lee"]).lead_id
    assert world.contact(shared)["lastname"] == "Lee"
    assert [hold.kind for hold in world.holds(records["Kim"])] == ["record_refused"]
    swept(world)


def test_two_leads_and_a_contact_with_one_persons_address_are_one_person(world: World) -> None:
    contact = world.hubspot.create("contacts", email=ANN, lastname="Lee")
    records = [
        world.salesforce.insert("Lead", LastName=name, Company="Acme", Email=ANN) for name in ("Lee", "Kim")
    ]
    world.run()
    assert len(leads(world)) == 1
    assert world.salesforce.get("Lead", records[0])["Leadloop_Stage__c"] == "nurture"
    assert world.salesforce.get("Lead", records[1])["Leadloop_Stage__c"] is None
    assert world.hubspot.get("contacts", contact)["lastname"] == "Lee"
    swept(world)
