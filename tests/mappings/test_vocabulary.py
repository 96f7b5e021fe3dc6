"""Vocabularies: what teams call the stages. Every stage has one label, and no other is known."""

from __future__ import annotations

import pytest

from mappings.problems import ConfigErrors
from mappings.source import Source
from mappings.stages import Stage
from mappings.vocabulary import (
    CANONICAL,
    labelled,
    load_vocabulary,
    shipped_vocabularies,
    vocabulary_text,
)

OURS = "vocabulary: ours\nlabels:\n" + "".join(f"  {stage}: {stage.upper()}\n" for stage in Stage)


def errors(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as found:
        load_vocabulary(Source("words.yaml", text))
    return [str(error) for error in found.value.errors]


@pytest.mark.parametrize("name", ["demand-waterfall", "hubspot-lifecycle", "seven-stages"])
def test_a_shipped_vocabulary_has_a_label_for_every_stage(name: str) -> None:
    vocabulary = load_vocabulary(Source(f"{name}.yaml", vocabulary_text(name)))

    assert name in shipped_vocabularies()
    shown = [vocabulary.shown(stage) for stage in Stage]
    assert len(set(shown)) == len(Stage), "two stages look the same"


def test_the_seven_stages_are_all_there() -> None:
    words = load_vocabulary(Source("s.yaml", vocabulary_text("seven-stages"))).labels.values()

    wanted = {"Generation", "Qualification", "Refinement", "Distribution", "Pursuit", "Tracking", "Nurturing"}
    assert wanted <= set(words)


def test_a_shared_label_says_which_stage_it_is() -> None:
    vocabulary = load_vocabulary(Source("s.yaml", OURS.replace("ACCEPTED", "MQL")))

    assert vocabulary.shown("accepted") == "MQL (accepted)"
    assert vocabulary.label("accepted") == "MQL"
    assert vocabulary.shown("qualified") == "QUALIFIED"


def test_an_outcome_may_have_a_label_of_its_own() -> None:
    vocabulary = load_vocabulary(Source("s.yaml", OURS + "  closed won: Customer\n"))

    assert vocabulary.shown("closed", "won") == "Customer"
    assert vocabulary.shown("closed", "lost") == "CLOSED"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OURS.replace("  mql:", "  mqll:"), 'words.yaml:6:3: unknown stage "mqll"; did you mean "mql"?'),
        (OURS.replace("  mql: MQL\n", ""), "words.yaml:2:1: no label for mql"),
        (OURS.replace("MQL", "''"), "words.yaml:6:8: this must not be empty"),
        (OURS + "  mql: twice\n", 'words.yaml:13:3: the key "mql" is here twice (first in line 6)'),
        (OURS + "lables: {}\n", 'words.yaml:13:1: unknown key "lables"; did you mean "labels"?'),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    assert told in errors(text)


def test_labels_reach_the_stages_of_a_commands_data_and_nothing_else() -> None:
    vocabulary = load_vocabulary(Source("s.yaml", OURS + "  closed won: Customer\n"))
    data = {
        "stage": "mql",
        "name": "mql",
        "stages": {"nurture": 3},
        "moves": [{"from": None, "to": "closed", "outcome": "won", "skipped": ["accepted"]}],
    }

    assert labelled(data, vocabulary) == {
        "stage": "MQL",
        "name": "mql",
        "stages": {"NURTURE": 3},
        "moves": [{"from": None, "to": "Customer", "outcome": "won", "skipped": ["ACCEPTED"]}],
    }
    assert labelled(data, CANONICAL) is data
