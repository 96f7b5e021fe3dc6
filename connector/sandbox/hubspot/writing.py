"""How a record is created and changed: validation, uniqueness, quiet faults, history, derived values.

Two steps, so that a batch can fail as a whole before anything is stored: `prepare` and `check_unique` refuse
(they raise Problem), `create` and `update` only store.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any

from connector.sandbox.hubspot.associations import PRIMARY_COMPANY, AssociationType
from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.lifecycle import STAGE, derived, is_backward, keep_forward, stage_from_deal
from connector.sandbox.hubspot.problems import (
    Invalid,
    Problem,
    contact_exists,
    invalid_values,
    not_valid,
    value_taken,
)
from connector.sandbox.hubspot.records import Origin, Record
from connector.sandbox.hubspot.table import ADDITIONAL_EMAILS, Table
from connector.sandbox.hubspot.times import iso, moment_of
from connector.sandbox.hubspot.values import InvalidValueError, References, stored_text, text_of

Claims = MutableMapping[tuple[str, str], int]
"""Unique values that earlier inputs of the same batch are about to take: (property, value) to record id."""

Link = tuple[AssociationType, int]

_WORKFLOW = Origin("AUTOMATION_PLATFORM", "deal sync")


def prepare(
    crm: Crm,
    table: Table,
    sent: Mapping[str, Any],
    record: Record | None,
    by_hubspot: bool = False,
    rules: bool = False,
) -> dict[str, str]:
    """The changes to store for the properties sent; `record` None: it is to be created.

    `by_hubspot`: HubSpot's own doing (a person in its UI, a form, a calculation), which may set read-only
    properties and move the lifecycle stage freely. `rules`: enforce the admin's validation rules (all writes
    from 2026-09 on, hubspot.md section 2). Raises Problem."""
    changes: dict[str, str] = {}
    found: list[Invalid] = []

    def references(reference: str) -> Collection[str]:
        return crm.references(table, reference)

    for name, value in sent.items():
        try:
            changes[name] = _checked(crm, table, name, value, by_hubspot, rules, references)
        except InvalidValueError as refusal:
            found.append(refusal.found)
    if found:
        raise invalid_values(found, crm.portal_id)
    faults = crm.faults
    if faults.rewrite_on_save:
        saved = faults.saved(table.kind.name, changes)
        changes = {name: "" if value is None else str(value) for name, value in saved.items()}
    if faults.bad_records:
        whole = {**record.properties, **changes} if record else changes
        bad = faults.bad(table.kind.name, whole)
        if bad is not None:
            message = bad.message or f"{bad.match_value} is refused on purpose"
            raise invalid_values([Invalid(bad.match_field, bad.code, message)], crm.portal_id)
    if record is not None and not by_hubspot and STAGE in changes:
        keep_forward(crm, table, record, changes)
    return changes


def _checked(
    crm: Crm,
    table: Table,
    name: str,
    value: Any,
    by_hubspot: bool,
    rules: bool,
    references: References,
) -> str:
    definition = table.definitions.get(name)
    if (
        definition is None
        or definition.archived
        or (not by_hubspot and crm.faults.hidden_fields and crm.faults.is_hidden(table.kind.name, name))
    ):
        raise InvalidValueError(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if by_hubspot:
        if value is None:
            return ""
        if not definition.writable and definition.type not in ("date", "datetime"):
            return text_of(name, value)
    elif not definition.writable:
        message = f'"{name}" is a read only property; its value cannot be set.'
        raise InvalidValueError(name, "READ_ONLY_VALUE", message)
    text = stored_text(definition, value, references)
    if name == "email" and text in crm.blocklist:
        raise InvalidValueError(name, "BLOCKLISTED_EMAIL", "This email address was deleted for privacy")
    if rules and definition.rule is not None and text and not re.fullmatch(definition.rule[0], text):
        raise InvalidValueError(name, "PROPERTY_VALIDATION_RULE", definition.rule[1])
    return text


def check_required(table: Table, changes: Mapping[str, str], links: Sequence[Link]) -> None:
    """What a create through the API must have (hubspot.md sections 4 and 10). Raises Problem 400."""
    wanted: Mapping[str, tuple[str, ...]] = {
        "contacts": ("email", "firstname", "lastname"),
        "companies": ("name", "domain"),
        "leads": ("hs_lead_name",),
    }
    names = wanted.get(table.kind.name)
    if names and not any(changes.get(name) for name in names):
        raise not_valid(f"One of these properties is required: {', '.join(names)}")
    if table.kind.name == "leads" and not any(kind.target == "contacts" for kind, _ in links):
        raise not_valid("A lead must be associated with an existing contact")


def check_unique(
    crm: Crm, table: Table, changes: Mapping[str, str], record: Record | None, claims: Claims | None = None
) -> None:
    """Raises Problem when another record holds a unique value among the changes: 409 on creating a contact
    with another contact's primary address, otherwise 400 (hubspot.md section 4, both seen)."""
    for name in table.unique_names():
        value = changes.get(name)
        if not value:
            continue
        holder = table.holder(name, value)
        if holder is None and claims is not None:
            holder = claims.get((name, value))
        if holder is not None and (record is None or holder != record.record_id):
            if record is None and name == "email":
                held = table.live(holder)
                if held is None or held.properties.get("email") == value:
                    raise contact_exists(holder)
            record_id = table.take_id() if record is None else record.record_id
            raise value_taken(crm.portal_id, table.kind.type_id, name, value, record_id, holder)
        if claims is not None:
            claims[name, value] = record.record_id if record else table.next_id


