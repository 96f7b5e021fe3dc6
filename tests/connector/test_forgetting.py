"""A person who asks to be forgotten leaves no trace here, and never comes back by accident."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from connector.intake.forgetting import forget_lead, forget_record, remember
from connector.intake.hints import follow_hints
from connector.lane import Lane
from connector.observation import RecordKey
from connector.platforms.protocol import RecordWrite, WriteResult
from connector.store import holds as hold_store
from connector.store import ledger
from connector.store.inbox import Hint, put_hints
from connector.store.leads import find_leads
from connector.store.schema import metadata
from tests.connector.test_ambiguity import BOBS_PHONE, WITH_PHONE
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration

PERSONAL = (ANN.encode(), b"Ann", b"Lee", b"+4930123")


@pytest.fixture
def known(world: World) -> str:
    """Ann is known on both platforms and was handed to sales; returns her lead's id."""
    make_mql(world)
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], phone="+4930123456")
    world.run()
    return world.lead(ANN).lead_id


def forget(world: World, lead_id: str) -> tuple[RecordKey, ...]:
    with world.database.begin() as conn:
        return forget_lead(conn, lead_id, world.clock.now_ms()).still_there


def everything(world: World) -> bytes:
    """Every value of every table."""
    with world.database.read() as conn:
        rows = [row for table in metadata.sorted_tables for row in conn.execute(select(table))]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def installation_holds(world: World) -> list[str]:
    with world.database.read() as conn:
        held = hold_store.open_holds(conn, [hold_store.INSTALLATION])
    return [hold.subject for hold in held.get(hold_store.INSTALLATION, []) if hold.kind == "forgotten"]


def test_nothing_that_names_the_person_stays_in_any_table(world: World, known: str) -> None:
    before = everything(world)
    assert all(word in before for word in PERSONAL), "else this test could not fail"

    forget(world, known)

    after = everything(world)
    assert [word for word in PERSONAL if word in after] == []


def test_the_history_of_stages_stays_under_an_id_that_leads_to_nobody(world: World, known: str) -> None:
    forget(world, known)
    with world.database.read() as conn:
        assert [row.target for row in ledger.of_lead(conn, known)][-1] == "distributed"
        assert find_leads(conn, ANN) == []


def test_the_ledger_never_holds_what_names_the_person_even_if_a_rule_looked_at_it(tmp_path: Path) -> None:
    work_address = "    - {rule: work address, when: not is_free_mail(email), points: 5}"
    with World(tmp_path, configuration(RULES.replace("fit:\n", f"fit:\n{work_address}\n"))) as world:
        make_mql(world)
        with world.database.read() as conn:
            rows = ledger.of_lead(conn, world.lead(ANN).lead_id)
        fired = {rule["rule"]: rule["saw"] for row in rows for rule in row.rules}
        assert fired["work address"] == {}
        assert fired["senior title"] == {"job_title": "VP Sales"}


def test_what_is_left_on_the_platforms_is_held_for_the_admin_until_it_is_gone(
    world: World, known: str
) -> None:
    lead_id, contact_id = world.sf_lead(ANN)["Id"], world.contact(ANN)["hs_object_id"]

    still_there = forget(world, known)

    assert {str(record) for record in still_there} == {
        str(RecordKey("salesforce", "Lead", lead_id)),
        str(RecordKey("hubspot", "contacts", contact_id)),
    }
    assert len(installation_holds(world)) == 2
    world.salesforce.delete("Lead", lead_id)
    world.run()
    assert installation_holds(world) == [f"hubspot contacts {contact_id}"]


def test_a_forgotten_person_is_neither_read_nor_written_nor_made_again(world: World, known: str) -> None:
    lead_id = world.sf_lead(ANN)["Id"]
    forget(world, known)
    world.salesforce.update("Lead", lead_id, Phone="+4940999888", LastName="Lee-Smith")
    world.hubspot.submit_form(ANN, "Pricing again")
    world.later(hours=1)

    world.run()

    with world.database.read() as conn:
        assert find_leads(conn, ANN) == []
    assert b"+4940999888" not in everything(world)
    assert world.run().written == 0
    assert len(world.salesforce.rows("Lead")) == 1
    assert len(world.hubspot.rows("contacts")) == 1


