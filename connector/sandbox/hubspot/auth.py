"""Who may call: static bearer tokens, and OAuth access tokens that end by the clock (hubspot.md section 3).

Checks tokens and scopes and answers the OAuth endpoints. Knows no records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox import (
    HUBSPOT_ACCESS_TOKEN,
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
)
from connector.sandbox.hubspot.problems import Problem
from connector.sandbox.hubspot.times import iso

OAUTH_LIFETIME_SECONDS = 1_800
JOURNAL_APP = "app itself"
JOURNAL_SCOPES = tuple(
    f"developer.webhooks_journal.{each}"
    for each in ("read", "subscriptions.read", "subscriptions.write", "snapshots.read", "snapshots.write")
)
_NO_CREDENTIALS = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
    "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `scopes` None: all. `expires_ms` None: never. `generation`: see `Faults`."""

    text: str
    app: str
    oauth: bool = False
    scopes: frozenset[str] | None = None
    expires_ms: int | None = None
    generation: int = 0


class Access:
    """The tokens of a portal. `lifetime_seconds` may be changed; so may `rotate`, which makes every refresh
    return a new refresh token and forget the old one (whether HubSpot rotates is unknown), and `app_scopes`,
    those that the app may ask for in its own name."""

    def __init__(self, portal_id: int, app_id: int) -> None:
        self.portal_id = portal_id
        self.app_id = app_id
        self.client_id = HUBSPOT_CLIENT_ID
        self.client_secret = HUBSPOT_CLIENT_SECRET
        self.refresh_tokens = {HUBSPOT_REFRESH_TOKEN}
        self.app_scopes = frozenset(JOURNAL_SCOPES)
        self.lifetime_seconds = OAUTH_LIFETIME_SECONDS
        self.rotate = False
        self.issued = 0
        self._tokens: dict[str, Token] = {}
        self.add_token(HUBSPOT_ACCESS_TOKEN)

    def add_token(self, text: str, scopes: Collection[str] | None = None, app: str = "private app") -> None:
        """A static token, as of a private app or a service key."""
        self._tokens[text] = Token(text, app, scopes=None if scopes is None else frozenset(scopes))

    def check(self, authorization: str | None, now_ms: int, generation: int) -> Token:
        """The token of an Authorization header. Raises Problem 401."""
        scheme, _, text = (authorization or "").partition(" ")
        token = self._tokens.get(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise Problem(401, _NO_CREDENTIALS, "INVALID_AUTHENTICATION")
        if token.expires_ms is not None and (token.expires_ms <= now_ms or token.generation < generation):
            minutes = max(0, now_ms - token.expires_ms) // 60_000
            raise Problem(
                401,
                f"The OAuth token used to make this call expired {minutes} minute(s) ago.",
                "EXPIRED_AUTHENTICATION",
                {"context": {"expire time": [iso(min(token.expires_ms, now_ms))]}},
            )
        return token

    def require(self, token: Token, scope: str | None) -> None:
        """Raises Problem 403 when the token lacks the scope."""
        if scope is not None and token.scopes is not None and scope not in token.scopes:
            raise Problem(
                403,
                "This app hasn't been granted all required scopes",
                "MISSING_SCOPES",
                {
                    "errors": [
                        {
                            "message": "One or more of the following scopes are required.",
                            "context": {"requiredGranularScopes": [scope]},
                        }
                    ]
                },
            )

    def refresh(self, form: Mapping[str, str], v1: bool, now_ms: int, generation: int) -> dict[str, Any]:
        """A new access token for a refresh token. Raises Problem 400 in the endpoint's own error shape."""
        if form.get("grant_type") != "refresh_token":
            raise _oauth_problem(
                v1, "BAD_GRANT_TYPE", "unsupported_grant_type", "only refresh_token is known"
            )
        self._check_app(form, v1)
        refresh_token = form.get("refresh_token", "")
        if refresh_token not in self.refresh_tokens:
            raise _oauth_problem(v1, "BAD_REFRESH_TOKEN", "invalid_grant", "missing or invalid refresh token")
        self.issued += 1
        if self.rotate:
            self.refresh_tokens.discard(refresh_token)
            refresh_token = f"sandbox-hubspot-refresh-{self.issued}"
            self.refresh_tokens.add(refresh_token)
        text = f"sandbox-hubspot-access-{self.issued}-{now_ms}"
        expires_ms = now_ms + self.lifetime_seconds * 1_000
        self._tokens[text] = Token(text, "oauth app", True, None, expires_ms, generation)
        body = {
            "access_token": text,
            "refresh_token": refresh_token,
            "expires_in": self.lifetime_seconds,
            "token_type": "bearer",
        }
        if v1:
            return body
        return body | {
            "token_use": "access_token",
            "hub_id": self.portal_id,
            "scopes": ["oauth"],
            "user_id": 1,
        }

    def client_credentials(self, form: Mapping[str, str], now_ms: int, generation: int) -> dict[str, Any]:
        """A token of the app itself, which opens the journal and nothing else. Raises Problem 400."""
        self._check_app(form, v1=False)
        scopes = frozenset(form.get("scope", "").split())
        if not scopes or not scopes <= self.app_scopes:
            raise _oauth_problem(False, "BAD_SCOPE", "invalid_scope", "missing or unknown scope")
        self.issued += 1
        text = f"sandbox-hubspot-app-{self.issued}-{now_ms}"
        expires_ms = now_ms + self.lifetime_seconds * 1_000
        self._tokens[text] = Token(text, JOURNAL_APP, True, scopes, expires_ms, generation)
        return {
            "access_token": text,
            "expires_in": self.lifetime_seconds,
            "token_type": "bearer",
            "token_use": "client_credentials",
            "scopes": sorted(scopes),
        }

    def introspect(self, text: str, now_ms: int) -> dict[str, Any]:
        """What an access token is. Raises Problem 404 for one that is unknown or over."""
        token = self._tokens.get(text)
        if token is None or token.expires_ms is None or token.expires_ms <= now_ms:
            raise Problem(404, "token not found", None)
        return {
            "token": text,
            "hub_id": self.portal_id,
            "hub_domain": "sandbox.example",
            "app_id": self.app_id,
            "user_id": 1,
            "user": "integration@sandbox.example",
            "scopes": ["oauth"],
            "token_type": "access",
            "expires_in": (token.expires_ms - now_ms) // 1_000,
        }

    def _check_app(self, form: Mapping[str, str], v1: bool) -> None:
        if form.get("client_id") != self.client_id:
            raise _oauth_problem(v1, "BAD_CLIENT_ID", "invalid_client", "missing or unknown client id")
        if form.get("client_secret") != self.client_secret:
            raise _oauth_problem(
                v1, "BAD_CLIENT_SECRET", "invalid_client", "missing or invalid client secret"
            )

    def to_json(self) -> dict[str, Any]:
        """For the state file: what a restarted portal must still accept."""
        return {
            "refresh_tokens": sorted(self.refresh_tokens),
            "issued": self.issued,
            "tokens": [
                [each.text, each.app, each.oauth, None if each.scopes is None else sorted(each.scopes),
                 each.expires_ms, each.generation]
                for each in self._tokens.values()
            ],
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """The reverse of `to_json`."""
        self.refresh_tokens = set(state["refresh_tokens"])
        self.issued = state["issued"]
        self._tokens = {
            text: Token(
                text, app, oauth, None if scopes is None else frozenset(scopes), expires_ms, generation
            )
            for text, app, oauth, scopes, expires_ms, generation in state["tokens"]
        }


def _oauth_problem(v1: bool, status: str, error: str, message: str) -> Problem:
    """v1 names its own status (reported); the newer endpoints promise the standard OAuth error."""
    extra: dict[str, Any] = {"status": status} if v1 else {"error": error, "error_description": message}
    return Problem(400, message, None, extra)
