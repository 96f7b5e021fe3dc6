"""Many changes between two looks, many at one moment, and changes that show up late: all of them are stored,
with hardly more requests than there must be.

What there must be: a request for every 2,000 records of Salesforce; for every 200 of HubSpot's, whose search
ends at 10,000 results, so that reading starts anew there. Pages of HubSpot's overlap by a record, and of a
stamp that has more records than a window has room for a few pages are read twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.configuration import shipped
from connector.intake.poll import Polled, poll
from tests.world import World, configuration

MANY = 30_000
CROWD = 12_000
PAGE = {"salesforce": 2_000, "hubspot": 200}
OBJECT = {"salesforce": "Lead", "hubspot": "contacts"}
SIDES = ("salesforce", "hubspot")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Without the one long text that the shipped mapping reads, which halves Salesforce's pages."""
    salesforce = re.sub(r"\n *description: .*", "", shipped("mappings", "salesforce"))
    with World(tmp_path, configuration(documents={"preset:salesforce": salesforce})) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


def _appear(world: World, side: str, number: int) -> None:
    address = f"p{number}@x{number}.example"
    if side == "hubspot":
        world.hubspot.create("contacts", email=address, lastname="Lovelace")
    else:
        world.salesforce.insert("Lead", Email=address, LastName="Lovelace", Company="Engines")


def _stored(world: World, side: str) -> int:
    counted = text("SELECT count(DISTINCT record_id) FROM observations WHERE side = :side AND object = :name")
    with world.database.read() as conn:
        return int(conn.execute(counted, {"side": side, "name": OBJECT[side]}).scalar_one())


def _look(world: World, side: str) -> tuple[Polled, int]:
    """One look, and the requests that it made."""
    platform = world.hubspot if side == "hubspot" else world.salesforce
    before = platform.requests.count
    return poll(world.leadloop, side), platform.requests.count - before


@pytest.mark.parametrize("side", SIDES)
def test_12_000_changes_at_one_moment_among_30_000_are_stored_with_few_requests(
    side: str, world: World
) -> None:
    poll(world.leadloop, side)
    for number in range(MANY):
        if not 9_000 <= number < 9_000 + CROWD:
            world.later(seconds=0.05)
        _appear(world, side, number)
    world.later(minutes=1)
    polled, requests = _look(world, side)
    assert polled.changed == _stored(world, side) == MANY
    assert requests <= 1.1 * ceil(MANY / PAGE[side])
    assert _look(world, side)[0].changed == 0


@pytest.mark.parametrize("side", SIDES)
def test_30_000_changes_in_one_look_are_stored_with_few_requests(side: str, world: World) -> None:
    poll(world.leadloop, side)
    for number in range(MANY):
        world.later(seconds=0.05)
        _appear(world, side, number)
    world.later(minutes=1)
    polled, requests = _look(world, side)
    assert polled.changed == _stored(world, side) == MANY
    assert requests <= 1.1 * ceil(MANY / PAGE[side])


@pytest.mark.parametrize("lag_seconds", [60, 600])
@pytest.mark.parametrize("side", SIDES)
def test_what_shows_up_late_with_an_old_stamp_is_not_missed(
    side: str, lag_seconds: int, world: World
) -> None:
    """Each change shows up so much later, with the stamp of when it was made, among others that show at
    once."""
    platform = world.hubspot if side == "hubspot" else world.salesforce
    poll(world.leadloop, side)
    made = 0
    for minute in range(45):
        for _ in range(6):
            world.later(seconds=10)
            platform.faults.visibility_lag_seconds = 0 if made % 3 else lag_seconds
            if minute < 30:
                _appear(world, side, made)
                made += 1
        platform.faults.visibility_lag_seconds = lag_seconds
        poll(world.leadloop, side)
    assert _stored(world, side) == made == 180
