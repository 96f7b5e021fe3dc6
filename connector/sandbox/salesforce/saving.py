"""Create and update: what was sent is read, checked against every rule of the org, and stored.

One record at a time; nothing is stored of a record that is refused. Source: facts/salesforce.md 4, 7, 9, 11.
This file must not know HTTP, nor how many records came together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce import derived, ids, refusals
from connector.sandbox.salesforce.duplicates import refuse_duplicates
from connector.sandbox.salesforce.field_history import changes, history_of
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.schema import ObjectSpec, Row
from connector.sandbox.salesforce.values import read_value
from connector.sandbox.salesforce.world import World

Body = Mapping[str, Any]
_READ_ONLY_HELP = (
    "Please check the security settings of this field and verify that it is read/write for your profile or "
    "permission set."
)


@dataclass(frozen=True, slots=True)
class Save:
    """Who saves, and how. `assign`: the active lead assignment rule runs (Sforce-Auto-Assign).
    `allow_duplicates`: alerts of duplicate rules are passed (Sforce-Duplicate-Rule-Header)."""

    by_user: str
    assign: bool = False
    allow_duplicates: bool = False
    version: str = "62.0"


def insert(world: World, spec: ObjectSpec, body: Body, save: Save) -> str:
    """Create a row and return its id. Raises Refusal."""
    if not spec.createable:
        message = f"entity type cannot be inserted: {spec.label}"
        raise Refusal("INVALID_TYPE_FOR_OPERATION", message)
    sent = _read(world, spec, body, creating=True)
    row: Row = {**spec.defaults, **{name: value for name, value in sent.items() if value is not None}}
    if "OwnerId" in spec.fields and "OwnerId" not in row:
        row["OwnerId"] = save.by_user
    now = world.now_stamp()
    row_id = world.new_id(spec)
    row = {"Id": row_id, "IsDeleted": False, **row}
    if "IsDeleted" not in spec.fields:
        del row["IsDeleted"]
    row |= {"CreatedDate": now, "CreatedById": save.by_user}
    _finish(world, spec, row, None, sent, save, now)
    return row_id


def update(world: World, spec: ObjectSpec, row_id: str, body: Body, save: Save) -> None:
    """Change a row. Raises Refusal."""
    before = writable_row(world, spec, row_id)
    if not spec.updateable:
        raise Refusal("INVALID_TYPE_FOR_OPERATION", f"entity type cannot be updated: {spec.label}")
    if before.get("IsConverted") and not world.edit_converted_leads:
        raise Refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
    sent = _read(world, spec, body, creating=False)
    _finish(world, spec, {**before, **sent}, before, sent, save, world.now_stamp())


def writable_row(world: World, spec: ObjectSpec, row_id: str) -> Row:
    """The row that a write by id is about. Raises Refusal when there is none, or when it is deleted."""
    row = world.tables[spec.name].rows.get(row_id)
    if row is None:
        raise refusals.no_such_row()
    if row.get("IsDeleted"):
        raise refusals.row_is_deleted()
    return row


def _finish(
    world: World, spec: ObjectSpec, row: Row, before: Row | None, sent: Row, save: Save, now: str
) -> None:
    if save.assign and world.assignment_owner and spec.name == "Lead":
        sent = {**sent, "OwnerId": world.assignment_owner}
        row["OwnerId"] = world.assignment_owner
    _require(spec, row, before, sent)
    _check_references(world, spec, row, sent, save)
    derived.derive(world, spec.name, row, before, sent)
    bad = world.faults.bad(spec.name, row) if world.faults.bad_records else None
    if bad is not None:
        raise Refusal(bad.code, bad.message or f"{bad.code} was asked for", [])
    for rule, holds in world.rules.get(spec.name, ()):
        if holds(row):
            fields = [rule.field] if rule.field else []
            raise Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)
    check_unique(world, spec, row)
    if world.duplicate_rules and before is None:
        refuse_duplicates(world, spec, row, save.allow_duplicates, save.version)
    for name, value in sent.items():
        if value is None:
            row.pop(name, None)
    row |= {"LastModifiedDate": now, "LastModifiedById": save.by_user, "SystemModstamp": now}
    world.put(spec.name, row)
    tracked = world.tracked.get(spec.name)
    if tracked and before is not None:
        history = world.objects[history_of(spec.name)]
        for change in changes(spec, tracked, before, row, save.by_user, now):
            kept = {name: value for name, value in change.items() if value is not None}
            world.put(history.name, {"Id": world.new_id(history), **kept})
    follow = derived.follow_up(world, spec.name, row, before)
    if follow is not None:
        insert(world, world.objects[follow[0]], follow[1], Save(save.by_user))


def _read(world: World, spec: ObjectSpec, body: Body, creating: bool) -> Row:
    sent: Row = {}
    refused: list[str] = []
    for name, value in body.items():
        if name == "attributes":
            continue
        field = world.find_field(spec, name)
        if field is None:
            if isinstance(value, Mapping) and spec.relationship(name) is not None:
                name, value = _resolved(world, spec, name, value)
                field = spec.fields[name]
            else:
                raise refusals.no_such_column(name, spec.name)
        if not (field.createable if creating else field.updateable):
            refused.append(field.name)
        else:
            sent[field.name] = read_value(field, value)
    if refused:
        message = f"Unable to create/update fields: {', '.join(refused)}. {_READ_ONLY_HELP}"
        raise Refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, refused)
    return world.faults.saved(spec.name, sent) if world.faults.rewrite_on_save else sent


def _resolved(world: World, spec: ObjectSpec, name: str, key: Mapping[str, Any]) -> tuple[str, Any]:
    """A parent named by an external id (`"Account": {"Code__c": "7"}`) as its reference field and id."""
    field = spec.relationship(name)
    pairs = [(each, value) for each, value in key.items() if each != "attributes"]
    kind = key.get("attributes")
    target = kind.get("type") if isinstance(kind, Mapping) else None
    if field is None or len(pairs) != 1 or (field.polymorphic and target is None):
        raise refusals.bad_json(
            "Nested object for polymorphic foreign key must have an attributes field before any other fields."
        )
    parent = world.find_object(str(target or field.references[0]))
    key_name, value = pairs[0]
    key_field = world.find_field(parent, key_name) if parent else None
    if parent is None or key_field is None or not key_field.key:
        raise refusals.no_such_column(key_name, str(target or field.references[0]))
    found = rows_with_key(world, parent, key_field.name, value)
    if len(found) != 1:
        message = (
            f"Foreign key external ID: {value} not found for field {key_field.name} in entity {parent.name}"
        )
        raise Refusal("INVALID_FIELD", message, [])
    return field.name, found[0]


def rows_with_key(world: World, spec: ObjectSpec, field: str, value: Any) -> list[str]:
    """The ids of the live rows with this value in an indexed field (or this id)."""
    table = world.tables[spec.name]
    if field == "Id":
        row_id = ids.canonical(value)
        candidates: tuple[str, ...] = (row_id,) if row_id in table.rows and row_id is not None else ()
    else:
        candidates = table.postings[field].of(value)
    return [row_id for row_id in candidates if not table.rows[row_id].get("IsDeleted")]


def _require(spec: ObjectSpec, row: Row, before: Row | None, sent: Row) -> None:
    if before is None:
        missing = [field.name for field in spec.required if row.get(field.name) is None]
    else:
        missing = [name for name, value in sent.items() if value is None and not spec.fields[name].nillable]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refusal("REQUIRED_FIELD_MISSING", message, missing)


def _check_references(world: World, spec: ObjectSpec, row: Row, sent: Row, save: Save) -> None:
    for name, value in sent.items():
        field = spec.fields[name]
        if field.type != "reference" or value is None:
            continue
        target = world.object_of_id(value)
        if target is None or target.name not in field.references:
            message = f"{field.label}: id value of incorrect type: {value}"
            raise Refusal("MALFORMED_ID", message, [name])
        if world.live(value) is None:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [name])
    owner = row.get("OwnerId") if "OwnerId" in sent or save.assign else None
    user = world.row(owner) if owner and owner.startswith("005") else None
    if user is not None and not user.get("IsActive"):
        message = f"operation performed with inactive user [{owner}] as owner of {spec.label.lower()}"
        raise Refusal("INACTIVE_OWNER_OR_USER", message, ["OwnerId"])


def check_unique(world: World, spec: ObjectSpec, row: Row) -> None:
    """Raises Refusal (DUPLICATE_VALUE) when another live row has the value of a unique field."""
    for field in spec.unique:
        value = row.get(field.name)
        if value is None:
            continue
        for other in rows_with_key(world, spec, field.name, value):
            if other != row["Id"]:
                message = (
                    f"duplicate value found: {field.name} duplicates value on record with id: {other[:15]}"
                )
                raise Refusal("DUPLICATE_VALUE", message, [])
