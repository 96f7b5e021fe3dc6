"""An object that is taken out of the mapping leaves records behind: what they were stops no lead."""

from __future__ import annotations

import pytest
import yaml

from connector.configuration import shipped
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World, configuration


def without(world: World, name: str) -> None:
    """`leadloop apply` with a mapping that has this object of Salesforce's no more, and a restart."""
    document = yaml.safe_load(shipped("mappings", "salesforce"))
    document["objects"].pop(name)
    world.reconnect()
    world.config = configuration(documents={"preset:salesforce": yaml.safe_dump(document, sort_keys=False)})
    world.run()


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_a_lead_whose_record_was_deleted_there_goes_on(world: World, name: str) -> None:
    account = world.salesforce.insert("Account", Name="Acme")
    more = {"AccountId": account} if name == "Contact" else {"Company": "Acme"}
    record_id = world.salesforce.insert(name, LastName="Lee", Email=ANN, **more)
    world.run()
    world.salesforce.delete(name, record_id)
    world.run()

    without(world, name)
    world.hubspot.submit_form(ANN, "Pricing", firstname="Ann", jobtitle="VP Sales")
    world.run()

    assert "cannot_decide" not in {hold.kind for hold in world.holds(ANN)}
    assert world.contact(ANN)["recent_conversion_event_name"] == "Pricing"
    assert world.lead(ANN).stage.value in ("mql", "distributed")
    assert world.verify().unexplained == 0


def test_a_contact_is_met_whose_converted_lead_is_mapped_no_more(world: World) -> None:
    lead = make_mql(world)
    without(world, "Contact")
    contact = world.salesforce.convert_lead(lead, "Closed - Converted").contact_id
    world.run()

    without(world, "Lead")
    world.salesforce.update("Contact", contact, Title="CEO")
    world.run()

    assert "cannot_decide" not in {hold.kind for hold in world.holds(ANN)}
    assert world.contact(ANN)["jobtitle"] == "CEO"
    assert world.salesforce.get("Contact", contact)["Leadloop_Stage__c"] == "qualified"
