"""Merge and privacy delete (hubspot.md section 8): the two ways in which a record goes for good."""

from __future__ import annotations

from typing import Any

from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.lifecycle import STAGE, furthest
from connector.sandbox.hubspot.problems import Problem, not_valid
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.table import ADDITIONAL_EMAILS, Table
from connector.sandbox.hubspot.times import iso

MOST_IDENTITIES = 250


def merge(crm: Crm, table: Table, primary: Record, other: Record) -> Record:
    """Two records become one, normally under a new id; the primary's values win over the other's. No change
    is written to the history of either. Raises Problem."""
    if primary is other:
        raise not_valid("A record cannot be merged with itself")
    merged_ids = [*_merged_ids(primary), *_merged_ids(other), str(other.record_id)]
    if not crm.keep_primary_id:
        merged_ids.append(str(primary.record_id))
    if len(merged_ids) > MOST_IDENTITIES:
        message = f"Cannot have more than {MOST_IDENTITIES} identities on a profile"
        raise Problem(414, message, None)
    now_ms = crm.now_ms()
    properties = other.properties | {name: value for name, value in primary.properties.items() if value}
    if STAGE in table.definitions:
        stages = iter([primary.properties.get(STAGE, ""), other.properties.get(STAGE, "")])
        properties[STAGE] = furthest(table, stages)
    if table.kind.name == "contacts":
        _merge_contacts(table, primary, other, properties, now_ms)
    survivor_id = primary.record_id if crm.keep_primary_id else table.take_id()
    created_ms = min(primary.created_ms, other.created_ms)
    properties |= {
        "hs_object_id": str(survivor_id),
        "hs_merged_object_ids": ";".join(merged_ids),
        table.kind.created: iso(created_ms),
        table.kind.modified: iso(now_ms),
    }
    survivor = Record(survivor_id, created_ms, now_ms, primary.origin, properties, writes=primary.writes)
    table.remove(primary)
    table.remove(other)
    if crm.faults.visibility_lag_seconds:
        table.remember(survivor_id, now_ms)
    table.insert(survivor)
    for gone in (primary, other):
        if gone.record_id != survivor_id:
            crm.associations.move(table.kind.name, gone.record_id, survivor_id)
            table.merged[gone.record_id] = survivor_id
            crm.webhooks.note(crm, table, gone.record_id, "deletion", changeFlag="DELETED")
    merged: dict[str, Any] = {
        "primaryObjectId": primary.record_id,
        "mergedObjectIds": [other.record_id],
        "newObjectId": survivor_id,
        "numberOfPropertiesMoved": 0,
    }
    crm.webhooks.note(crm, table, survivor_id, "merge", **merged)
    return survivor


def _merge_contacts(
    table: Table, primary: Record, other: Record, properties: dict[str, str], now_ms: int
) -> None:
    addresses = dict.fromkeys([*table.addresses(primary), *table.addresses(other)])
    others = [each for each in addresses if each != properties.get("email")]
    if others:
        properties[ADDITIONAL_EMAILS] = ";".join(others)
    vids = [part for part in primary.properties.get("hs_calculated_merged_vids", "").split(";") if part]
    vids += [f"{other.record_id}:{now_ms}", f"{primary.record_id}:{now_ms}"]
    properties["hs_calculated_merged_vids"] = ";".join(vids)


def _merged_ids(record: Record) -> list[str]:
    return [each for each in record.properties.get("hs_merged_object_ids", "").split(";") if each]


def privacy_delete(crm: Crm, table: Table, record: Record | None, address: str | None) -> None:
    """Delete for ever; the addresses go on the blocklist, that of an unknown contact too."""
    if address:
        crm.blocklist.add(address.lower())
    if record is not None:
        crm.blocklist.update(each.lower() for each in table.addresses(record))
        crm.associations.forget(table.kind.name, record.record_id)
        table.remove(record)
        crm.webhooks.note(crm, table, record.record_id, "deletion", changeFlag="DELETED")
        crm.webhooks.note(crm, table, record.record_id, "privacyDeletion", changeFlag="DELETED")
