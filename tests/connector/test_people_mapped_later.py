"""An object with people that is mapped later holds people whom nobody has read: they are looked for."""

from __future__ import annotations

from pathlib import Path

import yaml

from connector.configuration import shipped
from tests.connector.test_backfill import backfill
from tests.connector.test_life_of_a_lead import ANN
from tests.world import World, configuration


def leads_alone() -> str:
    """The shipped mapping of Salesforce without its other objects."""
    document = yaml.safe_load(shipped("mappings", "salesforce"))
    document["objects"] = {"Lead": document["objects"]["Lead"]}
    return yaml.safe_dump(document, sort_keys=False)


def test_a_person_who_is_a_contact_already_is_found_and_gets_no_lead_beside_it(tmp_path: Path) -> None:
    with World(tmp_path, configuration(documents={"preset:salesforce": leads_alone()})) as world:
        account = world.salesforce.insert("Account", Name="Acme")
        old = world.salesforce.insert("Contact", LastName="Lee", AccountId=account, Email=ANN)
        world.later(days=1)
        backfill(world.leadloop)
        assert "salesforce" in world.leadloop.complete
        world.reconnect()
        world.config = configuration()
        world.later(days=1)
        assert "salesforce" not in world.leadloop.complete

        world.hubspot.create("contacts", source="FORM", email=ANN, lastname="Lee", jobtitle="VP Sales")
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()

        assert world.salesforce.rows("Lead") == []
        assert world.salesforce.get("Contact", old)["Leadloop_Stage__c"] == "distributed"
        backfill(world.leadloop)
        assert "salesforce" in world.leadloop.complete
