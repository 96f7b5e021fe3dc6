"""`leadloop brake` shows what was stopped, and lets it go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.wiring import choose_configuration
from tests.cli.shell import Shell
from tests.world import World, configuration

MAIN = "rules: [rules.yaml]\nbrake: {limits: {mql: {share: 0, at_least: 2}}}\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A leadloop that may make two MQLs an hour."""
    with World(tmp_path, configuration(documents={"leadloop.yaml": MAIN})) as made:
        choose_configuration(made.database, made.config, made.clock.now_ms())
        made.run()
        yield made


@pytest.fixture
def stopped(world: World) -> World:
    """Four leads are ready for sales at once, and the brake has stopped them."""
    world.run()
    for number in range(4):
        world.hubspot.create(
            "contacts",
            email=f"p{number}@many.example",
            lastname="Many",
            jobtitle="VP",
        )
    world.run()
    world.later(minutes=2)
    for row in world.hubspot.rows("contacts"):
        world.hubspot.update("contacts", str(row["hs_object_id"]), num_conversion_events="1")
    world.run()
    return world


def stages(leadloop: Shell) -> dict[str, int]:
    found = leadloop("status", "--json").json["stages"]
    return {stage: number for stage, number in found.items() if number}


def test_shows_what_was_stopped_and_the_way_on(stopped: World, leadloop: Shell) -> None:
    answer = leadloop("brake", "--json")
    text = leadloop("brake").out

    assert answer.code == 0
    mql = answer.json["kinds"]["mql"]
    assert mql["state"] == "stopped"
    assert mql["allowed"] == 2
    assert mql["held_leads"] == 4
    assert mql["message"] == "4 mql within 60 minutes; 2 are allowed with 4 leads"
    assert answer.json["kinds"]["handoff"]["state"] == "runs"
    assert "mql has been stopped since 2027-01-15" in text
    assert "leadloop brake release mql" in text
    assert leadloop("status", "--json").json["brake_stopped"] == ["mql"]


def test_a_release_lets_the_held_leads_go_on(stopped: World, leadloop: Shell) -> None:
    assert stages(leadloop) == {"nurture": 4}

    answer = leadloop("brake", "release", "mql")
    stopped.run()

    assert answer.code == 0
    assert answer.out == "mql goes on without a limit; 4 leads will be looked at again.\n"
    assert stages(leadloop) == {"distributed": 4}
    assert leadloop("holds", "--kind", "brake", "--json").json["holds"] == []


def test_a_release_at_a_rate_still_stops_more_than_that(stopped: World, leadloop: Shell) -> None:
    answer = leadloop("brake", "release", "mql", "--per-hour", "3")
    stopped.run()

    assert answer.out == "mql goes on at 3 an hour; 4 leads will be looked at again.\n"
    assert leadloop("brake", "--json").json["kinds"]["mql"]["state"] == "stopped"


def test_what_is_not_stopped_cannot_be_released(world: World, leadloop: Shell) -> None:
    answer = leadloop("brake", "release", "creates")

    assert answer.code == 1
    assert answer.err == "creates is not stopped: there is nothing to release.\n"


def test_an_unknown_kind_names_the_nearest(world: World, leadloop: Shell) -> None:
    answer = leadloop("brake", "release", "create")

    assert answer.code == 2
    assert answer.err == "'create' is no kind of change; did you mean \"creates\"?\n"
