"""The messages of Salesforce's Pub/Sub API (`eventbus.v1.PubSub`), made from a table of their fields.

Names, numbers and types are those of the public contract, github.com/forcedotcom/pub-sub-api (CC0), as of
September 2024; what leadloop neither sends nor reads is left out. So nobody has to generate code. Must not
know what the messages mean. Needs the extra `salesforce-streams`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PACKAGE: Final = "eventbus.v1"
SUBSCRIBE: Final = f"/{PACKAGE}.PubSub/Subscribe"
GET_SCHEMA: Final = f"/{PACKAGE}.PubSub/GetSchema"
GET_TOPIC: Final = f"/{PACKAGE}.PubSub/GetTopic"

LATEST: Final = 0
EARLIEST: Final = 1
CUSTOM: Final = 2

FIELDS: Final[Mapping[str, Mapping[str, tuple[int, str]]]] = {
    "TopicInfo": {
        "topic_name": (1, "string"),
        "tenant_guid": (2, "string"),
        "can_publish": (3, "bool"),
        "can_subscribe": (4, "bool"),
        "schema_id": (5, "string"),
        "rpc_id": (6, "string"),
    },
    "TopicRequest": {"topic_name": (1, "string")},
    "ProducerEvent": {"id": (1, "string"), "schema_id": (2, "string"), "payload": (3, "bytes")},
    "ConsumerEvent": {"event": (1, "ProducerEvent"), "replay_id": (2, "bytes")},
    "FetchRequest": {
        "topic_name": (1, "string"),
        "replay_preset": (2, "ReplayPreset"),
        "replay_id": (3, "bytes"),
        "num_requested": (4, "int32"),
        "auth_refresh": (5, "string"),
    },
    "FetchResponse": {
        "events": (1, "*ConsumerEvent"),
        "latest_replay_id": (2, "bytes"),
        "rpc_id": (3, "string"),
        "pending_num_requested": (4, "int32"),
    },
    "SchemaRequest": {"schema_id": (1, "string")},
    "SchemaInfo": {"schema_json": (1, "string"), "schema_id": (2, "string"), "rpc_id": (3, "string")},
}
"""Message to field to its number and type; `*` for a repeated one."""

_SCALARS: Final[Mapping[str, Any]] = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
}


def _field(name: str, number: int, kind: str) -> FieldDescriptorProto:
    repeated, plain = kind.startswith("*"), kind.removeprefix("*")
    field = FieldDescriptorProto(
        name=name,
        number=number,
        label=FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL,
    )
    if plain in _SCALARS:
        field.type = _SCALARS[plain]
    else:
        enum = plain == "ReplayPreset"
        field.type = FieldDescriptorProto.TYPE_ENUM if enum else FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{plain}"
    return field


def _messages() -> dict[str, Any]:
    file = FileDescriptorProto(name="leadloop_pubsub_api.proto", package=PACKAGE, syntax="proto3")
    for name, fields in FIELDS.items():
        made = [_field(field, number, kind) for field, (number, kind) in fields.items()]
        file.message_type.append(DescriptorProto(name=name, field=made))
    presets = file.enum_type.add(name="ReplayPreset")
    for number, name in enumerate(("LATEST", "EARLIEST", "CUSTOM")):
        presets.value.add(name=name, number=number)
    # a pool of our own: somebody else's copy of the same contract may be in the process
    pool = DescriptorPool()
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in FIELDS}


_CLASSES: Final = _messages()
TopicInfo: Any = _CLASSES["TopicInfo"]
TopicRequest: Any = _CLASSES["TopicRequest"]
ProducerEvent: Any = _CLASSES["ProducerEvent"]
ConsumerEvent: Any = _CLASSES["ConsumerEvent"]
FetchRequest: Any = _CLASSES["FetchRequest"]
FetchResponse: Any = _CLASSES["FetchResponse"]
SchemaRequest: Any = _CLASSES["SchemaRequest"]
SchemaInfo: Any = _CLASSES["SchemaInfo"]
