"""Change Data Capture of the org: an event for every committed change of the objects that an admin selected,
kept for 72 hours of the org's clock. Source: facts/salesforce.md 12.2; the Avro types of fields are a guess.

Nothing is noted until `select` was called. It knows nothing of gRPC. Replay ids are opaque and have gaps, as
the real ones; positions that it cannot place are `UnknownReplayId`.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import uuid
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import orjson

from connector.sandbox.salesforce import stamps
from connector.sandbox.salesforce.schema import ObjectSpec, Row

KEPT_MS = 72 * 3_600_000
CHANGE_TYPES = (
    "CREATE", "UPDATE", "DELETE", "UNDELETE",
    "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW", "SNAPSHOT",
)  # fmt: skip
_STRIDE = 3
_ID = struct.Struct(">HQ")
_NOT_TOLD = frozenset({"Id", "IsDeleted", "SystemModstamp", "LastViewedDate", "LastReferencedDate"})
_TEXTS = {"type": "array", "items": "string"}
_HEADER = {
    "name": "ChangeEventHeader",
    "type": {
        "type": "record",
        "name": "ChangeEventHeader",
        "fields": [
            {"name": "entityName", "type": "string"},
            {"name": "recordIds", "type": _TEXTS},
            {
                "name": "changeType",
                "type": {"type": "enum", "name": "ChangeType", "symbols": list(CHANGE_TYPES)},
            },
            {"name": "changeOrigin", "type": "string"},
            {"name": "transactionKey", "type": "string"},
            {"name": "sequenceNumber", "type": "int"},
            {"name": "commitTimestamp", "type": "long"},
            {"name": "commitNumber", "type": "long"},
            {"name": "commitUser", "type": "string"},
            {"name": "nulledFields", "type": _TEXTS},
            {"name": "diffFields", "type": _TEXTS},
            {"name": "changedFields", "type": _TEXTS},
        ],
    },
}


class UnknownReplayId(Exception):
    """The replay id is none of this org's, or older than what is kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event on the bus. `entity` None: nothing happened; it only has the replay id of a quiet moment."""

    number: int
    at_ms: int
    entity: str | None = None
    event_id: str = ""
    schema_id: str = ""
    payload: bytes = b""

    @property
    def replay_id(self) -> bytes:
        """What a subscriber keeps of its place."""
        return _ID.pack(0, self.number)


@dataclass(frozen=True, slots=True)
class _Schema:
    schema_id: str
    text: str
    parsed: Any
    fields: tuple[str, ...]


