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
from connector.platforms.hubspot.records import associated_with, naming_property

ACTIONS = ("CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE")
ASSOCIATED = ("ASSOCIATION_ADDED", "ASSOCIATION_REMOVED")

# moved by HubSpot itself all the time; webhooks cannot be subscribed to them either
_NOT_TOLD = frozenset({"hs_lastmodifieddate", "lastmodifieddate", "num_unique_conversion_events"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """One that leadloop needs. `object`: the native object, for people to read; `lists`: what it must name,
    by the keys of its body."""

    object: str
    kind: str
    type_id: str
    lists: Mapping[str, tuple[str, ...]]

    def body(self, portal_id: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What to send to create it, or to add to the one that exists: a repeated creation is an update
        (HubSpot's reference names it an upsert), and what others subscribed to stays."""
        same = self._same(portal_id, found)
        return {
            "subscriptionType": self.kind,
            "portalId": int(portal_id),
            "objectTypeId": self.type_id,
            **{key: _united(mine, same, key) for key, mine in self.lists.items()},
        }

    def is_met(self, portal_id: str, found: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the subscriptions that exist tell all that this one is for."""
        same = self._same(portal_id, found)
        return all(set(_united((), same, key)) >= set(mine) for key, mine in self.lists.items())

    def _same(self, portal_id: str, found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [
            each
            for each in found
            if each.get("subscriptionType") == self.kind
            and each.get("objectTypeId") == self.type_id
            and str(each.get("portalId")) == portal_id
            and not each.get("deletedAt")
            and not each.get("objectIds")
        ]

    def __str__(self) -> str:
        return f"{self.object} ({', '.join(self.lists['actions'])})"


def needed(objects: Mapping[str, Sequence[str]]) -> list[Subscription]:
    """What the mapped objects, with the properties that are read of each, need."""
    wanted = []
    for name, fields in objects.items():
        type_id, naming = _type_id(name), naming_property(name)
        properties = {*fields, *([] if naming is None else [naming])} - _NOT_TOLD
        lists = {"actions": ACTIONS, "properties": tuple(sorted(properties))}
        wanted.append(Subscription(name, "OBJECT", type_id, lists))
        if name == "contacts":
            lists = {"actions": ("GDPR_DELETE",)}
            wanted.append(Subscription(name, "GDPR_PRIVACY_DELETION", type_id, lists))
        other = associated_with(name)
        if other is not None and other in objects:
            # from either end: at which of them an event begins is told nowhere
            for one, far in ((name, other), (other, name)):
                lists = {"actions": ASSOCIATED, "associatedObjectTypeIds": (_type_id(far),)}
                wanted.append(Subscription(one, "ASSOCIATION", _type_id(one), lists))
    return wanted


def _type_id(name: str) -> str:
    return TYPE_IDS.get(name, name)


def _united(mine: Iterable[str], others: Iterable[Mapping[str, Any]], key: str) -> list[str]:
    """Mine, and whatever the lists of the others under this key say."""
    told = [each for other in others if isinstance(other.get(key), list) for each in other[key]]
    return list(dict.fromkeys([*mine, *map(str, told)]))
