"""Constant conditions: those that no lead can meet, or that every lead meets for which they are known.

`employees > 5 and employees < 3`, `country != "DE" or country != "FR"`, `count("visit") >= 0`. Found when
rules are loaded, by what the parts of an `and` or `or` say about the same value together. What cannot be told
for sure is let pass. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

from mappings.stages import Stage
from rules.nodes import (
    INVERSE,
    MIRROR,
    And,
    Call,
    Compare,
    Constant,
    Field,
    Literal,
    LiteralList,
    Node,
    Not,
    Or,
    Special,
    Within,
    children,
)
from rules.scope import OUTCOMES
from rules.value_types import Type

_STAGES: Final = frozenset(stage.value for stage in Stage)


@dataclass(slots=True)
class _Possible:
    """What one value can still be."""

    low: float = -inf
    low_open: bool = False
    high: float = inf
    high_open: bool = False
    one_of: frozenset[Constant] | None = None
    none_of: set[Constant] = field(default_factory=set)

    @property
    def nothing(self) -> bool:
        if self.one_of is not None:
            return not any(self._fits(value) for value in self.one_of if value not in self.none_of)
        if self.low == self.high:
            return self.low_open or self.high_open or self.low in self.none_of
        return self.low > self.high

    def _fits(self, value: Constant) -> bool:
        if isinstance(value, str):
            return True
        above = value > self.low or (value == self.low and not self.low_open)
        return above and (value < self.high or (value == self.high and not self.high_open))

    def compare(self, operator: str, value: Constant) -> None:
        """Takes in that the value is `operator` this one."""
        if operator == "==":
            self.among((value,))
        elif operator == "!=":
            self.none_of.add(value)
        elif not isinstance(value, str):
            opened = operator in ("<", ">")
            if operator in ("<", "<=") and (value, not opened) < (self.high, not self.high_open):
                self.high, self.high_open = value, opened
            if operator in (">", ">=") and (-value, not opened) < (-self.low, not self.low_open):
                self.low, self.low_open = value, opened

    def among(self, values: Collection[Constant]) -> None:
        """Takes in that the value is one of these."""
        chosen = frozenset(values)
        self.one_of = chosen if self.one_of is None else self.one_of & chosen


def is_constant(node: Node, choices: Mapping[str, Collection[str]]) -> bool | None:
    """True or False for a condition that is so wherever it is known; None for one that depends on the lead.

    `choices`: picklist fields to the values that they can have.
    """
    held = _conjuncts(node, wanted=True)
    if _contradict(held, choices) or _blank_and_known(held):
        return False
    if _contradict(_conjuncts(node, wanted=False), choices):
        return True
    return None


def _conjuncts(node: Node, *, wanted: bool) -> list[tuple[Node, bool]]:
    """Conditions, each with what it must be, which all hold exactly when the node is `wanted`."""
    match node:
        case Not(operand=operand):
            return _conjuncts(operand, wanted=not wanted)
        case And(operands=operands) if wanted:
            return [part for operand in operands for part in _conjuncts(operand, wanted=True)]
        case Or(operands=operands) if not wanted:
            return [part for operand in operands for part in _conjuncts(operand, wanted=False)]
        case _:
            return [(node, wanted)]


def _blank_and_known(parts: list[tuple[Node, bool]]) -> bool:
    """Whether one part asks that a value is blank, and another is unknown where it is."""
    blank = {
        asked.source
        for node, wanted in parts
        if wanted and isinstance(node, Call) and node.function.name == "is_blank"
        for asked in node.arguments
        if asked is not None
    }
    return bool(blank) and any(needed in blank for node, _ in parts for needed in _needed(node))


def _needed(node: Node) -> list[str]:
    """What must be known for the node to be known."""
    if isinstance(node, And | Or | Not) or (isinstance(node, Call) and not node.function.strict):
        return []
    return [node.source, *(needed for child in children(node) for needed in _needed(child))]


def _contradict(parts: list[tuple[Node, bool]], choices: Mapping[str, Collection[str]]) -> bool:
    known: dict[str, _Possible] = {}
    for node, wanted in parts:
        match node:
            case Compare(operator=operator, left=left, right=Literal(value=value)):
                subject = left
            case Compare(operator=operator, left=Literal(value=value), right=right):
                subject, operator = right, MIRROR[operator]
            case Within(item=item, collection=LiteralList(values=values)):
                possible = known.setdefault(item.source, _at_first(item, choices))
                folded = [_folded(value) for value in values]
                if wanted:
                    possible.among(folded)
                else:
                    possible.none_of.update(folded)
                continue
            case _:  # any other condition contradicts only its own opposite
                subject, operator, value = node, "==", True
        possible = known.setdefault(subject.source, _at_first(subject, choices))
        possible.compare(operator if wanted else INVERSE[operator], _folded(value))
    return any(possible.nothing for possible in known.values())


def _at_first(subject: Node, choices: Mapping[str, Collection[str]]) -> _Possible:
    """What a value can be by its type alone."""
    possible = _Possible()
    match subject:
        case Call(function=function) if function.type_range is not None:
            possible.low, possible.high = function.type_range
        case Special(name="stage"):
            possible.among(_STAGES)
        case Special(name="outcome"):
            possible.among(OUTCOMES)
        case Special(name="cycle"):
            possible.low = 0
        case Field(name=name) if name in choices and subject.type is Type.TEXT:
            possible.among([choice.casefold() for choice in choices[name]])
    if subject.type is Type.BOOLEAN:
        possible.among((True, False))
    return possible


def _folded(value: Constant) -> Constant:
    return value.casefold() if isinstance(value, str) else value
