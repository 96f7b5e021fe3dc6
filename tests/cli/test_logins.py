"""A login that fails is one message with the remedy, exit code 2, and nothing done before or after it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import func, select

from connector.sandbox import (
    HUBSPOT_ACCESS_TOKEN,
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
    SALESFORCE_CLIENT_ID,
    SALESFORCE_CLIENT_SECRET,
    SALESFORCE_USERNAME,
)
from connector.store import schema
from connector.store.database import Database
from tests.cli.shell import Answer, Shell
from tests.world import World

SALESFORCE = "LEADLOOP_SALESFORCE__"
HUBSPOT = "LEADLOOP_HUBSPOT__"
SECRET = "hush-hush"
"""Stands for each secret that is wrong, and is never shown."""

COUNTED = {"calls", "budgets"}
"""The tables that may have rows: the login was a call."""


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


KEY = rsa.generate_private_key(65_537, 2_048)
PUBLIC = (
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
PEM = _pem(KEY)

SESSION: Mapping[str, str] = {"SESSION_ID": SECRET}
CLIENT = {"CONSUMER_KEY": SALESFORCE_CLIENT_ID, "CONSUMER_SECRET": SALESFORCE_CLIENT_SECRET}
JWT = {"CONSUMER_KEY": SALESFORCE_CLIENT_ID, "USERNAME": SALESFORCE_USERNAME, "PRIVATE_KEY": PEM}
TOKEN = {"ACCESS_TOKEN": SECRET}
OAUTH = {
    "CLIENT_ID": HUBSPOT_CLIENT_ID,
    "CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
    "REFRESH_TOKEN": HUBSPOT_REFRESH_TOKEN,
}


@pytest.fixture
def started(world: World, tmp_path: Path, folder: Path) -> Shell:
    """A shell whose leadloop has never been started: no database, no credentials."""
    world.salesforce.auth.trust(PUBLIC)
    return Shell(
        folder,
        {
            "LEADLOOP_DATABASE_URL": f"sqlite:///{tmp_path}/fresh.db",
            f"{SALESFORCE}BASE_URL": world.sandbox.salesforce_url,
            f"{HUBSPOT}BASE_URL": world.sandbox.hubspot_url,
        },
        world.clock,
    )


def rows_written(tmp_path: Path) -> dict[str, int]:
    """How many rows each table has that must have none."""
    if not (tmp_path / "fresh.db").exists():
        return {}
    database = Database.open(f"sqlite:///{tmp_path}/fresh.db")
    try:
        with database.read() as conn:
            counted = {
                table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
                for table in schema.metadata.tables.values()
                if table.name not in COUNTED
            }
    finally:
        database.close()
    return {name: number for name, number in counted.items() if number}


def is_refused(answer: Answer, said: str, tmp_path: Path) -> None:
    """The command ended with this one message, and wrote nothing."""
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err == said + "\n"
    assert rows_written(tmp_path) == {}


def asked(world: World) -> tuple[int, int]:
    """How many requests each platform has had."""
    return world.salesforce.requests.count, world.hubspot.requests.count


def under(prefix: str, given: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}{name}": value for name, value in given.items()}


@pytest.mark.parametrize(
    ("given", "said", "requests"),
    [
        (
            SESSION,
            "Salesforce does not accept LEADLOOP_SALESFORCE__SESSION_ID (INVALID_SESSION_ID): set a new one, "
            "or use JWT bearer or client credentials, which leadloop can renew",
            1,
        ),
        (
            {**CLIENT, "CONSUMER_SECRET": SECRET},
            "Salesforce refused the login (invalid_client: invalid client credentials): check "
            "LEADLOOP_SALESFORCE__CONSUMER_SECRET",
            1,
        ),
        (
            {**CLIENT, "CONSUMER_KEY": SECRET},
            "Salesforce refused the login (invalid_client_id: client identifier invalid): check "
            "LEADLOOP_SALESFORCE__CONSUMER_KEY",
            1,
        ),
        (
            {**JWT, "USERNAME": "nobody@acme.example"},
            "Salesforce refused the login (invalid_grant: user hasn't approved this consumer): check "
            "LEADLOOP_SALESFORCE__USERNAME, LEADLOOP_SALESFORCE__LOGIN_URL, the app's certificate and this "
            "machine's clock, and that the app pre-authorises the user",
            1,
        ),
        (
            {**JWT, "PRIVATE_KEY": _pem(rsa.generate_private_key(65_537, 2_048))},
            "Salesforce refused the login (invalid_grant: invalid assertion): check "
            "LEADLOOP_SALESFORCE__USERNAME, LEADLOOP_SALESFORCE__LOGIN_URL, the app's certificate and this "
            "machine's clock, and that the app pre-authorises the user",
            1,
        ),
        (
            {**JWT, "PRIVATE_KEY": SECRET},
            "LEADLOOP_SALESFORCE__PRIVATE_KEY is not an unencrypted private key in PEM format.",
            0,
        ),
        (
            {**JWT, "PRIVATE_KEY": _pem(KEY, b"password")},
            "LEADLOOP_SALESFORCE__PRIVATE_KEY is not an unencrypted private key in PEM format.",
            0,
        ),
        (
            {**JWT, "PRIVATE_KEY": _pem(ec.generate_private_key(ec.SECP256R1()))},
            "LEADLOOP_SALESFORCE__PRIVATE_KEY must be an RSA key: Salesforce takes RS256 only.",
            0,
        ),
        (
            {"CONSUMER_KEY": "k", "PRIVATE_KEY": PEM},
            "LEADLOOP_SALESFORCE__USERNAME is not set: JWT bearer needs it beside the private key.",
            0,
        ),
        (
            {"CONSUMER_SECRET": SECRET},
            "LEADLOOP_SALESFORCE__CONSUMER_KEY is not set: it goes with the consumer secret.",
            0,
        ),
        (
            {**CLIENT, "ORGANIZATION_ID": "00D000000000001AAA"},
            "The credentials are for the Salesforce org 00D… (Sandbox), but "
            "LEADLOOP_SALESFORCE__ORGANIZATION_ID is 00D000000000001AAA: correct one of them",
            2,
        ),
        (
            {**JWT, "ORGANIZATION_ID": "00D000000000001AAA"},
            "The credentials are for the Salesforce org 00D… (Sandbox), but "
            "LEADLOOP_SALESFORCE__ORGANIZATION_ID is 00D000000000001AAA: correct one of them",
            2,
        ),
    ],
)
def test_a_salesforce_login_that_fails(
    world: World, started: Shell, tmp_path: Path, given: Mapping[str, str], said: str, requests: int
) -> None:
    before = asked(world)

    answer = started(
        "run", "--once", **under(SALESFORCE, given), **{f"{HUBSPOT}ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN}
    )

    is_refused(answer, said.replace("00D…", world.salesforce.organization_id), tmp_path)
    assert asked(world) == (before[0] + requests, before[1])


@pytest.mark.parametrize(
    ("given", "said", "requests"),
    [
        (
            TOKEN,
            "HubSpot does not accept the token of LEADLOOP_HUBSPOT__ACCESS_TOKEN "
            "(INVALID_AUTHENTICATION): set a valid one",
            1,
        ),
        (
            {**OAUTH, "REFRESH_TOKEN": SECRET},
            "HubSpot refused to renew the token (BAD_REFRESH_TOKEN: missing or invalid refresh token): "
            "install the app again and set LEADLOOP_HUBSPOT__REFRESH_TOKEN",
            1,
        ),
        (
            {**OAUTH, "CLIENT_SECRET": SECRET},
            "HubSpot refused to renew the token (BAD_CLIENT_SECRET: missing or invalid client secret): check "
            "LEADLOOP_HUBSPOT__CLIENT_SECRET",
            1,
        ),
        (
            {**OAUTH, "CLIENT_ID": SECRET},
            "HubSpot refused to renew the token (BAD_CLIENT_ID: missing or unknown client id): check "
            "LEADLOOP_HUBSPOT__CLIENT_ID",
            1,
        ),
        (
            {**OAUTH, "CLIENT_ID": SECRET, "API_VERSION": "2026-03"},
            "HubSpot refused to renew the token (invalid_client: missing or unknown client id): check "
            "LEADLOOP_HUBSPOT__CLIENT_ID and LEADLOOP_HUBSPOT__CLIENT_SECRET",
            1,
        ),
        (
            {"CLIENT_ID": "i", "REFRESH_TOKEN": SECRET},
            "LEADLOOP_HUBSPOT__CLIENT_SECRET is not set: it goes with the refresh token.",
            0,
        ),
        (
            {},
            "No HubSpot credentials: set LEADLOOP_HUBSPOT__ACCESS_TOKEN to a private-app token or "
            "service key, or __CLIENT_ID, __CLIENT_SECRET and __REFRESH_TOKEN of an OAuth app.",
            0,
        ),
        (
            {"ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN, "PORTAL_ID": "4711"},
            "The token is for the HubSpot account 5…, but LEADLOOP_HUBSPOT__PORTAL_ID is 4711: correct "
            "one of them",
            1,
        ),
        (
            {**OAUTH, "PORTAL_ID": "4711"},
            "The token is for the HubSpot account 5…, but LEADLOOP_HUBSPOT__PORTAL_ID is 4711: correct "
            "one of them",
            2,
        ),
    ],
)
def test_a_hubspot_login_that_fails(
    world: World, started: Shell, tmp_path: Path, given: Mapping[str, str], said: str, requests: int
) -> None:
    before = asked(world)

    answer = started("run", "--once", **under(SALESFORCE, CLIENT), **under(HUBSPOT, given))

    is_refused(answer, said.replace("5…", str(world.hubspot.portal_id)), tmp_path)
    assert asked(world)[1] == before[1] + requests


def test_a_token_that_has_expired(world: World, started: Shell, tmp_path: Path) -> None:
    world.hubspot.access.lifetime_seconds = -1

    answer = started("run", "--once", **under(SALESFORCE, CLIENT), **under(HUBSPOT, OAUTH))

    said = "HubSpot does not accept the token of LEADLOOP_HUBSPOT__REFRESH_TOKEN (EXPIRED_AUTHENTICATION): "
    is_refused(answer, said + "set a valid one", tmp_path)


@contextmanager
def deaf() -> Iterator[str]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def closed() -> Iterator[str]:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    yield address


@contextmanager
def nowhere() -> Iterator[str]:
    """A host that does not exist; nobody outside is asked about it."""
    known = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "acme.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", look_up)
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            patched.delenv(name, raising=False)
        yield "acme.invalid"


Place = Callable[[], AbstractContextManager[str]]

SALESFORCE_WAYS = {"session id": SESSION, "client credentials": CLIENT, "JWT bearer": JWT}
HUBSPOT_WAYS = {"token": TOKEN, "OAuth": OAUTH}


UNREACHABLE = pytest.mark.parametrize(
    ("scheme", "place", "why"),
    [
        ("http", closed, "cannot be reached at {host} (connection refused): check the network and {setting}"),
        (
            "https",
            nowhere,
            "cannot be reached at {host} (its name is not known): check the network and {setting}",
        ),
        ("http", deaf, "did not answer at {host} in time: check the network and {timeout}"),
    ],
    ids=["refused", "no name", "no answer"],
)


def is_unreachable(answer: Answer, said: str, tmp_path: Path) -> None:
    """The command ended with this one message, which says when it may be tried again, and wrote nothing."""
    assert answer.code == 1
    assert answer.err == f"{said} (again in 30 s)\n"
    assert rows_written(tmp_path) == {}


@pytest.mark.parametrize("way", SALESFORCE_WAYS)
@UNREACHABLE
def test_a_salesforce_that_cannot_be_reached(
    started: Shell, tmp_path: Path, way: str, scheme: str, place: Place, why: str
) -> None:
    name = "LOGIN_URL" if way == "JWT bearer" else "INSTANCE_URL"
    del started.environment[f"{SALESFORCE}BASE_URL"]
    with place() as host:
        answer = started(
            "run",
            "--once",
            **under(SALESFORCE, {**SALESFORCE_WAYS[way], name: f"{scheme}://{host}"}),
            **under(SALESFORCE, {"READ_TIMEOUT_SECONDS": "0.2"}),
            **under(HUBSPOT, TOKEN),
        )

    told = why.format(host=host, setting=SALESFORCE + name, timeout=f"{SALESFORCE}READ_TIMEOUT_SECONDS")
    is_unreachable(answer, f"Salesforce {told}", tmp_path)


@pytest.mark.parametrize("way", HUBSPOT_WAYS)
@UNREACHABLE
def test_a_hubspot_that_cannot_be_reached(
    started: Shell, tmp_path: Path, way: str, scheme: str, place: Place, why: str
) -> None:
    with place() as host:
        answer = started(
            "run",
            "--once",
            **under(SALESFORCE, CLIENT),
            **under(HUBSPOT, {**HUBSPOT_WAYS[way], "BASE_URL": f"{scheme}://{host}"}),
            **under(HUBSPOT, {"READ_TIMEOUT_SECONDS": "0.2"}),
        )

    told = why.format(host=host, setting=f"{HUBSPOT}BASE_URL", timeout=f"{HUBSPOT}READ_TIMEOUT_SECONDS")
    is_unreachable(answer, f"HubSpot {told}", tmp_path)


def test_platforms_that_speak_no_tls(world: World, started: Shell) -> None:
    salesforce = world.sandbox.salesforce_url.replace("http://", "https://")
    hubspot = world.sandbox.hubspot_url.replace("http://", "https://")

    one = started(
        "run", "--once", **under(SALESFORCE, {**CLIENT, "BASE_URL": salesforce}), **under(HUBSPOT, TOKEN)
    )
    other = started(
        "run", "--once", **under(SALESFORCE, CLIENT), **under(HUBSPOT, {**TOKEN, "BASE_URL": hubspot})
    )

    assert (one.code, other.code) == (1, 1)
    for answer, host, setting in (
        (one, salesforce, f"Salesforce|{SALESFORCE}BASE_URL"),
        (other, hubspot, f"HubSpot|{HUBSPOT}BASE_URL"),
    ):
        side, _, variable = setting.partition("|")
        assert answer.err.startswith(f"{side} cannot be reached at {host.removeprefix('https://')} (no TLS: ")
        assert f"): check the network and {variable} (again in 30 s)\n" in answer.err
