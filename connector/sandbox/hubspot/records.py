"""One record of the portal and its property history. Data and its bookkeeping; no rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.hubspot.times import iso


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a change: HubSpot's `sourceType` and `sourceId` (hubspot.md sections 7 and 15)."""

    type: str
    id: str
    label: str | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Version:
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


@dataclass(slots=True)
class Record:
    """One record. `properties` holds text only; what is absent reads as null. History is written down from
    the second version of a property on; the first is known from the creation."""

    record_id: int
    created_ms: int
    updated_ms: int
    origin: Origin
    properties: dict[str, str] = field(default_factory=dict)
    archived_ms: int | None = None
    history: dict[str, list[Version]] = field(default_factory=dict)

    def change(self, changes: Mapping[str, str], moment_ms: int, origin: Origin, versions_kept: int) -> None:
        """Store the changed values ("" clears) and remember what was there before."""
        for name, value in changes.items():
            before = self.properties.get(name)
            if before is not None or name in self.history:
                versions = self.history.setdefault(name, [])
                if not versions:
                    versions.append(Version(before or "", self.created_ms, self.origin))
                versions.insert(0, Version(value, moment_ms, origin))
                del versions[versions_kept:]
            elif value and moment_ms != self.created_ms:
                self.history[name] = [Version(value, moment_ms, origin)]
            if value:
                self.properties[name] = value
            else:
                self.properties.pop(name, None)

    def versions(self, name: str) -> list[Version]:
        """The history of one property, newest first."""
        written = self.history.get(name)
        if written:
            return written
        value = self.properties.get(name)
        return [] if value is None else [Version(value, self.created_ms, self.origin)]

    def snapshot(self) -> Record:
        """The record as it is now, for a search index that lags behind. Without history."""
        return Record(
            self.record_id,
            self.created_ms,
            self.updated_ms,
            self.origin,
            dict(self.properties),
            self.archived_ms,
        )

    def to_json(self) -> dict[str, Any]:
        """For the state file."""
        return {
            "id": self.record_id,
            "created_ms": self.created_ms,
            "updated_ms": self.updated_ms,
            "archived_ms": self.archived_ms,
            "origin": _origin_to_json(self.origin),
            "properties": self.properties,
            "history": {
                name: [[each.value, each.moment_ms, _origin_to_json(each.origin)] for each in versions]
                for name, versions in self.history.items()
            },
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
            {
                name: [Version(value, moment_ms, Origin(*origin)) for value, moment_ms, origin in versions]
                for name, versions in state["history"].items()
            },
        )


def _origin_to_json(origin: Origin) -> list[Any]:
    return [origin.type, origin.id, origin.label, origin.user_id]