def test_a_new_record_with_the_address_is_not_taken_in_but_held(world: World, known: str) -> None:
    world.salesforce.delete("Lead", world.sf_lead(ANN)["Id"])
    world.run()
    forget(world, known)

    made = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()

    assert f"salesforce Lead {made}" in installation_holds(world)
    assert b"Acme" not in everything(world)
    world.salesforce.update("Lead", made, Email="new@acme.example")
    world.run()
    assert b"new@acme.example" not in everything(world), "the record is known to be theirs"


def test_what_others_wrote_about_the_person_stays_out_too(world: World, known: str) -> None:
    lead_id = world.sf_lead(ANN)["Id"]
    forget(world, known)
    campaign = world.salesforce.insert("Campaign", Name="Webinar for Ann Lee")
    world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead_id, Status="Responded")
    world.run()
    assert lead_id.encode() not in everything(world).replace(f"salesforce Lead {lead_id}".encode(), b"")


def test_when_a_platform_says_that_it_erased_the_person_the_lead_goes(world: World, known: str) -> None:
    contact_id = world.contact(ANN)["hs_object_id"]
    lead_id = world.sf_lead(ANN)["Id"]
    with world.database.begin() as conn:
        record = RecordKey("hubspot", "contacts", contact_id)
        forget_record(conn, record, world.clock.now_ms())
        forget_record(conn, record, world.clock.now_ms())
        assert find_leads(conn, ANN) == []
    assert installation_holds(world) == [f"salesforce Lead {lead_id}"]


def test_a_person_who_comes_back_can_be_known_again(world: World, known: str) -> None:
    lead_id, contact_id = world.sf_lead(ANN)["Id"], world.contact(ANN)["hs_object_id"]
    forget(world, known)
    with world.database.begin() as conn:
        assert remember(conn, world.leadloop, " ANN@acme.example ") == 1
        assert remember(conn, world.leadloop, f"salesforce Lead {lead_id}") == 1
        assert remember(conn, world.leadloop, "nobody@acme.example") == 0
    world.salesforce.update("Lead", lead_id, Phone="+4940999888")
    world.run()
    lead = world.lead(ANN)
    assert (lead.stage, lead.rejections) == ("distributed", ()), "what the record itself shows"
    assert installation_holds(world) == [f"hubspot contacts {contact_id}"]


def test_others_are_read_as_before(world: World, known: str) -> None:
    forget(world, known)
    world.hubspot.create("contacts", source="FORM", email="bob@acme.example", lastname="Ray")
    world.run()
    assert world.lead("bob@acme.example").stage == "nurture"


PHONE = "+4930123456"


def without_an_address(world: World) -> tuple[str, str]:
    """Somebody of whom only the telephone is known; returns the contact's and the lead's id."""
    contact = world.hubspot.create("contacts", lastname="Lee", phone=PHONE, jobtitle="VP Sales")
    world.run()
    return contact, world.hubspot.get("contacts", contact)["leadloop_id"]


def nobody_is_known(world: World) -> bool:
    with world.database.read() as conn:
        return conn.execute(select(metadata.tables["leads"])).first() is None


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


def converted_and_read_contact_first(world: World, lead_id: str, **into: str) -> str:
    made = world.salesforce.convert_lead(lead_id, "Closed - Converted", **into)
    for name, record_id in (("Contact", made.contact_id), ("Lead", lead_id)):
        with world.database.begin() as conn:
            put_hints(conn, [Hint("salesforce", name, record_id, "read", world.clock.now_ms())])
        follow_hints(world.leadloop, "salesforce")
    world.run()
    return str(made.contact_id)


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
