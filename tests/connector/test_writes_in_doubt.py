"""Writes that got no answer: tried again at ever longer intervals, and carried out once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.people import ANN, ann_asks_for_prices
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


def tries(world: World, hours: int) -> int:
    """How many batches of contacts HubSpot was sent in these hours."""
    world.hubspot.requests.reset()
    for _ in range(hours * 30):
        world.later(minutes=2)
        world.run()
    asked = world.hubspot.requests.by_kind
    return sum(count for (_, kind), count in asked.items() if kind.endswith("contacts/batch/update"))


@pytest.mark.parametrize("answer", ["500", "none"])
def test_a_write_that_breaks_the_platform_each_time_is_tried_ever_more_seldom(
    world: World, answer: str
) -> None:
    ann_asks_for_prices(world)
    if answer == "500":
        world.hubspot.faults.fail_next(10_000, 500, match="contacts/batch/update")
    else:
        world.hubspot.faults.lose_answer(10_000, match="contacts/batch/update", work=False)
    assert tries(world, hours=2) <= 14
    assert tries(world, hours=6) <= 8
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    world.hubspot.faults.clear()
    assert tries(world, hours=2) >= 1
    assert world.contact(ANN)["leadloop_stage"] == "distributed"


def test_a_change_that_is_not_about_the_broken_write_waits_no_longer_than_it(world: World) -> None:
    ann_asks_for_prices(world)
    world.hubspot.faults.fail_next(1, 500, match="contacts/batch/update")
    world.run()
    world.later(minutes=1)
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
