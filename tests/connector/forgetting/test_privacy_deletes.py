"""Whom a platform has deleted for privacy nobody makes there again, whatever leadloop knew of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from connector.intake.hints import follow_hints
from connector.observation import RecordKey
from connector.store import leads as lead_store
from connector.store import outsiders, quarantine
from connector.store.holds import INSTALLATION, open_holds
from connector.store.inbox import Hint, put_hints
from connector.store.links import linked
from connector.store.waiting_activities import WaitingActivity, put
from tests.connector.forgetting.traces import everything, forget
from tests.connector.test_ambiguity import ANNS_PHONE, BOBS_PHONE, WITH_PHONE
from tests.connector.test_filters import documents
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration

BOB = "bob@acme.example"


def privacy_delete(world: World, contact: str, told: Sequence[str] = ("forget",)) -> None:
    """In HubSpot, which tells of it, and of a deletion as well, in any order."""
    world.hubspot.privacy_delete(contact)
    for kind in told:
        with world.database.begin() as conn:
            put_hints(conn, [Hint("hubspot", "contacts", contact, kind, world.clock.now_ms())])
        follow_hints(world.leadloop, "hubspot")


def known_leads(world: World) -> list[str]:
    with world.database.read() as conn:
        return lead_store.iterate_lead_ids(conn)


def holds(world: World, kind: str) -> set[str]:
    with world.database.read() as conn:
        return {hold.subject for found in open_holds(conn).values() for hold in found if hold.kind == kind}


def test_a_lead_that_comes_back_from_the_recycle_bin_after_its_contact_was_erased_stays_out(
    world: World,
) -> None:
    lead_id = make_mql(world)
    contact = str(world.contact(ANN)["id"])
    world.salesforce.delete("Lead", lead_id)
    world.run()
    privacy_delete(world, contact)
    world.salesforce.undelete("Lead", lead_id)
    world.run()

    assert known_leads(world) == []
    assert world.hubspot.rows("contacts") == []
    assert holds(world, "forgotten") == {f"salesforce Lead {lead_id}"}
    found = world.verify()
    assert found.found == {"forgotten": 1}, found
    assert ANN.encode() not in everything(world)


@pytest.mark.parametrize("told", [("forget",), ("forget", "deleted"), ("deleted", "forget")])
def test_the_person_of_a_contact_outside_the_filter_is_not_made_again_when_sales_enters_them(
    tmp_path: Path, told: Sequence[str]
) -> None:
    with World(tmp_path, configuration(RULES, documents(map_='company == "Acme"'))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        contact = world.hubspot.create("contacts", email=ANN, lastname="Lee", company="Other")
        world.run()
        assert known_leads(world) == []

        privacy_delete(world, contact, told)
        made = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.run()

        assert world.hubspot.rows("contacts") == []
        assert known_leads(world) == []
        assert holds(world, "forgotten") == {f"salesforce Lead {made}"}


def test_a_record_outside_on_the_other_side_goes_with_the_contact_outside_that_was_erased(
    tmp_path: Path,
) -> None:
    filters = documents('lead_source == "Web"', 'company == "Acme"')
    with World(tmp_path, configuration(RULES, filters)) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        contact = world.hubspot.create("contacts", email=ANN, lastname="Lee", company="Other")
        lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.run()
        privacy_delete(world, contact)
        assert ANN.encode() not in everything(world)
        assert holds(world, "forgotten") == {f"salesforce Lead {lead_id}"}
        world.salesforce.update("Lead", lead_id, LeadSource="Web")
        world.run()
        assert known_leads(world) == []
        assert world.hubspot.rows("contacts") == []


def test_an_address_that_hubspot_never_takes_again_makes_no_contact_without_it(world: World) -> None:
    """Deleted there for privacy before leadloop was connected: nobody here knows of it."""
    world.hubspot.privacy_delete(ANN)
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Phone="+4930123")
    world.run()

    assert world.hubspot.rows("contacts") == []
    assert [hold.kind for hold in world.holds(ANN)] == ["record_refused"]
    assert "email: " in world.holds(ANN)[0].message
    assert ANN not in world.holds(ANN)[0].message
    world.later(hours=3)
    world.run()
    assert world.verify().found == {"quarantined": 1}
    assert world.run().written == 0

    world.salesforce.update("Lead", lead_id, Email="lee@acme.example")
    world.run()
    assert world.contact("lee@acme.example")["leadloop_id"] == world.lead(lead_id).lead_id
    assert world.holds(lead_id) == []
    with world.database.read() as conn:
        assert [row.field for row in quarantine.quarantined(conn)] in ([], ["email"])


def test_a_contact_that_may_have_been_one_of_two_people_holds_neither_once_it_is_erased(
    tmp_path: Path,
) -> None:
    with World(tmp_path, configuration(documents={"preset:lead": WITH_PHONE})) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        for name, phone in (("ann", ANNS_PHONE), ("bob", BOBS_PHONE)):
            email = f"{name}@acme.example"
            world.salesforce.insert("Lead", LastName=name, Company="Acme", Email=email, Phone=phone)
        world.run()
        world.hubspot.update("contacts", world.contact(BOB)["id"], phone=ANNS_PHONE)
        third = world.hubspot.create("contacts", email="third@acme.example", lastname="C", phone=ANNS_PHONE)
        world.run()
        assert f"hubspot:contacts:{third}" in holds(world, "ambiguous")

        privacy_delete(world, third)

        assert f"hubspot:contacts:{third}" not in holds(world, "ambiguous")
        world.salesforce.insert("Lead", LastName="C", Company="Acme", Email="third@acme.example")
        world.run()
        assert all(row["email"] != "third@acme.example" for row in world.hubspot.rows("contacts"))
        assert len(known_leads(world)) == 2


def test_installation_holds_of_the_erased_end_with_their_records(world: World) -> None:
    lead_id = make_mql(world)
    privacy_delete(world, str(world.contact(ANN)["id"]))
    world.salesforce.delete("Lead", lead_id)
    world.run()
    with world.database.read() as conn:
        assert INSTALLATION not in open_holds(conn)


@pytest.mark.parametrize("company", ["Acme", "Other"])
def test_a_record_that_carried_the_erased_address_once_and_is_somebody_elses_now_stays(
    tmp_path: Path, company: str
) -> None:
    """Carol's, a lead or outside the filter: the table of outsiders still says that it was Bob's."""
    with World(tmp_path, configuration(RULES, documents(map_='company == "Acme"'))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        carol = world.hubspot.create("contacts", email="carol@acme.example", lastname="C", company=company)
        bob = world.hubspot.create("contacts", email=BOB, lastname="Ray", company="Other")
        world.run()
        record = RecordKey("hubspot", "contacts", carol)
        with world.database.begin() as conn:
            names = [("email", BOB, record), ("email", "carol@acme.example", record)]
            outsiders.replace(conn, [record], names)
            before = linked(conn, [record])
        assert bool(before) == (company == "Acme")

        privacy_delete(world, bob)
        world.hubspot.update("contacts", carol, city="Oslo")
        world.run()

        with world.database.read() as conn:
            assert linked(conn, [record]) == before
        assert holds(world, "forgotten") == set()
        assert BOB.encode() not in everything(world)
        assert b"Oslo" in everything(world)
        assert world.verify().amiss == 0


def test_what_was_handed_in_for_the_address_of_a_contact_outside_goes_with_it(tmp_path: Path) -> None:
    with World(tmp_path, configuration(RULES, documents(map_='company == "Acme"'))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        contact = world.hubspot.create("contacts", email=ANN, lastname="Lee", company="Other")
        world.run()
        with world.database.begin() as conn:
            put(conn, [WaitingActivity("source:product:1", ANN, "login", 1)])
        privacy_delete(world, contact)
        assert ANN.encode() not in everything(world)


def test_a_record_outside_that_was_never_joined_to_the_lead_of_its_address_goes_with_the_lead(
    tmp_path: Path,
) -> None:
    """The filter is edited: the lead begins while none is in force, and nobody edits the other record."""
    with World(tmp_path, configuration(RULES, documents(map_='company == "Acme"'))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        contact = world.hubspot.create("contacts", email=ANN, lastname="Lee", company="Other")
        world.run()
        world.reconnect()
        world.config = configuration(RULES)
        lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        with world.database.begin() as conn:
            put_hints(conn, [Hint("salesforce", "Lead", lead_id, "read", world.clock.now_ms())])
        follow_hints(world.leadloop, "salesforce")
        assert len(known_leads(world)) == 1

        forget(world, known_leads(world)[0])

        assert ANN.encode() not in everything(world)
        assert holds(world, "forgotten") == {f"salesforce Lead {lead_id}", f"hubspot contacts {contact}"}
