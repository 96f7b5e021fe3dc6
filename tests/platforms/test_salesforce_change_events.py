"""Salesforce's change events: what is on the wire, and what an event asks for."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

import fastavro
import orjson
import pytest

from connector.clock import SystemClock
from connector.platforms.protocol import FreeMeter
from connector.platforms.salesforce import pubsub_messages as messages
from connector.platforms.salesforce import stream
from connector.platforms.salesforce.change_events import (
    ChangeHeader,
    HeaderReader,
    Meaning,
    Undecodable,
    meaning_of,
)
from connector.platforms.settings import SettingsError
from connector.settings import load_settings

ORGANIZATION = "00D000000000001EAA"
LEAD, OTHER = "00Q000000000001EAA", "00Q000000000002EAA"
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "LeadChangeEvent",
    "namespace": "com.sforce.eventbus",
    "fields": [
        {
            "name": "ChangeEventHeader",
            "type": {
                "type": "record",
                "name": "ChangeEventHeader",
                "fields": [
                    {"name": "entityName", "type": "string"},
                    {"name": "recordIds", "type": {"type": "array", "items": "string"}},
                    {
                        "name": "changeType",
                        "type": {"type": "enum", "name": "ChangeType", "symbols": ["CREATE", "UPDATE"]},
                    },
                    {"name": "commitTimestamp", "type": "long"},
                ],
            },
        },
        {"name": "LastName", "type": ["null", "string"], "default": None},
    ],
}
HEADER = {"entityName": "Lead", "recordIds": [LEAD], "changeType": "UPDATE", "commitTimestamp": 7}


def event(**header: object) -> bytes:
    out = BytesIO()
    content = {"ChangeEventHeader": {**HEADER, **header}, "LastName": "Arbor"}
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), content)
    return out.getvalue()


def test_messages_are_spelled_as_the_contract_has_them() -> None:
    """Field numbers and types by hand, from pubsub_api.proto."""
    asked = messages.FetchRequest(
        topic_name="/data/x", replay_preset=messages.CUSTOM, replay_id=b"ab", num_requested=100
    )
    assert asked.SerializeToString().hex() == "0a07" + b"/data/x".hex() + "1002" + "1a026162" + "2064"
    # FetchResponse{events{event{id "e", schema_id "s", payload "p"}, replay_id "r"}, latest "l", pending 9}
    event_bytes = b"\x0a\x01e\x12\x01s\x1a\x01p"
    consumer = b"\x0a" + bytes([len(event_bytes)]) + event_bytes + b"\x12\x01r"
    given = b"\x0a" + bytes([len(consumer)]) + consumer + b"\x12\x01l" + b"\x20\x09"
    read = messages.FetchResponse.FromString(given)
    assert (read.events[0].event.id, read.events[0].event.schema_id) == ("e", "s")
    assert (read.events[0].event.payload, read.events[0].replay_id) == (b"p", b"r")
    assert (read.latest_replay_id, read.pending_num_requested) == (b"l", 9)


def test_the_header_is_read_and_nothing_behind_it() -> None:
    reader = HeaderReader(orjson.dumps(SCHEMA).decode())
    whole = event()

    header = reader.read(whole)

    assert header == ChangeHeader("Lead", "UPDATE", (LEAD,), 7)
    assert reader.read(whole.replace(b"Arbor", b"")[:-1]) == header  # whatever is wrong there


def test_bitmaps_and_compound_fields_are_not_in_the_way() -> None:
    """As Salesforce has them: Name.FirstName is a field within a field, and its bit within a bit."""
    texts = {"type": "array", "items": "string"}
    header = SCHEMA["fields"][0]["type"]
    bitmaps = [{"name": name, "type": texts} for name in ("changedFields", "nulledFields", "diffFields")]
    name = {"type": "record", "name": "PersonName", "fields": [{"name": "FirstName", "type": "string"}]}
    schema = {
        **SCHEMA,
        "fields": [
            {"name": "ReplayId", "type": ["null", "string"], "default": None},
            {
                "name": "ChangeEventHeader",
                "type": {**header, "fields": [*header["fields"][:2], *bitmaps, *header["fields"][2:]]},
            },
            {"name": "Name", "type": ["null", name], "default": None},
        ],
    }
    told = {
        "ReplayId": "7",
        "ChangeEventHeader": {
            **HEADER,
            "recordIds": [LEAD, OTHER],
            "changedFields": ["0x600001", "2-0x1"],
            "nulledFields": ["2-0x1"],
            "diffFields": [],
        },
        "Name": {"FirstName": "Ann"},
    }
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), told)

    read = HeaderReader(orjson.dumps(schema).decode()).read(out.getvalue())

    assert read == ChangeHeader("Lead", "UPDATE", (LEAD, OTHER), 7)


@pytest.mark.parametrize("text", ["", "{", "7", "{}", '{"type": "record"}', '{"fields": [{"name": 1}]}'])
def test_what_is_no_schema(text: str) -> None:
    with pytest.raises(Undecodable):
        HeaderReader(text)


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x08Le", event()[:20], b"\xff" * 200])
def test_what_is_no_event(payload: bytes) -> None:
    with pytest.raises(Undecodable) as raised:
        HeaderReader(orjson.dumps(SCHEMA).decode()).read(payload)

    assert "Arbor" not in str(raised.value)


def test_another_kind_of_event_is_told_apart() -> None:
    schema = {"type": "record", "name": "Order__e", "fields": [{"name": "Id", "type": "string"}]}

    assert HeaderReader(orjson.dumps(schema).decode()).is_change is False


@pytest.mark.parametrize(
    ("change_type", "ids", "told", "missed"),
    [
        ("CREATE", (LEAD, OTHER), [(LEAD, "read"), (OTHER, "read")], None),
        ("UPDATE", (LEAD[:15],), [(LEAD, "read")], None),
        ("DELETE", (LEAD,), [(LEAD, "deleted")], None),
        ("UNDELETE", (LEAD,), [(LEAD, "restored")], None),
        ("GAP_UPDATE", (LEAD,), [(LEAD, "read")], None),
        ("GAP_DELETE", (LEAD,), [(LEAD, "deleted")], None),
        ("GAP_CREATE", (LEAD, OTHER), [(LEAD, "read"), (OTHER, "read")], None),
        ("GAP_UNDELETE", (LEAD,), [(LEAD, "restored")], None),
        ("UPDATE", (LEAD, LEAD[:15], OTHER), [(LEAD, "read"), (OTHER, "read")], None),
        ("SNAPSHOT", (LEAD,), [(LEAD, "read")], None),
        ("GAP_UPDATE", (LEAD, "00Q*"), [(LEAD, "read")], "Lead"),
        ("GAP_UPDATE", ("000000000000000AAA",), [], "Lead"),
        ("GAP_OVERFLOW", (), [], "Lead"),
        ("GAP_OVERFLOW", (LEAD,), [(LEAD, "read")], "Lead"),
        ("UPDATE", (), [], "Lead"),
        ("UPDATE", ("//evil.example/x",), [], "Lead"),
    ],
)
def test_what_an_event_asks_for(
    change_type: str, ids: tuple[str, ...], told: list[tuple[str, str]], missed: str | None
) -> None:
    meaning = meaning_of(ChangeHeader("Lead", change_type, ids, 0), ("Lead", "Contact"))

    assert [(each.record_id, each.kind) for each in meaning.told] == told
    assert meaning.missed == missed


def test_an_object_that_is_not_mapped_is_unwanted() -> None:
    assert meaning_of(ChangeHeader("Task", "GAP_OVERFLOW", (), 0), ("Lead",)) == Meaning(unwanted=True)


def opened(**settings: str) -> object:
    given = {"SESSION_ID": "x", "INSTANCE_URL": "https://acme.my.salesforce.com", **settings}
    loaded = load_settings({}, {f"LEADLOOP_SALESFORCE__{name}": value for name, value in given.items()})
    objects: dict[str, tuple[str, ...]] = {"Lead": (), "Contact": (), "Contact.Account": ()}
    return stream(loaded.salesforce, "salesforce", objects, ORGANIZATION, FreeMeter(), SystemClock())


def test_it_is_off_until_it_is_switched_on() -> None:
    assert "LEADLOOP_SALESFORCE__STREAM is not set" in str(opened())


def test_of_the_objects_those_that_are_mapped() -> None:
    made: Any = opened(STREAM="true", STREAM_OBJECTS="Contact, Opportunity")
    assert made.objects == ["Contact"]
    with pytest.raises(SettingsError, match="STREAM_OBJECTS names no object"):
        opened(STREAM="true", STREAM_OBJECTS="Opportunity")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("connector.platforms.salesforce.pubsub")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "grpc", None)

    with pytest.raises(SettingsError, match=r"grpc, which is not installed: pip install 'leadloop\[sales"):
        opened(STREAM="true")


@pytest.mark.parametrize(
    "url", ["http://api.pubsub.salesforce.com:7443", "https://a.example/path", "a.example"]
)
def test_a_stream_in_the_clear_is_taken_on_loopback_only(url: str) -> None:
    with pytest.raises(SettingsError, match="LEADLOOP_SALESFORCE__STREAM_URL"):
        opened(STREAM="true", STREAM_URL=url)
