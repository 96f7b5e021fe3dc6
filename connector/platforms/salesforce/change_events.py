"""Change events of Salesforce: which records one tells of, from its header alone.

An event is Avro, and its header is at its beginning: nothing behind it is decoded, so no value of a record is
ever looked at. Source: facts/salesforce.md 12.2, Change Data Capture Developer Guide. Needs the extra
`salesforce-streams`. No I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import fastavro
import orjson

from connector.platforms.pushes import Told
from connector.platforms.salesforce.ids import id18, is_id

HEADER = "ChangeEventHeader"
_NO_RECORD = "000"
"""What the ids of a gap event begin with that names no record."""

Kind = Literal["read", "deleted", "restored"]
_KINDS: Mapping[str, Kind] = {
    "DELETE": "deleted",
    "GAP_DELETE": "deleted",
    "UNDELETE": "restored",
    "GAP_UNDELETE": "restored",
}


class Undecodable(Exception):
    """An event, or its schema, is not what the guide says. `str()` has no value of it."""


@dataclass(frozen=True, slots=True)
class ChangeHeader:
    """What happened to which records of an object. `commit_ms`: when, by Salesforce's clock."""

    entity: str
    change_type: str
    record_ids: tuple[str, ...]
    commit_ms: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event asks for: records to read; or, where it cannot name them, an object to be polled."""

    told: tuple[Told, ...] = ()
    missed: str | None = None
    unwanted: bool = False


class HeaderReader:
    """Reads the headers of the events of one schema."""

    def __init__(self, schema_json: str) -> None:
        """Raises Undecodable for what is no schema of Avro. One without a header is of another kind of event:
        `is_change` is False."""
        try:
            schema = orjson.loads(schema_json)
            names = [each["name"] for each in schema["fields"]]
            self.is_change = HEADER in names
            if self.is_change:
                # the fields up to the header: what is behind it is left unread
                schema["fields"] = schema["fields"][: names.index(HEADER) + 1]
            self._schema = fastavro.parse_schema(schema)
        except Exception as error:
            raise Undecodable(f"the schema cannot be read ({type(error).__name__})") from error

    def read(self, payload: bytes) -> ChangeHeader:
        """The header of one event. Raises Undecodable."""
        try:
            decoded: Any = fastavro.schemaless_reader(BytesIO(payload), self._schema, None)
            header = decoded[HEADER]
            return ChangeHeader(
                str(header["entityName"]),
                str(header["changeType"]),
                tuple(str(each) for each in header["recordIds"]),
                int(header["commitTimestamp"]),
            )
        except Exception as error:
            # fastavro raises whatever the bytes make it stumble over
            raise Undecodable(f"the event cannot be read ({type(error).__name__})") from error


def meaning_of(header: ChangeHeader, objects: Collection[str]) -> Meaning:
    """What to do about an event. Whether it is a change or a gap makes no difference: the record is read. One
    of ours is read too: a flow may have changed the record within the same transaction."""
    if header.entity not in objects:
        return Meaning(unwanted=True)
    named = [each for each in header.record_ids if is_id(each) and not each.startswith(_NO_RECORD)]
    kind: Kind = _KINDS.get(header.change_type, "read")
    told = tuple(Told(header.entity, each, kind) for each in dict.fromkeys(map(id18, named)))
    # an overflow names no record, and a gap may name all of them by a wildcard
    complete = named and len(named) == len(header.record_ids) and header.change_type != "GAP_OVERFLOW"
    return Meaning(told, None if complete else header.entity)
