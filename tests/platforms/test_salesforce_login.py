"""Logging in to Salesforce: each flow's request, what is refused, and where a token may go."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connector.clock import ManualClock
from connector.lane import Lane
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import FreeMeter
from connector.platforms.salesforce.login import log_in
from connector.platforms.salesforce.transport import Transport
from connector.settings import SalesforceSettings, SettingsError, load_settings
from tests.platforms.recordings import RESTFORCE, json_of, needs_recordings, text_of

NOW_MS = 1_790_000_000_000
TOKEN = {
    "access_token": "00D!abc.def",
    "id": "https://login.salesforce.com/id/00Dx0000000BV7zEAG/005x00000012Q9PAAU",
    "instance_url": "https://acme.my.salesforce.com",
}


def _settings(**given: str) -> SalesforceSettings:
    return load_settings(
        {}, {f"LEADLOOP_SALESFORCE__{name}": value for name, value in given.items()}
    ).salesforce


def _client(**given: str) -> SalesforceSettings:
    return _settings(
        CONSUMER_KEY="key",
        CONSUMER_SECRET="secret",
        **{"INSTANCE_URL": "https://acme.my.salesforce.com", **given},
    )


class _Login:
    """Answers one login, and remembers it."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.url = ""
        self.form: Mapping[str, str] = {}

    def __call__(self, url: str, form: dict[str, str]) -> tuple[int, bytes]:
        self.url, self.form = url, form
        return self.status, self.content


def test_client_credentials_log_in_at_my_domain() -> None:
    login = _Login(200, TOKEN)
    session = log_in(_client(), login, NOW_MS)
    assert login.url == "https://acme.my.salesforce.com/services/oauth2/token"
    assert login.form == {"grant_type": "client_credentials", "client_id": "key", "client_secret": "secret"}
    assert (session.origin, session.token) == ("https://acme.my.salesforce.com", "00D!abc.def")
    assert (session.organization_id, session.user_id) == ("00Dx0000000BV7zEAG", "005x00000012Q9PAAU")


def test_a_jwt_is_signed_for_the_login_host_and_lives_three_minutes() -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    settings = _settings(
        CONSUMER_KEY="key",
        USERNAME="bot@acme.example",
        PRIVATE_KEY=pem,
        LOGIN_URL="https://test.salesforce.com",
    )
    login = _Login(200, TOKEN)
    log_in(settings, login, NOW_MS)
    assert login.url == "https://test.salesforce.com/services/oauth2/token"
    assert login.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    signed, _, signature = login.form["assertion"].rpartition(".")
    key.public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
    assert header["alg"] == "RS256"
    assert claims == {
        "iss": "key",
        "sub": "bot@acme.example",
        "aud": "https://test.salesforce.com",
        "exp": NOW_MS // 1_000 + 180,
    }


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_key_that_is_none_is_a_setting_to_mend() -> None:
    settings = _settings(CONSUMER_KEY="key", USERNAME="u", PRIVATE_KEY="no key")
    with pytest.raises(SettingsError, match="LEADLOOP_SALESFORCE__PRIVATE_KEY"):
        log_in(settings, _Login(200, TOKEN), NOW_MS)


@pytest.mark.parametrize(
    "instance",
    ["https://evil.example", "http://acme.my.salesforce.com", "https://salesforce.com.evil.example", ""],
)
def test_a_token_is_never_sent_to_a_foreign_host(instance: str) -> None:
    answer = {**TOKEN, "instance_url": instance}
    settings = _settings(CONSUMER_KEY="k", CONSUMER_SECRET="s", INSTANCE_URL="https://acme.example.com")
    with pytest.raises(Refused, match="not Salesforce's"):
        log_in(settings, _Login(200, answer), NOW_MS)


@pytest.mark.parametrize(
    ("error", "named"),
    [
        ("invalid_client_id", "LEADLOOP_SALESFORCE__CONSUMER_KEY"),
        ("invalid_client", "LEADLOOP_SALESFORCE__CONSUMER_SECRET"),
        ("invalid_grant", "run-as user"),
        ("something_new", "what it said"),
    ],
)
def test_a_refused_login_says_what_to_do(error: str, named: str) -> None:
    body = {"error": error, "error_description": "what it said to bob@acme.org"}
    with pytest.raises(Refused, match=named) as caught:
        log_in(_client(), _Login(400, body), NOW_MS)
    assert "bob@acme.org" not in str(caught.value)


