"""The team's words for stages are shown to people; JSON and the platforms keep leadloop's."""

from __future__ import annotations

from pathlib import Path

from connector.configuration import load_configuration
from connector.store import configurations
from tests.cli.shell import Shell
from tests.world import World


def test_stages_are_shown_in_the_words_of_the_vocabulary(world: World, leadloop: Shell, folder: Path) -> None:
    world.hubspot.create("contacts", email="ann@acme.example", lastname="Lee", jobtitle="Director")
    world.run()
    main = folder / "leadloop.yaml"
    main.write_text(main.read_text() + "vocabulary: seven-stages\n")
    wanted = load_configuration(folder)
    with world.database.begin() as conn:
        now_ms = world.clock.now_ms() + 1
        configurations.put_configuration(conn, wanted.version, wanted.documents, now_ms)
        configurations.apply_configuration(conn, wanted.version, now_ms)

    status, explain, plan = (leadloop(*words) for words in (["status"], _of("explain"), _of("plan")))

    assert "  Nurturing  1\n" in status.out
    assert "  stage        Nurturing, since " in explain.out
    assert "Generation → Qualification" in explain.out
    assert "  stage        Nurturing\n" in plan.out
    assert leadloop("status", "--json").json["stages"]["nurture"] == 1
    assert leadloop(*_of("explain"), "--json").json["stage"] == "nurture"
    assert world.contact("ann@acme.example")["leadloop_stage"] == "nurture"


def _of(command: str) -> list[str]:
    return [command, "ann@acme.example"]


def test_an_unknown_vocabulary_is_told_with_the_nearest_name(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text("vocabulary: demand-waterfal\n")

    assert shell("check").out.splitlines()[0] == (
        'leadloop.yaml:1:13: there is no vocabulary "demand-waterfal"; did you mean "demand-waterfall"?'
    )


def test_a_vocabulary_of_ones_own_is_a_file(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text("vocabulary: words.yaml\n")
    (folder / "words.yaml").write_text("vocabulary: ours\nlabels: {mql: MQL}\n")

    answer = shell("check")

    assert answer.code == 1
    assert answer.out.startswith("words.yaml:2:1: no label for inquiry, qualification, nurture, ")
