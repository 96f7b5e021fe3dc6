"""How records look in answers (hubspot.md section 4): every value text or null. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.times import iso

_SHOWN_AFTER_WRITE = (
    "hs_full_name_or_email",
    "hs_email_domain",
    "hs_is_contact",
    "hs_is_unworked",
    "hs_object_source",
    "hs_object_source_id",
    "hs_object_source_label",
    "hs_pipeline",
    "hs_searchable_calculated_phone_number",
    "lifecyclestage",
)


def shown(crm: Crm, table: Table, requested: Iterable[str] | None) -> tuple[str, ...]:
    """The properties to show: those requested that exist and are not hidden (others are silently left out),
    and the few that are always there. None: the defaults of the object."""
    kind = table.kind
    names = kind.shown if requested is None else ("hs_object_id", kind.created, kind.modified, *requested)
    return tuple(name for name in sorted(set(names)) if _visible(crm, table, name))


def _visible(crm: Crm, table: Table, name: str) -> bool:
    definition = table.definitions.get(name)
    return (
        definition is not None and not definition.archived and not crm.faults.is_hidden(table.kind.name, name)
    )


def record_body(
    crm: Crm, table: Table, record: Record, names: Sequence[str], history: Sequence[str] = ()
) -> dict[str, Any]:
    """One record with these properties (as from `shown`), and the versions of those in `history`."""
    properties = record.properties
    record_id = str(record.record_id)
    body: dict[str, Any] = {
        "id": record_id,
        "properties": {name: properties.get(name) for name in names},
        "createdAt": properties[table.kind.created],
        "updatedAt": properties[table.kind.modified],
        "archived": record.archived_ms is not None,
    }
    if record.archived_ms is not None:
        body["archivedAt"] = iso(record.archived_ms)
    if history:
        body["propertiesWithHistory"] = {
            name: [version.to_json() for version in record.versions(name, table.kind.versions_kept)]
            for name in history
            if _visible(crm, table, name)
        }
    body["url"] = f"https://app.hubspot.com/contacts/{crm.portal_id}/record/{table.kind.type_id}/{record_id}"
    return body


def created_body(crm: Crm, table: Table, record: Record) -> dict[str, Any]:
    """The answer to a create: all values the record has, far more than was sent."""
    names = tuple(name for name in sorted(record.properties) if _visible(crm, table, name))
    return record_body(crm, table, record, names)


class UpdateView:
    """The answers to updates: the properties sent and some system ones, not the whole record. One for a whole
    batch, since its inputs mostly send the same properties."""

    def __init__(self, crm: Crm, table: Table) -> None:
        self._crm = crm
        self._table = table
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def body(self, record: Record, sent: Mapping[str, Any]) -> dict[str, Any]:
        """One record after its update."""
        key = tuple(sent)
        names = self._names.get(key)
        if names is None:
            names = self._names[key] = shown(self._crm, self._table, (*sent, *_SHOWN_AFTER_WRITE))
        values = record.properties
        return record_body(
            self._crm, self._table, record, [name for name in names if name in values or name in sent]
        )


def associations_body(crm: Crm, table: Table, record: Record, wanted: Iterable[str]) -> dict[str, Any]:
    """The `associations` of a record towards the objects asked for; objects without any are left out."""
    found: dict[str, Any] = {}
    for name in wanted:
        target = crm.table(name).kind
        linked = crm.associations.of(table.kind.name, record.record_id, target.name)
        if linked:
            kind = f"{table.kind.singular}_to_{target.singular}"
            found[target.name] = {"results": [{"id": str(each), "type": kind} for each in sorted(linked)]}
    return found
