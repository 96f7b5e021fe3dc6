"""What is wrong with one object of a platform, for however long, holds up no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.intake.timetable import next_poll_ms
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import Watch
from connector.store import leads as lead_store
from connector.worker.actors import Duties
from tests.connector.switched_on import with_objects
from tests.worker.crew import Woken
from tests.world import World, configuration

FOR_EVER = 10_000


@pytest.fixture
def deals(tmp_path: Path) -> Iterator[World]:
    config = configuration(documents={"preset:hubspot": with_objects("deals")})
    with World(tmp_path, config) as made:
        made.leadloop  # noqa: B018  # connected
        yield made


def _known(world: World, email: str) -> bool:
    with world.database.read() as conn:
        return bool(lead_store.find_leads(conn, email))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_search_that_always_fails_keeps_no_other_object_from_being_read(deals: World, status: int) -> None:
    world = deals
    world.hubspot.faults.fail_next(FOR_EVER, status, match="/objects/deals/search")
    duties = Duties(world.leadloop, Woken().send)
    for number in range(4):
        world.hubspot.create("contacts", email=f"p{number}@x.example", lastname="P")
        began_ms = world.clock.now_ms()
        duties.poll("hubspot")
        assert _known(world, f"p{number}@x.example")
        with world.database.read() as conn:
            assert next_poll_ms(conn, "hubspot") <= began_ms + 30_000, "at its own interval, all the same"
        world.later(seconds=30)


def test_deals_whose_contacts_are_not_told_keep_nobody_from_being_read(deals: World) -> None:
    world = deals
    world.hubspot.faults.fail_next(FOR_EVER, 500, match="/associations/")
    world.later(seconds=1)
    world.hubspot.create("deals", dealname="One")
    world.hubspot.create("contacts", email="ann@x.example", lastname="Ann")
    Duties(world.leadloop, Woken().send).poll("hubspot")
    assert _known(world, "ann@x.example")


def test_a_further_page_that_does_not_come_keeps_no_other_object_from_being_read(world: World) -> None:
    leadloop = world.leadloop
    world.salesforce.page_size = 2
    account = world.salesforce.insert("Account", Name="Acme")
    for number in range(5):
        world.salesforce.insert(
            "Opportunity",
            Name=f"O{number}",
            AccountId=account,
            StageName="Prospecting",
            CloseDate="2027-02-01",
        )
    world.salesforce.insert("Lead", Email="ann@x.example", LastName="Ann", Company="X")
    world.salesforce.faults.fail_next(FOR_EVER, 500, match="GET /services/data/v62.0/query")
    began_ms = world.clock.now_ms()
    Duties(leadloop, Woken().send).poll("salesforce")
    assert _known(world, "ann@x.example")
    with world.database.read() as conn:
        assert next_poll_ms(conn, "salesforce") <= began_ms + 60_000

    world.salesforce.faults.clear()
    world.later(minutes=5)
    Duties(leadloop, Woken().send).poll("salesforce")
    with world.database.read() as conn:
        stored = text("SELECT count(*) FROM observations WHERE object = 'Opportunity'")
        assert conn.execute(stored).scalar() == 5


def test_of_two_faults_the_refusal_is_told(deals: World) -> None:
    """Waiting does not end it, and somebody has to do something about it."""
    there = deals.leadloop.platforms["hubspot"]
    deals.hubspot.faults.fail_next(1, 500, match="/objects/deals/search")
    pages = there.changes([Watch("deals", (), 0), Watch("Nonsuch", (), 0), Watch("contacts", (), 0)])
    assert next(pages).object == "contacts"
    with pytest.raises(Refused, match="Nonsuch"):
        next(pages)


def test_what_concerns_the_whole_side_is_not_asked_of_the_next_object(deals: World) -> None:
    there = deals.leadloop.platforms["hubspot"]
    deals.hubspot.faults.fail_next(FOR_EVER, 503)
    before = deals.hubspot.requests.count
    with pytest.raises(RetryLater):
        next(there.changes([Watch(name, (), 0) for name in ("deals", "contacts", "deals", "contacts")]))
    assert deals.hubspot.requests.count == before + 2, "the first may have been its object's fault"
