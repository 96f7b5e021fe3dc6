"""What becomes of records that are a forgotten person's in a roundabout way, and of other people's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from connector.intake.forgetting import remember
from connector.intake.hints import follow_hints
from connector.lane import Lane
from connector.platforms.protocol import RecordWrite, WriteResult
from connector.store.inbox import Hint, put_hints
from connector.store.schema import metadata
from tests.connector.forgetting.traces import (
    PERSONAL,
    PHONE,
    everything,
    forget,
    installation_holds,
    nobody_is_known,
)
from tests.connector.test_ambiguity import BOBS_PHONE, WITH_PHONE
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World, configuration


def without_an_address(world: World) -> tuple[str, str]:
    """Somebody of whom only the telephone is known; returns the contact's and the lead's id."""
    contact = world.hubspot.create("contacts", lastname="Lee", phone=PHONE, jobtitle="VP Sales")
    world.run()
    return contact, world.hubspot.get("contacts", contact)["leadloop_id"]


def converted_and_read_contact_first(world: World, lead_id: str, **into: str) -> str:
    made = world.salesforce.convert_lead(lead_id, "Closed - Converted", **into)
    for name, record_id in (("Contact", made.contact_id), ("Lead", lead_id)):
        with world.database.begin() as conn:
            put_hints(conn, [Hint("salesforce", name, record_id, "read", world.clock.now_ms())])
        follow_hints(world.leadloop, "salesforce")
    world.run()
    return str(made.contact_id)


def test_a_person_without_an_address_is_not_taken_in_again_by_the_lead_id_on_another_record(
    world: World,
) -> None:
    _, lead_id = without_an_address(world)
    forget(world, lead_id)
    made = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Leadloop_Id__c=lead_id)
    world.run()
    assert nobody_is_known(world)
    assert f"salesforce Lead {made}" in installation_holds(world)

    with world.database.begin() as conn:
        assert remember(conn, world.leadloop, f"salesforce Lead {made}", world.clock.now_ms()) == 1
    world.salesforce.update("Lead", made, Phone=PHONE)
    world.run()
    assert world.lead(lead_id).lead_id == lead_id, "the person has come back"


def test_the_record_in_which_a_forgotten_persons_record_lives_on_stays_out(world: World) -> None:
    lead = world.salesforce.insert("Lead", LastName="Lee", Company="Acme")
    world.run()
    forget(world, world.lead(lead).lead_id)
    survivor = world.salesforce.insert("Lead", LastName="Lee", Company="Acme")
    world.salesforce.merge(survivor, lead)
    world.run()
    world.salesforce.update("Lead", survivor, Phone=PHONE)
    world.run()
    assert nobody_is_known(world)
    assert PHONE.encode() not in everything(world)


def test_a_record_of_somebody_else_that_a_forgotten_persons_record_was_merged_into_is_read_on(
    world: World, known: str
) -> None:
    other = world.salesforce.insert("Lead", LastName="Ray", Company="Bolt", Email="bob@bolt.example")
    world.run()
    lead_id = world.sf_lead(ANN)["Id"]
    forget(world, known)
    world.salesforce.merge(other, lead_id)
    world.salesforce.update("Lead", other, City="Berlin")
    world.run()
    assert world.contact("bob@bolt.example")["city"] == "Berlin"


def test_who_is_forgotten_while_a_record_is_being_made_leaves_no_trace(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hubspot.create("contacts", source="FORM", email=ANN, lastname="Lee", jobtitle="VP Sales")
    world.run()
    platform = world.leadloop.platforms["salesforce"]
    write = platform.write

    def and_forget(writes: Sequence[RecordWrite], lane: Lane) -> Sequence[WriteResult]:
        answers = write(writes, lane)
        forget(world, world.lead(ANN).lead_id)
        monkeypatch.setattr(platform, "write", write)
        return answers

    monkeypatch.setattr(platform, "write", and_forget)
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()

    made = world.sf_lead(ANN)["Id"]
    assert nobody_is_known(world)
    assert ANN.encode() not in everything(world)
    assert f"salesforce Lead {made}" in installation_holds(world)
    assert world.run().written == 0


def test_what_others_did_in_the_same_campaign_counts_as_ever(world: World, known: str) -> None:
    campaign = world.salesforce.insert("Campaign", Name="Fair")
    lead_id = world.sf_lead(ANN)["Id"]
    other = world.salesforce.insert("Lead", LastName="Ray", Company="Bolt", Email="bob@bolt.example")
    forget(world, known)
    world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead_id, Status="Responded")
    world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=other, Status="Responded")
    world.run()
    with world.database.read() as conn:
        assert len(conn.execute(select(metadata.tables["activities"])).all()) == 1


def test_of_two_people_behind_a_shared_mailbox_the_other_one_stays(world: World) -> None:
    shared = "info@acme.example"
    for name in ("Lee", "Ray"):
        world.salesforce.insert("Lead", LastName=name, Company="Acme", Email=shared)
    world.run()
    with world.database.read() as conn:
        leads = {row.id for row in conn.execute(select(metadata.tables["leads"]))}
    assert len(leads) == 2
    records = {row["LastName"]: row["Id"] for row in world.salesforce.rows("Lead")}
    forget(world, world.lead(records["Lee"]).lead_id)
    world.salesforce.update("Lead", records["Ray"], City="Berlin")
    world.run()
    assert world.lead(records["Ray"]).values["city"] == "Berlin"
    assert f"salesforce Lead {records['Lee']}" in installation_holds(world)
    assert f"salesforce Lead {records['Ray']}" not in installation_holds(world)


def test_a_record_that_may_be_the_persons_or_anothers_is_forgotten_too(tmp_path: Path) -> None:
    """Its address is Ann's, who is forgotten, and its telephone number Bob's, who is not."""
    with World(tmp_path, configuration(documents={"preset:lead": WITH_PHONE})) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        make_mql(world)
        world.hubspot.create("contacts", email="bob@acme.example", lastname="Ray", phone=BOBS_PHONE)
        world.run()
        mixed = world.salesforce.insert("Lead", LastName="Mixed", Company="Acme", Email=ANN, Phone=BOBS_PHONE)
        world.run()
        assert "ambiguous" in {hold.kind for hold in world.holds("bob@acme.example")}
        assert b"Mixed" in everything(world), "else this test could not fail"

        forget(world, world.lead(ANN).lead_id)

        assert [word for word in (*PERSONAL, b"Mixed") if word in everything(world)] == []
        world.run()
        assert [word for word in (*PERSONAL, b"Mixed") if word in everything(world)] == []
        assert f"salesforce Lead {mixed}" in installation_holds(world)
        assert "ambiguous" not in {hold.kind for hold in world.holds("bob@acme.example")}
        assert world.verify().unexplained == 0


def test_a_deleted_record_that_was_nobodys_keeps_nothing_of_whoever_it_was(world: World, known: str) -> None:
    """The Contact of a converted Lead is seen first, and deleted by then; the person is forgotten before the
    conversion is seen."""
    lead_id = world.sf_lead(ANN)["Id"]
    made = world.salesforce.convert_lead(lead_id, "Closed - Converted")
    world.salesforce.delete("Contact", made.contact_id)
    with world.database.begin() as conn:
        put_hints(conn, [Hint("salesforce", "Contact", made.contact_id, "read", world.clock.now_ms())])
    follow_hints(world.leadloop, "salesforce")

    forget(world, known)

    assert [word for word in PERSONAL if word in everything(world)] == []
    world.run()
    assert world.verify().unexplained == 0
    assert [word for word in PERSONAL if word in everything(world)] == []


def test_the_deleted_contact_of_a_lead_whose_conversion_is_seen_later_is_known_as_deleted(
    world: World, known: str
) -> None:
    lead_id = world.sf_lead(ANN)["Id"]
    made = world.salesforce.convert_lead(lead_id, "Closed - Converted")
    world.salesforce.delete("Contact", made.contact_id)
    with world.database.begin() as conn:
        put_hints(conn, [Hint("salesforce", "Contact", made.contact_id, "read", world.clock.now_ms())])
    follow_hints(world.leadloop, "salesforce")
    world.run()

    assert world.lead(known).cut_sides == ("salesforce",)
    world.salesforce.undelete("Contact", made.contact_id)
    world.run()
    assert world.lead(known).cut_sides == ()
    assert world.salesforce.get("Contact", made.contact_id)["Leadloop_Stage__c"] == "qualified"


def test_a_known_persons_record_that_takes_the_address_stays_out_and_nothing_is_sent_there(
    world: World, known: str
) -> None:
    """Sales gives Bob's Lead the address of Ann, who was forgotten."""
    bob = world.salesforce.insert("Lead", LastName="Ray", Company="Acme", Email="bob@acme.example")
    world.run()
    forget(world, known)
    world.salesforce.update("Lead", bob, Email=ANN, Title="Ann again")
    world.run()

    world.hubspot.update("contacts", world.contact("bob@acme.example")["hs_object_id"], jobtitle="Buyer")

    assert world.run().written == 0
    assert world.salesforce.get("Lead", bob)["Title"] == "Ann again"
    assert b"Ann again" not in everything(world)
    assert f"salesforce Lead {bob}" in installation_holds(world)
    assert world.lead("bob@acme.example").values["job_title"] == "Buyer", "he is known as ever"
    found = world.verify()
    assert found.amiss == 0, found
    with world.database.begin() as conn:
        remember(conn, world.leadloop, f"salesforce Lead {bob}")
    world.salesforce.update("Lead", bob, Email="bob@acme.example", Title="Seller")
    world.run()
    assert world.contact("bob@acme.example")["jobtitle"] == "Seller"


