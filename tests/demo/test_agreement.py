"""Agreement is read from the platforms: a record that is unknown, or shows another stage, disagrees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.demo.agreement import compare
from connector.demo.figures import disagreeing
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


def test_a_person_whom_leadloop_does_not_know_disagrees(world: World) -> None:
    contact = world.hubspot.create("contacts", email="ann@acme.example")
    found = compare(world.leadloop, world.sandbox)
    assert found["hubspot"].to_json() == {"agree": 0, "of": 1, "percent": 0.0}
    assert found["hubspot"].disagreeing == {f"hubspot:contacts:{contact}": "unknown to leadloop"}
    assert found["salesforce"].to_json() == {"agree": 0, "of": 0, "percent": 100}


def test_another_stage_disagrees_in_the_leadloop_field_and_in_the_platforms_own(world: World) -> None:
    contact = world.hubspot.create("contacts", email="ann@acme.example", lastname="Lee")
    world.run()
    assert compare(world.leadloop, world.sandbox)["hubspot"].agree == 1
    world.hubspot.update("contacts", contact, leadloop_stage="mql")
    found = compare(world.leadloop, world.sandbox)
    assert found["hubspot"].disagreeing == {f"hubspot:contacts:{contact}": "shows 'mql', is 'nurture'"}
    world.hubspot.update("contacts", contact, leadloop_stage="nurture", lifecyclestage="salesqualifiedlead")
    found = compare(world.leadloop, world.sandbox)
    assert disagreeing(found) == {
        "disagreeing": {
            "hubspot": {
                f"hubspot:contacts:{contact}": (
                    "lifecyclestage = 'salesqualifiedlead' does not go with 'nurture'"
                )
            }
        }
    }
