"""HubSpot's webhooks over HTTP: what is genuine ends in the inbox, what is not is refused and counted."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from connector.clock import ManualClock
from connector.store.database import Database
from connector.store.inbox import Hint, put_hints
from connector.webhooks import group_commit
from tests.webhooks.sending import SECRET, Post, event, post, signed

MINUTE_MS = 60_000
CAPTURED = Path(__file__).parents[3] / "shared/data/hubspot/captured-webhooks"


def test_a_genuine_delivery_is_stored_and_answered(reception: Post, clock: ManualClock) -> None:
    answer = reception.hubspot([event(123), event(456, "contact.deletion"), event(7, "deal.creation")])

    assert answer.status == 204
    assert reception.records() == [
        ("contacts", "123", "read"),
        ("contacts", "456", "deleted"),
        ("deals", "7", "read"),
    ]
    assert {hint.received_ms for hint in reception.inbox()} == {clock.now_ms()}
    assert reception.told == [("webhook_received", {"side": "hubspot", "events": 3, "unwanted": 0})]


def test_what_comes_twice_or_out_of_order_is_one_hint(reception: Post) -> None:
    late = [event(1), event(1, propertyName="email"), event(1, "contact.creation")]

    assert [reception.hubspot(late).status, reception.hubspot(late[::-1]).status] == [204, 204]
    assert reception.records() == [("contacts", "1", "read")]


@pytest.mark.parametrize(
    ("shift_ms", "status", "cause"),
    [
        (-5 * MINUTE_MS, 204, None),
        (-5 * MINUTE_MS - 1, 401, "stale"),
        (MINUTE_MS, 204, None),
        (MINUTE_MS + 1, 401, "future"),
    ],
)
def test_the_window_is_five_minutes_back_and_one_ahead(
    reception: Post, clock: ManualClock, shift_ms: int, status: int, cause: str | None
) -> None:
    answer = reception.hubspot([event(1)], at_ms=clock.now_ms() + shift_ms)

    assert answer.status == status
    assert len(reception.inbox()) == (status == 204)
    assert reception.refused() == ({cause: 1} if cause else {})


def test_a_delivery_that_is_replayed_later_is_refused(reception: Post, clock: ManualClock) -> None:
    at_ms = clock.now_ms()
    assert reception.hubspot([event(1)], at_ms=at_ms).status == 204
    clock.advance(301)

    assert reception.hubspot([event(1)], at_ms=at_ms).status == 401
    assert reception.refused() == {"stale": 1}


def test_forged_ones_are_refused(reception: Post, clock: ManualClock) -> None:
    url, body = reception.reception.addresses["hubspot"], json.dumps([event(1)]).encode()
    right = signed(url, body, clock.now_ms())
    other_body = body.replace(b'"objectId": 1', b'"objectId": 2')

    assert reception.hubspot([event(1)], secret="somebody else's").status == 401
    assert post(url, other_body, right).status == 401
    assert post(f"{url}?more=1", body, right).status == 401
    assert post(url, body, {**right, "X-HubSpot-Request-Timestamp": str(clock.now_ms() - 1)}).status == 401
    assert post(url, body, {**right, "X-HubSpot-Signature-v3": "not base64 ü"}).status == 401
    assert reception.inbox() == []
    assert reception.refused() == {"forged": 5}
    assert post(url, body, right).status == 204


def test_unsigned_ones_are_refused(reception: Post, clock: ManualClock) -> None:
    url, body = reception.reception.addresses["hubspot"], json.dumps([event(1)]).encode()
    without_time = {"X-HubSpot-Signature-v3": signed(url, body, clock.now_ms())["X-HubSpot-Signature-v3"]}

    assert post(url, body).status == 401
    assert post(url, body, without_time).status == 401
    assert post(url, body, {**without_time, "X-HubSpot-Request-Timestamp": "soon"}).status == 401
    assert post(url, body, {**without_time, "X-HubSpot-Request-Timestamp": "9" * 5_000}).status == 401
    assert reception.refused() == {"unsigned": 4}


def test_the_older_signature_is_taken_only_when_switched_on(database: Database, clock: ManualClock) -> None:
    import hashlib

    body = json.dumps([event(1)]).encode()
    made = hashlib.sha256(SECRET.encode() + body).hexdigest()
    headers = {"X-HubSpot-Signature": made, "X-HubSpot-Signature-Version": "v1"}
    for allowed, status in (("false", 401), ("true", 204)):
        with Post(database, clock, {"LEADLOOP_HUBSPOT__ALLOW_OLDER_SIGNATURE": allowed}) as reception:
            reception.know_accounts()
            assert post(reception.reception.addresses["hubspot"], body, headers).status == status
    with Post(database, clock, {"LEADLOOP_HUBSPOT__ALLOW_OLDER_SIGNATURE": "true"}) as reception:
        url = reception.reception.addresses["hubspot"]
        assert post(url, body + b" ", headers).status == 401
        # a wrong new one is not made good by a right old one
        assert post(url, body, {**headers, **signed(url, b"else", clock.now_ms())}).status == 401


def test_the_public_address_is_what_counts_behind_a_proxy(database: Database, clock: ManualClock) -> None:
    public = "https://acme.example/leadloop"
    with Post(database, clock, {"LEADLOOP_WEBHOOKS__PUBLIC_URL": public + "/"}) as reception:
        reception.know_accounts()
        body = json.dumps([event(1)]).encode()
        local = f"{reception.reception.url}/hubspot"
        told = {"Host": "acme.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "acme.example"}

        assert reception.reception.addresses["hubspot"] == f"{public}/hubspot"
        assert post(local, body, signed(f"{public}/hubspot", body, clock.now_ms())).status == 204
        assert post(local, body, signed(local, body, clock.now_ms()) | told).status == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1", b'{"eventId": 1}', b"null", b"\xff\xfe", b"[" * 200_000], ids=repr
)
def test_malformed_bodies_are_refused(reception: Post, body: bytes) -> None:
    assert reception.hubspot(body).status == 400
    assert reception.refused() == {"malformed": 1}


def test_one_malformed_event_stops_no_other(reception: Post) -> None:
    bad: list[Any] = [
        None,
        [],
        "x",
        event(None),
        event(True),
        event(-1),
        event(1.5),
        event("1; DROP TABLE leads"),
        event(10**30),
        event(1, subscriptionType=7),
        event(1, "object.creation"),
        event(1, "object.creation", objectTypeId="../x"),
        event(1, "contact.merge", objectId=None),
    ]

    assert reception.hubspot([*bad, event(123)]).status == 204
    assert reception.records() == [("contacts", "123", "read")]
    # what is no object cannot say which portal it is of either
    assert reception.refused() == {"malformed": len(bad)}


def test_events_that_nobody_reads_are_answered_all_the_same(reception: Post) -> None:
    kinds = ("conversation.newMessage", "ticket.creation", "event.completed", "contact.levitation", "x", "")

    assert reception.hubspot([event(1, kind) for kind in kinds[:-1]]).status == 204
    assert reception.hubspot([]).status == 204
    assert reception.inbox() == []
    assert reception.told[0] == ("webhook_received", {"side": "hubspot", "events": 5, "unwanted": 5})


def test_events_of_another_portal_are_left_out(reception: Post) -> None:
    assert reception.hubspot([event(1, portalId=99), event(2)]).status == 204
    assert reception.records() == [("contacts", "2", "read")]
    assert reception.refused() == {"foreign": 1}


def test_too_large_and_too_many_are_refused_without_being_read(
    database: Database, clock: ManualClock
) -> None:
    limits = {"LEADLOOP_WEBHOOKS__MAX_BODY_BYTES": "20000", "LEADLOOP_WEBHOOKS__MAX_EVENTS": "5"}
    with Post(database, clock, limits) as reception:
        reception.know_accounts()
        assert reception.hubspot([event(number) for number in range(6)]).status == 413
        assert reception.hubspot(b" " * 20_001).status == 413
        assert reception.hubspot([event(number) for number in range(1, 6)]).status == 204
        # without a length, and longer than allowed
        assert chunked(reception, b" " * 20_001) == 413
        assert reception.refused() == {"too_many": 1, "too_large": 2}


def chunked(reception: Post, body: bytes) -> int:
    """The status of a delivery whose length is not told before."""
    host, port = reception.reception.url.removeprefix("http://").split(":")
    headers = signed(reception.reception.addresses["hubspot"], body, reception.clock.now_ms())
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            f"POST /hubspot HTTP/1.1\r\nHost: x\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode()
            + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        )  # fmt: skip
        return int(connection.recv(1_000).split(b" ")[1])


def test_a_delivery_that_ends_early_is_not_taken(reception: Post, clock: ManualClock) -> None:
    host, port = reception.reception.url.removeprefix("http://").split(":")
    body = json.dumps([event(1)]).encode()
    headers = signed(reception.reception.addresses["hubspot"], body, clock.now_ms())
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            f"POST /hubspot HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
            + body[:-1]
        )
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1_000)

    # answered after the server has dealt with the end of the first
    assert reception.hubspot([event(2)]).status == 204
    assert [each[1] for each in reception.records()] == ["2"]
    assert reception.refused() == {"truncated": 1}


def test_more_than_the_rate_is_told_to_come_later(database: Database, clock: ManualClock) -> None:
    with Post(database, clock, {"LEADLOOP_WEBHOOKS__DELIVERIES_PER_SECOND": "2"}) as reception:
        reception.know_accounts()
        answers = [reception.hubspot([event(number)]) for number in range(1, 5)]
        clock.advance(0.5)
        later = reception.hubspot([event(9)])

        assert [answer.status for answer in answers] == [204, 204, 429, 429]
        assert answers[-1].headers["Retry-After"] == "10"
        assert later.status == 204
        assert [each[1] for each in reception.records()] == ["1", "2", "9"]
        # strangers do not use up what the platform may send
        assert reception.hubspot([event(1)], secret="x").status == 401


def test_a_full_inbox_is_told_to_come_later(database: Database, clock: ManualClock) -> None:
    with Post(database, clock, {"LEADLOOP_WEBHOOKS__MAX_WAITING": "1000"}) as reception:
        reception.know_accounts()
        assert reception.hubspot([event(number) for number in range(1, 1_001)]).status == 204
        clock.advance(3)
        full = reception.hubspot([event(5_000)])

        assert (full.status, full.headers["Retry-After"]) == (503, "10")
        assert len(reception.inbox()) == 1_000
        assert reception.refused() == {"full": 1}
        empty_the_inbox(database)
        clock.advance(3)
        assert reception.hubspot([event(5_000)]).status == 204


def empty_the_inbox(database: Database) -> None:
    from connector.store.schema import inbox

    with database.begin() as conn:
        conn.execute(inbox.delete())


def test_nothing_is_taken_before_the_account_is_known(database: Database, clock: ManualClock) -> None:
    with Post(database, clock) as reception:
        early = reception.hubspot([event(1)])
        assert (early.status, early.headers["Retry-After"]) == (503, "10")
        reception.know_accounts()
        assert reception.hubspot([event(1)]).status == 204
        assert reception.refused() == {"unknown_account": 1}


def test_other_addresses_and_methods_lead_nowhere(reception: Post) -> None:
    url = reception.reception.url
    assert post(f"{url}/marketo", b"[]").status == 404
    assert reception.hubspot([event(1)], path="/hubspot/more").status == 404
    assert post(f"{url}/healthz", b"").status in (404, 405)
    assert reception.inbox() == []


@pytest.mark.skipif(not CAPTURED.is_dir(), reason="the recorded deliveries are not on this machine")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contact_creation_by_own_app", [("contacts", "106314056576", "read")]),
        ("contact_creation_retry_attempt6", [("contacts", "112558566461", "read")]),
        ("contact_propertyChange_own_app_attempt1", [("contacts", "541935488729", "read")]),
        ("object_create_batch_8_events", [("2-143967026", "180584432881", "read")]),
        ("object_deletion", [("2-143967026", "180584432881", "deleted")]),
        ("object_propertyChange_contact", [("contacts", "546500061938", "read")]),
    ],
)
def test_recorded_deliveries_are_understood(
    reception: Post, database: Database, name: str, expected: list[tuple[str, str, str]]
) -> None:
    body = (CAPTURED / f"{name}.json").read_bytes()
    from connector.store.settings_values import put_value

    with database.begin() as conn:
        put_value(conn, "account:hubspot", str(json.loads(body)[0]["portalId"]))

    assert reception.hubspot(body).status == 204
    assert reception.records() == expected
    assert reception.refused() == {}


def test_what_is_acknowledged_outlives_a_loss_of_power(
    sqlite_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test can pull the plug: so each commit of a delivery waits for the disk, by SQLite's own word."""
    synchronous: list[int] = []

    def put(conn: Connection, hints: Iterable[Hint]) -> int:
        synchronous.append(conn.exec_driver_sql("PRAGMA synchronous").scalar_one())
        return put_hints(conn, hints)

    monkeypatch.setattr(group_commit, "put_hints", put)
    database = Database.open(sqlite_url)
    database.migrate()
    with Post(database, clock) as post:
        post.know_accounts()
        assert post.hubspot([event(1)]).status == 204
    database.close()
    assert synchronous == [2]  # FULL, https://www.sqlite.org/pragma.html#pragma_synchronous
