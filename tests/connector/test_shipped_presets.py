"""The shipped rules at work: who fills in the form that each is written for reaches the right queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.configuration import shipped
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import World, configuration

PEOPLE = {
    "company": "Acme AG",
    "country": "Germany",
    "phone": "+49 30 901820",
    "industry": "Automotive banking",
}


@pytest.mark.parametrize(
    ("preset", "title", "form", "queue"),
    [
        ("b2b-saas", "Head of Sales", "Pricing: Start free trial", "Inbound Leads Europe"),
        ("manufacturer", "Head of Production", "Valves: order a sample", "Territory DACH"),
        ("services", "CFO", "RFP: core banking", "Financial Services Practice"),
    ],
)
def test_the_form_that_a_preset_is_written_for_reaches_its_queue(
    tmp_path: Path, preset: str, title: str, form: str, queue: str
) -> None:
    with World(tmp_path, configuration(shipped("rules", preset))) as world:
        owner = world.salesforce.add_queue(queue)
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter_ann(world, jobtitle=title, **PEOPLE)
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture"
        assert world.contact(ANN)["leadloop_nurture_track"]

        world.hubspot.submit_form(ANN, form)
        world.run()

        lead, contact = world.sf_lead(ANN), world.contact(ANN)
        assert lead["OwnerId"] == owner
        assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "distributed"
        assert lead["Leadloop_Grade__c"] in ("A", "B")
        assert world.holds(ANN) == []
