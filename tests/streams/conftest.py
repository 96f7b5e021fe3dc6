"""Fixtures: a world whose Salesforce tells its changes, and one whose HubSpot keeps a journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.intake.poll import start_cursors
from tests.streams.journalled import Journalled
from tests.streams.salesforce import Streamed, serving
from tests.world import World


@pytest.fixture
def streamed(tmp_path: Path) -> Iterator[Streamed]:
    with World(tmp_path) as world:
        for side in world.leadloop.feeds:
            start_cursors(world.leadloop, side)
        world.salesforce.changes.select("Lead", "Contact", "Opportunity", "Task")
        with serving(world) as server:
            yield Streamed(world, server)


@pytest.fixture
def journalled(tmp_path: Path) -> Iterator[Journalled]:
    with World(tmp_path) as world:
        made = Journalled(world)
        yield made
        made.restart()
