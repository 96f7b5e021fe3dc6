"""ChangedConfiguration: the shipped configuration with what a story changes in it.

The rules of a story keep their lines, so that a mistake in them is told at its place in the story.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connector.configuration import (
    DEFAULT_MAPPINGS,
    DEFAULT_RULES,
    MAIN_FILE,
    PRESET,
    Configuration,
    compile_documents,
    shipped,
)
from mappings.problems import ConfigErrors
from mappings.source import Document, Source, parse
from tests.stories.document import Story


def changed_configuration(story: Story) -> Configuration:
    """The configuration that the story is played with. Raises ConfigErrors."""
    changes = story.told.configuration
    documents = {
        name: _laid_over(name.removeprefix(PRESET), getattr(changes, name.removeprefix(PRESET)))
        for name in DEFAULT_MAPPINGS
    }
    (rules,) = DEFAULT_RULES
    own = changes.rules or {}
    documents[rules] = _without(shipped("rules", rules.removeprefix(PRESET)), {*own, "cases"})
    names = [rules]
    if own:
        names.insert(0, story.document.source.name)
        documents[names[0]] = _rules_of(story)
    documents[MAIN_FILE] = json.dumps({**(changes.leadloop or {}), "rules": names})
    return compile_documents(documents)


def _laid_over(preset: str, changes: Mapping[str, Any] | None) -> str:
    text = shipped("mappings", preset)
    if changes is None:
        return text
    return json.dumps(_merged(parse(Source(preset, text)).data, changes), ensure_ascii=False)


def _merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {
        **below,
        **{key: _merged(below[key], value) if key in below else value for key, value in above.items()},
    }


def _without(text: str, keys: set[str]) -> str:
    """A document without these keys of its top level; all other lines stay where they are."""
    document = parse(Source("", text))
    starts = sorted(
        (place[0], str(path[0])) for path, place in document.key_positions.items() if len(path) == 1
    )
    lines = text.splitlines()
    for (start, key), (end, _) in zip(starts, [*starts[1:], (len(lines) + 1, "")], strict=True):
        if key in keys:
            lines[start - 1 : end - 1] = [""] * (end - start)
    return "\n".join(lines) + "\n"


def _rules_of(story: Story) -> str:
    """The lines of the story in which its rules stand, at their places, and blank lines for the others."""
    document, path = story.document, ("configuration", "rules")
    key_line, value_line = document.place(path, key=True)[0], document.place(path)[0]
    if key_line == value_line:
        raise ConfigErrors([story.error(path, "the rules must begin on a line of their own")])
    lines = document.source.text.splitlines()
    end = min((line for line in _key_lines(document) if line > value_line), default=len(lines) + 1)
    return "\n".join([*[""] * (value_line - 1), *lines[value_line - 1 : end - 1]]) + "\n"


def _key_lines(document: Document) -> list[int]:
    """The lines of the keys that are not part of the rules."""
    return [
        line for path, (line, _) in document.key_positions.items() if path[:2] != ("configuration", "rules")
    ]
