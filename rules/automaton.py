"""A regular expression as an automaton that reads each character of a text once: it cannot run away.

The pattern is parsed by Python's own parser and single characters are judged by Python's own engine, so
that what it means is exactly what `re.search` means; only the search itself is done differently (states of
a lazily built automaton instead of backtracking). Knows nothing about rules or leads. Patterns that only a
backtracking engine can search (look-around, back-references) are refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # typeshed does not list them
from typing import Any, Final

MAX_NODES: Final = 400
"""Automaton nodes that one pattern may need: `x{1,100}` counts 100 times its content."""

_TOO_LARGE: Final = f"the pattern is too large: with its repeats it has more than {MAX_NODES} parts"
_MAX_TRANSITIONS: Final = 20_000
_ALLOWED_FLAGS: Final = re.IGNORECASE | re.DOTALL | re.VERBOSE | re.UNICODE

# what stands before or after a position, as far as anchors care
_EDGE, _WORD, _OTHER, _LAST_NEWLINE = range(4)


class Unsearchable(ValueError):
    """The pattern is not valid, or uses something that cannot be searched in linear time."""


@dataclass(slots=True)
class _Node:
    """A place in the automaton: reads one character, tests the position, or only leads on."""

    reads: Callable[[str], Any] | None = None
    tests: Callable[[int, int], bool] | None = None
    then: list[int] = field(default_factory=list)


class _State(dict[str, "_State | None"]):
    """A set of places at once, and where each character leads from here; None is a match."""

    __slots__ = ("before", "places")

    def __init__(self, places: frozenset[int], before: int) -> None:
        super().__init__()
        self.places = places
        self.before = before


def parse_pattern(pattern: str) -> Any:
    """The parsed pattern (an `re` sub-pattern, case-insensitive). Raises Unsearchable, with the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # [[:alpha:]] is no class of letters here
            parsed = _parser.parse(pattern, re.IGNORECASE)
    except FutureWarning as warning:
        raise Unsearchable(f"not a valid pattern: {str(warning).lower()}; write \\[ for a bracket") from None
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise Unsearchable(f"not a valid pattern: {error}") from None
    if parsed.state.flags & ~_ALLOWED_FLAGS:
        raise Unsearchable("of the pattern flags only i, s and x can be used")
    return parsed


class Automaton:
    """Searches one pattern in time proportional to the length of the text."""

    def __init__(self, parsed: Any) -> None:
        """Builds from what `parse_pattern` returned. Raises Unsearchable."""
        self._nodes: list[_Node] = []
        self._end = self._add(_Node())
        self._start = self._build(parsed, parsed.state.flags, self._end)
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._transitions = 0
        self._first = self._state(frozenset((self._start,)), _EDGE)

    def search(self, text: str) -> bool:
        """Whether the pattern occurs anywhere in the text."""
        state = self._first
        last_newline = text.endswith("\n")
        for character in text[:-1] if last_newline else text:
            following = state.get(character, state)
            if following is state and character not in state:
                following = self._step(state, character, _kind(character))
            if following is None:
                return True
            state = following
        if last_newline:
            following = self._step(state, "\n", _LAST_NEWLINE)
            if following is None:
                return True
            state = following
        return self._end in self._closure(state.places, state.before, _EDGE)

    def _state(self, places: frozenset[int], before: int) -> _State:
        key = (places, before)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _State(places, before)
        return state

    def _step(self, state: _State, character: str, kind: int) -> _State | None:
        here = self._closure(state.places, state.before, kind)
        following: _State | None = None
        if self._end not in here:
            places = {self._start}
            for place in here:
                node = self._nodes[place]
                if node.reads is not None and node.reads(character):
                    places.update(node.then)
            following = self._state(frozenset(places), _WORD if kind == _WORD else _OTHER)
        if kind != _LAST_NEWLINE:
            self._transitions += 1
            if self._transitions > _MAX_TRANSITIONS:  # bounded memory: forget, and learn again
                self._transitions = 0
                for known in self._states.values():
                    known.clear()
                self._states = {(self._first.places, self._first.before): self._first}
            state[character] = following
        return following

    def _closure(self, places: Iterable[int], before: int, after: int) -> set[int]:
        seen = set(places)
        open_places = list(seen)
        while open_places:
            node = self._nodes[open_places.pop()]
            if node.reads is None and (node.tests is None or node.tests(before, after)):
                new = [place for place in node.then if place not in seen]
                seen.update(new)
                open_places.extend(new)
        return seen

    def _add(self, node: _Node) -> int:
        if len(self._nodes) >= MAX_NODES:
            raise Unsearchable(_TOO_LARGE)
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _build(self, items: Any, flags: int, then: int) -> int:
        """Adds the nodes of a sequence that leads on to `then`; returns where it begins."""
        for operation, argument in reversed(list(items)):
            then = self._build_one(operation, argument, flags, then)
        return then

    def _build_one(self, operation: Any, argument: Any, flags: int, then: int) -> int:
        if operation in _READING:
            state = _parser.State()
            state.flags = flags & ~re.VERBOSE
            leaf = _parser.SubPattern(state, [(operation, argument)])
            return self._add(_Node(reads=_compiler.compile(leaf, state.flags).match, then=[then]))
        if operation is _constants.AT:
            test = _POSITIONS.get(argument)
            if test is None:
                raise Unsearchable(f"{str(argument).lower()} cannot be used in a pattern here")
            return self._add(_Node(tests=test, then=[then]))
        if operation is _constants.SUBPATTERN:
            _, added, removed, body = argument
            return self._build(body, (flags | added) & ~removed, then)
        if operation is _constants.BRANCH:
            return self._add(_Node(then=[self._build(branch, flags, then) for branch in argument[1]]))
        if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            least, most, body = argument
            if least > MAX_NODES or MAX_NODES < most < _constants.MAXREPEAT:
                raise Unsearchable(_TOO_LARGE)
            if most is _constants.MAXREPEAT:
                loop = self._add(_Node(then=[then]))
                self._nodes[loop].then.append(self._build(body, flags, loop))
                then = loop
            else:
                after = then
                for _ in range(int(most) - int(least)):
                    then = self._add(_Node(then=[after, self._build(body, flags, then)]))
            for _ in range(int(least)):
                size = len(self._nodes)
                then = self._build(body, flags, then)
                if len(self._nodes) == size:  # an empty body: repeating it adds nothing
                    break
            return then
        raise Unsearchable(
            "look-around, back-references and possessive groups cannot be used: their time has no bound"
        )


