"""Credentials: the ways to log in to each platform. Plain, complete data that never prints a secret."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """Salesforce OAuth JWT bearer: the app's key, the user to act as, and the app's private key (PEM)."""

    consumer_key: str
    username: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Salesforce OAuth client credentials, at the org's My Domain."""

    consumer_key: str
    consumer_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionId:
    """A Salesforce session that another program opened; it cannot be renewed."""

    session_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A HubSpot private-app token or service key."""

    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A HubSpot OAuth app's installation in one account."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
