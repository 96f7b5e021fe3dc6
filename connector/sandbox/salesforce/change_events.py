"""Change Data Capture of the org: an event for every committed change of the objects that an admin selected,
kept for 72 hours of the org's clock. Source: facts/salesforce.md 12.2.

Nothing is noted until `select` was called. It knows nothing of gRPC. Replay ids are opaque and have gaps, as
the real ones: a growing number that begins with the moment, so that a quiet moment has a place too, and one
that is older than what is kept is known. Positions that it cannot place are `UnknownReplayId`.
"""

from __future__ import annotations

import struct
import threading
import uuid
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.change_schemas import ChangeSchema, ChangeSchemas, avro_value, bitmap
from connector.sandbox.salesforce.schema import ObjectSpec, Row

KEPT_MS = 72 * 3_600_000
_STRIDE = 3
_A_MILLISECOND = 1_000
_ID = struct.Struct(">HQ")


class UnknownReplayId(Exception):
    """The replay id is none of this org's, or older than what is kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event on the bus."""

    number: int
    entity: str
    event_id: str
    schema_id: str
    payload: bytes

    @property
    def replay_id(self) -> bytes:
        """What a subscriber keeps of its place."""
        return _ID.pack(0, self.number)

    @property
    def moment_ms(self) -> int:
        """When it happened; a little later where very much has happened at once."""
        return self.number // _A_MILLISECOND


