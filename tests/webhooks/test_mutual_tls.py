"""TLS of the receiver's own, with certificates of its senders: who shows which is let in where."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.clock import ManualClock
from connector.settings import SettingsError, load_settings
from connector.store.database import Database
from tests.webhooks.sending import PATH_SECRET, Post, event, notification, outbound, signed

LEAD = "00Q000000000001EAA"
MESSAGE = outbound([notification(LEAD)])


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, and the files that hold them."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    certificate_file: Path
    key_file: Path


class Authority:
    """Issues certificates; `root` is its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self.root = self._issue(name, None, None)

    def issue(self, common_name: str, *others: x509.GeneralName, days: int = 1) -> Issued:
        """For a common name, and other names if given; `days` before today: one that is over."""
        return self._issue(
            common_name, self.root, x509.SubjectAlternativeName(others) if others else None, days
        )

    def _issue(
        self, name: str, by: Issued | None, others: x509.SubjectAlternativeName | None, days: int = 1
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if by is None else by.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=3))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        )
        if others is not None:
            made = made.add_extension(others, critical=False)
        certificate = made.sign(key if by is None else by.key, hashes.SHA256())
        certificate_file = self._folder / f"{self._name}-{name}-{days}.pem"
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file = certificate_file.with_suffix(".key")
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Issued(certificate, key, certificate_file, key_file)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def server(authority: Authority) -> Issued:
    return authority.issue("leadloop", x509.IPAddress(ip_address("127.0.0.1")))


def files(server: Issued, authority: Authority) -> dict[str, str]:
    """The settings of a receiver that asks for certificates of this authority."""
    return {
        "LEADLOOP_WEBHOOKS__CERTIFICATE_FILE": str(server.certificate_file),
        "LEADLOOP_WEBHOOKS__PRIVATE_KEY_FILE": str(server.key_file),
        "LEADLOOP_WEBHOOKS__CLIENT_ROOTS_FILE": str(authority.root.certificate_file),
        "LEADLOOP_SALESFORCE__WEBHOOK_CLIENT_NAME": "Acme.my.salesforce.com",
    }


@pytest.fixture
def asking(database: Database, clock: ManualClock, server: Issued, authority: Authority) -> Iterator[Post]:
    """A receiver that asks for a certificate instead of a secret."""
    made = Post(database, clock, {**files(server, authority), "LEADLOOP_SALESFORCE__WEBHOOK_SECRET": ""})
    made.know_accounts()
    with made:
        yield made


