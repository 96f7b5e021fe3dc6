"""`leadloop apply` shows what an edited configuration would change, and puts it in force when told to."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.store import outbox
from connector.store.configurations import applied_configuration
from tests.cli.people import ANN, ann_fills_in_a_form
from tests.cli.shell import Shell
from tests.world import RULES, World

EASIER = RULES.replace("mql: {fit: 20, engagement: 30}", "mql: {fit: 20, engagement: 0}")


@pytest.fixture
def edited(world: World, leadloop: Shell, folder: Path) -> World:
    """Ann is in nurture; the edited rules would have her be an MQL."""
    ann_fills_in_a_form(world)
    (folder / "rules.yaml").write_text(EASIER, encoding="utf-8")
    return world


def in_force(world: World) -> str:
    with world.database.read() as conn:
        applied = applied_configuration(conn)
    assert applied is not None
    return applied.version


def test_shows_what_would_change_without_writing(edited: World, leadloop: Shell) -> None:
    shown = leadloop("apply", "--json").json

    assert shown["changed"] is True
    assert shown["applied"] is False
    assert (shown["leads"], shown["would_move"], shown["would_be_written"]) == (1, 1, 1)
    assert shown["moves"] == [
        {"from": "nurture", "to": "mql", "leads": 1},
        {"from": "mql", "to": "distributed", "leads": 1},
    ]
    assert shown["writes"] == {"hubspot": 1, "salesforce": 1}
    assert shown["creates"] == {"salesforce": 1}
    assert in_force(edited) == edited.config.version
    with edited.database.read() as conn:
        assert outbox.counts(conn) == {}


def test_asks_before_it_applies(edited: World, leadloop: Shell) -> None:
    declined = leadloop("apply", typed="n\n")
    assert declined.code == 1
    assert in_force(edited) == edited.config.version

    accepted = leadloop("apply", typed="y\n")
    assert accepted.code == 0
    assert "  would move        1\n" in accepted.out
    assert "nurture → mql" in accepted.out
    assert "It is in force." in accepted.out
    assert in_force(edited) != edited.config.version


def test_moves_are_shown_in_the_words_of_the_new_vocabulary(
    edited: World, leadloop: Shell, folder: Path
) -> None:
    main = folder / "leadloop.yaml"
    main.write_text(main.read_text() + "vocabulary: demand-waterfall\n", encoding="utf-8")

    assert "Nurture → MQL " in leadloop("apply", typed="n\n").out
    assert leadloop("apply", "--json").json["moves"][0] == {"from": "nurture", "to": "mql", "leads": 1}


def test_new_gates_judge_leads_as_they_next_change(edited: World, leadloop: Shell) -> None:
    applied = leadloop("apply", "--yes", "--json").json

    assert applied["applied"] is True
    assert applied["to_be_rejudged"] == 0
    assert leadloop("status", "--json").json["backlog"]["dirty"] == 0
    assert leadloop("plan", ANN, "--json").json["stage_after"] == "distributed"


def test_rejudge_has_all_leads_judged_at_once(edited: World, leadloop: Shell) -> None:
    applied = leadloop("apply", "--yes", "--rejudge", "--json").json

    assert applied["to_be_rejudged"] == 1
    assert leadloop("status", "--json").json["backlog"]["dirty"] == 1


def test_says_when_there_is_nothing_new(world: World, leadloop: Shell) -> None:
    answer = leadloop("apply")

    assert answer.code == 0
    assert answer.out == f"Configuration {world.config.version} is in force already.\n"


def test_tells_what_the_brake_would_stop(edited: World, leadloop: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text(
        "rules: [rules.yaml]\nbrake: {limits: {mql: {share: 0, at_least: 0}}}\n", encoding="utf-8"
    )

    assert leadloop("apply", "--json").json["brake_would_stop"] == {
        "mql": "1 mql within 60 minutes; 0 are allowed with 1 leads"
    }
    assert "the brake would stop mql" in leadloop("apply", "--yes").out


def test_a_broken_folder_changes_nothing(edited: World, leadloop: Shell, folder: Path) -> None:
    (folder / "rules.yaml").write_text("gates: [", encoding="utf-8")

    answer = leadloop("apply", "--yes")

    assert answer.code == 2
    assert answer.err.startswith("rules.yaml:")
    assert in_force(edited) == edited.config.version
