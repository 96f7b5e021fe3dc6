"""Which record is associated with which, and as what. Both directions are always in step.

Type ids as in hubspot.md section 11. Knows ids and types, no records and no HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AssociationType:
    """A HUBSPOT_DEFINED way of being associated, as `origin` sees it; `inverse` is its id for `target`."""

    type_id: int
    origin: str
    target: str
    inverse: int
    label: str | None = None


_PAIRS = (
    (279, "contacts", "companies", 280, None),
    (1, "contacts", "companies", 2, "Primary"),
    (4, "contacts", "deals", 3, None),
    (341, "deals", "companies", 342, None),
    (5, "deals", "companies", 6, "Primary"),
    (578, "leads", "contacts", 577, None),
)
TYPES: Mapping[int, AssociationType] = {
    each.type_id: each
    for there, origin, target, back, label in _PAIRS
    for each in (
        AssociationType(there, origin, target, back, label),
        AssociationType(back, target, origin, there, label),
    )
}
PRIMARY_COMPANY = 1


def default_type(origin: str, target: str) -> AssociationType | None:
    """The unlabelled type between two objects; None if they cannot be associated."""
    for each in TYPES.values():
        if each.origin == origin and each.target == target and each.label is None:
            return each
    return None


class Associations:
    """All associations of a portal."""

    def __init__(self) -> None:
        self._edges: dict[tuple[str, str], dict[int, dict[int, set[int]]]] = {}

    def link(self, kind: AssociationType, origin_id: int, target_id: int) -> None:
        """Associate. A labelled type brings the unlabelled one along; a record has one primary company, so
        a new one takes the label from the old."""
        if kind.origin == "companies":
            kind, origin_id, target_id = TYPES[kind.inverse], target_id, origin_id
        if kind.label == "Primary":
            for company_id, types in self.of(kind.origin, origin_id, kind.target).items():
                types.discard(kind.type_id)
                self._types(kind.target, kind.origin, company_id, origin_id).discard(kind.inverse)
        plain = default_type(kind.origin, kind.target)
        for each in (kind, plain or kind):
            self._types(each.origin, each.target, origin_id, target_id).add(each.type_id)
            self._types(each.target, each.origin, target_id, origin_id).add(each.inverse)

    def unlink(self, origin: str, origin_id: int, target: str, target_id: int) -> None:
        """No association of any type any more."""
        self._edges.get((origin, target), {}).get(origin_id, {}).pop(target_id, None)
        self._edges.get((target, origin), {}).get(target_id, {}).pop(origin_id, None)

    def of(self, origin: str, origin_id: int, target: str) -> Mapping[int, set[int]]:
        """Target id to type ids."""
        return self._edges.get((origin, target), {}).get(origin_id, {})

    def forget(self, origin: str, origin_id: int) -> None:
        """The record is gone for good."""
        for each, target, target_id, _ in list(self.around(origin, origin_id)):
            self.unlink(each, origin_id, target, target_id)

    def move(self, origin: str, old_id: int, new_id: int) -> None:
        """A merge: what the old record was associated with, the new one is."""
        for _, _, target_id, type_ids in list(self.around(origin, old_id)):
            for type_id in sorted(type_ids, reverse=True):
                self.link(TYPES[type_id], new_id, target_id)
        self.forget(origin, old_id)

    def around(self, origin: str, origin_id: int) -> Iterator[tuple[str, str, int, set[int]]]:
        """(origin, target object, target id, type ids) of everything a record is associated with."""
        for (from_name, target), by_origin in self._edges.items():
            if from_name == origin:
                for target_id, type_ids in by_origin.get(origin_id, {}).items():
                    yield from_name, target, target_id, type_ids

    def _types(self, origin: str, target: str, origin_id: int, target_id: int) -> set[int]:
        edges = self._edges.setdefault((origin, target), {})
        return edges.setdefault(origin_id, {}).setdefault(target_id, set())

    def to_json(self) -> list[Any]:
        """For the state file."""
        return [
            [origin, target, origin_id, target_id, sorted(type_ids)]
            for (origin, target), by_origin in self._edges.items()
            for origin_id, by_target in by_origin.items()
            for target_id, type_ids in by_target.items()
        ]

    @staticmethod
    def from_json(state: list[Any]) -> Associations:
        """The reverse of `to_json`."""
        found = Associations()
        for origin, target, origin_id, target_id, type_ids in state:
            found._types(origin, target, origin_id, target_id).update(type_ids)
        return found
