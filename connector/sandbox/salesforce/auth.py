"""Sessions and the OAuth token endpoint: JWT bearer and client credentials, and their refusals.

A session is a random token bound to a user. Static ones (the sandbox's own session id) never expire; issued
ones end with `Faults.expire_tokens` or when unused for `session_seconds`. Source: facts/salesforce.md 1.2.
This file must not know the REST resources.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from connector.clock import SystemClock
from connector.sandbox.salesforce.refusals import Refusal, session_invalid
from connector.sandbox.salesforce.schema import Row
from connector.sandbox.salesforce.world import World

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


@dataclass(slots=True)
class Session:
    """Who a token stands for. `generation` None: static, never expires."""

    user_id: str
    generation: int | None
    used_ms: int


def oauth_refusal(error: str, description: str) -> Refusal:
    """A refusal of the token endpoint: status 400 and an object, not a list."""
    body = {"error": error, "error_description": description}
    return Refusal(error, description, body=body)


class Auth:
    """The sessions of an org and the app that may ask for them.

    `run_as`: the user of the client-credentials flow. `approved`: the users who may log in by JWT.
    `trust` names the app's certificate or public key, without which JWT is refused."""

    def __init__(
        self, world: World, client_id: str, client_secret: str, run_as: str, session_seconds: int | None
    ) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}
        self._key: RSAPublicKey | None = None
        self.client_id = client_id
        self.client_secret = client_secret
        self.run_as = run_as
        self.approved: set[str] = {run_as}
        self.session_seconds = session_seconds

    def trust(self, pem: str | bytes) -> None:
        """Accept JWTs signed by the key of this PEM certificate or public key. Raises ValueError."""
        data = pem.encode() if isinstance(pem, str) else pem
        key = (
            load_pem_x509_certificate(data).public_key()
            if b"BEGIN CERTIFICATE" in data
            else load_pem_public_key(data)
        )
        if not isinstance(key, RSAPublicKey):
            raise ValueError("the certificate's key is not an RSA key")
        self._key = key

    def add_static(self, token: str, user_id: str) -> None:
        """Accept this session id for ever."""
        self._sessions[token] = Session(user_id, None, self._world.now_ms())

    def issue(self, user_id: str) -> str:
        """A new session id for a user."""
        token = f"{self._world.organization_id[:15]}!AQ{secrets.token_urlsafe(48)}"
        generation = self._world.faults.token_generation
        self._sessions[token] = Session(user_id, generation, self._world.now_ms())
        return token

    def user_of(self, authorization: str | None) -> str:
        """The user whose session this Authorization header carries. Raises Refusal (401)."""
        scheme, _, token = (authorization or "").partition(" ")
        session = self._sessions.get(token.strip()) if scheme.lower() in ("bearer", "oauth") else None
        if session is None or self._ended(session):
            raise session_invalid()
        session.used_ms = self._world.now_ms()
        return session.user_id

    def _ended(self, session: Session) -> bool:
        if session.generation is None:
            return False
        idle_ms = self._world.now_ms() - session.used_ms
        too_long = self.session_seconds is not None and idle_ms > self.session_seconds * 1_000
        return too_long or session.generation != self._world.faults.token_generation

    def token(self, form: Mapping[str, str], authorization: str | None, url: str) -> dict[str, Any]:
        """The answer to `POST /services/oauth2/token`. `url`: of this org, as the client reached it. Raises
        Refusal with the body that OAuth errors have."""
        grant = form.get("grant_type")
        if grant == JWT_BEARER:
            user_id = self._jwt_user(form.get("assertion", ""), url)
        elif grant == "client_credentials":
            self._check_client(form, authorization)
            user_id = self.run_as
        elif grant == "password":
            raise oauth_refusal("invalid_grant", "authentication failure")
        elif grant == "refresh_token":
            raise oauth_refusal("invalid_grant", "expired access/refresh token")
        else:
            raise oauth_refusal("unsupported_grant_type", "grant type not supported")
        user = self._world.row(user_id)
        if user is None or not user.get("IsActive"):
            raise oauth_refusal("inactive_user", "user is inactive")
        return self._granted(user_id, url)

    def _granted(self, user_id: str, url: str) -> dict[str, Any]:
        identity = f"{url}/id/{self._world.organization_id}/{user_id}"
        issued_at = str(self._world.now_ms())
        digest = hmac.new(self.client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256)
        return {
            "access_token": self.issue(user_id),
            "signature": base64.b64encode(digest.digest()).decode(),
            "scope": "api id",
            "instance_url": url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }

    def _check_client(self, form: Mapping[str, str], authorization: str | None) -> None:
        client_id, secret = form.get("client_id"), form.get("client_secret")
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                client_id = None
        if client_id != self.client_id:
            raise oauth_refusal("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret or "", self.client_secret):
            raise oauth_refusal("invalid_client", "invalid client credentials")

    def _jwt_user(self, assertion: str, url: str) -> str:
        claims = self._verified(assertion)
        if claims.get("iss") != self.client_id:
            raise oauth_refusal("invalid_client_id", "client identifier invalid")
        audience = str(claims.get("aud"))
        if audience not in _AUDIENCES and not audience.startswith(url) and "salesforce.com" not in audience:
            raise oauth_refusal("invalid_grant", "audience is invalid")
        self._check_fresh(claims)
        user = self._user_named(str(claims.get("sub")))
        if user is None or user["Id"] not in self.approved:
            raise oauth_refusal("invalid_grant", "user hasn't approved this consumer")
        return str(user["Id"])

    def _check_fresh(self, claims: Mapping[str, Any]) -> None:
        """Clients read the machine's clock or the sandbox's own: either will do."""
        try:
            ends_ms = int(float(claims["exp"])) * 1_000
        except (KeyError, TypeError, ValueError):
            raise oauth_refusal("invalid_grant", "invalid assertion") from None
        if ends_ms <= min(self._world.now_ms(), SystemClock().now_ms()):
            raise oauth_refusal("invalid_grant", "expired authorization code")

    def _verified(self, assertion: str) -> dict[str, Any]:
        parts = assertion.split(".")
        try:
            header, claims, signature = (
                base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts
            )
            if self._key is None or orjson.loads(header).get("alg") != "RS256":
                raise oauth_refusal("invalid_grant", "invalid assertion")
            self._key.verify(signature, assertion.rpartition(".")[0].encode(), PKCS1v15(), SHA256())
            read = orjson.loads(claims)
        except (ValueError, InvalidSignature, AttributeError):
            raise oauth_refusal("invalid_grant", "invalid assertion") from None
        if not isinstance(read, dict):
            raise oauth_refusal("invalid_grant", "invalid assertion")
        return read

    def _user_named(self, username: str) -> Row | None:
        table = self._world.tables["User"]
        found = table.postings["Username"].of(username)
        return table.rows[found[0]] if found else None

    def userinfo(self, user_id: str, url: str) -> dict[str, Any]:
        """The answer to `GET /services/oauth2/userinfo`, and to the identity URL."""
        user = self._world.row(user_id) or {}
        organization_id = self._world.organization_id
        return {
            "sub": f"{url}/id/{organization_id}/{user_id}",
            "user_id": user_id,
            "organization_id": organization_id,
            "preferred_username": user.get("Username"),
            "nickname": user.get("CommunityNickname"),
            "name": user.get("Name"),
            "email": user.get("Email"),
            "email_verified": True,
            "given_name": user.get("FirstName"),
            "family_name": user.get("LastName"),
            "zoneinfo": user.get("TimeZoneSidKey"),
            "active": user.get("IsActive", False),
            "user_type": "STANDARD",
            "language": user.get("LanguageLocaleKey"),
            "locale": user.get("LocaleSidKey"),
            "is_app_installed": True,
        }
