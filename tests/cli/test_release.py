"""`leadloop holds release` has leads from before leadloop judged like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.wiring import choose_configuration
from tests.cli.people import ANN
from tests.cli.shell import Shell
from tests.world import RULES, World, configuration

ACME_IS_WANTED = RULES.replace('contains(description, "demo")', 'company == "Acme"')


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Ann, whom the rules want, has been in HubSpot for a day when leadloop meets her."""
    with World(tmp_path, configuration(ACME_IS_WANTED)) as made:
        made.hubspot.create("contacts", email=ANN, lastname="Arbor", company="Acme")
        made.later(days=1)
        assert made.leadloop.configuration == made.config.version
        choose_configuration(made.database, made.config, made.clock.now_ms())
        made.hubspot.touch("contacts", made.contact(ANN)["hs_object_id"])
        made.run()
        assert made.lead(ANN).resting
        yield made


def test_a_released_lead_is_judged_like_any_other(world: World, leadloop: Shell) -> None:
    assert "holds release" in leadloop("explain", ANN).out

    answer = leadloop("holds", "release", ANN, world.lead(ANN).lead_id, "--json")

    assert (answer.code, answer.json) == (0, {"leads": [world.lead(ANN).lead_id]})
    world.run()
    assert not world.lead(ANN).resting
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == world.contact(ANN)["leadloop_stage"] == "distributed"
    assert "holds release" not in leadloop("explain", ANN).out


def test_a_release_is_told_in_words(leadloop: Shell) -> None:
    answer = leadloop("holds", "release", ANN)

    assert answer.out == "1 lead will be judged like any other with the next pass.\n"


def test_a_release_of_an_unknown_or_waking_lead_changes_nothing(world: World, leadloop: Shell) -> None:
    world.hubspot.create("contacts", email="ben@bolts.example", lastname="Ben")
    world.run()

    unknown = leadloop("holds", "release", ANN, "nobody@acme.example")
    awake = leadloop("holds", "release", ANN, "ben@bolts.example")

    assert unknown.code == awake.code == 1
    assert "No lead is known by 'nobody@acme.example'" in unknown.err
    assert "Not resting: ben@bolts.example. No lead was released." in awake.err
    world.run()
    assert world.lead(ANN).resting
