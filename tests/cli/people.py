"""People who appear in the tests of the command line, and what they do on the platforms."""

from __future__ import annotations

from connector.worker.passes import Pass, look
from tests.world import World

ANN = "ann@acme.example"


def ann_fills_in_a_form(world: World) -> str:
    """Ann is entered in HubSpot and settles in nurture; returns the contact's id."""
    world.run()
    record = world.hubspot.create(
        "contacts",
        email=ANN,
        firstname="Ann",
        lastname="Arbor",
        company="Acme",
        jobtitle="VP Sales",
    )
    world.run()
    return record if isinstance(record, str) else str(world.contact(ANN)["hs_object_id"])


def ann_asks_for_prices(world: World) -> None:
    """Ann fills in a form: she is to be an MQL, and sales' turn. Seen, not decided yet."""
    contact = ann_fills_in_a_form(world)
    world.later(hours=2)
    world.hubspot.update(
        "contacts", contact, num_conversion_events="1", recent_conversion_event_name="Pricing"
    )
    see(world)


def sales_rejects_ann(world: World) -> str:
    """Ann was handed over, and sales says: later. Returns the id of her Salesforce Lead."""
    ann_asks_for_prices(world)
    world.run()
    lead = str(world.sf_lead(ANN)["Id"])
    world.later(hours=3)
    world.salesforce.update(
        "Lead",
        lead,
        Leadloop_Verdict__c="rejected",
        Leadloop_Rejection_Reason__c="timing",
        Leadloop_Rejection_Comment__c="in the third quarter",
    )
    world.run()
    return lead


def see(world: World) -> None:
    """Look at both platforms without deciding anything."""
    world.later(minutes=1)
    look(world.leadloop, Pass())
