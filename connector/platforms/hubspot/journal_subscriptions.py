"""Subscriptions of HubSpot's webhooks journal: which leadloop needs, and which of those there are. Pure.

The journal holds nothing but what was subscribed to. Bodies as in HubSpot's OpenAPI spec of 2026-03, but for
`objectIds`, which the spec requires and the guide does not: it narrows a subscription to single records, and
what an empty list means is told nowhere, so it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.platforms.hubspot.events import TYPE_IDS

ACTIONS = ("CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE")

# moved by HubSpot itself all the time; webhooks cannot be subscribed to them either
_NOT_TOLD = frozenset({"hs_lastmodifieddate", "lastmodifieddate", "num_unique_conversion_events"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """One that leadloop needs. `object`: the native object, for people to read."""

    object: str
    kind: str
    type_id: str
    actions: tuple[str, ...]
    properties: tuple[str, ...] = ()

    def body(self, portal_id: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What to send to create it, or to add to the one that exists: a repeated creation is an update
        (HubSpot's reference names it an upsert), and what others subscribed to stays."""
        same = [each for each in found if self._is_like(each, portal_id)]
        body: dict[str, Any] = {
            "subscriptionType": self.kind,
            "portalId": int(portal_id),
            "objectTypeId": self.type_id,
            "actions": _united(self.actions, (each.get("actions") for each in same)),
        }
        if self.kind == "OBJECT":
            body["properties"] = _united(self.properties, (each.get("properties") for each in same))
        return body

    def is_met(self, portal_id: str, found: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the subscriptions that exist tell all that this one is for."""
        same = [each for each in found if self._is_like(each, portal_id)]
        actions = _united((), (each.get("actions") for each in same))
        properties = _united((), (each.get("properties") for each in same))
        return set(actions) >= set(self.actions) and set(properties) >= set(self.properties)

    def _is_like(self, found: Mapping[str, Any], portal_id: str) -> bool:
        return (
            found.get("subscriptionType") == self.kind
            and found.get("objectTypeId") == self.type_id
            and str(found.get("portalId")) == portal_id
            and not found.get("deletedAt")
            and not found.get("objectIds")
        )

    def __str__(self) -> str:
        return f"{self.object} ({', '.join(self.actions)})"


def needed(objects: Mapping[str, Sequence[str]]) -> list[Subscription]:
    """What the mapped objects, with the properties that are read of each, need."""
    wanted = [
        Subscription(
            name,
            "OBJECT",
            TYPE_IDS.get(name, name),
            ACTIONS,
            tuple(sorted(set(fields) - _NOT_TOLD)),
        )
        for name, fields in objects.items()
    ]
    if "contacts" in objects:
        type_id = TYPE_IDS["contacts"]
        wanted.append(Subscription("contacts", "GDPR_PRIVACY_DELETION", type_id, ("GDPR_DELETE",)))
    return wanted


def _united(mine: Iterable[str], others: Iterable[object]) -> list[str]:
    """Mine, and whatever lists of the others say."""
    told = [each for other in others if isinstance(other, list) for each in other]
    return list(dict.fromkeys([*mine, *map(str, told)]))
