"""What the org's change events look like on the wire: an Avro schema for each state of an object's fields,
values as it has them, and the bitmaps of changed fields. The Avro types of fields are a guess.

Needs the extra `salesforce-streams` as soon as an event is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import orjson

from connector.sandbox.salesforce import stamps
from connector.sandbox.salesforce.schema import ObjectSpec

CHANGE_TYPES = (
    "CREATE", "UPDATE", "DELETE", "UNDELETE",
    "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW", "SNAPSHOT",
)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class ChangeSchema:
    """The schema of an object's events: `fields` in their order, `parsed` as fastavro has it."""

    schema_id: str
    text: str
    parsed: Any
    fields: tuple[str, ...]

    def written(self, event: Mapping[str, Any]) -> bytes:
        """The payload of an event."""
        import fastavro

        out = BytesIO()
        fastavro.schemaless_writer(out, self.parsed, event)
        return out.getvalue()


class ChangeSchemas:
    """All schemas that there ever were. `objects`: the org's, as they are now."""

    def __init__(self, objects: Mapping[str, ObjectSpec]) -> None:
        self._objects = objects
        self._texts: dict[str, str] = {}
        self._parsed: dict[str, ChangeSchema] = {}

    def of(self, entity: str) -> ChangeSchema:
        """The schema of an object as it is now: another one as soon as a field is added."""
        import fastavro

        spec = self._objects[entity]
        names = [name for name in spec.fields if name not in _NOT_TOLD]
        schema = {
            "type": "record",
            "name": f"{entity.removesuffix('c') if entity.endswith('__c') else entity}ChangeEvent",
            "namespace": "com.sforce.eventbus",
            "fields": [
                _HEADER,
                *({"name": name, "type": ["null", _type(spec, name)], "default": None} for name in names),
            ],
        }
        text = orjson.dumps(schema)
        schema_id = hashlib.sha256(text).hexdigest()[:22]
        if schema_id not in self._parsed:
            self._texts[schema_id] = text.decode()
            fields = ("ChangeEventHeader", *names)
            self._parsed[schema_id] = ChangeSchema(
                schema_id, text.decode(), fastavro.parse_schema(schema), fields
            )
        return self._parsed[schema_id]

    def text(self, schema_id: str) -> str | None:
        """A schema, of now or of before, as JSON."""
        return self._texts.get(schema_id)

    def texts(self, schema_ids: Iterable[str]) -> dict[str, str]:
        """Those of these ids, for the state file."""
        return {each: self._texts[each] for each in sorted(set(schema_ids)) if each in self._texts}

    def learn(self, texts: Mapping[str, str]) -> None:
        """Know schemas of an earlier run."""
        self._texts |= texts


def _type(spec: ObjectSpec, name: str) -> str:
    kinds = {"boolean": "boolean", "int": "int", "datetime": "long"}
    kind = spec.fields[name].type
    return kinds.get(kind, "double" if kind in ("double", "currency", "percent") else "string")


def avro_value(spec: ObjectSpec, name: str, value: Any) -> Any:
    """The value of a field as its schema has it."""
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


def bitmap(fields: Sequence[str], names: Sequence[str]) -> str:
    """Hexadecimal, the lowest bit for the first field of the schema."""
    return f"0x{sum(1 << fields.index(name) for name in names):X}"
