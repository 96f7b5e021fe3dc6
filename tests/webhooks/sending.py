"""Sending: deliveries as the platforms make them, signed as the documentation says, and a reception to send
them to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from connector.clock import Clock
from connector.settings import load_settings
from connector.store.database import Database
from connector.store.inbox import Hint, due_hints
from connector.store.settings_values import put_value
from connector.webhooks.reception import OpenReception

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
PATH_SECRET = "0123456789abcdef01234567"
PORTAL, ORGANIZATION = "62515", "00D000000000001EAA"
SIDES = {"hubspot": "hubspot", "salesforce": "salesforce"}


def event(object_id: object, kind: str = "contact.propertyChange", **given: Any) -> dict[str, Any]:
    """An event as HubSpot sends it."""
    return {
        "eventId": 1,
        "subscriptionId": 12345,
        "portalId": int(PORTAL),
        "appId": 54321,
        "occurredAt": 1564113600000,
        "subscriptionType": kind,
        "attemptNumber": 0,
        "objectId": object_id,
        "changeSource": "CRM_UI",
        **given,
    }


def signed(url: str, body: bytes, at_ms: int, secret: str = SECRET) -> dict[str, str]:
    """The headers of a webhook to this address."""
    content = b"POST" + url.encode() + body + str(at_ms).encode()
    made = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-HubSpot-Signature-v3": base64.b64encode(made).decode(),
        "X-HubSpot-Request-Timestamp": str(at_ms),
    }


def notification(record_id: str, name: str = "Lead") -> str:
    return (
        "<Notification><Id>04l000000000001AAA</Id>"
        f'<sObject xsi:type="sf:{name}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{record_id}</sf:Id><sf:LastName>Doe</sf:LastName></sObject></Notification>"
    )


def outbound(notifications: Iterable[str], organization: str = ORGANIZATION) -> bytes:
    """An Outbound Message as Salesforce sends it."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId><ActionId>04k000000000001AAA</ActionId>"
        '<SessionId xsi:nil="true"/><EnterpriseUrl>https://example.my.salesforce.com/</EnterpriseUrl>'
        f"<PartnerUrl>https://example.my.salesforce.com/</PartnerUrl>{''.join(notifications)}"
        "</notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Message[str, str]


def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """POST and return whatever is answered."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.read(), answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), error.headers)


@dataclass(slots=True)
class Post:
    """A reception at work, and what a test sends to it. `told` is all that it told of."""

    database: Database
    clock: Clock
    environment: Mapping[str, str] = field(default_factory=dict)
    told: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    stored: Callable[[Iterable[str]], object] = lambda _sides: None
    reception: OpenReception = field(init=False)

    def __enter__(self) -> Post:
        settings = load_settings(
            {},
            {
                "LEADLOOP_WEBHOOKS__PORT": "0",
                "LEADLOOP_HUBSPOT__CLIENT_SECRET": SECRET,
                "LEADLOOP_SALESFORCE__WEBHOOK_SECRET": PATH_SECRET,
                **self.environment,
            },
        )
        self.reception = OpenReception(
            SIDES,
            settings,
            self.database,
            self.clock,
            lambda event, facts: self.told.append((event, facts)),
            self.stored,
        )
        self.reception.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reception.close()

    def know_accounts(self) -> None:
        """leadloop has connected."""
        with self.database.begin() as conn:
            put_value(conn, "account:hubspot", PORTAL)
            put_value(conn, "account:salesforce", ORGANIZATION)

    def hubspot(
        self, events: object, *, at_ms: int | None = None, secret: str = SECRET, path: str = "/hubspot"
    ) -> Answer:
        """Send events, signed. Bytes are sent as they are."""
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        at_ms = self.clock.now_ms() if at_ms is None else at_ms
        public = self.reception.addresses["hubspot"].removesuffix("/hubspot") + path
        return post(self.reception.url + path, body, signed(public, body, at_ms, secret))

    def salesforce(self, body: bytes, secret: str = PATH_SECRET) -> Answer:
        return post(f"{self.reception.url}/salesforce/{secret}", body, {"Content-Type": "text/xml"})

    def inbox(self, side: str = "hubspot") -> list[Hint]:
        """What waits, in the order of its records."""
        with self.database.read() as conn:
            waiting = due_hints(conn, side, self.clock.now_ms() + 10**9, 100_000)
        return sorted(Hint(*each[:5]) for each in waiting)

    def records(self, side: str = "hubspot") -> list[tuple[str, str, str]]:
        """Object, id and kind of what waits."""
        return [each[1:4] for each in self.inbox(side)]

    def refused(self) -> dict[str, int]:
        """Causes of refusals, counted."""
        causes: dict[str, int] = {}
        for name, facts in self.told:
            if name == "webhook_refused":
                cause, events = str(facts["cause"]), facts.get("events", 1)
                assert isinstance(events, int)
                causes[cause] = causes.get(cause, 0) + events
        return causes