_READING: Final = frozenset(
    {_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN, _constants.CATEGORY}
)
_POSITIONS: Final[dict[Any, Callable[[int, int], bool]]] = {
    _constants.AT_BEGINNING: lambda before, _: before == _EDGE,
    _constants.AT_BEGINNING_STRING: lambda before, _: before == _EDGE,
    _constants.AT_END: lambda _, after: after in (_EDGE, _LAST_NEWLINE),
    _constants.AT_END_STRING: lambda _, after: after == _EDGE,
    _constants.AT_BOUNDARY: lambda before, after: (before == _WORD) != (after == _WORD),
    # Python holds that an empty text has no \B: the only position with an edge on both sides
    _constants.AT_NON_BOUNDARY: lambda before, after: (
        (before == _WORD) == (after == _WORD) and not before == after == _EDGE
    ),
}


def _kind(character: str) -> int:
    return _WORD if character.isalnum() or character == "_" else _OTHER


def backtracking_steps(items: Any, length: int) -> float:
    """At most how many steps a backtracking search needs over a text of `length` characters.

    Counts every way in which each prefix of the pattern can be laid over the text from one start (each
    alternative, each number of repeats), whether or not the text allows it, times the starts. Inf where
    that is no longer a number.
    """
    try:
        _, steps = _ways_and_steps(items, length)
    except OverflowError:
        return float("inf")
    return steps * (length + 1)


def _ways_and_steps(items: Any, length: int) -> tuple[float, float]:
    ways, steps = 1.0, 1.0
    for operation, argument in items:
        more, part = _of_one(operation, argument, length)
        steps += ways * part
        ways *= more
    return ways, steps


def _of_one(operation: Any, argument: Any, length: int) -> tuple[float, float]:
    if operation is _constants.SUBPATTERN:
        return _ways_and_steps(argument[3], length)
    if operation is _constants.BRANCH:
        counted = [_ways_and_steps(branch, length) for branch in argument[1]]
        return sum(ways for ways, _ in counted), sum(steps for _, steps in counted)
    if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        least, most, body = argument
        ways, steps = _ways_and_steps(body, length)
        # a body that can be empty is tried at most once more than the text is long
        least, most = int(least), min(int(most), max(int(least), length + 1))
        if ways <= 1:
            return most - least + 1.0, steps * max(most, 1)
        total = (ways ** (most + 1) - 1) / (ways - 1)
        return total, steps * total
    return 1.0, 1.0
