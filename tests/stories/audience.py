"""Audience: looks at both platforms and at leadloop, and tells what is not as a story says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mappings.problems import Path as KeyPath
from mappings.problems import did_you_mean
from tests.stories import comparing, sights
from tests.stories.document import Story, Then
from tests.stories.scene import Scene
from tests.stories.script import NOBODY

Sight = sights.Sight
NOTHING: Sight = {"history": [], "holds": []}
"""What leadloop tells of somebody whom it does not know."""


class Audience:
    """Everybody who looks at a scene."""

    def __init__(self, story: Story, scene: Scene) -> None:
        self._story = story
        self._scene = scene
        self._moves: dict[str, int] = {}

    def begin_step(self) -> None:
        """What has happened until now is not part of the next step."""
        self._moves = {lead: len(sights.moves_of(seen)) for lead, seen in self._explained().items()}

    def look(self, then: Then, path: KeyPath) -> list[str]:
        """What is not as the story says, a line each; then what leadloop has done with those leads."""
        told = self._explained()
        wrong: list[tuple[str, str]] = []
        for place, name, see in (
            ("salesforce", "Salesforce", sights.on_salesforce),
            ("hubspot", "HubSpot", sights.on_hubspot),
        ):
            for lead, expected in getattr(then, place).items():
                seen = see(self._scene, lead)
                lines = self._differences((*path, place, lead), f"{name} shows", lead, expected, seen)
                wrong += ((lead, line) for line in lines)
        for lead, expected in then.leadloop.items():
            seen = told[lead] if told[lead] is not NOTHING else None
            lines = self._differences((*path, "leadloop", lead), "leadloop says", lead, expected, seen)
            wrong += ((lead, line) for line in lines)
        for lead, seen in told.items():
            wrong += ((lead, line) for line in self._in_words(then, path, lead, seen))
        printed = [line for command in then.prints for line in self._printed(then, path, command)]
        if not wrong:
            return printed
        past = [f"  {lead}: {each}" for lead in dict(wrong) for *_, each in sights.moves_of(told[lead])]
        return [*(line for _, line in wrong), *printed, "What leadloop has done:", *(past or ["  nothing"])]

    def _explained(self) -> dict[str, Sight]:
        return {lead: sights.explained(self._scene, lead) or NOTHING for lead in self._scene.leads}

    def _differences(
        self, path: KeyPath, shows: str, lead: str, expected: Any, seen: Sight | None
    ) -> Iterator[str]:
        if expected == NOBODY or seen is None:
            if (expected == NOBODY) != (seen is None):
                found, wanted = (NOBODY, "that it is") if seen is None else ("there", f"that it is {NOBODY}")
                yield self._line(path, f"{shows}: {lead} is {found}; the story says {wanted}")
            return
        for name, value in expected.items():
            found, known = _at(seen, name)
            if not known:
                hint = did_you_mean(name, list(seen))
                yield self._line((*path, name), f'{shows} no "{name}" of {lead}; {hint}')
            elif not comparing.is_met(value, found, self._story.zone):
                shown = comparing.shown(found, value, self._story.zone)
                wanted = comparing.wanted(value)
                yield self._line(
                    (*path, name), f"{shows} {shown} as {name} of {lead}; the story says {wanted}"
                )

    def _in_words(self, then: Then, path: KeyPath, lead: str, told: Sight) -> Iterator[str]:
        """Moves, holds and the explanation."""
        if lead in then.moves:
            happened = sights.moves_of(told)[self._moves[lead] :]
            expected = [str(move).replace("->", "→") for move in then.moves[lead]]
            same = len(happened) == len(expected)
            if not same or any(move not in forms for move, forms in zip(expected, happened, strict=True)):
                made = "; ".join(each for *_, each in happened) or "none"
                wanted = "; ".join(expected) or "none"
                where = (*path, "moves", lead)
                yield self._line(where, f"the moves of {lead} are: {made}. The story says: {wanted}")
        yield from self._held(then.holds.get(lead, []), (*path, "holds", lead), lead, told["holds"])
        if lead in then.explain:
            page = sights.page_of(self._scene, told) if told is not NOTHING else ""
            for number, phrase in enumerate(then.explain[lead]):
                if " ".join(phrase.split()) not in page:
                    where = (*path, "explain", lead, number)
                    yield self._line(where, f'leadloop explain does not say "{phrase}" but: {page}')

    def _held(
        self, expected: Sequence[Any], path: KeyPath, lead: str, holds: Sequence[Mapping[str, Any]]
    ) -> Iterator[str]:
        left = list(holds)
        for number, each in enumerate(expected):
            kind, phrase = next(iter(each.items())) if isinstance(each, dict) else (each, "")
            hold = next((one for one in left if one["kind"] == kind and phrase.lower() in _words(one)), None)
            if hold is not None:
                left.remove(hold)
                continue
            says = f' that says "{phrase}"' if phrase else ""
            found = "; ".join(map(_told, holds)) or "none"
            yield self._line((*path, number), f"{lead} has no hold {kind}{says}; its holds: {found}")
            return
        for hold in left:
            yield self._line(path, f"{lead} has a hold that the story does not tell of: {_told(hold)}")

    def _printed(self, then: Then, path: KeyPath, command: str) -> Iterator[str]:
        try:
            page = " ".join(self._scene.command(command).out.split())
        except KeyError as error:
            yield self._line((*path, "prints", command), f'"leadloop {command}" fails: {error.args[0]}')
            return
        for number, phrase in enumerate(then.prints[command]):
            if " ".join(phrase.split()) not in page:
                where = (*path, "prints", command, number)
                yield self._line(where, f'"leadloop {command}" does not print "{phrase}" but: {page}')

    def _line(self, path: KeyPath, text: str) -> str:
        return f"{self._story.place(path)}: {text}"


def _words(hold: Mapping[str, Any]) -> str:
    return f"{hold['message']} {hold['remedy']}".lower()


def _told(hold: Mapping[str, Any]) -> str:
    return f"{hold['kind']} ({hold['message']} {hold['remedy']})"


def _at(seen: Sight, name: str) -> tuple[Any, bool]:
    """The value of that name, and whether there is one; `score.fit` is the `fit` in `score`."""
    if name in seen:
        return seen[name], True
    first, _, rest = name.partition(".")
    below = seen.get(first)
    return _at(below, rest) if rest and isinstance(below, dict) else (None, False)
