"""Rules that fired, with their points and what they saw: what explains a decision. Plain data.

What a group's cap takes away (or its floor gives back) stands among them, so that the points add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, overload

from mappings.values import Value

Part = Literal["fit", "engagement", "fast_track", "disqualify"]

CAP_OF: Final = "bounds of group "
"""Begins the name under which a group tells what its bounds changed; the group's name follows."""


class Fired(NamedTuple):
    """A rule that fired, with its points (0 where it gives none) and the values that it saw, by name."""

    rule: str
    part: Part
    points: int
    saw: Mapping[str, Value]

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "part": self.part, "points": self.points, "saw": dict(self.saw)}


Found = tuple[str, Part, int, Mapping[str, Value] | tuple[str, ...]]
"""A rule that fired, as generated code notes it: with what it saw, or with the names of the lead's fields
alone, whose values are noted once for all rules."""


class FiredRules(Sequence[Fired]):
    """The rules that fired, in order. Equal to a tuple of the same.

    Most evaluations only want the score, and naming what fired costs as much as finding it: so that is done
    when somebody looks.
    """

    __slots__ = ("_found", "_values")

    def __init__(self, found: Sequence[Found] = (), values: Mapping[str, Value] | None = None) -> None:
        """`values`: those of the lead's fields, as the rules saw them."""
        self._found = tuple(found)
        self._values = values or {}

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Fired]:
        return map(self._tell, self._found)

    @overload
    def __getitem__(self, place: int) -> Fired: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Fired, ...]: ...
    def __getitem__(self, place: int | slice) -> Fired | tuple[Fired, ...]:
        if isinstance(place, slice):
            return tuple(map(self._tell, self._found[place]))
        return self._tell(self._found[place])

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, FiredRules | tuple) else NotImplemented

    def _tell(self, found: Found) -> Fired:
        rule, part, points, saw = found
        return Fired(rule, part, points, {n: self._values[n] for n in saw} if isinstance(saw, tuple) else saw)

    __hash__ = None  # type: ignore[assignment]  # what a rule saw is a dictionary

    def __repr__(self) -> str:
        return repr(tuple(self))
