"""Leads from before leadloop rest in their stage until somebody does something, or they are released."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector.resting import release
from mappings.stages import Stage
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import RULES, World, configuration

ACME_IS_WANTED = RULES.replace('contains(description, "demo")', 'company == "Acme"')


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Ann works for Acme, which makes an MQL of anybody, and has been in HubSpot for a day when leadloop is
    connected; it meets her when the platform shows her record in its first look."""
    with World(tmp_path, configuration(ACME_IS_WANTED)) as made:
        enter_ann(made)
        made.later(days=1)
        made.leadloop  # noqa: B018  # connected
        made.hubspot.touch("contacts", made.contact(ANN)["hs_object_id"])
        made.run()
        yield made


def change_a_title(world: World) -> None:
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], jobtitle="CEO")


def submit_a_form(world: World) -> None:
    world.hubspot.submit_form(ANN, "Pricing")


def enter_her_in_salesforce(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)


def edit_an_output(world: World) -> None:
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], leadloop_score="99")


def test_a_lead_from_before_is_shown_its_stage_and_goes_no_further(world: World) -> None:
    assert world.lead(ANN).resting
    assert world.contact(ANN)["leadloop_stage"] == "inquiry"
    world.later(days=40)
    assert world.run().written == 0, "neither time nor what leadloop wrote itself wakes it"
    assert world.lead(ANN).resting
    assert world.salesforce.rows("Lead") == []


@pytest.mark.parametrize("act", [change_a_title, submit_a_form, enter_her_in_salesforce, edit_an_output])
def test_whatever_a_person_does_wakes_it(world: World, act: Callable[[World], None]) -> None:
    act(world)
    world.run()
    lead = world.lead(ANN)
    assert not lead.resting
    assert lead.stage is Stage.DISTRIBUTED
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == world.contact(ANN)["leadloop_stage"] == "distributed"


def test_a_release_wakes_it(world: World) -> None:
    lead_id = world.lead(ANN).lead_id
    with world.database.begin() as conn:
        assert release(conn, [lead_id, "nobody"], world.clock.now_ms()) == [lead_id]
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == world.contact(ANN)["leadloop_stage"] == "distributed"
    with world.database.begin() as conn:
        assert release(conn, [lead_id], world.clock.now_ms()) == []
