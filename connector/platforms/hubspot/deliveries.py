"""The receiver of HubSpot's webhooks: signature first, then the events. No I/O.

HubSpot repeats a delivery that was answered with any 4xx or 5xx up to ten times within 24 hours, so what is
genuine and of no use to us is answered with 2xx (DOCS/api/webhooks).
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from connector.platforms.hubspot.events import MalformedEvent, read_event
from connector.platforms.hubspot.signatures import FUTURE_MS, PAST_MS, is_v1, is_v3, timestamp_ms
from connector.platforms.pushes import Cause, Delivery, Head, NotAccepted, Reply, Told

_V3, _TIME = "x-hubspot-signature-v3", "x-hubspot-request-timestamp"
_V1, _VERSION = "x-hubspot-signature", "x-hubspot-signature-version"


class WebhookReceiver:
    """Takes webhooks that are signed with the app's client secret. `allow_v1`: the older signature too."""

    def __init__(self, secret: str, *, allow_v1: bool, most_events: int) -> None:
        self._secret = secret.encode()
        self._allow_v1 = allow_v1
        self._most_events = most_events

    def admit(self, head: Head, now_ms: int) -> None:
        """There is a signature of a kind that we take, and it is of now. Raises NotAccepted."""
        if head.rest:
            raise NotAccepted("forged", 404, "there is nothing at this address")
        if _V3 not in head.headers:
            if self._allow_v1 and head.headers.get(_VERSION) == "v1" and _V1 in head.headers:
                return
            raise NotAccepted("unsigned", 401, "no signature of version 3")
        at_ms = timestamp_ms(head.headers.get(_TIME, ""))
        if at_ms is None:
            raise NotAccepted("unsigned", 401, "no timestamp")
        if at_ms < now_ms - PAST_MS:
            raise NotAccepted("stale", 401, "the timestamp is more than 5 minutes old")
        if at_ms > now_ms + FUTURE_MS:
            raise NotAccepted("future", 401, "the timestamp is more than a minute in the future")

    def accept(self, head: Head, body: bytes, account: str) -> Delivery:
        """The records that the events of this portal tell of. Raises NotAccepted."""
        if not self._genuine(head, body):
            raise NotAccepted("forged", 401, "the signature is not right")
        try:
            events = _events(body)
        except (ValueError, RecursionError) as error:
            raise NotAccepted("malformed", 400, "the body is not JSON") from error
        if not isinstance(events, list):
            raise NotAccepted("malformed", 400, "the body is not a list of events")
        if len(events) > self._most_events:
            raise NotAccepted("too_many", 413, f"more than {self._most_events} events")
        return _delivery(events, account)

    def reply(self, stored: bool) -> Reply:
        """HubSpot looks at the status alone."""
        return Reply(204) if stored else Reply(503)

    def _genuine(self, head: Head, body: bytes) -> bool:
        headers = head.headers
        if _V3 in headers:
            return is_v3(self._secret, head.method, head.url, body, headers[_TIME], headers[_V3])
        return is_v1(self._secret, body, headers[_V1])


def _events(body: bytes) -> Any:
    """What the body says. Half a character in the value of one event (a text that somebody cut) is no reason
    to lose the others: no value is read anyway. Raises ValueError, RecursionError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body.decode("utf-8", "replace"))


def _delivery(events: list[Any], account: str) -> Delivery:
    told: dict[Told, None] = {}
    unwanted = 0
    refused: dict[Cause, int] = {}
    for event in events:
        try:
            if not isinstance(event, dict):
                raise MalformedEvent("an event that is no object")
            if str(event.get("portalId")) != account:
                # an app that is installed in several portals sends the events of all of them to one address
                refused["foreign"] = refused.get("foreign", 0) + 1
                continue
            found = read_event(event)
        except MalformedEvent:
            refused["malformed"] = refused.get("malformed", 0) + 1
            continue
        unwanted += not found
        for each in found:
            told[each] = None
    return Delivery(len(events), list(told), unwanted, refused)
