"""Salesforce's Outbound Messages over HTTP: taken at the secret path, acknowledged word for word."""

from __future__ import annotations

import pytest

from connector.clock import ManualClock
from connector.store.database import Database
from tests.webhooks.sending import ORGANIZATION, PATH_SECRET, Post, notification, outbound

TRUE = b"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>
<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>
</soapenv:Body></soapenv:Envelope>
"""
ONE = "00Q000000000001EAA"


def bombs() -> dict[str, bytes]:
    """What XML can do to whoever parses it without care."""
    body = outbound([notification(ONE)]).decode().partition("?>\n")[2]
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

    def declared(declaration: str, text: str = "Doe") -> bytes:
        return f"<!DOCTYPE x{declaration}>{body.replace('Doe', text)}".encode()

    return {
        "billion laughs": declared(f' [<!ENTITY l0 "lol">{laughs}]', "&l9;"),
        "quadratic blowup": declared(f' [<!ENTITY a "{"a" * 50_000}">]', "&a;" * 5_000),
        "file": declared(' [<!ENTITY f SYSTEM "file:///etc/passwd">]', "&f;"),
        "network": declared(' SYSTEM "http://127.0.0.1:1/x.dtd"'),
        "parameter": declared(' [<!ENTITY % p SYSTEM "http://127.0.0.1:1/"> %p;]'),
        "harmless declaration": declared(""),
        "undefined entity": body.replace("Doe", "&nbsp;").encode(),
    }


def test_a_message_is_stored_and_acknowledged_word_for_word(reception: Post, clock: ManualClock) -> None:
    answer = reception.salesforce(
        outbound([notification(ONE), notification("003000000000002AAA", "Contact")])
    )

    assert (answer.status, answer.body) == (200, TRUE)
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert reception.records("salesforce") == [
        ("Contact", "003000000000002AAA", "read"),
        ("Lead", ONE, "read"),
    ]
    assert reception.told == [("webhook_received", {"side": "salesforce", "events": 2, "unwanted": 0})]


def test_a_hundred_notifications_and_repeats_of_them(reception: Post) -> None:
    ids = [f"00Q{number:012d}" for number in range(100)]
    message = outbound([notification(record_id) for record_id in ids])

    assert [reception.salesforce(message).body for _ in range(2)] == [TRUE, TRUE]
    assert [each[1][:15] for each in reception.records("salesforce")] == ids
    assert all(len(each[1]) == 18 for each in reception.records("salesforce"))


def test_the_path_must_end_in_the_secret(reception: Post) -> None:
    message = outbound([notification(ONE)])
    for wrong in (
        "",
        "x",
        PATH_SECRET[:-1],
        PATH_SECRET + "0",
        PATH_SECRET.upper(),
        PATH_SECRET + "/",
        "%00",
    ):
        assert reception.salesforce(message, secret=wrong).status == 404
    assert reception.inbox("salesforce") == []
    assert reception.refused() == {"forged": 7}


def test_another_organization_is_refused(reception: Post) -> None:
    assert reception.salesforce(outbound([notification(ONE)], "00D000000000002EAA")).status == 403
    assert reception.salesforce(outbound([notification(ONE)], ORGANIZATION[:15])).status == 200
    assert reception.refused() == {"foreign": 1}


@pytest.mark.parametrize("name", bombs())
def test_xml_that_declares_or_uses_entities_is_refused(reception: Post, name: str) -> None:
    assert reception.salesforce(bombs()[name]).status == 400
    assert reception.inbox("salesforce") == []
    assert reception.refused() == {"malformed": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<a",
        b"<a/>",
        outbound([notification(ONE)])[:-30],
        outbound([notification(ONE)], "somebody"),
        outbound([notification(ONE)]).replace(b"2005/09/outbound", b"2006/10/inbound"),
        outbound([notification(ONE)]).replace(b"UTF-8", b"nonsense"),
        b"<a>" * 100_000,
        b"\x00\xff",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_message_is_refused(reception: Post, body: bytes) -> None:
    assert reception.salesforce(body).status == 400
    assert reception.refused() == {"malformed": 1}


def test_one_malformed_notification_stops_no_other(reception: Post) -> None:
    bad = [
        "<Notification><Id>04l000000000001AAA</Id></Notification>",
        notification("not an id"),
        notification("00Q0000000' OR Id"),
        notification(ONE, "Le ad"),
        notification(ONE).replace("sf:Id", "sf:Name"),
    ]
    answer = reception.salesforce(outbound([*bad, notification(ONE)]))

    assert answer.body == TRUE
    assert reception.records("salesforce") == [("Lead", ONE, "read")]
    assert reception.refused() == {"malformed": 5}


def test_what_cannot_be_stored_is_not_acknowledged(database: Database, clock: ManualClock) -> None:
    with Post(database, clock, {"LEADLOOP_WEBHOOKS__MAX_WAITING": "1000"}) as reception:
        reception.know_accounts()
        for start in range(0, 1_000, 100):
            ids = [f"00Q{number:012d}" for number in range(start, start + 100)]
            assert reception.salesforce(outbound(map(notification, ids))).body == TRUE
        refused = reception.salesforce(outbound([notification("00Q000000009999")]))

        assert refused.status == 503
        assert refused.body == TRUE.replace(b"true", b"false")
        assert refused.headers["Retry-After"] == "10"
