"""Events of HubSpot's webhooks: which records they tell of. Pure.

Documented types are `contact.propertyChange` and its like for companies, deals and others, `object.…` with an
`objectTypeId`, and `contact.privacyDeletion`. Real deliveries name the type `subscriptionType` where the
documentation says `eventType` (recorded), send ids as numbers, and put property changes before the creation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from connector.platforms.hubspot.names import is_id, is_object
from connector.platforms.pushes import Told

_BY_NAME = {"contact": "contacts", "company": "companies", "deal": "deals", "lead": "leads"}
TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "leads": "0-136"}
"""HubSpot's own object types: name to id."""

_BY_TYPE = {type_id: name for name, type_id in TYPE_IDS.items()}
_BY_ASSOCIATION = {
    **dict.fromkeys((1, 279, 5, 341), "companies"),
    **dict.fromkeys((2, 280, 3, 578), "contacts"),
    **dict.fromkeys((4, 6, 342), "deals"),
    577: "leads",
}
"""What the far end of an association is, by HubSpot's own types of them."""

_ACTIONS: Mapping[str, Literal["read", "deleted", "restored"]] = {
    "creation": "read",
    "propertyChange": "read",
    "associationChange": "read",
    "deletion": "deleted",
    "restore": "restored",
}


class MalformedEvent(ValueError):
    """An event that lacks what every event of its type has."""


def read_event(event: Mapping[str, Any]) -> list[Told]:
    """The records to look at; none when the event is of a type that nobody reads. One of our own making is
    read too: the sooner HubSpot shows what became of a write, the less can a person's edit be mistaken for
    that. Raises MalformedEvent."""
    kind = event.get("subscriptionType") or event.get("eventType")
    if not isinstance(kind, str):
        raise MalformedEvent("an event without a type")
    subject, _, action = kind.partition(".")
    if action == "privacyDeletion" and subject == "contact":
        return [Told("contacts", record_id_of(event.get("objectId")), "forget")]
    name = object_of(event.get("objectTypeId")) if subject == "object" else _BY_NAME.get(subject)
    if name is None or (action not in _ACTIONS and action != "merge"):
        return []
    if action == "merge":
        return merged(name, event)
    if action == "associationChange":
        return list(_associated(name, event))
    return [Told(name, record_id_of(event.get("objectId")), _ACTIONS[action])]


def object_of(type_id: object) -> str:
    """The name under which an object type is mapped: the id itself for types that have none. Raises
    MalformedEvent."""
    if not isinstance(type_id, str) or not is_object(type_id):
        raise MalformedEvent("an object event without objectTypeId")
    return _BY_TYPE.get(type_id, type_id)


def record_id_of(value: object) -> str:
    """The id of a record, as text. Raises MalformedEvent."""
    # numbers beyond 32 bits, and text in case HubSpot ever keeps to its own API
    if isinstance(value, bool) or not isinstance(value, int | str) or not is_id(str(value)):
        raise MalformedEvent("an event without the id of a record")
    return str(value)


def merged(name: str, event: Mapping[str, Any]) -> list[Told]:
    """The survivor first: it names those that went into it, so they are seen as merged and not as deleted.
    Normally it has a new id, and HubSpot tells no change of any of its values."""
    given = [event.get(key) for key in ("newObjectId", "primaryObjectId", "objectId")]
    gone = event.get("mergedObjectIds")
    ids = [*(each for each in given if each is not None), *(gone if isinstance(gone, list) else [])]
    if not ids:
        raise MalformedEvent("a merge without ids")
    return [Told(name, record_id, "merged") for record_id in dict.fromkeys(map(record_id_of, ids))]


def _associated(name: str, event: Mapping[str, Any]) -> Iterator[Told]:
    """Both ends, where the type tells what they are (CONTACT_TO_COMPANY, or 279); otherwise the first."""
    yield Told(name, record_id_of(event.get("fromObjectId", event.get("objectId"))), "read")
    kind = event.get("associationType")
    number = event.get("associationTypeId")
    other = _BY_NAME.get(kind.rpartition("_TO_")[2].lower()) if isinstance(kind, str) else None
    other = other or (_BY_ASSOCIATION.get(number) if isinstance(number, int) else None)
    if other is not None:
        yield Told(other, record_id_of(event.get("toObjectId")), "read")
