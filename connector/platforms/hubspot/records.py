"""Records: how a HubSpot record becomes an Observation, and a core value becomes a property. Pure.

Every property arrives as text or null, and blank is both "" and null (seen side by side in real accounts);
every property is sent as text, and "" clears it. Runs once for every record ever read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector.observation import NO_REFS, Observation, PastValue, Raw, Refs
from connector.platforms.stamps import epoch_ms

MERGED = "hs_merged_object_ids"
"""Old ids of the records merged into this one, joined by `;`. A merge normally makes a new record."""

_ASSOCIATED: Final = {"deals": "contacts", "deal": "contacts", "0-3": "contacts"}
_NAMED: Final = dict.fromkeys(("leads", "lead", "0-136"), ("contacts", "hs_primary_contact_id"))
"""Objects whose records name the one they are about in a property."""


def associated_with(object_name: str) -> str | None:
    """The object that an observation refers to by an association, which no property of it shows."""
    return _ASSOCIATED.get(object_name)


def naming_property(object_name: str) -> str | None:
    """The property of an object that names the record it is about, if it has one."""
    named = _NAMED.get(object_name)
    return None if named is None else named[1]


def named_in(object_name: str, properties: Mapping[str, Any]) -> Refs:
    """The refs that a record's own properties give."""
    named = _NAMED.get(object_name)
    record_id = None if named is None else properties.get(named[1])
    return NO_REFS if named is None or not record_id else {named[0]: (str(record_id),)}


def wanted_properties(object_name: str, fields: Iterable[str]) -> list[str]:
    """The properties to ask for: the mapped ones, and what tells of merges and of whom a record is about."""
    naming = naming_property(object_name)
    return list(dict.fromkeys((*fields, MERGED, *([] if naming is None else [naming]))))


def modified_property(object_name: str) -> str:
    """The property that dates the last change: contacts have a name of their own for it."""
    return "lastmodifieddate" if object_name in ("contacts", "contact", "0-1") else "hs_lastmodifieddate"


def observe(
    rows: Iterable[dict[str, Any]],
    side: str,
    object_name: str,
    fields: Sequence[str],
    read_started_ms: int,
) -> list[Observation]:
    """The rows as observations with the properties in `fields` alone.

    The rows are used up: their properties become the observations' fields. A property that HubSpot left out
    (unknown or hidden) is left out: absent is unknown, never blank. A record that others were merged into is
    followed by one deleted observation for each of those."""
    observations = []
    wanted = frozenset(fields)
    more: set[str] | None = None
    naming = naming_property(object_name) is not None
    for row in rows:
        properties = row["properties"]
        merged = properties.get(MERGED)
        refs = named_in(object_name, properties) if naming else NO_REFS
        # what HubSpot adds to every record is the same for all of one answer
        if more is None:
            more = properties.keys() - wanted
        for name in more:
            properties.pop(name, None)
        if properties.keys() != wanted:
            shown = {name: properties[name] or None for name in fields if name in properties}
        elif "" in properties.values():
            shown = {name: value or None for name, value in properties.items()}
        else:
            shown = properties
        stamp_ms = epoch_ms(row["updatedAt"])
        record_id = row["id"]
        observations.append(
            Observation(
                side,
                object_name,
                record_id,
                stamp_ms,
                read_started_ms,
                shown,
                bool(row.get("archived")),
                refs=refs,
            )
        )
        if merged:
            observations.extend(
                Observation(side, object_name, old, stamp_ms, read_started_ms, {}, True, record_id)
                for old in merged.split(";")
                if old and old != record_id
            )
    return observations


def past_values(versions: Iterable[Mapping[str, Any]], app_id: str | None) -> list[PastValue]:
    """The values that a property had, newest first. HubSpot names who set each: an integration by the id of
    its app (recorded in webhooks, in the specs for history)."""
    found = [
        PastValue(
            version.get("value") or None,
            epoch_ms(version["timestamp"]),
            app_id is not None
            and version.get("sourceType") == "INTEGRATION"
            and str(version.get("sourceId")) == app_id,
        )
        for version in versions
    ]
    return sorted(found, key=lambda past: past.at_ms, reverse=True)


def text_of(value: Raw) -> str:
    """A property value as HubSpot takes it: text; None clears by ""; 5000.0 is "5000"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
