"""Records: how a HubSpot record becomes an Observation, and a core value becomes a property. Pure.

Every property arrives as text or null, and blank is both "" and null (seen side by side in real accounts);
every property is sent as text, and "" clears it. Runs once for every record ever read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connector.observation import Observation, Raw
from connector.platforms.stamps import epoch_ms

MERGED = "hs_merged_object_ids"
"""Old ids of the records merged into this one, joined by `;`. A merge normally makes a new record."""


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
    for row in rows:
        properties = row["properties"]
        merged = properties.get(MERGED)
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
            )
        )
        if merged:
            observations.extend(
                Observation(side, object_name, old, stamp_ms, read_started_ms, {}, True, record_id)
                for old in merged.split(";")
                if old and old != record_id
            )
    return observations


def text_of(value: Raw) -> str:
    """A property value as HubSpot takes it: text; None clears by ""; 5000.0 is "5000"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