@pytest.mark.parametrize("how", ["told", "archived", "purged"])
def test_the_hold_ends_when_hubspot_has_the_record_no_more(world: World, known: str, how: str) -> None:
    """By the event, by the hourly look into the recycle bin, or by the sweep where nothing is left to see."""
    contact = str(world.contact(ANN)["hs_object_id"])
    forget(world, known)
    assert f"hubspot contacts {contact}" in installation_holds(world)

    if how == "archived":
        world.hubspot.archive("contacts", contact)
        world.later(hours=1)
        world.run()
    else:
        world.hubspot.privacy_delete(contact)
        world.run()
        assert f"hubspot contacts {contact}" in installation_holds(world), "nothing tells of it"
        if how == "told":
            with world.database.begin() as conn:
                put_hints(conn, [Hint("hubspot", "contacts", contact, "deleted", world.clock.now_ms())])
            follow_hints(world.leadloop, "hubspot")
        else:
            world.verify()

    assert f"hubspot contacts {contact}" not in installation_holds(world)
    assert [each for each in installation_holds(world) if each.startswith("salesforce")] != []


def test_the_contact_of_a_forgotten_lead_without_an_address_is_forgotten_though_read_first(
    world: World,
) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Unusual", Company="Acme")
    world.run()
    forget(world, world.salesforce.get("Lead", lead_id)["Leadloop_Id__c"])
    world.later(hours=2)

    contact = converted_and_read_contact_first(world, lead_id)

    assert b"Unusual" not in everything(world)
    assert nobody_is_known(world)
    assert f"salesforce Contact {contact}" in installation_holds(world)
    assert world.run().written == 0


def test_somebody_elses_contact_that_a_forgotten_lead_is_converted_into_stays_known(world: World) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Unusual", Company="Acme")
    account = world.salesforce.insert("Account", Name="Acme")
    bob = world.salesforce.insert("Contact", LastName="Ray", AccountId=account, Email="bob@acme.example")
    world.run()
    forget(world, world.salesforce.get("Lead", lead_id)["Leadloop_Id__c"])
    world.later(hours=2)

    converted_and_read_contact_first(world, lead_id, account_id=account, contact_id=bob)

    assert world.lead("bob@acme.example").stage in ("nurture", "qualified")
