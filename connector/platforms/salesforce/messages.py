"""Outbound Messages of Salesforce: SOAP in, an acknowledgement out. Pure.

One message holds up to 100 notifications, each with an object's type and id, for one acknowledgement that
covers them all. Blank fields are left out and the values are those at the time of sending, so nothing but the
id is read. There is no signature: who sent it is proven elsewhere (`deliveries`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from connector.platforms.pushes import Told
from connector.platforms.salesforce.ids import id18, is_id, is_name

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ID = "{urn:sobject.enterprise.soap.sforce.com}Id"

_ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>\n'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{}</Ack>'
    "</notificationsResponse>\n</soapenv:Body></soapenv:Envelope>\n"
)
ACKNOWLEDGED, NOT_ACKNOWLEDGED = (_ANSWER.format(word).encode() for word in ("true", "false"))


class MalformedMessage(ValueError):
    """What came is no Outbound Message. `str()` has no value of it."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """`notifications` are the records, None for each that could not be read."""

    organization_id: str
    notifications: tuple[Told | None, ...]


def read_message(body: bytes, most: int) -> OutboundMessage:
    """Read a message with no more than `most` notifications. Raises MalformedMessage, and does so for every
    document type declaration: without one there are no entities to expand or to fetch."""
    try:
        envelope = fromstring(body, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise MalformedMessage("a document type declaration or an entity") from error
    except (ParseError, ValueError, LookupError) as error:
        raise MalformedMessage("not well-formed XML") from error
    content = envelope.find(f"{_SOAP}Body/{_OUTBOUND}notifications")
    if envelope.tag != f"{_SOAP}Envelope" or content is None:
        raise MalformedMessage("not an envelope with notifications")
    organization = (content.findtext(f"{_OUTBOUND}OrganizationId") or "").strip()
    if not is_id(organization):
        raise MalformedMessage("no OrganizationId")
    found = content.findall(f"{_OUTBOUND}Notification")
    if len(found) > most:
        raise TooManyNotifications
    return OutboundMessage(id18(organization), tuple(_told(found)))


class TooManyNotifications(ValueError):
    """More notifications than are taken at once."""


def _told(notifications: list[Any]) -> Iterator[Told | None]:
    for each in notifications:
        record = each.find(f"{_OUTBOUND}sObject")
        name = record.get(_TYPE, "").rpartition(":")[2] if record is not None else ""
        record_id = (record.findtext(_ID) or "").strip() if record is not None else ""
        usable = is_name(name) and is_id(record_id)
        yield Told(name, id18(record_id), "read") if usable else None
