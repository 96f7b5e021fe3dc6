"""A world whose leadloop is on each kind of database, and Ann, who is known there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connector.test_life_of_a_lead import make_mql
from tests.world import World


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Both sandboxes, and a leadloop on each kind of database."""
    with World(tmp_path, url=database_url) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


@pytest.fixture
def known(world: World) -> World:
    """Ann is known on both platforms, was handed to sales, and everything is in step."""
    make_mql(world)
    world.run()
    return world
