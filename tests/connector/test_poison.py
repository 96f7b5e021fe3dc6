"""A record on which a platform fails each time, and with it whatever call it is in, stops nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.clock import HOUR_MS
from connector.store import outbox
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import World

PEOPLE = 20
POISON = "7@p.example"
WRITES = {"salesforce": "PATCH", "hubspot": "batch/update"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Twenty people whom both platforms know, in step, and Ann, whom marketing knows."""
    with World(tmp_path) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts
        for number in range(PEOPLE):
            made.salesforce.insert("Lead", Company="P", LastName=f"P{number}", Email=f"{number}@p.example")
            made.hubspot.create("contacts", email=f"{number}@p.example", lastname=f"P{number}", company="P")
        enter_ann(made)
        made.run()
        yield made


def choke(world: World, side: str, status: int) -> Any:
    """The platform fails whatever writes `Poison`; returns its faults."""
    platform = getattr(world, side)
    platform.faults.fail_next(1_000_000, status, match=WRITES[side], holding="Poison")
    return platform.faults


def everybody_is_promoted(world: World, side: str) -> None:
    """On the other platform, so that it is written to `side`."""
    for number in range(PEOPLE):
        address = f"{number}@p.example"
        title = "Poison" if address == POISON else "Director"
        if side == "hubspot":
            world.salesforce.update("Lead", world.sf_lead(address)["Id"], Title=title)
        else:
            world.hubspot.update("contacts", world.contact(address)["hs_object_id"], jobtitle=title)


def titles(world: World, side: str) -> dict[str, object]:
    rows = world.hubspot.rows("contacts") if side == "hubspot" else world.salesforce.rows("Lead")
    email, title = ("email", "jobtitle") if side == "hubspot" else ("Email", "Title")
    return {str(row[email]): row[title] for row in rows if row[email] != ANN}


@pytest.mark.parametrize("status", [503, 500])
@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_a_record_on_which_the_platform_fails_stops_no_other(world: World, side: str, status: int) -> None:
    faults = choke(world, side, status)
    everybody_is_promoted(world, side)
    world.work(15)
    written = titles(world, side)
    assert written.pop(POISON) is None
    assert set(written.values()) == {"Director"}

    world.hubspot.submit_form(ANN, "Pricing")
    world.work(3)
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.contact(ANN)["leadloop_stage"] == "distributed"

    faults.clear()
    world.work(75, every_seconds=300)
    assert titles(world, side)[POISON] == "Poison"
    assert world.verify(repair=False).unexplained == 0


@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_a_write_that_fails_each_time_is_tried_less_and_less_and_told_of(world: World, side: str) -> None:
    choke(world, side, 503)
    everybody_is_promoted(world, side)
    world.work(120, every_seconds=60)
    platform = getattr(world, side)
    platform.requests.reset()
    world.work(120, every_seconds=300)
    failed = [seen for seen in platform.requests.log if seen.status == 503]
    assert 1 <= len(failed) <= 3
    lead_id = world.lead(POISON).lead_id
    with world.database.read() as conn:
        (row,) = [row for row in outbox.of_leads(conn, [lead_id])[lead_id] if row.side == side]
    assert row.attempts >= 6
    assert row.not_before_ms <= world.clock.now_ms() + 1.2 * HOUR_MS
