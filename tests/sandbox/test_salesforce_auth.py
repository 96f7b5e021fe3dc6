"""Logins, sessions, versions and limits: who gets in, and what is said to those who do not."""

from __future__ import annotations

from collections.abc import Iterator

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.sandbox import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET, SALESFORCE_USERNAME
from tests.sandbox.salesforce_client import START_MS, Client

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FAR = 4_102_444_800  # 2100-01-01: fresh by any clock
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        client.org.auth.trust(PUBLIC)
        yield client


def token(client: Client, **form: str) -> requests.Response:
    return requests.post(f"{client.url}/services/oauth2/token", data=form, timeout=10)


def assertion(key: rsa.RSAPrivateKey = KEY, **claims: object) -> str:
    usual: dict[str, object] = {
        "iss": SALESFORCE_CLIENT_ID,
        "sub": SALESFORCE_USERNAME,
        "aud": "https://login.salesforce.com",
        "exp": str(FAR),
    }
    return jwt.encode(usual | claims, key, algorithm="RS256")


def bearer(client: Client, session: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {session}"}
    return requests.get(client.base + "limits", headers=headers, timeout=10)


def test_client_credentials_in_the_form_or_the_header(client: Client) -> None:
    answer = token(
        client,
        grant_type="client_credentials",
        client_id=SALESFORCE_CLIENT_ID,
        client_secret=SALESFORCE_CLIENT_SECRET,
    )
    granted = answer.json()
    user = client.org.integration_user_id
    assert answer.status_code == 200
    assert granted["id"] == f"{client.url}/id/{client.org.organization_id}/{user}"
    assert granted["instance_url"] == client.url
    assert granted["issued_at"] == str(START_MS)
    assert granted["token_type"] == "Bearer"
    assert granted["access_token"].startswith(client.org.organization_id[:15] + "!")
    assert bearer(client, granted["access_token"]).status_code == 200
    again = requests.post(
        f"{client.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET),
        timeout=10,
    )
    assert bearer(client, again.json()["access_token"]).status_code == 200


def test_jwt_bearer(client: Client) -> None:
    granted = token(client, grant_type=JWT_BEARER, assertion=assertion()).json()
    assert bearer(client, granted["access_token"]).status_code == 200
    identity = requests.get(
        granted["id"], headers={"Authorization": f"Bearer {granted['access_token']}"}, timeout=10
    )
    assert identity.json()["preferred_username"] == SALESFORCE_USERNAME


def test_jwt_refusals(client: Client) -> None:
    stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    client.org.add_user("Rosa Rep", "rosa@sales.example")
    cases = {
        assertion(sub="rosa@sales.example"): ("invalid_grant", "user hasn't approved this consumer"),
        assertion(sub="nobody"): ("invalid_grant", "user hasn't approved this consumer"),
        assertion(stranger): ("invalid_grant", "invalid assertion"),
        assertion(iss="another"): ("invalid_client_id", "client identifier invalid"),
        assertion(exp=START_MS // 1_000 - 1): ("invalid_grant", "expired authorization code"),
        assertion(aud="https://elsewhere.example"): ("invalid_grant", "audience is invalid"),
        "nonsense": ("invalid_grant", "invalid assertion"),
    }
    for sent, (code, description) in cases.items():
        answer = token(client, grant_type=JWT_BEARER, assertion=sent)
        assert answer.status_code == 400
        assert answer.json() == {"error": code, "error_description": description}


def test_without_a_certificate_no_jwt_is_believed() -> None:
    with Client() as client:
        answer = token(client, grant_type=JWT_BEARER, assertion=assertion())
        assert answer.json()["error"] == "invalid_grant"
        client.control("settings", {"certificate": PUBLIC.decode()})
        assert token(client, grant_type=JWT_BEARER, assertion=assertion()).status_code == 200


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_id": SALESFORCE_CLIENT_ID}, "invalid_client"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_refused_logins_answer_400_and_an_object(client: Client, form: dict[str, str], code: str) -> None:
    answer = token(client, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert set(answer.json()) == {"error", "error_description"}


def test_an_inactive_user_gets_no_session(client: Client) -> None:
    client.org.update("User", client.org.integration_user_id, IsActive=False)
    answer = token(client, grant_type=JWT_BEARER, assertion=assertion())
    assert answer.json() == {"error": "inactive_user", "error_description": "user is inactive"}


def test_userinfo_tells_whose_session_it_is(client: Client) -> None:
    answer = client.http.get(f"{client.url}/services/oauth2/userinfo", timeout=10)
    body = answer.json()
    assert body["user_id"] == client.org.integration_user_id
    assert body["organization_id"] == client.org.organization_id


def test_expired_and_unknown_sessions(client: Client) -> None:
    granted = token(client, grant_type=JWT_BEARER, assertion=assertion()).json()["access_token"]
    client.org.faults.expire_tokens()
    for session in (granted, "nonsense", ""):
        answer = bearer(client, session)
        assert answer.status_code == 401
        assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert bearer(client, client.org.session_id).status_code == 200
    fresh = token(client, grant_type=JWT_BEARER, assertion=assertion()).json()["access_token"]
    assert bearer(client, fresh).status_code == 200


def test_a_session_ends_when_unused_for_its_time() -> None:
    with Client(session_seconds=7_200) as client:
        session = client.org.auth.issue(client.org.integration_user_id)
        for seconds, status in ((7_000, 200), (7_000, 200), (7_201, 401)):
            client.clock.advance(seconds)
            assert bearer(client, session).status_code == status


def test_versions_need_no_login_and_cost_nothing(client: Client) -> None:
    answer = requests.get(f"{client.url}/services/data/", timeout=10)
    versions = answer.json()
    assert versions[0] == {"label": "Winter '21", "url": "/services/data/v50.0", "version": "50.0"}
    assert [each["version"] for each in versions][-1] == "66.0"
    assert versions[-1]["label"] == "Spring '26"
    assert "Sforce-Limit-Info" not in answer.headers
    assert client.org.quota.used == 0


@pytest.mark.parametrize(
    ("version", "status"), [("v50.0", 200), ("v66.0", 200), ("v30.0", 410), ("v67.0", 404), ("x", 404)]
)
def test_versions_in_the_path(client: Client, version: str, status: int) -> None:
    answer = client.http.get(f"{client.url}/services/data/{version}/limits/", timeout=10)
    assert answer.status_code == status


def test_urls_in_answers_carry_the_version_called(client: Client) -> None:
    client.lead()
    client.base = client.base.replace("v62.0", "v58.0")
    (row,) = client.records("SELECT Id FROM Lead")
    assert row["attributes"]["url"].startswith("/services/data/v58.0/sobjects/Lead/")


def test_every_answer_tells_how_much_of_the_day_is_used(client: Client) -> None:
    client.org.daily_limit = 3
    usages = [client.get("limits").headers["Sforce-Limit-Info"] for _ in range(3)]
    assert usages == ["api-usage=1/3", "api-usage=2/3", "api-usage=3/3"]
    answer = client.get("limits")
    assert answer.status_code == 403
    assert answer.json() == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]
    client.clock.advance(24 * 3_600)
    assert client.get("limits").json()["DailyApiRequests"] == {"Max": 3, "Remaining": 2}


def test_record_counts_leave_empty_objects_out(client: Client) -> None:
    client.lead()
    client.org.delete("Lead", client.lead())
    answer = client.get("limits/recordCount?sObjects=Lead,Contact")
    assert answer.json() == {"sObjects": [{"count": 1, "name": "Lead"}]}


def test_a_uri_over_16_kilobytes_is_414_and_with_its_headers_431(client: Client) -> None:
    assert client.soql("SELECT Id FROM Lead WHERE City = '" + "x" * 16_400 + "'").status_code == 414
    text = "SELECT Id FROM Lead WHERE City = '" + "x" * 15_800 + "'"
    assert client.soql(text).status_code == 200
    assert client.soql(text, **{"X-Padding": "y" * 600}).status_code == 431


def test_the_date_header_is_the_orgs_clock_and_pretty_printing_indents(client: Client) -> None:
    answer = client.get("limits", headers={"X-PrettyPrint": "1"})
    assert answer.headers["Date"] == "Mon, 05 Jan 2026 08:00:00 GMT"
    assert answer.text.startswith('{\n  "')
    assert client.http.head(client.base + "limits", timeout=10).content == b""
