"""Events of HubSpot's webhooks journal: which records they tell of. Pure.

An event of a record carries `type` (`crmObject`), `portalId`, `occurredAt`, `action`, `objectTypeId`,
`objectId` and, for an update, `propertyChanges`; one of an association has `fromObjectId`, `fromObjectTypeId`
and the like (HubSpot's guide to the journal; actions from its OpenAPI spec of 2026-03). What an event of a
merge or of a privacy deletion carries is shown nowhere: both are read as webhooks tell them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

from connector.platforms.hubspot.events import MalformedEvent, merged, object_of, record_id_of
from connector.platforms.pushes import Told
from connector.platforms.stamps import epoch_ms

_ACTIONS: Mapping[str, Literal["read", "deleted", "restored"]] = {
    "CREATE": "read",
    "UPDATE": "read",
    "DELETE": "deleted",
    "RESTORE": "restored",
}
_ENDS = (("fromObjectTypeId", "fromObjectId"), ("toObjectTypeId", "toObjectId"))


def read_journal_event(event: Mapping[str, Any]) -> list[Told]:
    """The records to look at; none when nobody reads events of its kind. One of our own making is read too:
    the sooner HubSpot shows what became of a write, the less can a person's edit be mistaken for that. Raises
    MalformedEvent."""
    action = event.get("action")
    if not isinstance(action, str):
        raise MalformedEvent("an event without an action")
    if action == "GDPR_DELETE":
        return _forgotten(event)
    if action in ("ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"):
        ends = [(object_of(event.get(kind)), record_id_of(event.get(name))) for kind, name in _ENDS]
        return [Told(*end, "read") for end in ends]
    if action == "MERGE":
        return merged(object_of(event.get("objectTypeId")), event)
    kind = _ACTIONS.get(action)
    if kind is None:
        return []
    return [Told(object_of(event.get("objectTypeId")), record_id_of(event.get("objectId")), kind)]


def occurred_ms(event: Mapping[str, Any]) -> int | None:
    """When it happened, by HubSpot's clock; None where it does not say. Written as a date-time (guide to the
    journal), and read as a number too, as webhooks have it."""
    moment = event.get("occurredAt")
    if isinstance(moment, int) and not isinstance(moment, bool):
        return moment
    return moment_ms(moment)


def types_of(event: object) -> set[str]:
    """The objects whose types an event names, however malformed the rest of it is; none where it names
    none."""
    if not isinstance(event, Mapping):
        return set()
    given = [event.get(name) for name in ("objectTypeId", *(kind for kind, _ in _ENDS))]
    found = set()
    for each in given:
        with suppress(MalformedEvent):  # it names nothing then
            found.add(object_of(each))
    return found


def moment_ms(text: object) -> int | None:
    """Milliseconds since the epoch of a date-time with a zone; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return epoch_ms(text)
    except (ValueError, OverflowError):
        return None


def _forgotten(event: Mapping[str, Any]) -> list[Told]:
    """Only contacts can be deleted for privacy; an event that names no type is of one (a guess)."""
    kind = event.get("objectTypeId")
    if kind is not None and object_of(kind) != "contacts":
        return []
    return [Told("contacts", record_id_of(event.get("objectId")), "forget")]
