"""Levels: the numbers of points at which a condition on the score may change its answer.

Found when rules are loaded, so that a score that fades is looked at again only when it matters. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor

from rules.nodes import MIRROR, Compare, Literal, Node, Special, children

Levels = tuple[int, ...] | None
"""Sorted numbers of points; None: every single point may matter."""


def find_levels(name: str, conditions: Iterable[Node], more: Iterable[int] = ()) -> Levels:
    """The levels of 'engagement' or 'score' in conditions, and those of the gates (`more`)."""
    levels = set(more)
    for condition in conditions:
        found = _levels(name, condition)
        if found is None:
            return None
        levels |= found
    return tuple(sorted(levels))


def _levels(name: str, node: Node) -> set[int] | None:
    if isinstance(node, Compare):
        for special, literal, operator in (
            (node.left, node.right, node.operator),
            (node.right, node.left, MIRROR[node.operator]),
        ):
            if isinstance(special, Special) and special.name == name and isinstance(literal, Literal):
                value = float(literal.value)
                reached, exceeded = ceil(value), floor(value) + 1
                if operator in (">=", "<"):
                    return {reached}
                return {exceeded} if operator in (">", "<=") else {reached, exceeded}
    if isinstance(node, Special) and node.name == name:
        return None
    levels: set[int] = set()
    for child in children(node):
        found = _levels(name, child)
        if found is None:
            return None
        levels |= found
    return levels
