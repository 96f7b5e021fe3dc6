"""A filter edited through `leadloop apply`: who leaves and who enters, though nobody edits a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.configuration import load_configuration
from connector.settle import settle
from connector.store import leads as lead_store
from connector.worker.passes import Pass, look
from tests.cli.people import ANN, ann_asks_for_prices
from tests.cli.shell import Shell
from tests.connector.test_filters import documents
from tests.world import World

MAIN = "mappings: [preset:lead, salesforce.yaml, preset:hubspot]\nrules: [rules.yaml]\n"


@pytest.fixture
def handed_over(world: World, leadloop: Shell) -> str:
    """Ann was handed to sales; returns her Lead's id."""
    ann_asks_for_prices(world)
    world.run()
    return str(world.sf_lead(ANN)["Id"])


def apply_filter(world: World, leadloop: Shell, folder: Path, condition: str) -> None:
    """Leads take part by this condition from now on; leadloop takes it up."""
    (folder / "leadloop.yaml").write_text(MAIN, encoding="utf-8")
    (folder / "salesforce.yaml").write_text(documents(condition)["preset:salesforce"], encoding="utf-8")
    assert leadloop("apply", "--yes").code == 0
    world.reconnect()
    world.config = load_configuration(folder)


def test_what_waits_for_a_record_that_has_left_is_not_sent(
    world: World, leadloop: Shell, folder: Path, handed_over: str
) -> None:
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Hamburg")
    world.later(minutes=1)
    look(world.leadloop, Pass())
    assert settle(world.leadloop).writes > 0

    apply_filter(world, leadloop, folder, 'rating == "Hot"')
    world.run()

    assert world.salesforce.get("Lead", handed_over)["City"] is None
    assert world.verify().amiss == 0
    world.salesforce.update("Lead", handed_over, Rating="Hot")
    world.run()
    assert world.salesforce.get("Lead", handed_over)["City"] == "Hamburg"


def test_who_was_out_enters_with_the_next_sweep_and_who_was_in_leaves_at_once(
    world: World, leadloop: Shell, folder: Path, handed_over: str
) -> None:
    apply_filter(world, leadloop, folder, 'rating == "Hot"')
    out = world.salesforce.insert("Lead", LastName="Ray", Company="Bolt", Email="bob@bolt.example")
    world.run()
    assert [row["email"] for row in world.hubspot.rows("contacts")] == [ANN], "Bob is outside"
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Hamburg")
    world.run()
    assert world.salesforce.get("Lead", handed_over)["City"] is None, "Ann has left"
    world.later(hours=3)
    world.run()
    assert world.verify().found == {"filtered": 2}

    apply_filter(world, leadloop, folder, "is_blank(rating)")
    world.run()
    found = world.verify()
    assert found.unexplained == 0
    assert found.left == 0
    world.run()

    assert world.salesforce.get("Lead", handed_over)["City"] == "Hamburg", "Ann is in again"
    assert world.salesforce.get("Lead", out)["Leadloop_Stage__c"] == "nurture"
    assert world.contact("bob@bolt.example")["leadloop_id"] == world.lead(out).lead_id
    again = world.verify()
    assert again.amiss == 0, again
    with world.database.read() as conn:
        assert len(lead_store.iterate_lead_ids(conn)) == 2
    assert world.run().written == 0
