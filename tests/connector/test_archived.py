"""Deletions that no feed of changes tells of are found within the hour, and so is a record that came back."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.intake.archived import PAGES_AT_ONCE
from connector.intake.poll import poll
from connector.sandbox import HUBSPOT_ACCESS_TOKEN
from tests.connector.switched_on import with_objects
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World, configuration


@pytest.fixture
def contact(world: World) -> str:
    """Ann is known on both platforms, and her HubSpot contact is archived while leadloop looks away."""
    make_mql(world)
    contact_id = str(world.contact(ANN)["hs_object_id"])
    world.hubspot.archive("contacts", contact_id)
    return contact_id


def test_an_archived_contact_cuts_its_side_within_the_hour(world: World, contact: str) -> None:
    world.run()
    assert world.lead(ANN).cut_sides == (), "search never shows archived records"
    world.later(hours=1)
    world.run()
    assert world.lead(ANN).cut_sides == ("hubspot",)
    assert world.hubspot.rows("contacts") == [], "a deletion is not undone by re-creating"


def test_a_restored_contact_is_taken_up_again(world: World, contact: str) -> None:
    world.later(hours=1)
    world.run()
    world.hubspot.restore("contacts", contact)
    world.salesforce.update("Lead", world.sf_lead(ANN)["Id"], Title="Chief Buyer")
    world.run()
    assert world.lead(ANN).cut_sides == ()
    assert world.contact(ANN)["jobtitle"] == "Chief Buyer"


def test_the_recycle_bin_is_listed_once_an_hour_and_costs_nothing_where_changes_tell_all(
    world: World, contact: str
) -> None:
    world.run()
    world.later(hours=1)
    world.run()
    for platform in (world.hubspot, world.salesforce):
        platform.requests.reset()
    for _ in range(5):
        world.run()
    lists = [each for each in world.hubspot.requests.log if each.method == "GET"]
    assert lists == []
    world.later(hours=1)
    world.run()
    lists = [each.path for each in world.hubspot.requests.log if each.method == "GET"]
    assert len(lists) == len(world.leadloop.feeds["hubspot"].objects), lists


def test_a_bin_that_is_full_is_listed_bit_by_bit_and_to_its_end(world: World) -> None:
    make_mql(world)
    poll(world.leadloop, "hubspot")
    for number in range(1_200):
        contact_id = world.hubspot.create("contacts", email=f"p{number}@x.example")
        world.hubspot.archive("contacts", contact_id)
    world.hubspot.archive("contacts", str(world.contact(ANN)["hs_object_id"]))
    lists = []
    world.later(hours=1)
    for _ in range(5):
        world.hubspot.requests.reset()
        poll(world.leadloop, "hubspot")
        lists.append(len([each for each in world.hubspot.requests.log if each.method == "GET"]))
        world.later(seconds=30)
    assert lists == [PAGES_AT_ONCE, PAGES_AT_ONCE, 13 - 2 * PAGES_AT_ONCE, 0, 0]
    world.run()
    assert world.lead(ANN).cut_sides == ("hubspot",)


def test_an_object_that_is_refused_keeps_no_other_from_being_listed(tmp_path: Path) -> None:
    config = configuration(documents={"preset:hubspot": with_objects("deals")})
    with World(tmp_path, config) as world:
        make_mql(world)
        told: list[str] = []
        world.leadloop.on_event = lambda name, _: told.append(name)
        contact_id = str(world.contact(ANN)["hs_object_id"])
        world.hubspot.archive("contacts", contact_id)
        scopes = [f"crm.objects.contacts.{verb}" for verb in ("read", "write")]
        world.hubspot.access.add_token(HUBSPOT_ACCESS_TOKEN, scopes)
        world.later(hours=1)
        poll(world.leadloop, "hubspot", ["contacts"])
        assert told.count("archived_refused") == 1
        poll(world.leadloop, "hubspot", ["contacts"])
        assert told.count("archived_refused") == 1, "not asked for with every look"
        world.hubspot.access.add_token(HUBSPOT_ACCESS_TOKEN)
        world.run()
        assert world.lead(ANN).cut_sides == ("hubspot",)