class ChangeEvents:
    """The org's event bus. `changed` is notified of every event. `gaps`: changes are told as gap events
    while it is set."""

    def __init__(self, now_ms: Callable[[], int], objects: Mapping[str, ObjectSpec]) -> None:
        self._now_ms = now_ms
        self._objects = objects
        self._events: list[Event] = []
        # no number of an earlier run is one of this run's
        self._number = now_ms() * 1_000
        self._schemas: dict[str, _Schema] = {}
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
        schema = self._schema(entity)
        self._append(
            Event(self._next(), self._now_ms(), entity, str(uuid.uuid4()), schema.schema_id, b"\xff")
        )

    def reset(self) -> None:
        """The org moves to another instance: no replay id of before is known any more."""
        with self.changed:
            self._events.clear()
            self._number += 1_000_000

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
        return self._schema(entity).schema_id

    def schema_text(self, schema_id: str) -> str | None:
        """A schema, of now or of before, as JSON."""
        found = self._schemas.get(schema_id)
        return None if found is None else found.text

    def latest(self) -> bytes:
        """The replay id of now."""
        with self.changed:
            if not self._events or self._events[-1].at_ms < self._now_ms():
                self._events.append(Event(self._next(), self._now_ms()))
            return self._events[-1].replay_id

    def latest_if_quiet(self, replay_id: bytes, entities: frozenset[str]) -> bytes | None:
        """The replay id of now, for who has had everything after a place; None while there is more."""
        with self.changed:
            return None if self.after(replay_id, entities, 1) else self.latest()

    def earliest(self) -> bytes:
        """A replay id before everything that is kept."""
        with self.changed:
            self._purge()
            if not self._events:
                return self.latest()
            if self._events[0].entity is not None:
                first = self._events[0]
                self._events.insert(0, Event(first.number - 1, first.at_ms))
            return self._events[0].replay_id

    def after(self, replay_id: bytes, entities: frozenset[str], most: int) -> list[Event]:
        """Up to `most` events of these objects after a place. Raises UnknownReplayId."""
        with self.changed:
            self._purge()
            place = self._place(replay_id)
            found = []
            for event in self._events[place + 1 :]:
                if event.entity in entities:
                    found.append(event)
                    if len(found) == most:
                        break
            return found

    # ----------------------------------------------------------------------------------------------------

    def _place(self, replay_id: bytes) -> int:
        number = _number_of(replay_id)
        place = bisect_right(self._events, number, key=lambda event: event.number) - 1
        if place < 0 or self._events[place].number != number:
            raise UnknownReplayId("the replay id is not on the bus")
        return place

    def _purge(self) -> None:
        oldest_ms = self._now_ms() - KEPT_MS
        keep = bisect_right(self._events, oldest_ms, key=lambda event: event.at_ms)
        del self._events[:keep]

    def _next(self) -> int:
        self._number += _STRIDE
        return self._number

    def _append(self, event: Event) -> None:
        with self.changed:
            self._events.append(event)
            self.changed.notify_all()

    def _tell(self, name: str, before: Row | None, row: Row, key: str, sequence: int) -> None:
        schema = self._schema(name)
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
        values: dict[str, Any] = {each: _avro(spec, each, row.get(each)) for each in changed}
        if change_type == "UPDATE":
            header["changedFields"] = [_bitmap(schema.fields, changed)]
            nulled = [each for each in changed if row.get(each) is None]
            header["nulledFields"] = [_bitmap(schema.fields, nulled)] if nulled else []
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
        import fastavro

        schema = self._schema(entity)
        out = BytesIO()
        fastavro.schemaless_writer(out, schema.parsed, event)
        self._append(
            Event(self._next(), self._now_ms(), entity, str(uuid.uuid4()), schema.schema_id, out.getvalue())
        )

    def _schema(self, entity: str) -> _Schema:
        """The schema of an object as it is now: another one as soon as a field is added."""
        import fastavro

        spec = self._objects[entity]
        names = [name for name in spec.fields if name not in _NOT_TOLD]
        written = {
            "type": "record",
            "name": f"{entity.removesuffix('c') if entity.endswith('__c') else entity}ChangeEvent",
            "namespace": "com.sforce.eventbus",
            "fields": [
                _HEADER,
                *({"name": name, "type": ["null", _type(spec, name)], "default": None} for name in names),
            ],
        }
        text = orjson.dumps(written)
        schema_id = hashlib.sha256(text).hexdigest()[:22]
        if schema_id not in self._schemas:
            parsed = fastavro.parse_schema(written)
            fields = ("ChangeEventHeader", *names)
            self._schemas[schema_id] = _Schema(schema_id, text.decode(), parsed, fields)
        return self._schemas[schema_id]


def _change(schema: _Schema, before: Row | None, row: Row) -> tuple[str | None, list[str]]:
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


def _type(spec: ObjectSpec, name: str) -> str:
    kinds = {"boolean": "boolean", "int": "int", "datetime": "long"}
    kind = spec.fields[name].type
    return kinds.get(kind, "double" if kind in ("double", "currency", "percent") else "string")


def _avro(spec: ObjectSpec, name: str, value: Any) -> Any:
    if value is None:
        return None
    match _type(spec, name):
        case "long":
            return stamps.read_datetime(value)
        case "double":
            return float(value)
        case "string":
            return str(value)
    return value


def _bitmap(fields: Sequence[str], names: Sequence[str]) -> str:
    """Hexadecimal, the lowest bit for the first field of the schema."""
    return f"0x{sum(1 << fields.index(name) for name in names):X}"


def _number_of(replay_id: bytes) -> int:
    try:
        _, number = _ID.unpack(replay_id)
    except struct.error:
        raise UnknownReplayId("the replay id has another form") from None
    return int(number)