class ChangeEvents:
    """The org's event bus. `changed` is notified of every event. `gaps`: changes are told as gap events
    while it is set."""

    def __init__(self, now_ms: Callable[[], int], objects: Mapping[str, ObjectSpec]) -> None:
        self._now_ms = now_ms
        self._objects = objects
        self._events: list[Event] = []
        # the newest number that was given; and the first one that counts: those of an earlier run do not
        self._number = self._first = now_ms() * _A_MILLISECOND
        self._schemas = ChangeSchemas(objects)
        self._transactions = 0
        self.selected: frozenset[str] = frozenset()
        self.channels: dict[str, tuple[str, ...]] = {}
        self.gaps = False
        self.origin = ""
        self.changed = threading.Condition(threading.RLock())

    # what an admin does

    def select(self, *entities: str) -> None:
        """Tell the changes of these objects from now on, and of no others. Raises KeyError."""
        self.selected = frozenset(self._objects[name].name for name in entities)

    def add_channel(self, name: str, *entities: str) -> None:
        """A custom channel, `…__chn`, of some of the selected objects."""
        self.channels[name] = entities

    # what happens in the org

    def note(self, changes: Sequence[tuple[str, Row | None, Row]]) -> None:
        """A transaction was committed: each record's object, what it was, and what it is."""
        told = [each for each in changes if each[0] in self.selected]
        if not told:
            return
        self._transactions += 1
        key = str(uuid.UUID(int=self._transactions))
        for sequence, (name, before, row) in enumerate(told, 1):
            self._tell(name, before, row, key, sequence)

    def tell_gap(self, entity: str, change_type: str, *record_ids: str) -> None:
        """An event without fields: a gap, whose ids may be wildcards, or an overflow."""
        header = self._header(entity, record_ids, change_type, "", "gap", 1)
        self._publish(entity, {"ChangeEventHeader": header})

    def tell_garbage(self, entity: str) -> None:
        """An event of this object that nobody can decode."""
        self._append(entity, self._schemas.of(entity).schema_id, b"\xff")

    def reset(self) -> None:
        """The org moves to another instance: no replay id of before is known any more."""
        with self.changed:
            self._events.clear()
            self._number = self._first = self._next()

    def to_json(self) -> dict[str, Any]:
        """What a restart must keep: what is on the bus, and what is told there."""
        with self.changed:
            self._purge()
            return {
                "selected": sorted(self.selected),
                "channels": {name: list(entities) for name, entities in self.channels.items()},
                "first": self._first,
                "newest": self._number,
                "transactions": self._transactions,
                "schemas": self._schemas.texts(each.schema_id for each in self._events),
                "events": [
                    [e.number, e.entity, e.event_id, e.schema_id, b64encode(e.payload).decode()]
                    for e in self._events
                ],
            }

    def from_json(self, saved: Mapping[str, Any]) -> None:
        """Become the bus that `to_json` was called on."""
        with self.changed:
            self.selected = frozenset(saved["selected"])
            self.channels = {name: tuple(entities) for name, entities in saved["channels"].items()}
            self._first, self._number = saved["first"], saved["newest"]
            self._transactions = saved["transactions"]
            self._schemas.learn(saved["schemas"])
            self._events = [
                Event(number, entity, event_id, schema_id, b64decode(payload))
                for number, entity, event_id, schema_id, payload in saved["events"]
            ]

    # what subscribers see

    def entities_of(self, topic: str) -> frozenset[str] | None:
        """The objects whose events are on a topic; None when there is no such topic."""
        name = topic.removeprefix("/data/")
        if not topic.startswith("/data/"):
            return None
        if name == "ChangeEvents":
            return self.selected
        if name in self.channels:
            return frozenset(self.channels[name]) & self.selected
        entity = name.removesuffix("ChangeEvent")
        found = f"{entity}c" if entity.endswith("__") else entity
        return frozenset({found}) if name.endswith("ChangeEvent") and found in self.selected else None

    def schema_of(self, topic: str) -> str:
        """The id of the present schema of a topic that has one object."""
        (entity,) = self.entities_of(topic) or ("",)
        return self._schemas.of(entity).schema_id

    def schema_text(self, schema_id: str) -> str | None:
        """A schema, of now or of before, as JSON."""
        return self._schemas.text(schema_id)

    def latest(self) -> bytes:
        """The replay id of now."""
        with self.changed:
            self._number = max(self._number, self._now_ms() * _A_MILLISECOND)
            return _ID.pack(0, self._number)

    def latest_if_quiet(self, replay_id: bytes, entities: frozenset[str]) -> bytes | None:
        """The replay id of now, for who has had everything after a place; None while there is more."""
        with self.changed:
            return None if self.after(replay_id, entities, 1) else self.latest()

    def earliest(self) -> bytes:
        """A replay id before everything that is kept."""
        with self.changed:
            return _ID.pack(0, max(self._first, (self._oldest_ms() + 1) * _A_MILLISECOND))

    def after(self, replay_id: bytes, entities: frozenset[str], most: int) -> list[Event]:
        """Up to `most` events of these objects after a place. Raises UnknownReplayId."""
        with self.changed:
            self._purge()
            found = []
            for event in self._events[self._place(replay_id) :]:
                if event.entity in entities:
                    found.append(event)
                    if len(found) == most:
                        break
            return found

    # ----------------------------------------------------------------------------------------------------

    def _place(self, replay_id: bytes) -> int:
        """Which event is the first one after a place."""
        number = _number_of(replay_id)
        if not self._first <= number <= self._number or number // _A_MILLISECOND <= self._oldest_ms():
            raise UnknownReplayId("the replay id is not on the bus")
        return bisect_right(self._events, number, key=lambda event: event.number)

    def _oldest_ms(self) -> int:
        """What happened then, or before, is not kept any more."""
        return self._now_ms() - KEPT_MS

    def _purge(self) -> None:
        del self._events[: bisect_right(self._events, self._oldest_ms(), key=lambda event: event.moment_ms)]

    def _next(self) -> int:
        self._number = max(self._number + _STRIDE, self._now_ms() * _A_MILLISECOND)
        return self._number

    def _append(self, entity: str, schema_id: str, payload: bytes) -> None:
        event_id = str(uuid.uuid4())
        # subscribers get numbers on threads of their own: who takes one has its place on the bus at once
        with self.changed:
            self._events.append(Event(self._next(), entity, event_id, schema_id, payload))
            self.changed.notify_all()

    def _tell(self, name: str, before: Row | None, row: Row, key: str, sequence: int) -> None:
        schema = self._schemas.of(name)
        change_type, changed = _change(schema, before, row)
        if change_type is None:
            return
        user = str(row.get("LastModifiedById") or "")
        if self.gaps:
            header = self._header(name, (row["Id"],), f"GAP_{change_type}", user, key, sequence)
            self._publish(name, {"ChangeEventHeader": header})
            return
        header = self._header(name, (row["Id"],), change_type, user, key, sequence)
        spec = self._objects[name]
        values: dict[str, Any] = {each: avro_value(spec, each, row.get(each)) for each in changed}
        if change_type == "UPDATE":
            header["changedFields"] = [bitmap(schema.fields, changed)]
            nulled = [each for each in changed if row.get(each) is None]
            header["nulledFields"] = [bitmap(schema.fields, nulled)] if nulled else []
        self._publish(name, {"ChangeEventHeader": header, **values})

    def _header(
        self, entity: str, ids: Sequence[str], change_type: str, user: str, key: str, sequence: int
    ) -> dict[str, Any]:
        return {
            "entityName": entity,
            "recordIds": list(ids),
            "changeType": change_type,
            "changeOrigin": self.origin,
            "transactionKey": key,
            "sequenceNumber": sequence,
            "commitTimestamp": self._now_ms(),
            "commitNumber": self._number,
            "commitUser": user,
            "nulledFields": [],
            "diffFields": [],
            "changedFields": [],
        }

    def _publish(self, entity: str, event: dict[str, Any]) -> None:
        schema = self._schemas.of(entity)
        self._append(entity, schema.schema_id, schema.written(event))


def _change(schema: ChangeSchema, before: Row | None, row: Row) -> tuple[str | None, list[str]]:
    """What kind of change it is, and the fields that are told."""
    filled = [name for name in schema.fields[1:] if row.get(name) is not None]
    if row.get("IsDeleted"):
        return (None if (before or {}).get("IsDeleted") else "DELETE"), []
    if before is None:
        return "CREATE", filled
    if before.get("IsDeleted"):
        return "UNDELETE", filled
    changed = [name for name in schema.fields[1:] if row.get(name) != before.get(name)]
    # what the system touches alone moves only SystemModstamp, and tells nothing
    return ("UPDATE" if changed else None), changed


def _number_of(replay_id: bytes) -> int:
    try:
        _, number = _ID.unpack(replay_id)
    except struct.error:
        raise UnknownReplayId("the replay id has another form") from None
    return int(number)
