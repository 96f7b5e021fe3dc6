"""Who is who, whatever happens: the end of each walk is swept, and the sweep finds nothing unexplained.

Each walk has a seed and can be repeated; one that fails is told with its steps. LEADLOOP_SIMULATIONS=10 takes
ten times as many.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from connector.platforms.hubspot import listing
from connector.platforms.salesforce import bulk
from tests.connector.test_signals import with_tasks_and_events
from tests.simulation.identities import Identities
from tests.world import RULES, World, configuration

WALKS = 6 * int(os.environ.get("LEADLOOP_SIMULATIONS", "1"))
FIRST = int(os.environ.get("LEADLOOP_SIMULATION_SEED", "1"))
STEPS = 40


def world_in(folder: Path) -> World:
    """Both platforms, and a leadloop that reads tasks and events as well."""
    return World(folder, configuration(RULES, {"preset:salesforce": with_tasks_and_events()}))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_people_who_become_others_go_and_come_back_are_never_lost_doubled_or_made_again(
    seed: int, tmp_path: Path
) -> None:
    chance = Random(seed)
    steps = [chance.randint(0, 1 << 30) for _ in range(STEPS)]
    with world_in(tmp_path) as world:
        walk = Identities(world)
        walk.installation()
        try:
            for step in steps:
                walk.step(step)
            wrong = walk.check()
        except BaseException:
            print("\n".join([*walk.log, f"steps: {steps}"]))
            raise
        assert not wrong, "\n".join([*walk.log, f"steps: {steps}", "", *wrong])


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS // 2))
def test_two_data_sets_meet_while_people_and_leadloop_go_on(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the pages of a backfill that is stopped now and then records change, merge, vanish and come
    back, and leadloop looks, decides, writes and sweeps."""
    monkeypatch.setattr(bulk, "FEW", 0)  # a job also for few records
    monkeypatch.setattr(bulk, "FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(listing, "PAGE", 4)
    chance = Random(f"backfill {seed}")
    steps = [chance.randint(0, 1 << 30) for _ in range(2 * STEPS)]
    with world_in(tmp_path) as world:
        walk = Identities(world)
        for step in steps[:STEPS]:
            walk.before(step)
        world.later(days=1)
        try:
            walk.backfill(iter(steps[STEPS:]), chance)
            wrong = walk.check()
        except BaseException:
            print("\n".join([*walk.log, f"steps: {steps}"]))
            raise
        assert not wrong, "\n".join([*walk.log, f"steps: {steps}", "", *wrong])
