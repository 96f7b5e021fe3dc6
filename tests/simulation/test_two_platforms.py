"""Walks over both platforms: whatever people do and whatever goes wrong, in the end all is well.

Each walk has a seed of its own and can be repeated. LEADLOOP_SIMULATIONS=10 takes ten times as many.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation.walk import Walk
from tests.world import RULES, World, configuration

WALKS = 12 * int(os.environ.get("LEADLOOP_SIMULATIONS", "1"))
FIRST = int(os.environ.get("LEADLOOP_SIMULATION_SEED", "1"))
STEPS = 40


DEADLINES = """
hours:
  office: {time_zone: America/New_York, from: "08:00", to: "18:00", holidays: [01-18]}
deadlines:
  - {deadline: hot, stage: distributed, within: 5 business hours, hours: office, when: score >= 50,
     remind: 1 business hour before, on_breach: reroute}
  - {deadline: first, stage: distributed, within: 29 hours, remind: 3 hours before, on_breach: escalate,
     to: kim@sales.example}
  - {deadline: worked on, stage: accepted, within: 3 business days, hours: office, on_breach: nurture,
     reason: nobody worked on it}
  - {deadline: nobody has it, stage: mql, within: 40 minutes}
  - {deadline: idle, stage: opportunity, within: 5 days, remind: [2 days before, 1 hour before]}
"""


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_in_the_end_both_platforms_agree_and_nothing_is_lost_or_doubled(seed: int, tmp_path: Path) -> None:
    with World(tmp_path, configuration(RULES + DEADLINES)) as world:
        walk = Walk(world, seed)
        try:
            walk.walk(STEPS)
            walk.heal()
            wrong = walk.check()
        except BaseException:
            print("\n".join(walk.log))
            raise
        assert not wrong, "\n".join([*walk.log, "", *wrong])