def send(
    post: Post,
    authority: Authority,
    client: Issued | None,
    body: bytes = MESSAGE,
    path: str = "/salesforce",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """POST as somebody who trusts the authority, with a certificate or without."""
    context = ssl.create_default_context(cafile=str(authority.root.certificate_file))
    if client is not None:
        context.load_cert_chain(client.certificate_file, client.key_file)
    url = post.reception.url + path
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_who_has_the_certificate_needs_no_secret(asking: Post, authority: Authority) -> None:
    by_common_name = authority.issue("acme.my.salesforce.com")
    by_dns_name = authority.issue("Salesforce", x509.DNSName("ACME.my.salesforce.com"))

    for client in (by_common_name, by_dns_name):
        status, body = send(asking, authority, client)
        assert (status, b"<Ack>true</Ack>" in body) == (200, True)
    assert asking.reception.addresses["salesforce"].startswith("https://127.0.0.1:")
    assert asking.records("salesforce") == [("Lead", LEAD, "read")]


def test_another_certificate_and_none_are_forged(asking: Post, authority: Authority) -> None:
    other = authority.issue("evil.my.salesforce.com", x509.DNSName("*.my.salesforce.com"))

    assert [send(asking, authority, client)[0] for client in (None, other)] == [403, 403]
    assert asking.inbox("salesforce") == []
    assert asking.refused() == {"forged": 2}
    assert [facts["reason"] for _, facts in asking.told] == [
        "the sender has no certificate",
        "the sender has another certificate",
    ]


def test_a_certificate_that_proves_nothing_is_not_let_in(
    asking: Post, authority: Authority, tmp_path: Path
) -> None:
    own_making = Authority(tmp_path, "stranger").issue("acme.my.salesforce.com")
    over = authority.issue("acme.my.salesforce.com", days=-1)

    for client in (own_making, over):
        with pytest.raises(OSError):  # the handshake is refused, or the connection closed within it
            send(asking, authority, client)
    assert asking.inbox("salesforce") == []
    assert send(asking, authority, authority.issue("acme.my.salesforce.com"))[0] == 200


def test_secret_and_certificate_are_both_asked_for_where_both_are_set(
    database: Database, clock: ManualClock, server: Issued, authority: Authority
) -> None:
    client = authority.issue("acme.my.salesforce.com")
    with Post(database, clock, files(server, authority)) as post:
        post.know_accounts()
        right = f"/salesforce/{PATH_SECRET}"

        assert send(post, authority, client)[0] == 404
        assert send(post, authority, None, path=right)[0] == 403
        assert send(post, authority, client, path=right)[0] == 200


def test_a_message_of_another_organization_is_refused_whoever_brings_it(
    asking: Post, authority: Authority
) -> None:
    body = outbound([notification(LEAD)], "00D000000000002EAA")

    assert send(asking, authority, authority.issue("acme.my.salesforce.com"), body)[0] == 403
    assert asking.refused() == {"foreign": 1}


def test_hubspot_which_has_no_certificate_is_heard_on_the_same_port(
    asking: Post, authority: Authority, clock: ManualClock
) -> None:
    body = json.dumps([event(1)]).encode()
    headers = signed(asking.reception.addresses["hubspot"], body, clock.now_ms())

    assert send(asking, authority, None, body, "/hubspot", headers)[0] == 204
    assert asking.records() == [("contacts", "1", "read")]


def test_a_connection_without_tls_is_closed_and_the_next_message_is_heard(
    asking: Post, authority: Authority
) -> None:
    host, port = asking.reception.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as plain:
        plain.sendall(b"POST /salesforce HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        with suppress(ConnectionError):
            assert not plain.recv(4_096).startswith(b"HTTP/1.1 2")

    assert send(asking, authority, authority.issue("acme.my.salesforce.com"))[0] == 200


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ("LEADLOOP_WEBHOOKS__PRIVATE_KEY_FILE", "goes with __CERTIFICATE_FILE"),
        ("LEADLOOP_WEBHOOKS__CERTIFICATE_FILE", "goes with __PRIVATE_KEY_FILE"),
        ("LEADLOOP_WEBHOOKS__CLIENT_ROOTS_FILE", "asks for a client certificate"),
        ("LEADLOOP_SALESFORCE__WEBHOOK_CLIENT_NAME", "nobody is asked for a certificate"),
    ],
)
def test_half_of_it_is_told_by_the_setting_that_is_missing(
    server: Issued, authority: Authority, left_out: str, told: str
) -> None:
    given = {name: value for name, value in files(server, authority).items() if name != left_out}

    with pytest.raises(SettingsError) as refused:
        load_settings({}, given)
    assert f"{left_out} is not set: " in str(refused.value)
    assert told in str(refused.value)


def broken(server: Issued, authority: Authority, folder: Path) -> dict[str, tuple[str, Path, str]]:
    """Files that are no use: for which setting, which file, and what is said of it."""
    locked, empty = folder / "locked.key", folder / "empty.pem"
    locked.write_bytes(
        server.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    empty.write_text("", encoding="ascii")
    apart = "do not go together"
    return {
        "not there": ("CERTIFICATE_FILE", folder / "none.pem", "No such file or directory"),
        "a folder": ("PRIVATE_KEY_FILE", folder, "Is a directory"),
        "another's key": ("PRIVATE_KEY_FILE", authority.root.key_file, apart),
        "a key with a passphrase": ("PRIVATE_KEY_FILE", locked, apart),
        "no certificate": ("CERTIFICATE_FILE", server.key_file, apart),
        "no roots": ("CLIENT_ROOTS_FILE", empty, "holds no certificates in PEM"),
    }


@pytest.mark.parametrize(
    "what",
    ["not there", "a folder", "another's key", "a key with a passphrase", "no certificate", "no roots"],
)
def test_files_that_are_no_use_are_told_before_the_port_is_taken(
    database: Database, clock: ManualClock, server: Issued, authority: Authority, tmp_path: Path, what: str
) -> None:
    setting, file, told = broken(server, authority, tmp_path)[what]
    variable = f"LEADLOOP_WEBHOOKS__{setting}"

    with (
        pytest.raises(SettingsError) as refused,
        Post(database, clock, {**files(server, authority), variable: str(file)}),
    ):
        pass
    assert f"__{setting}" in str(refused.value)
    assert str(file) in str(refused.value)
    assert told in str(refused.value)