def create(
    crm: Crm, table: Table, changes: Mapping[str, str], origin: Origin, links: Sequence[Link] = ()
) -> Record:
    """Store a new record with what HubSpot adds to it (recorded: far more than was sent)."""
    now_ms = crm.now_ms()
    record_id = table.take_id()
    created_ms = moment_of(changes.get(table.kind.created, "")) or now_ms
    properties = {name: value for name, value in changes.items() if value}
    if STAGE in table.definitions and not properties.get(STAGE) and crm.default_stage:
        properties[STAGE] = crm.default_stage
    properties |= {
        name: value for name, value in derived(crm, table, {}, properties, now_ms).items() if value
    }
    properties |= {
        "hs_object_id": str(record_id),
        table.kind.created: iso(created_ms),
        table.kind.modified: iso(now_ms),
        "hs_object_source": origin.type,
        "hs_object_source_id": origin.id,
        "hs_object_source_label": origin.label or origin.type,
    }
    if table.kind.name == "contacts":
        properties = _CONTACT_DEFAULTS | properties
    if crm.faults.visibility_lag_seconds:
        table.remember(record_id, now_ms)
    record = Record(record_id, created_ms, now_ms, origin, properties)
    table.insert(record)
    # the changes before the creation, as recorded
    crm.webhooks.changed(crm, table, record_id, changes, origin)
    crm.webhooks.note(crm, table, record_id, "creation", origin, changeFlag="CREATED")
    for kind, target_id in links:
        associate(crm, kind, record_id, target_id)
    return record


_CONTACT_DEFAULTS = {
    "hs_pipeline": "contacts-lifecycle-pipeline",
    "hs_is_contact": "true",
    "hs_is_unworked": "true",
    "hs_marketable_status": "false",
    "hs_marketable_until_renewal": "false",
}


def update(crm: Crm, table: Table, record: Record, changes: Mapping[str, str], origin: Origin) -> bool:
    """Store changed values. Equal values change nothing, the modified date included (hubspot.md section 4).
    Returns whether anything changed."""
    before = record.properties
    real = {name: value for name, value in changes.items() if before.get(name, "") != value}
    if not real:
        return False
    now_ms = crm.now_ms()
    if "email" in real and ADDITIONAL_EMAILS in before:
        others = [each for each in before[ADDITIONAL_EMAILS].split(";") if each]
        if real["email"] in others:  # a secondary address becomes the primary one and changes places
            others = [each for each in others if each != real["email"]] + [before.get("email", "")]
            real[ADDITIONAL_EMAILS] = ";".join(each for each in others if each)
    for name, value in derived(crm, table, before, real, now_ms).items():
        real.setdefault(name, value)
    if crm.faults.visibility_lag_seconds:
        table.remember(record.record_id, now_ms)
    table.change(record, real, now_ms, origin)
    crm.webhooks.changed(crm, table, record.record_id, real, origin)
    if table.kind.name == "deals" and "dealstage" in real:
        sync_deal(crm, record.record_id)
    return True


