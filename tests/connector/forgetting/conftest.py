"""Ann, who is known on both platforms and is to be forgotten."""

from __future__ import annotations

import pytest

from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World


@pytest.fixture
def known(world: World) -> str:
    """Ann is known on both platforms and was handed to sales; returns her lead's id."""
    make_mql(world)
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], phone="+4930123456")
    world.run()
    return world.lead(ANN).lead_id