@pytest.mark.parametrize(("status", "body"), [(503, b"<html>"), (500, b""), (200, b"<html>"), (302, b"")])
def test_no_proper_answer_is_tried_again_later(status: int, body: bytes) -> None:
    with pytest.raises((RetryLater, Refused)) as caught:
        log_in(_client(), _Login(status, body), NOW_MS)
    assert isinstance(caught.value, RetryLater) or status == 200


@needs_recordings
def test_recorded_logins() -> None:
    body = text_of(f"{RESTFORCE}/auth_success_response.json").encode()
    session = log_in(_client(INSTANCE_URL="https://na1.salesforce.com"), _Login(200, body), NOW_MS)
    assert session.origin == "https://na1.salesforce.com"
    assert session.user_id == "005x00000012Q9P"
    for name in ("auth_error_response", "refresh_error_response"):
        with pytest.raises(Refused, match="invalid_grant"):
            log_in(_client(), _Login(400, json_of(f"{RESTFORCE}/{name}.json")), NOW_MS)


def test_a_refused_login_is_not_repeated_for_a_while(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/services/oauth2/token").respond_with_json({"error": "invalid_grant"}, 400)
    clock = ManualClock(NOW_MS)
    meter = FreeMeter()
    transport = Transport(_client(BASE_URL=httpserver.url_for("").rstrip("/")), meter, clock)
    with pytest.raises(Refused):
        transport.get("/services/data/v62.0/limits", Lane.UPDATE, "read")
    for _ in range(3):
        with pytest.raises(RetryLater):
            transport.get("/services/data/v62.0/limits", Lane.UPDATE, "read")
    assert meter.calls == {"metadata": 1}
    clock.advance(301)
    with pytest.raises(Refused):
        transport.get("/services/data/v62.0/limits", Lane.UPDATE, "read")
    transport.close()


def test_limits_in_headers_reach_the_meter_and_our_headers_reach_salesforce(httpserver: HTTPServer) -> None:
    seen: list[Mapping[str, str]] = []

    def answer(request: Request) -> Response:
        seen.append(dict(request.headers))
        limits = "api-usage=25/5000; per-app-api-usage=17/250(appName=x)"
        return Response("[]", 200, {"sforce-limit-info": limits, "content-type": "application/json"})

    class Meter(FreeMeter):
        used: list[tuple[int | None, int | None]]

        def answered(self, usage: Any, later: Any = None) -> None:
            self.used = [*getattr(self, "used", []), (usage.day_used, usage.day_limit)]

    httpserver.expect_request("/services/data/v62.0/x").respond_with_handler(answer)
    meter = Meter()
    url = httpserver.url_for("").rstrip("/")
    transport = Transport(_settings(SESSION_ID="00D!s", BASE_URL=url), meter, ManualClock(NOW_MS))
    assert transport.get("/services/data/v62.0/x", Lane.UPDATE, "read").body == []
    assert meter.used == [(25, 5_000)]
    assert seen[0]["Sforce-Auto-Assign"] == "FALSE"
    assert seen[0]["Sforce-Call-Options"] == "client=leadloop"
    assert seen[0]["Authorization"] == "Bearer 00D!s"
    transport.close()


@pytest.mark.parametrize(
    "following",
    [
        "//evil.example/services/data/v62.0/query/x",
        "https://evil.example/x",
        "/services/data/v62.0/query/../../x",
    ],
)
def test_a_next_page_elsewhere_is_not_fetched(following: str, httpserver: HTTPServer) -> None:
    meter = FreeMeter()
    url = httpserver.url_for("").rstrip("/")
    transport = Transport(_settings(SESSION_ID="s", BASE_URL=url), meter, ManualClock(NOW_MS))
    with pytest.raises(Refused):
        transport.next_page(following, Lane.UPDATE, "read")
    assert meter.calls == {}
    transport.close()