def touch(crm: Crm, table: Table, record: Record) -> None:
    """The modified date moves although no property that anyone maps has changed."""
    now_ms = crm.now_ms()
    if crm.faults.visibility_lag_seconds:
        table.remember(record.record_id, now_ms)
    table.touch(record, now_ms)


def associate(crm: Crm, kind: AssociationType, origin_id: int, target_id: int) -> None:
    """Associate two records, with what that changes on them."""
    crm.associations.link(kind, origin_id, target_id)
    ends: dict[str, Any] = {
        "fromObjectId": origin_id,
        "toObjectId": target_id,
        "associationTypeId": kind.type_id,
    }
    crm.webhooks.note(crm, crm.tables[kind.origin], origin_id, "associationChange", **ends)
    _touch_ends(crm, (kind.origin, origin_id), (kind.target, target_id))
    if PRIMARY_COMPANY in (kind.type_id, kind.inverse):
        contact_id, company_id = (
            (origin_id, target_id) if kind.type_id == PRIMARY_COMPANY else (target_id, origin_id)
        )
        contacts = crm.tables["contacts"]
        if (contact := contacts.live(contact_id)) is not None:
            update(crm, contacts, contact, {"associatedcompanyid": str(company_id)}, _WORKFLOW)
    if kind.target == "contacts" and kind.origin == "leads":
        leads = crm.tables["leads"]
        update(crm, leads, leads.records[origin_id], {"hs_primary_contact_id": str(target_id)}, _WORKFLOW)
    if "deals" in (kind.origin, kind.target):
        sync_deal(crm, origin_id if kind.origin == "deals" else target_id)


def dissociate(crm: Crm, origin: Table, one: Record, target: Table, other: Record) -> None:
    """End the associations of two records, with what that changes on them."""
    names = origin.kind.name, target.kind.name
    type_ids = sorted(crm.associations.of(names[0], one.record_id, names[1]).get(other.record_id, ()))
    crm.associations.unlink(names[0], one.record_id, names[1], other.record_id)
    for type_id in type_ids:
        ends: dict[str, Any] = {
            "fromObjectId": one.record_id,
            "toObjectId": other.record_id,
            "associationTypeId": type_id,
            "associationRemoved": True,
        }
        crm.webhooks.note(crm, origin, one.record_id, "associationChange", **ends)
    if PRIMARY_COMPANY in type_ids:
        update(crm, origin, one, {"associatedcompanyid": ""}, _WORKFLOW)
    if names == ("leads", "contacts"):
        left = sorted(crm.associations.of("leads", one.record_id, "contacts"))
        update(crm, origin, one, {"hs_primary_contact_id": str(left[0]) if left else ""}, _WORKFLOW)
    _touch_ends(crm, (names[0], one.record_id), (names[1], other.record_id))


def _touch_ends(crm: Crm, *ends: tuple[str, int]) -> None:
    """Where the portal does so, the modified date of both ends moves with their association."""
    for name, record_id in ends if crm.touch_on_associate else ():
        if (record := crm.tables[name].live(record_id)) is not None:
            touch(crm, crm.tables[name], record)


def sync_deal(crm: Crm, deal_id: int) -> None:
    """Deal sync: move the deal's contacts and companies on, never back (hubspot.md section 9)."""
    deal = crm.tables["deals"].live(deal_id)
    if not crm.sync_deals or deal is None:
        return
    stage = stage_from_deal(deal)
    for target in ("contacts", "companies"):
        table = crm.tables[target]
        for target_id in list(crm.associations.of("deals", deal_id, target)):
            record = table.live(target_id)
            if record is not None and not is_backward(table, record.properties.get(STAGE), stage):
                update(crm, table, record, {STAGE: stage}, _WORKFLOW)


def refuse_whole(problem: Problem) -> Problem:
    """How a conflict refuses a whole batch upsert: 409 (the body is not recorded)."""
    return Problem(409, problem.message, "CONFLICT")
