"""What a name in a query means: a field of the object, or a field one relationship away.

Source: facts/salesforce.md 3.1 (a polymorphic parent is of type `Name`), 7.2. This file must not filter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.derived import computed, computed_fields
from connector.sandbox.salesforce.refusals import NO_COLUMN_HINT, NO_OBJECT_HINT, malformed, pointing
from connector.sandbox.salesforce.schema import FieldSpec, ObjectSpec, Row
from connector.sandbox.salesforce.soql_tree import Name
from connector.sandbox.salesforce.standard import NAME_FIELDS
from connector.sandbox.salesforce.world import World

Get = Callable[[Row], Any]

_TYPE = FieldSpec("Type", "picklist", length=40)
_NO_RELATIONSHIP_HINT = (
    "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom "
    "relationship name. Please reference your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Column:
    """A resolved name. `get` reads its value from a row of the queried object. `reference` is the field that
    leads to the parent when it lies one relationship away."""

    field: FieldSpec
    get: Get
    reference: FieldSpec | None = None

    @property
    def name(self) -> str:
        if self.reference is not None:
            return f"{self.reference.relationship}.{self.field.name}"
        return self.field.name


def find_source(world: World, name: Name, text: str) -> ObjectSpec:
    """The object after FROM. Raises Refusal (INVALID_TYPE)."""
    spec = world.find_object(name.text)
    if spec is None:
        message = f"sObject type '{name.text}' is not supported. {NO_OBJECT_HINT}"
        raise pointing("INVALID_TYPE", message, text, name.at)
    return spec


def find_column(world: World, spec: ObjectSpec, name: Name, text: str) -> Column:
    """What a name means in a query on this object. Raises Refusal (INVALID_FIELD)."""
    parts = name.text.split(".")
    if parts[0].lower() == spec.name.lower() and len(parts) > 1:
        parts = parts[1:]  # the object's own name may stand in front
    if len(parts) == 1:
        field = world.find_field(spec, parts[0])
        if field is None:
            raise no_column(parts[0], spec.name, text, name.at)
        return Column(field, _getter(spec, field))
    if len(parts) > 2:
        raise malformed("only relationships one level up are supported", text, name.at)
    reference = spec.relationship(parts[0])
    if reference is None or world.find_field(spec, reference.name) is None:
        message = f"Didn't understand relationship '{parts[0]}' in field path. {_NO_RELATIONSHIP_HINT}"
        raise pointing("INVALID_FIELD", message, text, name.at)
    return _parent_column(world, reference, parts[1], text, name.at)


def no_column(name: str, object_name: str, text: str, at: int) -> Exception:
    message = f"No such column '{name}' on entity '{object_name}'. {NO_COLUMN_HINT}"
    return pointing("INVALID_FIELD", message, text, at)


def _getter(spec: ObjectSpec, field: FieldSpec) -> Get:
    name = field.name
    if name in computed_fields(spec):
        object_name = spec.name
        return lambda row: computed(object_name, name, row)
    if field.type == "boolean":
        return lambda row: row.get(name, False)
    return lambda row: row.get(name)


def _parent_column(world: World, reference: FieldSpec, name: str, text: str, at: int) -> Column:
    link = reference.name
    if reference.polymorphic:
        known = next((each for each in NAME_FIELDS if each.lower() == name.lower()), None)
        if known is None:
            raise no_column(name, "Name", text, at)
        if known == "Type":
            return Column(_TYPE, lambda row: parent_type(world, row.get(link)), reference)
        specs = [world.objects[target] for target in reference.references if target in world.objects]
        field = next(found for spec in specs if (found := spec.find(known)) is not None)

        def read(row: Row) -> Any:
            parent = world.row(row.get(link))
            return None if parent is None else parent.get(field.name)

        return Column(field, read, reference)
    parent_spec = world.objects.get(reference.references[0])
    found = world.find_field(parent_spec, name) if parent_spec is not None else None
    if parent_spec is None or found is None:
        raise no_column(name, reference.references[0], text, at)
    get = _getter(parent_spec, found)

    def follow(row: Row) -> Any:
        parent = world.row(row.get(link))
        return None if parent is None else get(parent)

    return Column(found, follow, reference)


def parent_type(world: World, parent_id: str | None) -> str | None:
    """The `Type` of a polymorphic parent: its object, and `Queue` for a queue."""
    spec = world.object_of_id(parent_id) if parent_id else None
    if spec is None:
        return None
    if spec.name == "Group":
        return str((world.row(parent_id) or {}).get("Type") or "Group")
    return spec.name
