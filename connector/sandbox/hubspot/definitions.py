"""Property definitions: what a property of an object is. Plain data; no records, no values.

`type` and `fieldType` as HubSpot has them (hubspot.md section 11): a datetime's fieldType is also `date`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.hubspot.times import iso

TYPES = ("string", "number", "date", "datetime", "enumeration", "bool", "phone_number")
_USUAL_FIELD_TYPE = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "phone_number": "phonenumber",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One allowed value of an enumeration: `value` is the internal name that goes over the wire."""

    value: str
    label: str
    hidden: bool = False

    def to_json(self, display_order: int) -> dict[str, Any]:
        """As in a property's `options`."""
        return {
            "label": self.label,
            "value": self.value,
            "description": "",
            "displayOrder": display_order,
            "hidden": self.hidden,
        }


@dataclass(slots=True)
class Definition:
    """One property of one object. `reference` names what holds the allowed values when they are not
    `options`: OWNER, PIPELINE or STAGE. `rule` is an admin's validation rule: (expression, message)."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = "contactinformation"
    options: tuple[Option, ...] = ()
    calculated: bool = False
    read_only: bool = False
    unique: bool = False
    hubspot_defined: bool = True
    reference: str | None = None
    description: str = ""
    archived: bool = False
    created_ms: int = 0
    rule: tuple[str, str] | None = None
    allowed: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        self.set_options(self.options)

    def set_options(self, options: Iterable[Option]) -> None:
        """Replace the list of allowed values."""
        self.options = tuple(options)
        self.allowed = frozenset(option.value for option in self.options)

    @property
    def multiple(self) -> bool:
        """Whether several values, joined with `;`, can be held at once."""
        return self.type == "enumeration" and self.field_type == "checkbox"

    @property
    def writable(self) -> bool:
        """Whether an API write may set it."""
        return not (self.read_only or self.calculated)

    def to_json(self) -> dict[str, Any]:
        """As in the properties API."""
        moment = iso(self.created_ms)
        return {
            "updatedAt": moment,
            "createdAt": moment,
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [option.to_json(order) for order, option in enumerate(self.options)],
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.reference is not None,
            "archived": self.archived,
            "hasUniqueValue": self.unique,
            "hidden": False,
            "hubspotDefined": self.hubspot_defined,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined and self.name not in OPEN_OPTIONS,
                "readOnlyValue": not self.writable,
            },
            "formField": not self.read_only,
            "dataSensitivity": "non_sensitive",
        }


OPEN_OPTIONS = frozenset({"lifecyclestage", "hs_lead_status"})
"""HubSpot's own enumerations whose options an admin can edit (hubspot.md section 9)."""


def usual_field_type(type_name: str) -> str:
    """The fieldType that goes with a type when none is given."""
    return _USUAL_FIELD_TYPE[type_name]


def options_from(given: Iterable[str | Mapping[str, Any] | Option]) -> tuple[Option, ...]:
    """Options from plain values, or from the objects of the properties API in their display order."""
    found: list[tuple[int, Option]] = []
    for position, each in enumerate(given):
        if isinstance(each, Option):
            found.append((position, each))
        elif isinstance(each, str):
            found.append((position, Option(each, each)))
        else:
            order = each.get("displayOrder")
            option = Option(str(each["value"]), str(each["label"]), bool(each.get("hidden", False)))
            found.append((position if order is None or order < 0 else int(order), option))
    return tuple(option for _, option in sorted(found, key=lambda pair: pair[0]))
