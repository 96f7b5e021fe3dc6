"""Login: a Salesforce session from the credentials, by our own requests.

simple-salesforce's logins have no time-out, lose our headers when they renew a session, and can recurse for
ever (issue #804), so it only ever gets a finished session. Flows: OAuth JWT bearer, OAuth client
credentials, and a session id made elsewhere. No flow gives a refresh token: when a session ends, log in
again.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connector.platforms.credentials import ClientCredentials, JwtBearer, SessionId
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.redaction import redact
from connector.platforms.salesforce.faults import classify, faults_of
from connector.platforms.settings import SalesforceSettings, SettingsError

_TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # a path, not a secret
_ASSERTION_SECONDS = 180
_IDENTITY = re.compile(r"/id/(00D\w{12,15})/(005\w{12,15})\Z")
# Hosts that Salesforce itself serves orgs from; a token goes nowhere else.
_SALESFORCE_HOSTS = (".salesforce.com", ".force.com", ".salesforce.mil", ".sfcrmproducts.cn")
_REMEDY = {
    "invalid_client_id": "check LEADLOOP_SALESFORCE__CONSUMER_KEY",
    "invalid_client": "check LEADLOOP_SALESFORCE__CONSUMER_SECRET",
    "inactive_user": "activate the integration user",
    "invalid_app_access": "give the integration user access to the app",
}
_INVALID_GRANT: Mapping[type, str] = {
    JwtBearer: "check LEADLOOP_SALESFORCE__USERNAME, LEADLOOP_SALESFORCE__LOGIN_URL, the app's certificate "
    "and this machine's clock, and that the app pre-authorises the user",
    ClientCredentials: "give the app a run-as user for client credentials",
}

Post = Callable[[str, dict[str, str]], tuple[int, bytes]]
"""Sends a form to a URL and gives back status and body."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: where it is valid, and whose it is where the login said so."""

    origin: str
    token: str = field(repr=False)
    organization_id: str | None = None
    user_id: str | None = None


def log_in(settings: SalesforceSettings, post: Post, now_ms: int) -> Session:
    """Open a session. One request, none for a given session id.

    Raises Refused when the credentials are not accepted, RetryLater when nobody answers properly,
    SettingsError when they are incomplete."""
    credentials = settings.credentials()
    if isinstance(credentials, SessionId):
        return Session(settings.instance(), credentials.session_id)
    if isinstance(credentials, JwtBearer):
        origin = settings.base_url or settings.login_url
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": _assertion(credentials, settings, now_ms),
        }
    else:
        origin = settings.instance()
        form = _client_form(credentials)
    status, content = post(origin + _TOKEN_PATH, form)
    return _session(settings, origin, status, content)


def _client_form(credentials: ClientCredentials) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": credentials.consumer_key,
        "client_secret": credentials.consumer_secret,
    }


def _assertion(credentials: JwtBearer, settings: SalesforceSettings, now_ms: int) -> str:
    source = settings.private_key_source
    try:
        key = serialization.load_pem_private_key(credentials.private_key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{source} is not an unencrypted private key in PEM format.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsError(f"{source} must be an RSA key: Salesforce takes RS256 only.")
    claims = {
        "iss": credentials.consumer_key,
        "sub": credentials.username,
        "aud": settings.login_url,
        "exp": now_ms // 1_000 + _ASSERTION_SECONDS,
    }
    signed = _base64url(b'{"alg":"RS256","typ":"JWT"}') + b"." + _base64url(orjson.dumps(claims))
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return (signed + b"." + _base64url(signature)).decode()


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _session(settings: SalesforceSettings, origin: str, status: int, content: bytes) -> Session:
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if status != 200 or not isinstance(token, str):
        raise _refusal(settings, origin, answer, status)
    identity = _IDENTITY.search(str(answer.get("id") or ""))
    return Session(
        _trusted(settings, str(answer.get("instance_url") or "")),
        token,
        identity[1] if identity else None,
        identity[2] if identity else None,
    )


def _refusal(settings: SalesforceSettings, origin: str, answer: object, status: int) -> Refused | RetryLater:
    faults = faults_of(answer)
    if status in (400, 401, 403) and faults:
        code, message = faults[0].code, redact(faults[0].message)
        said = f"{code}: {message}" if message else code
        remedy = _REMEDY.get(code, "check the credentials in LEADLOOP_SALESFORCE__…")
        if code == "invalid_grant":
            remedy = _INVALID_GRANT[type(settings.credentials())]
        return Refused(f"Salesforce refused the login ({said}): {remedy}", code)
    outcome = classify(answer, status, "read")
    if isinstance(outcome, RetryLater):
        return RetryLater(f"login: {outcome.reason}", max(outcome.after_seconds, 60))
    return Refused(
        f"{urlsplit(origin).netloc} does not log in to Salesforce (HTTP {status}): check "
        f"{settings.source_of(origin)}",
        f"HTTP_{status}",
    )


def _trusted(settings: SalesforceSettings, instance_url: str) -> str:
    if settings.base_url is not None:
        return settings.base_url
    configured = settings.instance_url
    if configured is not None and configured.startswith("http://"):
        return configured
    host = urlsplit(instance_url).hostname or ""
    if instance_url.startswith("https://") and host.endswith(_SALESFORCE_HOSTS):
        return f"https://{urlsplit(instance_url).netloc}"
    if configured is not None and host == urlsplit(configured).hostname:
        return configured
    raise Refused(
        f"the login names {host or 'no host'} as the org's address, which is not Salesforce's: check "
        "LEADLOOP_SALESFORCE__LOGIN_URL, and set LEADLOOP_SALESFORCE__INSTANCE_URL"
    )
