"""Owner check: whether those whom the rules name can own leads on every side. Pure; asks nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mappings.mapping import Mapping as LeadMapping
from mappings.problems import ConfigError
from mappings.stages import is_person
from mappings.values import OwnerDirectory
from rules.routing import NamedOwner


@dataclass(frozen=True, slots=True)
class MissingOwner:
    """Somebody whom the rules name, and a side that has no such active user or queue."""

    named: NamedOwner
    side: str

    @property
    def message(self) -> str:
        kind = "user" if is_person(self.named.owner) else "queue"
        follows = "the pool does without" if self.named.in_pool else "leads that go there are held"
        return f"{self.named.owner} is no active {kind} on {self.side}: {follows}"

    @property
    def error(self) -> ConfigError:
        """The same at its place in the rules, with what to do."""
        named = self.named
        there = "invite them there" if is_person(named.owner) else "make it there"
        return ConfigError(
            named.file, named.line, named.column, self.message, f"{there}, or change {named.where}"
        )


def sides_with_owners(mapping: LeadMapping) -> list[tuple[str, bool]]:
    """The sides where leadloop sets the owner of a record, and whether queues can be owners there."""
    return [
        (side.side, side.kind == "crm")
        for side in mapping.sides.values()
        if any((pair := target.pair("owner")) and pair.writes for target in side.person_objects)
    ]


def why_unfit(owner: str, sides: Sequence[tuple[str, bool]], directory: OwnerDirectory) -> Iterator[str]:
    """The sides on which this owner can own no lead. A side whose users are not known says nothing."""
    for side, queues in sides:
        if (
            (queues or is_person(owner))
            and directory.knows_owners_of(side)
            and directory.native_of(side, owner) is None
        ):
            yield side


def missing_owners(
    named: Sequence[NamedOwner], mapping: LeadMapping, directory: OwnerDirectory
) -> list[MissingOwner]:
    """Everybody in the rules who is missing or inactive on a side, where it stands."""
    sides = sides_with_owners(mapping)
    return [MissingOwner(owner, side) for owner in named for side in why_unfit(owner.owner, sides, directory)]
