"""Sentences: what people can do in a story, as it is written, and who does it. One table for each place.

A sentence is matched as a whole: a typing error is a mistake with the nearest sentence, never a step that is
left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mappings.problems import ConfigError, did_you_mean
from mappings.problems import Path as KeyPath
from tests.stories.document import Story
from tests.stories.scene import Scene

_SLOT = re.compile(r"\{(\w+)\}")
_SHAPES = {"number": r"[1-9]\d{0,2}"}
_NAMED = r"[A-Z][\w.-]*"
_QUOTED = r"[^\"]+"

Act = Callable[..., None]
"""Called with the scene, the fields and the slots of the sentence by name."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that can be done. `form` has slots: `{lead}`, `{user}` and `{colleague}` are names of the
    story, `{number}` is one, all others are texts in quotes. `fields` says whether fields may follow: no, may
    or must."""

    form: str
    meaning: str
    act: Act
    fields: str = "no"

    def read(self, text: str) -> Mapping[str, str] | None:
        """The slots of a sentence of this form; None for any other."""
        found = re.fullmatch(
            _SLOT.sub(_pattern, re.escape(self.form).replace(r"\{", "{").replace(r"\}", "}")), text
        )
        return None if found is None else found.groupdict()


def _pattern(slot: re.Match[str]) -> str:
    name = slot[1]
    shape = _SHAPES.get(name, _NAMED if name in ("lead", "user", "colleague") else _QUOTED)
    return f"(?P<{name}>{shape})"


@dataclass(frozen=True, slots=True)
class Doing:
    """A sentence of a story, ready to be done."""

    path: KeyPath
    text: str
    sentence: Sentence
    slots: Mapping[str, str]
    fields: Mapping[str, Any]

    def do(self, scene: Scene) -> None:
        """Do it. Raises KeyError, Refusal, Problem."""
        more = {"fields": dict(self.fields)} if self.sentence.fields != "no" else {}
        slots = {name: int(value) if name == "number" else value for name, value in self.slots.items()}
        self.sentence.act(scene, **slots, **more)


def read_sentence(
    story: Story, path: KeyPath, written: Any, table: tuple[Sentence, ...]
) -> Doing | ConfigError:
    """What is written at this path of the story, or what is wrong with it."""
    if isinstance(written, str):
        text, fields = written, None
    elif isinstance(written, dict) and len(written) == 1:
        ((text, fields),) = written.items()
    else:
        return story.error(
            path, "this must be one sentence, or one sentence with the fields that are filled in"
        )
    if fields is not None and not (isinstance(fields, dict) and fields):
        return story.error(path, "what follows a sentence are fields with their values (Status: Open)")
    for sentence in table:
        slots = sentence.read(text)
        if slots is None:
            continue
        for slot, known in (("lead", story.told.leads), ("user", story.sales), ("colleague", story.sales)):
            if slot in slots and slots[slot] not in known and not (slot == "user" and slots[slot] == "Admin"):
                what = "lead" if slot == "lead" else "salesperson"
                hint = did_you_mean(slots[slot], list(known))
                return story.error(path, f'the story has no {what} "{slots[slot]}"', hint)
        if fields and sentence.fields == "no":
            return story.error(path, f'"{text}" takes no fields')
        if not fields and sentence.fields == "must":
            return story.error(path, f'"{text}" needs the fields that are filled in')
        return Doing(path, text, sentence, slots, fields or {})
    near = get_close_matches(text, [sentence.form for sentence in table], n=1, cutoff=0.3)
    hint = f'nearest: "{near[0]}"' if near else "docs/stories.md lists what can be done"
    return story.error(path, f'nobody here knows how to do "{text}"', hint)
