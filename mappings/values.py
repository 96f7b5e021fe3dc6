"""Values: the two vocabularies that a mapping translates between, and what can go wrong in between.

`Raw` is what a platform's JSON spells, `Value` what leadloop means by it. Only types and the two errors live
here; how a value is brought into its normal form is in `mappings/normalise.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol, get_args

Raw = str | int | float | bool | None
"""One native value. Blank is always None: adapters translate the platform's own way of saying blank."""

Fields = Mapping[str, Raw]
"""Native field name to value. A name that is absent is unknown, never blank."""

Value = str | int | float | bool | tuple[str, ...] | None
"""One canonical value, in the normal form of its type (see `FieldType`). Blank is None."""

FieldType = Literal[
    "text",
    "number",
    "money",
    "boolean",
    "date",
    "datetime",
    "picklist",
    "multi_select",
    "email",
    "phone",
    "country",
    "state",
    "url",
    "owner",
]
"""What a canonical value is: text, picklist, url: str; number, money: int where integral, else float;
boolean: bool; date: 'YYYY-MM-DD'; datetime: 'YYYY-MM-DDTHH:MM:SSZ' (UTC); multi_select: sorted tuple of str;
email: lower case; phone: E.164 (';ext=12' behind it if there is an extension); country: ISO 3166-1 alpha-2;
state: the postal code where people write one ('CA'), else the name; owner: the e-mail address of a person,
or 'queue:<Name>'."""

FIELD_TYPES: Final[tuple[str, ...]] = get_args(FieldType)


class Unreadable(ValueError):
    """A native value that cannot be read as its canonical type. `str()` says why, in one clause."""


class NoSpelling(ValueError):
    """A canonical value that a platform has no way to write. `str()` says why, in one clause."""


class OwnerDirectory(Protocol):
    """Who can own a record on each side. `owner` is a person's e-mail address or 'queue:<Name>'."""

    def email_of(self, side: str, native_id: str) -> str | None:
        """The owner behind a native id of that side, or None if nobody there has it."""
        ...

    def native_of(self, side: str, owner: str) -> str | None:
        """The native id of an owner on that side, or None if that side does not know the owner."""
        ...

    def knows_owners_of(self, side: str) -> bool:
        """Whether anybody is known there; if not, who is missing cannot be told."""
        ...
