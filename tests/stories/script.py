"""Script: what people do in a story, step by step, and whom its expectations are about. All mistakes are
found before the story is played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mappings.problems import ConfigError, ConfigErrors, did_you_mean
from mappings.problems import Path as KeyPath
from tests.stories import comparing, on_hubspot, on_salesforce
from tests.stories.document import Story, Then
from tests.stories.sentences import Doing, Sentence, read_sentence

PLACES: Mapping[str, tuple[Sentence, ...]] = {
    "salesforce": on_salesforce.SENTENCES,
    "hubspot": on_hubspot.SENTENCES,
}
"""What can be done on each platform."""

NOBODY = "not there"
"""How a story says that a place has no record of a lead."""


def script_of(story: Story) -> dict[KeyPath, list[Doing]]:
    """What people do, by step, in the order of the file. Raises ConfigErrors."""
    steps: list[tuple[KeyPath, Any]] = [(("before",), story.told.before)]
    steps += [(("happens", number), step) for number, step in enumerate(story.told.happens)]
    doings: dict[KeyPath, list[Doing]] = {}
    errors: list[ConfigError] = []
    for path, step in steps:
        for place, table in PLACES.items():
            for number, written in enumerate(getattr(step, place)):
                found = read_sentence(story, (*path, place, number), written, table)
                if isinstance(found, ConfigError):
                    errors.append(found)
                else:
                    doings.setdefault(path, []).append(found)
        doings.get(path, []).sort(key=lambda doing: story.document.place(doing.path))
    if errors:
        raise ConfigErrors(errors)
    return doings


def check_expectations(story: Story) -> None:
    """Whom and what the expectations are about. Raises ConfigErrors."""
    errors: list[ConfigError] = []
    for number, step in enumerate(story.told.happens):
        if step.then is None:
            continue
        for part in sorted(set(Then.model_fields) - {"prints"}):
            for lead, expected in getattr(step.then, part).items():
                path: KeyPath = ("happens", number, "then", part, lead)
                if lead not in story.told.leads:
                    hint = did_you_mean(lead, list(story.told.leads))
                    errors.append(story.error(path, f'the story has no lead "{lead}"', hint))
                elif part in (*PLACES, "leadloop"):
                    errors += _mistakes(story, path, expected)
    if errors:
        raise ConfigErrors(errors)


def _mistakes(story: Story, path: KeyPath, expected: Any) -> Iterator[ConfigError]:
    if expected == NOBODY:
        return
    if not isinstance(expected, dict) or not expected:
        yield story.error(path, f'what is seen of a lead are fields with their values, or "{NOBODY}"')
        return
    for name, value in expected.items():
        wrong = comparing.mistake_in(value, story.zone)
        if wrong is not None:
            yield story.error((*path, name), wrong)
