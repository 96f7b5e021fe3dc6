"""A SOQL query as plain objects: what the grammar reads, and the rest works on. Names are as typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LITERAL_UNDERSCORE: Final = "\ue000"
LITERAL_PERCENT: Final = "\ue001"
"""What stands in a LIKE pattern for an escaped wildcard."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it was typed, with its place in the query (from 0)."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a condition. `kind`: string, number, datetime, date, days, boolean, null, or word."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Item:
    """One thing selected: a field, or `function(argument)`; with an alias perhaps."""

    name: Name
    argument: Name | None = None
    function: bool = False
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator values`; `in`, `not in`, `like`, `includes` and `excludes` are operators too."""

    field: Name
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts joined by `and` or `or`; `not` has one part."""

    kind: str
    parts: tuple[Condition, ...]


Condition = Comparison | Junction


@dataclass(frozen=True, slots=True)
class Ordering:
    field: Name
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole SELECT."""

    items: tuple[Item, ...]
    object: Name
    where: Condition | None = None
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0
