"""Webhooks of the portal: an event for whatever happens to a record, sent to one address, signed (hubspot.md
section 15).

Nothing is noted until somebody subscribes, and nothing is sent but by `send`. The journal is told of the same
things, from here. As with HubSpot, events of one
delivery are in no order, a delivery that is refused is sent again with a higher `attemptNumber`, and the
changes that a merge makes to values are not told.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from connector.sandbox import HUBSPOT_CLIENT_SECRET
from connector.sandbox.posting import post

if TYPE_CHECKING:
    from connector.sandbox.hubspot.records import Origin
    from connector.sandbox.hubspot.table import Table

MOST_EVENTS = 100
MOST_ATTEMPTS = 11
_NAMES = {"contacts": "contact", "companies": "company", "deals": "deal"}


class Webhooks:
    """What the portal sends. `pending` are the events that nobody has taken yet."""

    def __init__(self) -> None:
        self.pending: list[dict[str, Any]] = []
        self._url: str | None = None
        self._secret = b""
        self._generic = False
        self._number = 0
        self._lock = threading.Lock()

    def subscribe(self, url: str, secret: str = HUBSPOT_CLIENT_SECRET, generic: bool = False) -> None:
        """Tell `url` of everything from now on. `generic`: by `object.…` events, as project apps do."""
        with self._lock:
            self._url, self._secret, self._generic = url, secret.encode(), generic

    def changed(self, crm: Any, table: Table, record_id: int, names: Iterable[str], origin: Origin) -> None:
        """Properties of a record have new values."""
        names = list(names)
        crm.journal.changed(crm, table, record_id, names)
        values = table.records[record_id].properties
        for name in names:
            given = {"propertyName": name, "propertyValue": values.get(name, "")}
            self.note(crm, table, record_id, "propertyChange", origin, **given)

    def note(
        self, crm: Any, table: Table, record_id: int, action: str, origin: Origin | None = None, **given: Any
    ) -> None:
        """Something happened to a record. Without an origin a person did it."""
        crm.journal.note(crm, table, record_id, action, given)
        if self._url is None:
            return
        event: dict[str, Any] = {
            "subscriptionId": 3_849_700,
            "portalId": crm.portal_id,
            "appId": crm.app_id,
            "occurredAt": crm.now_ms(),
            "attemptNumber": 0,
            "objectId": record_id,
            "changeSource": "CRM_UI" if origin is None else origin.type,
            "sourceId": "userId:75514748" if origin is None else origin.id,
            **given,
        }
        name = _NAMES.get(table.kind.name)
        if action == "privacyDeletion":  # there is no object.privacyDeletion
            event["subscriptionType"] = f"contact.{action}"
        elif self._generic or name is None:
            event |= {"subscriptionType": f"object.{action}", "objectTypeId": table.kind.type_id}
        else:
            event["subscriptionType"] = f"{name}.{action}"
        with self._lock:
            self._number += 1
            event["eventId"] = self._number
            self.pending.append(event)

    def send(self, now_ms: int) -> list[int]:
        """Send what is pending in deliveries of up to 100 events; returns the status of each. What is not
        answered with 2xx stays pending, until it was tried eleven times."""
        with self._lock:
            taken, self.pending = self.pending, []
            url, secret = self._url, self._secret
        statuses = []
        for start in range(0, len(taken), MOST_EVENTS):
            events = taken[start : start + MOST_EVENTS]
            body = orjson.dumps(events)
            status, _ = post(url or "", body, _signature(secret, url or "", body, now_ms))
            statuses.append(status)
            if not 200 <= status < 300:
                again = [{**each, "attemptNumber": each["attemptNumber"] + 1} for each in events]
                with self._lock:
                    self.pending += [each for each in again if each["attemptNumber"] < MOST_ATTEMPTS]
        return statuses


def _signature(secret: bytes, url: str, body: bytes, now_ms: int) -> dict[str, str]:
    signed = b"POST" + url.encode() + body + str(now_ms).encode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "HubSpot Connect 2.0 (sandbox)",
        "X-HubSpot-Request-Timestamp": str(now_ms),
        "X-HubSpot-Signature-v3": base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode(),
    }
