"""Mapping: the compiled form of the mapping documents, which is all that the rest of leadloop uses of them.

Frozen plain data: what a lead is, and which objects each side has (`mappings.object_mapping`). Compiled by
`mappings/compile.py`. No I/O, no platform knowledge beyond what the YAML says: sides, objects and fields are
names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from mappings.object_mapping import ObjectMapping
from mappings.values import FieldType

if TYPE_CHECKING:
    from mappings.source import Source

ACCOUNT_OWNER: Final = "account_owner"
"""The canonical field with the owner of the account that a lead belongs to."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One canonical field. `policy` decides when several sides changed: a side's name, 'newest',
    'not_blank', 'hold' or 'opt_out'; `otherwise` (a side's name, 'not_blank', 'hold') when it cannot.
    `first_contact`: 'fill', a side's name, or 'hold'. `blank`: 'keep' (a blank never erases) or 'erase' (a
    blank is a value). `values`: all that a picklist may hold; None: anything."""

    name: str
    type: FieldType
    policy: str
    otherwise: str | None = None
    first_contact: str = "fill"
    blank: Literal["keep", "erase"] = "keep"
    group: str | None = None
    identity: bool = False
    personal: bool = False
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class SideMapping:
    """One side: its name, the platform behind it (an entry point), and whether it is the CRM or the
    marketing automation."""

    side: str
    platform: str
    kind: Literal["crm", "map"]
    objects: ReadOnly[str, ObjectMapping]

    @property
    def person_objects(self) -> tuple[ObjectMapping, ...]:
        """The objects that hold a person, most preferred first."""
        people = [mapped for mapped in self.objects.values() if mapped.role == "person"]
        return tuple(sorted(people, key=lambda mapped: mapped.precedence))

    @property
    def account_object(self) -> str | None:
        """The object that holds accounts, if the side has one."""
        return next((name for name, mapped in self.objects.items() if mapped.role == "account"), None)

    @property
    def object_for_create(self) -> ObjectMapping | None:
        """The object in which a lead that this side lacks is created, if the mapping has one."""
        return next((mapped for mapped in self.person_objects if mapped.create is not None), None)


@dataclass(frozen=True, slots=True)
class Mapping:
    """All mapping documents of a configuration. `version` is the SHA-256 of their texts. `groups`: name to
    the canonical fields that are planned, sent and refused together."""

    version: str
    fields: ReadOnly[str, FieldRule]
    sides: ReadOnly[str, SideMapping]
    illegal_moves: Literal["revert", "accept", "hold"]
    groups: ReadOnly[str, tuple[str, ...]]
    default_country: str | None = None

    @property
    def activities(self) -> dict[str, dict[str, FieldType]]:
        """Every kind of activity that the platforms give, with the types of its attributes."""
        found: dict[str, dict[str, FieldType]] = {}
        for side in self.sides.values():
            for target in side.objects.values():
                for counter in target.counters:
                    given = found.setdefault(counter.activity, {})
                    if counter.detail is not None:
                        given["detail"] = "text"
                if target.activity is not None:
                    for kind in target.activity.all_kinds:
                        given = found.setdefault(kind, {})
                        given.update((name, item.type) for name, item in target.activity.attributes.items())
        return found

    def offered(self, options: ReadOnly[tuple[str, str], ReadOnly[str, Collection[str] | None]]) -> Mapping:
        """The same mapping on platforms whose picklists offer these values: (side, object) to native field
        to values. Stage values that are not offered are read, never written."""
        sides = {
            name: replace(
                side,
                objects=MappingProxyType(
                    {
                        object_name: mapped.offered(options.get((name, object_name), {}))
                        for object_name, mapped in side.objects.items()
                    }
                ),
            )
            for name, side in self.sides.items()
        }
        return replace(self, sides=MappingProxyType(sides))


def load_mapping(sources: Sequence[Source]) -> Mapping:
    """Compile mapping documents: one that says what a lead is (`fields:`), and one for each side (`side:`).

    Raises ConfigErrors with everything that is wrong, at once."""
    from mappings.compile import compile_mapping  # the compiler needs pydantic; who only reads does not

    return compile_mapping(sources)
