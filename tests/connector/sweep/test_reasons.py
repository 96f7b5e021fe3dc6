"""A sweep knows the reason of what differs and needs no repair, and leaves it alone."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event

from connector.configuration import shipped
from connector.intake.backfill import begin, objects_of, read
from connector.intake.forgetting import forget_lead
from connector.sandbox.faults import Rewrite
from connector.sandbox.salesforce.world import ValidationRule
from connector.store import leads as lead_store
from connector.worker.passes import Pass, look
from tests.connector.sweep.sweeping import (
    BOB,
    amiss,
    behind,
    bob_comes,
    lead_of,
)
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration


def test_a_lead_that_the_mapping_does_not_want_there_is_filtered(known: World) -> None:
    bob_comes(known)
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.lead_id for one in found.named["filtered"]] == [lead_of(known, BOB)]


def test_a_value_that_a_platform_refused_is_quarantined(known: World) -> None:
    known.salesforce.add_validation_rule(
        ValidationRule("Lead", "no_nobody", "Title = 'Nobody'", "Nobody is no title", "Title")
    )
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], jobtitle="Nobody")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["quarantined"]] == [("Title",)]


def test_a_record_that_could_be_one_of_two_people_is_held(known: World) -> None:
    bob_comes(known)
    record = known.salesforce.insert("Lead", LastName="Ray", Company="Acme", Email=BOB)
    known.run()
    known.salesforce.update("Lead", record, Email=ANN)
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert f"salesforce:Lead:{record}" in {one.record for one in found.named["held"]}


def test_writes_that_wait_are_pending(known: World) -> None:
    behind(known)
    known.salesforce.update("Lead", known.sf_lead(ANN)["Id"], Title="Chief Buyer")
    known.later(minutes=1)
    look(known.leadloop, Pass())
    found = known.verify()
    assert amiss(found) == {}
    assert found.found["pending"] >= 1
    known.run()
    assert known.verify().found == {}


def test_a_forgotten_person_is_named_by_the_record_alone(known: World) -> None:
    behind(known)
    with known.database.begin() as conn:
        forget_lead(conn, known.leadloop, lead_of(known, ANN), known.clock.now_ms())
    found = known.verify()
    assert amiss(found) == {}
    assert {one.lead_id for one in found.named["forgotten"]} == {None}
    with known.database.read() as conn:
        assert lead_store.find_leads(conn, ANN) == []


def test_what_differed_at_first_contact_is_left_alone_and_named(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Title="Buyer")
    world.hubspot.create("contacts", email=ANN, lastname="Lee", jobtitle="Chief Buyer")
    behind(world)
    found = world.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["first_contact"]] == [("jobtitle",)]


def test_what_somebody_emptied_and_that_erases_nothing_is_blank(known: World) -> None:
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], jobtitle="")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert "first_contact" not in found.named
    assert [one.fields for one in found.named["blank"]] == [("jobtitle",)]
    assert known.sf_lead(ANN)["Title"] == "VP Sales"


def test_what_a_platform_spells_its_own_way_is_named_and_left_alone(known: World) -> None:
    known.salesforce.faults.rewrite_on_save.append(Rewrite("Lead", "Title", "truncate", 6))
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], jobtitle="Head of Buying")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["own_spelling"]] == [("Title",)]
    assert known.run().written == 0


def test_what_is_blank_on_one_side_is_no_reason_for_a_spelling_on_the_other(known: World) -> None:
    known.salesforce.faults.rewrite_on_save.append(Rewrite("Lead", "Title", "truncate", 6))
    contact = known.contact(ANN)["hs_object_id"]
    known.hubspot.update("contacts", contact, jobtitle="Head of Buying")
    known.run()
    known.hubspot.update("contacts", contact, jobtitle="")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert "first_contact" not in found.named
    assert [one.fields for one in found.named["own_spelling"]] == [("Title",)]
    assert [one.fields for one in found.named["blank"]] == [("jobtitle",)]


def test_what_means_nothing_here_is_named_and_left_alone(known: World) -> None:
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], phone="+4930123456")
    known.run()
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], phone="call me")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["unreadable"]] == [("phone",)]
    assert known.contact(ANN)["phone"] == "call me"


def test_what_is_only_read_on_a_side_is_named_and_left_alone(known: World) -> None:
    known.salesforce.update("Lead", known.sf_lead(ANN)["Id"], HasOptedOutOfEmail=True)
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert ("hs_email_optout",) in [one.fields for one in found.named["read_only"]]


def test_an_owner_without_a_spelling_there_is_named_and_left_alone(tmp_path: Path) -> None:
    route = "{route: everyone, pool: [sam@sales.example, kim@sales.example]}"
    assert route in RULES
    rules = RULES.replace(route, '{route: everyone, owner: "queue:Inbound Leads"}')
    with World(tmp_path, configuration(rules)) as world:
        world.salesforce.add_queue("Inbound Leads")
        make_mql(world)
        behind(world)
        found = world.verify()
        assert amiss(found) == {}
        assert [one.fields for one in found.named["unspelled"]] == [("hubspot_owner_id",)]


def test_who_rests_and_lacks_a_record_is_named_and_gets_none(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.later(days=1)
        for standing in begin(world.leadloop, objects_of(world.leadloop)):
            read(world.leadloop, standing, lambda _standing, _seconds: None, Event())
        behind(world)
        found = world.verify()
        assert amiss(found) == {}
        assert [one.lead_id for one in found.named["resting"]] == [world.lead(ANN).lead_id]
        assert world.hubspot.rows("contacts") == []


def test_what_somebody_fills_in_where_leadloop_only_writes_is_blank_here_and_stays(tmp_path: Path) -> None:
    """Nothing is known of the industry, and nobody is opted in, by what is not read."""
    text = shipped("mappings", "hubspot")
    for field, native in (("industry", "industry"), ("opted_out", "hs_email_optout")):
        text = re.sub(
            rf"(?m)^(      {field}): .*{native}.*$", rf"\1: {{field: {native}, direction: write}}", text
        )
    with World(tmp_path, configuration(documents={"preset:hubspot": text})) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        make_mql(world)
        contact = world.contact(ANN)["hs_object_id"]
        world.hubspot.update("contacts", contact, industry="BANKING", hs_email_optout="true")
        behind(world)
        found = world.verify()
        assert amiss(found) == {}, found
        assert [set(one.fields) for one in found.named["blank"]] == [{"industry", "hs_email_optout"}]
        assert world.run().written == 0
        shown = world.hubspot.get("contacts", contact)
        assert (shown["industry"], shown["hs_email_optout"]) == ("BANKING", "true")
        assert world.sf_lead(ANN)["HasOptedOutOfEmail"] is False
