"""A record that joined somebody by a mistyped or shared address leaves them once the address is put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.observation import RecordKey
from connector.store.activities import activities_of
from connector.store.links import keys_of_leads, linked
from tests.connector.test_ambiguity import BOBS_PHONE, WITH_PHONE
from tests.connector.test_filters import documents
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration

BOB = "bob@bolt.example"


def enter(world: World, email: str, last_name: str = "Ray", **fields: str) -> str:
    """Sales enters a Lead of Bob's."""
    lead_id = world.salesforce.insert("Lead", LastName=last_name, Company="Bolt", Email=email, **fields)
    world.run()
    return lead_id


def correct(world: World, lead_id: str, email: str = BOB) -> None:
    world.salesforce.update("Lead", lead_id, Email=email)
    world.run()


def lead_of(world: World, lead_id: str) -> str:
    key = RecordKey("salesforce", "Lead", lead_id)
    with world.database.read() as conn:
        return linked(conn, [key])[key].lead_id


def kinds(world: World, email: str) -> list[str]:
    """What somebody has done."""
    lead_id = world.lead(email).lead_id
    with world.database.read() as conn:
        return [item.kind for item in activities_of(conn, [lead_id])[lead_id]]


def stage_shown(world: World, lead_id: str) -> object:
    return world.salesforce.get("Lead", lead_id)["Leadloop_Stage__c"]


def test_a_mistyped_address_put_right_leads_to_the_person_it_is_of(world: World) -> None:
    anns = make_mql(world)
    contact = world.hubspot.create(
        "contacts", email=BOB, firstname="Bob", lastname="Ray", jobtitle="VP Sales"
    )
    world.run()
    bobs = enter(world, ANN)
    assert lead_of(world, bobs) == world.lead(ANN).lead_id

    correct(world, bobs)

    assert lead_of(world, bobs) == world.lead(BOB).lead_id != world.lead(ANN).lead_id
    assert [world.holds(email) for email in (ANN, BOB)] == [[], []]
    world.hubspot.submit_form(BOB, "Pricing")
    world.run()
    assert (
        stage_shown(world, bobs) == world.hubspot.get("contacts", contact)["leadloop_stage"] == "distributed"
    )
    assert world.salesforce.get("Lead", anns)["Email"] == world.contact(ANN)["email"] == ANN
    assert world.verify().unexplained == 0


def test_of_two_people_behind_one_address_each_is_a_lead_once_they_are_told_apart(world: World) -> None:
    make_mql(world)
    bobs = enter(world, ANN)

    correct(world, bobs)

    assert world.contact(BOB)["lastname"] == "Ray"
    assert world.contact(BOB)["leadloop_id"] == lead_of(world, bobs) != world.lead(ANN).lead_id
    world.hubspot.submit_form(BOB, "Pricing", firstname="Bob", lastname="Ray", jobtitle="VP Sales")
    world.run()
    assert stage_shown(world, bobs) == "distributed"
    assert world.verify().unexplained == 0


def test_an_address_that_is_emptied_first_and_filled_in_later_is_put_right_too(world: World) -> None:
    make_mql(world)
    bobs = enter(world, ANN)
    world.salesforce.update("Lead", bobs, Email=None)
    world.run()
    assert lead_of(world, bobs) == world.lead(ANN).lead_id, "nothing says whose it is"

    correct(world, bobs)

    assert lead_of(world, bobs) == world.lead(BOB).lead_id != world.lead(ANN).lead_id


def test_a_number_of_its_own_keeps_no_record_with_another_person(tmp_path: Path) -> None:
    with World(tmp_path, configuration(RULES, {"preset:lead": WITH_PHONE})) as world:
        make_mql(world)
        bobs = enter(world, ANN, Phone=BOBS_PHONE)

        correct(world, bobs)

        assert lead_of(world, bobs) == world.lead(BOB).lead_id != world.lead(ANN).lead_id
        with world.database.read() as conn:
            keys = keys_of_leads(conn, [lead_of(world, bobs)])[lead_of(world, bobs)]
        assert {key.kind for key in keys} == {"email", "phone"}
        assert world.verify().unexplained == 0


