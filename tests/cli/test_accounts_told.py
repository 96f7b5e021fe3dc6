"""Why an account did not count is told before a lead is handed over, and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.wiring import choose_configuration
from connector.worker.passes import Pass, look
from tests.cli.shell import Shell
from tests.connector.test_matching_accounts import ANN, KIM, LOU, account, config, enter
from tests.connector.test_routing import SAM
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, config(), salespeople=(SAM, KIM, LOU)) as made:
        choose_configuration(made.database, made.config, made.clock.now_ms())
        yield made


def test_plan_and_explain_tell_why_an_account_did_not_count(world: World, leadloop: Shell) -> None:
    ids = sorted(account(world, f"Acme {owner}", owner, "acme.example") for owner in (KIM, LOU))
    world.leadloop  # noqa: B018  # connected before anybody acts
    told = f"2 accounts of different owners have this e-mail domain ({ids[0]}, {ids[1]})"
    enter(world, ANN)
    world.later(minutes=1)
    look(world.leadloop, Pass())

    answer = leadloop("plan", ANN)
    assert answer.err == ""
    planned = " ".join(answer.out.split())
    world.run()
    explained = " ".join(leadloop("explain", ANN).out.split())

    assert told in planned
    assert told in explained
