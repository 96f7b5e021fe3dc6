"""All records of one object type, and the indexes over them: by id, by unique value, by modified date.

It keeps the indexes true to the records and says who holds a value; it validates nothing and knows no HTTP.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Any

from connector.sandbox.hubspot.definitions import Definition
from connector.sandbox.hubspot.modified_log import ModifiedLog
from connector.sandbox.hubspot.records import Origin, Record
from connector.sandbox.hubspot.standard import ObjectType, standard_definitions
from connector.sandbox.hubspot.times import iso

ADDITIONAL_EMAILS = "hs_additional_emails"


class Table:
    """The contacts (or companies, deals, leads) of a portal.

    `merged` maps the id of a record that was merged away to the one it became. `lagging` holds, for records
    that changed while the search index lags, the states that it may still show: (until when, the state)."""

    def __init__(self, kind: ObjectType, definitions: dict[str, Definition] | None = None) -> None:
        self.kind = kind
        self.definitions = standard_definitions(kind) if definitions is None else definitions
        self.records: dict[int, Record] = {}
        self.live_ids: list[int] = []
        self.archived_ids: list[int] = []
        self.log = ModifiedLog()
        self.merged: dict[int, int] = {}
        self.lagging: dict[int, list[tuple[int, Record | None]]] = {}
        self.next_id = kind.first_id
        self._holders: dict[str, dict[str, int]] = {}
        self._index_unique()

    def add_definition(self, definition: Definition) -> None:
        """A new property."""
        self.definitions[definition.name] = definition
        self._index_unique()

    def take_id(self) -> int:
        """An id that no record ever has again."""
        record_id = self.next_id
        self.next_id += 1
        return record_id

    def live(self, record_id: int) -> Record | None:
        """The record, unless it is archived or gone."""
        record = self.records.get(record_id)
        return record if record is not None and record.archived_ms is None else None

    def holder(self, name: str, value: str) -> int | None:
        """The id of the live record that has this value of a unique property, compared without case. An
        e-mail address is looked up among primary and additional ones (hubspot.md section 4)."""
        return self._holders[name].get(value.lower())

    def is_unique(self, name: str) -> bool:
        """Whether the property can serve as `idProperty`."""
        return name in self._holders

    def unique_names(self) -> Iterator[str]:
        """The properties with unique values."""
        return iter(self._holders)

    def insert(self, record: Record) -> None:
        """A new record, with its values already in place."""
        self.records[record.record_id] = record
        self.live_ids.append(record.record_id)
        if len(self.live_ids) > 1 and record.record_id < self.live_ids[-2]:
            self.live_ids.sort()
        self.log.touch(record.record_id, record.updated_ms)
        self._hold(record)

    def change(self, record: Record, changes: Mapping[str, str], moment_ms: int, origin: Origin) -> None:
        """Store changed values and move the modified date."""
        held = self._holders.keys() & changes.keys() or (
            ADDITIONAL_EMAILS in changes and "email" in self._holders
        )
        if held:
            self._release(record)
        record.change(changes, moment_ms, origin)
        if held:
            self._hold(record)
        self.touch(record, moment_ms)

    def touch(self, record: Record, moment_ms: int) -> None:
        """Move the modified date and nothing else."""
        record.updated_ms = moment_ms
        record.properties[self.kind.modified] = iso(moment_ms)
        self.log.touch(record.record_id, moment_ms)

    def archive(self, record: Record, moment_ms: int) -> None:
        """Into the recycle bin; its unique values are free again."""
        self._release(record)
        record.archived_ms = moment_ms
        _remove(self.live_ids, record.record_id)
        insort(self.archived_ids, record.record_id)
        self.log.drop(record.record_id)

    def restore(self, record: Record, moment_ms: int) -> None:
        """Out of the recycle bin."""
        record.archived_ms = None
        _remove(self.archived_ids, record.record_id)
        insort(self.live_ids, record.record_id)
        self._hold(record)
        self.touch(record, moment_ms)

    def remove(self, record: Record) -> None:
        """Gone for good: merged away or deleted for privacy."""
        if record.archived_ms is None:
            self._release(record)
            _remove(self.live_ids, record.record_id)
            self.log.drop(record.record_id)
        else:
            _remove(self.archived_ids, record.record_id)
        del self.records[record.record_id]
        self.lagging.pop(record.record_id, None)

    def remember(self, record_id: int, moment_ms: int) -> None:
        """Before a change at `moment_ms`: keep the state that a lagging search index goes on showing."""
        record = self.live(record_id)
        states = self.lagging.setdefault(record_id, [])
        states.append((moment_ms, None if record is None else record.snapshot()))

    def survivor(self, record_id: int) -> int | None:
        """What a merged-away record became in the end; None if it was never merged away."""
        found = self.merged.get(record_id)
        while found is not None and found in self.merged:
            found = self.merged[found]
        return found

    def addresses(self, record: Record) -> list[str]:
        """Primary and additional e-mail addresses."""
        found = [record.properties.get("email", ""), *record.properties.get(ADDITIONAL_EMAILS, "").split(";")]
        return [each for each in found if each]

    def _index_unique(self) -> None:
        for definition in self.definitions.values():
            if definition.unique and definition.name != "hs_object_id":
                self._holders.setdefault(definition.name, {})

    def _hold(self, record: Record) -> None:
        for name, holders in self._holders.items():
            for value in self._held(record, name):
                holders.setdefault(value, record.record_id)

    def _release(self, record: Record) -> None:
        for name, holders in self._holders.items():
            for value in self._held(record, name):
                if holders.get(value) == record.record_id:
                    del holders[value]

    def _held(self, record: Record, name: str) -> list[str]:
        if name == "email":
            return [each.lower() for each in self.addresses(record)]
        value = record.properties.get(name)
        return [value.lower()] if value else []

    def to_json(self) -> dict[str, Any]:
        """For the state file: records and ids; definitions are the portal's to write."""
        return {
            "next_id": self.next_id,
            "merged": [[old, new] for old, new in self.merged.items()],
            "records": [record.to_json() for record in self.records.values()],
        }

    @staticmethod
    def from_json(kind: ObjectType, definitions: dict[str, Definition], state: Mapping[str, Any]) -> Table:
        """The reverse of `to_json`."""
        table = Table(kind, definitions)
        table.next_id = state["next_id"]
        table.merged = dict(state["merged"])
        for each in state["records"]:
            record = Record.from_json(each)
            table.records[record.record_id] = record
            if record.archived_ms is None:
                table.live_ids.append(record.record_id)
                table.log.touch(record.record_id, record.updated_ms)
                table._hold(record)
            else:
                table.archived_ids.append(record.record_id)
        table.live_ids.sort()
        table.archived_ids.sort()
        return table


def _remove(ids: list[int], record_id: int) -> None:
    place = bisect_left(ids, record_id)
    if place < len(ids) and ids[place] == record_id:
        del ids[place]
