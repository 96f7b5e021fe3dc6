"""Outbound Messages of the org: a notification for every record that is saved, sent to one address as SOAP
(salesforce.md section 12.1).

Nothing is noted until an admin has set it up, and nothing is sent but by `send`. A deletion sends none, nor,
by default, does what the integration user saves. What is not acknowledged is sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from xml.sax.saxutils import escape

from connector.sandbox.posting import post
from connector.sandbox.salesforce.schema import Row

MOST_NOTIFICATIONS = 100
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
    " <soapenv:Body>\n"
    '  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">\n'
)
_TAIL = "  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>\n"


class OutboundMessages:
    """What the org sends. `pending` are the records that nobody has acknowledged yet, by object and id."""

    def __init__(self, organization_id: str) -> None:
        self.pending: list[tuple[str, str]] = []
        self._organization_id = organization_id
        self._url: str | None = None
        self._objects: frozenset[str] = frozenset()
        self._silent_user: str | None = None
        self._number = 0
        self._lock = threading.Lock()

    def set_up(self, url: str, objects: Sequence[str], silent_user: str | None) -> None:
        """Send to `url` for every save of these objects from now on, but those by `silent_user`."""
        with self._lock:
            self._url, self._objects, self._silent_user = url, frozenset(objects), silent_user

    def note(self, object_name: str, row: Row) -> None:
        """A row was saved."""
        if object_name not in self._objects or row.get("IsDeleted"):
            return
        if row.get("LastModifiedById") == self._silent_user:
            return
        with self._lock:
            self.pending.append((object_name, row["Id"]))

    def send(self) -> list[int]:
        """Send what is pending, one object a message; returns the status of each, 0 where the answer was no
        acknowledgement."""
        with self._lock:
            taken, self.pending = self.pending, []
            url = self._url or ""
        statuses = []
        for name in sorted({name for name, _ in taken}):
            ids = [row_id for each, row_id in taken if each == name]
            for start in range(0, len(ids), MOST_NOTIFICATIONS):
                part = ids[start : start + MOST_NOTIFICATIONS]
                headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
                status, answer = post(url, self._message(name, part).encode(), headers)
                acknowledged = status == 200 and b"<Ack>true</Ack>" in answer
                statuses.append(status if acknowledged or status != 200 else 0)
                if not acknowledged:
                    with self._lock:
                        self.pending += [(name, row_id) for row_id in part]
        return statuses

    def _message(self, name: str, ids: Sequence[str]) -> str:
        notifications = []
        for row_id in ids:
            self._number += 1
            notifications.append(
                f"   <Notification>\n    <Id>04l{self._number:012d}AAA</Id>\n"
                f'    <sObject xsi:type="sf:{escape(name)}" '
                'xmlns:sf="urn:sobject.enterprise.soap.sforce.com">\n'
                f"     <sf:Id>{row_id}</sf:Id>\n    </sObject>\n   </Notification>\n"
            )
        return (
            f"{_HEAD}   <OrganizationId>{self._organization_id}</OrganizationId>\n"
            "   <ActionId>04k000000000001AAA</ActionId>\n"
            '   <SessionId xsi:nil="true"/>\n'
            "   <EnterpriseUrl>https://sandbox.example/services/Soap/c/62.0</EnterpriseUrl>\n"
            "   <PartnerUrl>https://sandbox.example/services/Soap/u/62.0</PartnerUrl>\n"
            f"{''.join(notifications)}{_TAIL}"
        )
