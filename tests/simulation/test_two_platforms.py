"""Walks over both platforms: whatever people do and whatever goes wrong, in the end all is well.

Each walk has a seed of its own and can be repeated. LEADLOOP_SIMULATIONS=10 takes ten times as many.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation.walk import Walk
from tests.world import World

WALKS = 12 * int(os.environ.get("LEADLOOP_SIMULATIONS", "1"))
FIRST = int(os.environ.get("LEADLOOP_SIMULATION_SEED", "1"))
STEPS = 40


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_in_the_end_both_platforms_agree_and_nothing_is_lost_or_doubled(seed: int, tmp_path: Path) -> None:
    with World(tmp_path) as world:
        walk = Walk(world, seed)
        try:
            walk.walk(STEPS)
            walk.heal()
            wrong = walk.check()
        except BaseException:
            print("\n".join(walk.log))
            raise
        assert not wrong, "\n".join([*walk.log, "", *wrong])
