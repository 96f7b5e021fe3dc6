"""Fields read: which of a lead's fields the rules that make an MQL look at. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from mappings.source import Source, parse
from rules.nodes import Field, Node, children
from rules.parse import ExpressionErrors, parse_condition
from rules.scope import Scope

_PARTS: Final = ("score", "gates", "fast_track", "disqualify")


def fields_read(sources: Sequence[Source], scope: Scope) -> frozenset[str]:
    """The fields that the conditions of scores, gates, fast tracks and disqualifications name. The documents
    have been compiled: what cannot be read is passed over."""
    found: set[str] = set()
    for source in sources:
        data = parse(source).data
        for part in _PARTS if isinstance(data, dict) else ():
            for item in _rules(data.get(part)):
                on = item.get("on")
                place = scope.within(on=on if isinstance(on, str) else None, scores=True)
                try:
                    found.update(fields_of(parse_condition(str(item["when"]), place)))
                except ExpressionErrors:
                    continue
    return frozenset(found)


def _rules(data: Any) -> Iterator[dict[str, Any]]:
    """Everything that has a condition, at any depth."""
    if isinstance(data, dict):
        if "when" in data:
            yield data
        for value in data.values():
            yield from _rules(value)
    elif isinstance(data, list):
        for value in data:
            yield from _rules(value)


def fields_of(node: Node) -> Iterator[str]:
    """The fields that a condition names."""
    if isinstance(node, Field):
        yield node.name
    for child in children(node):
        yield from fields_of(child)
