"""Deletions that no feed of changes tells of are found within the hour, and so is a record that came back."""

from __future__ import annotations

import pytest

from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World


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