def test_an_address_is_put_right_after_the_persons_own_has_changed(world: World) -> None:
    anns = make_mql(world)
    bobs = enter(world, ANN)
    correct(world, anns, "ann.lee@acme.example")

    correct(world, bobs)

    assert lead_of(world, bobs) == world.lead(BOB).lead_id != lead_of(world, anns)


def test_a_persons_second_record_follows_a_change_of_the_domain_whatever_its_first_name(world: World) -> None:
    anns = make_mql(world)
    second = enter(world, ANN, last_name="Lee", FirstName="Annie")

    correct(world, second, "ann@acme-holding.example")
    correct(world, anns, "ann@acme-holding.example")

    assert lead_of(world, second) == lead_of(world, anns)
    assert len(world.hubspot.rows("contacts")) == 1
    assert world.holds(lead_of(world, anns)) == []


def test_what_was_done_as_the_record_goes_with_it(world: World) -> None:
    make_mql(world)
    bobs = enter(world, ANN)
    campaign = world.salesforce.insert("Campaign", Name="Fair")
    world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=bobs, Status="Responded")
    world.run()

    correct(world, bobs)

    told = {email: kinds(world, email) for email in (ANN, BOB)}
    assert told[BOB] == ["campaign_response"]
    assert "campaign_response" not in told[ANN]


def test_the_record_that_speaks_for_a_person_has_another_address_and_stays(world: World) -> None:
    anns = make_mql(world)
    enter(world, ANN)

    correct(world, anns, "ann.lee@acme.example")

    assert lead_of(world, anns) == world.lead("ann.lee@acme.example").lead_id
    assert world.contact("ann.lee@acme.example")["leadloop_stage"] == "distributed"


def test_a_persons_second_record_of_the_same_name_stays_with_a_new_address(world: World) -> None:
    make_mql(world)
    second = enter(world, ANN, last_name="Lee", FirstName="Ann")

    correct(world, second, "ann.lee@home.example")

    assert lead_of(world, second) == world.lead(ANN).lead_id
    assert len(world.hubspot.rows("contacts")) == 1


def test_a_second_record_that_a_merge_brought_stays_with_a_new_address(world: World) -> None:
    anns = make_mql(world)
    world.hubspot.submit_form(BOB, "Pricing", firstname="Bob", lastname="Ray", jobtitle="VP Sales")
    world.run()
    bobs = next(row["Id"] for row in world.salesforce.rows("Lead") if row["Email"] == BOB)
    world.salesforce.merge(anns, bobs)
    world.run()
    second = world.contact(BOB)["id"]

    world.hubspot.update("contacts", second, email="bob@home.example")
    world.run()

    key = RecordKey("hubspot", "contacts", second)
    with world.database.read() as conn:
        assert linked(conn, [key])[key].lead_id == lead_of(world, anns)
    assert [row["Id"] for row in world.salesforce.rows("Lead")] == [anns]


@pytest.mark.parametrize("title", ["Partner", "Buyer"])
def test_a_record_outside_the_filter_leaves_too(tmp_path: Path, title: str) -> None:
    texts = documents(crm='is_blank(job_title) or job_title != "Partner"')
    with World(tmp_path, configuration(RULES, texts)) as world:
        make_mql(world)
        bobs = enter(world, ANN, Title=title)

        correct(world, bobs)
        world.hubspot.submit_form(BOB, "Pricing", firstname="Bob", lastname="Ray", jobtitle="VP Sales")
        world.run()

        assert lead_of(world, bobs) == world.lead(BOB).lead_id != world.lead(ANN).lead_id
        assert stage_shown(world, bobs) == (None if title == "Partner" else "distributed")
        assert len(world.salesforce.rows("Lead")) == 2
