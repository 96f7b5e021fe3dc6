"""Strangers: whoever finds the port can send what he likes, as slowly and as long as he likes. Platforms are
heard all the same, memory stays bounded, and what is genuine beside it is lost in no case."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest

from connector.clock import ManualClock
from connector.webhooks import app, connection
from tests.webhooks.sending import Post, event, notification, outbound, post, signed

NOTHING: Mapping[str, str] = {}


@contextmanager
def connected(reception: Post) -> Iterator[socket.socket]:
    host, port = reception.reception.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as opened:
        yield opened


def head(reception: Post, body: bytes = b"", more: Mapping[str, str] = NOTHING) -> bytes:
    """A head with a signature of now, as far as a stranger can tell."""
    headers = signed(reception.reception.addresses["hubspot"], body, reception.clock.now_ms()) | dict(more)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /hubspot HTTP/1.1\r\nHost: x\r\n{lines}".encode()


def is_closed(opened: socket.socket) -> bool:
    """Waits for the other end to close."""
    try:
        while opened.recv(4_096):
            pass
    except ConnectionError:
        return True
    return True


def test_bodies_that_are_announced_and_never_sent_keep_nobody_out(
    reception: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MEMORY_BYTES", 1_048_576)
    with ExitStack() as held:
        for _ in range(5):
            opened = held.enter_context(connected(reception))
            opened.sendall(head(reception, more={"Transfer-Encoding": "chunked"}) + b"\r\n1\r\nx\r\n")
            other = held.enter_context(connected(reception))
            other.sendall(head(reception, more={"Content-Length": "1000000"}) + b"\r\n[")

        assert reception.hubspot([event(1)]).status == 204
    assert [each[1] for each in reception.records()] == ["1"]


def test_bodies_that_are_sent_and_never_ended_take_bounded_memory(
    reception: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MEMORY_BYTES", 300_000)
    body = b"[" + b" " * 250_000 + json.dumps(event(7)).encode() + b"]"
    with connected(reception) as opened:
        opened.sendall(head(reception, more={"Content-Length": "900000"}) + b"\r\n" + b" " * 299_000)
        # from when the stranger's bytes have been read on there is no room beside them
        answers = [reception.hubspot(body).status]
        while answers[-1] == 204 and len(answers) < 200:
            answers.append(reception.hubspot(body).status)
        assert answers[-1] == 503
        opened.close()
        # the place is free again, and the platform's next attempt finds it
        while answers[-1] == 503 and len(answers) < 400:
            answers.append(reception.hubspot(body).status)

    assert answers[-1] == 204
    assert set(reception.refused()) <= {"full", "truncated"}
    assert [each[1] for each in reception.records()] == ["7"]


def test_who_never_ends_a_request_loses_the_connection(
    reception: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.05)
    for begun in (
        b"",
        b"POST /hubspot HTT",
        head(reception),
        head(reception, more={"Content-Length": "9"}) + b"\r\n[",
    ):
        with connected(reception) as opened:
            opened.sendall(begun)
            assert is_closed(opened), begun
    assert reception.inbox() == []


@pytest.mark.parametrize("before_the_body", [True, False])
def test_headers_without_end_are_cut_off(reception: Post, before_the_body: bool) -> None:
    begun = head(reception)
    if not before_the_body:
        begun = head(reception, more={"Transfer-Encoding": "chunked"}) + b"\r\n1\r\n[\r\n0\r\n"
    with connected(reception) as opened:
        opened.sendall(begun)
        with pytest.raises(ConnectionError):
            send_headers(opened, 10_000)  # 100 MB, if they were taken
    assert reception.hubspot([event(1)]).status == 204


def send_headers(opened: socket.socket, number: int) -> None:
    for each in range(number):
        opened.sendall(f"X-{each}: ".encode() + b"a" * 10_000 + b"\r\n")


def test_a_long_delivery_in_small_pieces_is_taken(reception: Post) -> None:
    body = json.dumps([event(number, propertyValue="x" * 500) for number in range(1, 101)]).encode()
    with connected(reception) as opened:
        opened.sendall(head(reception, body, more={"Transfer-Encoding": "chunked"}) + b"\r\n")
        for start in range(0, len(body), 7):
            piece = body[start : start + 7]
            opened.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        opened.sendall(b"0\r\n\r\n")
        assert opened.recv(1_000).startswith(b"HTTP/1.1 204")
    assert len(reception.records()) == 100


def test_many_deliveries_over_one_connection(reception: Post) -> None:
    with connected(reception) as opened:
        for number in range(1, 30):
            body = json.dumps([event(number)]).encode()
            opened.sendall(head(reception, body, more={"Content-Length": str(len(body))}) + b"\r\n" + body)
            assert opened.recv(1_000).startswith(b"HTTP/1.1 204")
    assert len(reception.records()) == 29


def test_a_compressed_bomb_is_never_unpacked(reception: Post) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    url = reception.reception.addresses["hubspot"]
    headers = signed(url, bomb, reception.clock.now_ms()) | {"Content-Encoding": "gzip"}

    assert post(url, bomb, headers).status == 400
    assert reception.refused() == {"malformed": 1}


def test_half_a_character_in_one_value_stops_no_event(reception: Post) -> None:
    """A text that somebody cut within a character, as JSON spells it and as bytes."""
    body = json.dumps([event(1, propertyValue="\ud83d"), event(2, propertyValue="CUT"), event(3)]).encode()

    assert reception.hubspot(body.replace(b"CUT", b"\xf0\x9f")).status == 204
    assert [each[1] for each in reception.records()] == ["1", "2", "3"]


def test_a_signature_that_comes_twice_must_be_right_where_it_is_read(
    reception: Post, clock: ManualClock
) -> None:
    body = json.dumps([event(1)]).encode()
    wrong = signed(reception.reception.addresses["hubspot"], b"else", clock.now_ms())
    length = f"Content-Length: {len(body)}\r\n"
    for name in ("X-HubSpot-Signature-v3", "x-hubspot-signature-V3"):
        with connected(reception) as opened:
            begun = f"POST /hubspot HTTP/1.1\r\nHost: x\r\n{name}: {wrong['X-HubSpot-Signature-v3']}\r\n"
            opened.sendall(
                begun.encode() + head(reception, body).split(b"\r\n", 2)[2] + length.encode() + b"\r\n" + body
            )
            assert opened.recv(1_000).startswith(b"HTTP/1.1 401"), name
    assert reception.refused() == {"forged": 2}


def test_the_case_of_header_names_means_nothing(reception: Post, clock: ManualClock) -> None:
    body = json.dumps([event(1)]).encode()
    headers = signed(reception.reception.addresses["hubspot"], body, clock.now_ms())

    assert (
        post(
            reception.reception.addresses["hubspot"], body, {k.upper(): v for k, v in headers.items()}
        ).status
        == 204
    )


def test_a_platforms_signature_is_for_its_own_side_and_method(reception: Post, clock: ManualClock) -> None:
    body = json.dumps([event(1)]).encode()
    url = reception.reception.addresses["hubspot"]
    headers = signed(url, body, clock.now_ms())
    with connected(reception) as opened:
        begun = head(reception, body).replace(b"POST", b"PUT", 1)
        opened.sendall(begun + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert opened.recv(1_000).startswith(b"HTTP/1.1 405")

    assert post(url.replace("hubspot", "salesforce"), body, headers).status == 404
    assert post(url.replace("hubspot", "%68ubspot"), body, headers).status == 401
    assert reception.inbox() == []


@pytest.mark.parametrize(
    "inside",
    [
        "<a>" * 50_000 + "</a>" * 50_000,
        "<a " + " ".join(f"b{number}='1'" for number in range(10_000)) + "/>",
        "".join(f"<x{number}/>" for number in range(20_000)),
    ],
    ids=["deep", "attributes", "names"],
)
def test_heavy_xml_is_taken_or_refused_and_the_next_message_is_heard(reception: Post, inside: str) -> None:
    body = outbound([notification("00Q000000000001EAA"), inside])

    assert reception.salesforce(body).status in (200, 400)
    assert reception.salesforce(outbound([notification("00Q000000000002EAA")])).status == 200
    assert "00Q000000000002EAA" in [each[1] for each in reception.records("salesforce")]


def test_an_id_of_another_object_leaves_nothing(reception: Post) -> None:
    """It is stored as it came; reading it finds no such record (test_told_and_read)."""
    body = outbound([notification("003000000000001AAA", "Lead"), notification("00Q000000000001", "Lead")])

    assert reception.salesforce(body).status == 200
    assert [each[1] for each in reception.records("salesforce")] == [
        "003000000000001AAA",
        "00Q000000000001EAA",
    ]
