"""What an admin has not granted, or takes away: leadloop does without it, says so, and misses nothing of it
once it may read it again. Without people it does not begin."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from connector.access import Access
from connector.cli.status import as_data
from connector.learning import LEARN_EVERY_MS
from connector.platforms.errors import Refused
from connector.platforms.protocol import Metadata
from connector.sandbox import HUBSPOT_ACCESS_TOKEN
from connector.store.holds import INSTALLATION, open_holds
from connector.worker.actors import Duties
from tests.connector.switched_on import with_objects
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.worker.crew import Woken
from tests.world import World, configuration

CONTACTS = {
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.objects.owners.read",
}
DEALS = {"crm.objects.deals.read", "crm.schemas.deals.read"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    config = configuration(documents={"preset:hubspot": with_objects("deals")})
    with World(tmp_path, config) as made:
        yield made


def grant(world: World, scopes: Collection[str] | None) -> None:
    """The token has these scopes; None: all."""
    world.hubspot.access.add_token(HUBSPOT_ACCESS_TOKEN, scopes)


def deal_of(world: World) -> None:
    """Sales opens a deal for Ann in HubSpot."""
    contact = str(world.contact(ANN)["hs_object_id"])
    deal = world.hubspot.create("deals", dealname="Pumps", pipeline="default", dealstage="contractsent")
    world.hubspot.associate("deals", deal, "contacts", contact)


def not_read(world: World) -> dict[str, str]:
    """As `leadloop status` tells it."""
    with world.database.read() as conn:
        status = as_data(conn, world.config, world.clock.now_ms())
    found: dict[str, str] = status["sides"]["hubspot"]["not_read"]
    return found


def held(world: World) -> list[str]:
    with world.database.read() as conn:
        return [hold.message for hold in open_holds(conn, [INSTALLATION]).get(INSTALLATION, [])]


@pytest.mark.parametrize("scope", sorted(DEALS))
def test_deals_that_may_not_be_read_are_done_without_and_told(world: World, scope: str) -> None:
    grant(world, (CONTACTS | DEALS) - {scope})
    make_mql(world)
    reason = f"the HubSpot token lacks the scopes {scope}: grant them"
    assert not_read(world) == {"deals": reason}
    assert held(world) == [f"hubspot does not let leadloop read deals ({reason}): its mapping is suspended."]
    deal_of(world)
    world.run()
    assert world.lead(ANN).stage.value != "opportunity"

    grant(world, CONTACTS | DEALS)
    duties = Duties(world.leadloop, Woken().send)
    world.later(seconds=LEARN_EVERY_MS / 1_000)
    duties.settle()
    assert (not_read(world), held(world)) == ({}, [])
    world.run()
    assert world.lead(ANN).stage.value == "opportunity", "what came before the scope was granted is read"


def test_a_scope_that_is_taken_away_ends_nothing_but_its_object(world: World) -> None:
    make_mql(world)
    duties = Duties(world.leadloop, Woken().send)
    grant(world, CONTACTS)
    world.later(minutes=1)
    world.hubspot.update("contacts", str(world.contact(ANN)["hs_object_id"]), jobtitle="Chief Buyer")
    deal_of(world)
    duties.poll("hubspot")  # refused; what may be read is asked for at once
    duties.settle()
    assert list(not_read(world)) == ["deals"]
    duties.deliver("salesforce")
    assert world.sf_lead(ANN)["Title"] == "Chief Buyer"
    searches = world.hubspot.requests.count
    world.later(minutes=10)
    duties.poll("hubspot")
    assert world.hubspot.requests.count == searches + 1, "deals are not asked for meanwhile"
    assert world.verify().unexplained == 0

    grant(world, None)
    world.later(seconds=LEARN_EVERY_MS / 1_000)
    duties.settle()
    world.run()
    assert not_read(world) == {}
    assert world.lead(ANN).stage.value == "opportunity"


def test_without_the_scope_of_people_it_does_not_begin(world: World) -> None:
    for scope in ("crm.objects.contacts.read", "crm.schemas.contacts.read"):
        grant(world, (CONTACTS | DEALS) - {scope})
        with pytest.raises(Refused, match=scope):
            world.leadloop  # noqa: B018  # connects


def test_a_side_that_shows_no_people_is_refused_with_a_remedy(world: World) -> None:
    side = world.config.mapping.sides["salesforce"]
    with pytest.raises(Refused, match="salesforce shows leadloop none of Contact, Lead: let the integration"):
        Access(Metadata({"Opportunity": {}})).needs_people(side)
    Access(Metadata({"Contact": {}})).needs_people(side)


def test_the_scope_of_people_that_is_taken_away_is_told_and_waited_for(world: World) -> None:
    make_mql(world)
    duties = Duties(world.leadloop, Woken().send)
    grant(world, DEALS | {"crm.objects.owners.read"})
    world.later(minutes=1)
    world.salesforce.update("Lead", world.sf_lead(ANN)["Id"], Title="Chief Buyer")
    duties.poll("hubspot")
    duties.settle()
    assert list(not_read(world)) == ["contacts"]

    grant(world, None)
    world.later(minutes=6)
    world.run()
    world.later(seconds=LEARN_EVERY_MS / 1_000)
    duties.settle()
    assert not_read(world) == {}
    assert world.contact(ANN)["jobtitle"] == "Chief Buyer"
