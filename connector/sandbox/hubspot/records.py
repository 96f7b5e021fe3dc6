"""One record of the portal and its property history. Data and its bookkeeping; no rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from connector.sandbox.hubspot.times import iso


class Origin(NamedTuple):
    """Who made a change: HubSpot's `sourceType` and `sourceId` (hubspot.md sections 7 and 15)."""

    type: str
    id: str
    label: str | None = None
    user_id: int | None = None


class Version(NamedTuple):
    """One value that a property had, since when, and who set it. "" is a cleared value."""

    value: str
    moment_ms: int
    origin: Origin

    def to_json(self) -> dict[str, Any]:
        """As in `propertiesWithHistory`."""
        body: dict[str, Any] = {
            "value": self.value,
            "timestamp": iso(self.moment_ms),
            "sourceType": self.origin.type,
            "sourceId": self.origin.id,
        }
        if self.origin.label is not None:
            body["sourceLabel"] = self.origin.label
        if self.origin.user_id is not None:
            body["updatedByUserId"] = self.origin.user_id
        return body


class Write(NamedTuple):
    """One change of a record: the new values, and what was there before ("" where nothing was)."""

    moment_ms: int
    origin: Origin
    values: dict[str, str]
    before: dict[str, str]


_WRITES_KEPT = 500


@dataclass(slots=True)
class Record:
    """One record. `properties` holds text only; what is absent reads as null. `writes` are its changes since
    the creation, oldest first: the source of its property history."""

    record_id: int
    created_ms: int
    updated_ms: int
    origin: Origin
    properties: dict[str, str] = field(default_factory=dict)
    archived_ms: int | None = None
    writes: list[Write] = field(default_factory=list)

    def change(self, changes: Mapping[str, str], moment_ms: int, origin: Origin) -> None:
        """Store the changed values ("" clears) and remember what was there before."""
        properties = self.properties
        before = {name: properties.get(name, "") for name in changes}
        self.writes.append(Write(moment_ms, origin, dict(changes), before))
        del self.writes[:-_WRITES_KEPT]
        properties.update(changes)
        for name, value in changes.items():
            if not value:
                del properties[name]

    def versions(self, name: str, most: int) -> list[Version]:
        """The history of one property, newest first."""
        found: list[Version] = []
        first = self.properties.get(name, "")
        for write in reversed(self.writes):
            if name in write.values:
                found.append(Version(write.values[name], write.moment_ms, write.origin))
                first = write.before[name]
        if first:
            found.append(Version(first, self.created_ms, self.origin))
        return found[:most]

    def snapshot(self) -> Record:
        """The record as it is now, for a search index that lags behind. Without history."""
        return replace(self, properties=dict(self.properties), writes=[])

    def to_json(self) -> dict[str, Any]:
        """For the state file."""
        return {
            "id": self.record_id,
            "created_ms": self.created_ms,
            "updated_ms": self.updated_ms,
            "archived_ms": self.archived_ms,
            "origin": list(self.origin),
            "properties": self.properties,
            "writes": [
                [write.moment_ms, list(write.origin), write.values, write.before] for write in self.writes
            ],
        }

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> Record:
        """The reverse of `to_json`."""
        return Record(
            state["id"],
            state["created_ms"],
            state["updated_ms"],
            Origin(*state["origin"]),
            dict(state["properties"]),
            state["archived_ms"],
            [
                Write(moment_ms, Origin(*origin), dict(values), dict(before))
                for moment_ms, origin, values, before in state["writes"]
            ],
        )
