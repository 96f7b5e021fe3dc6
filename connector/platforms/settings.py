"""Platform settings: what an admin configures for one Salesforce org and one HubSpot account.

The checked form of `LEADLOOP_SALESFORCE__…` and `LEADLOOP_HUBSPOT__…`, and the choice of credentials from it.
Reads nothing by itself but a private-key file; `connector.settings` gathers the values.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connector.platforms.credentials import AccessToken, ClientCredentials, JwtBearer, RefreshToken, SessionId

PREFIX = "LEADLOOP_"


class SettingsError(Exception):
    """One or more settings are wrong or missing; one sentence a line. The command line exits with 2."""


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine: the only place where plain http is accepted."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("must be an address such as https://acme.my.salesforce.com")
    if not _port_is_number(url):
        raise ValueError("must have a number from 1 to 65535 as its port, or none")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be the scheme and host alone, without a path")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("must begin with https:// (plain http is accepted on loopback only)")
    return f"{parts.scheme}://{parts.netloc}"


def _port_is_number(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _loopback_origin(url: str) -> str:
    origin = _origin(url)
    if not is_loopback(origin):
        raise ValueError("is for tests and is refused unless its host is loopback; set INSTANCE_URL instead")
    return origin


def _path_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < 20 or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError("must be 20 or more letters, digits, - and _; openssl rand -hex 24 makes some")
    return secret


PathSecret = Annotated[SecretStr, AfterValidator(_path_secret)]
Origin = Annotated[str, AfterValidator(_origin)]
LoopbackOrigin = Annotated[str, AfterValidator(_loopback_origin)]
Seconds = Annotated[float, Field(ge=1, le=604_800)]
"""An interval of looking for changes: up to a week."""

Percent = Annotated[int, Field(ge=1, le=100)]


class PlatformSettings(BaseModel):
    """What both platforms have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    credentials_only: ClassVar[frozenset[str]] = frozenset()

    connect_timeout_seconds: float = Field(
        default=5.0, gt=0, le=60, description="how long to wait for a connection"
    )
    read_timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        le=600,
        description="how long to wait for an answer; a lease on a write lasts longer",
    )
    quota_percent: Percent = Field(
        default=50, description="how much of the account's daily calls leadloop may use"
    )
    handoff_reserve_percent: int = Field(
        default=20,
        ge=0,
        le=90,  # with nothing left to updates, nothing that waits would ever be written
        description="the share of those calls that is kept for hand-offs; of the rest, a backfill leaves as "
        "much to updates",
    )
    daily_limit: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="calls a day, where the platform does not tell it in its answers",
    )
    poll_seconds: Seconds = Field(
        default=60.0, description="time between two looks at what decides stages: people and opportunities"
    )
    poll_seconds_of: dict[str, Seconds] = Field(
        default_factory=dict,
        description='the same for single objects, by name: `{"Task": 900}`; activities and accounts that are '
        "not named have 300, or `poll_seconds` where that is longer",
    )
    overlap_seconds: int = Field(
        default=600,
        ge=0,
        le=604_800,
        description="how far a look goes back now and then over what was read, for rows that show up late",
    )


class SalesforceSettings(PlatformSettings):
    """One Salesforce org."""

    credentials_only: ClassVar[frozenset[str]] = frozenset(
        {"consumer_key", "consumer_secret", "username", "private_key", "session_id", "webhook_secret"}
    )

    instance_url: Origin | None = Field(
        default=None, description="the org's My Domain, https://….my.salesforce.com"
    )
    login_url: Origin = Field(
        default="https://login.salesforce.com",
        description="where JWT bearer logs in: login, test (sandboxes) or My Domain",
    )
    consumer_key: str | None = Field(default=None, description="consumer key of the External Client App")
    consumer_secret: SecretStr | None = Field(default=None, description="its secret, for client credentials")
    username: str | None = Field(default=None, description="the integration user, for JWT bearer")
    private_key: SecretStr | None = Field(default=None, description="private key in PEM, for JWT bearer")
    private_key_file: Path | None = Field(default=None, description="or the file that holds it")
    session_id: SecretStr | None = Field(
        default=None, description="a session id made elsewhere (cannot be renewed)"
    )
    organization_id: str | None = Field(
        default=None,
        pattern=r"^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$",
        description="refuse to run on any other org",
    )
    webhook_secret: PathSecret | None = Field(
        default=None,
        description="the end of the address for Outbound Messages: 20 or more letters and digits",
    )
    webhook_client_name: str | None = Field(
        default=None,
        min_length=1,
        description="the name in the client certificate that Outbound Messages must come with; the secret "
        "may be left out then",
    )
    stream: bool = Field(
        default=False, description="follow the org's change events; needs leadloop[salesforce-streams]"
    )
    stream_url: Origin = Field(
        default="https://api.pubsub.salesforce.com:7443",
        description="the Pub/Sub API, or a sandbox on loopback",
    )
    stream_objects: str = Field(
        default="Lead,Contact,Opportunity",
        pattern=r"^\s*[A-Za-z]\w*(\s*,\s*[A-Za-z]\w*)*\s*$",
        description="objects whose change events are followed, of those that are mapped",
    )
    stream_channel: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z]\w*__chn$",
        description="a custom channel in place of them, such as Leads__chn",
    )
    api_version: str = Field(default="62.0", pattern=r"^[3-9]\d\.0$", description="REST API version")
    base_url: LoopbackOrigin | None = Field(
        default=None, description="a sandbox on loopback, in place of Salesforce"
    )

    def credentials(self) -> JwtBearer | ClientCredentials | SessionId:
        """The credentials that are set. Raises SettingsError, naming what to set, when none are complete."""
        if self.session_id is not None:
            self.instance()
            return SessionId(self.session_id.get_secret_value())
        if self.private_key is not None or self.private_key_file is not None:
            if not self.consumer_key or not self.username:
                name = "USERNAME" if self.consumer_key else "CONSUMER_KEY"
                raise SettingsError(
                    f"{PREFIX}SALESFORCE__{name} is not set: JWT bearer needs it beside the private key."
                )
            return JwtBearer(self.consumer_key, self.username, self._pem())
        if self.consumer_secret is not None:
            if not self.consumer_key:
                raise SettingsError(
                    f"{PREFIX}SALESFORCE__CONSUMER_KEY is not set: it goes with the consumer secret."
                )
            self.instance()
            return ClientCredentials(self.consumer_key, self.consumer_secret.get_secret_value())
        raise SettingsError(
            f"No Salesforce credentials: set {PREFIX}SALESFORCE__CONSUMER_KEY with __USERNAME and "
            "__PRIVATE_KEY_FILE (JWT bearer), or with __CONSUMER_SECRET and __INSTANCE_URL (client "
            "credentials), or __SESSION_ID with __INSTANCE_URL."
        )

    def instance(self) -> str:
        """The org's own address. Raises SettingsError when it is needed and not set."""
        origin = self.base_url or self.instance_url
        if origin is None:
            raise SettingsError(
                f"{PREFIX}SALESFORCE__INSTANCE_URL is not set: give the org's My Domain, "
                "such as https://acme.my.salesforce.com."
            )
        return origin

    def source_of(self, origin: str) -> str:
        """The variable that `origin` comes from, directly or by the answer to a login there."""
        for name in ("base_url", "instance_url"):
            if origin == getattr(self, name):
                return f"{PREFIX}SALESFORCE__{name.upper()}"
        return f"{PREFIX}SALESFORCE__LOGIN_URL"

    @property
    def private_key_source(self) -> str:
        """The variable that the private key comes from."""
        name = "PRIVATE_KEY" if self.private_key is not None else "PRIVATE_KEY_FILE"
        return f"{PREFIX}SALESFORCE__{name}"

    def _pem(self) -> str:
        if self.private_key is not None:
            # Environment variables often carry the line breaks of a PEM as the two characters \n.
            return self.private_key.get_secret_value().replace("\\n", "\n")
        assert self.private_key_file is not None  # noqa: S101  # told to mypy; credentials() checked it
        try:
            return self.private_key_file.read_text(encoding="ascii")
        except OSError as error:
            raise SettingsError(
                f"{PREFIX}SALESFORCE__PRIVATE_KEY_FILE: cannot read {self.private_key_file}: "
                f"{error.strerror or error}."
            ) from error
        except UnicodeDecodeError as error:
            raise SettingsError(
                f"{PREFIX}SALESFORCE__PRIVATE_KEY_FILE: {self.private_key_file} is not a file in PEM format."
            ) from error


class HubSpotSettings(PlatformSettings):
    """One HubSpot account (portal)."""

    credentials_only: ClassVar[frozenset[str]] = frozenset(
        {"access_token", "client_id", "client_secret", "refresh_token"}
    )

    access_token: SecretStr | None = Field(default=None, description="private-app token or service key")
    client_id: str | None = Field(default=None, description="OAuth app: client id")
    client_secret: SecretStr | None = Field(
        default=None, description="OAuth app: client secret; also verifies webhooks, and opens the journal"
    )
    refresh_token: SecretStr | None = Field(
        default=None, description="OAuth app: refresh token of the installation"
    )
    allow_older_signature: bool = Field(
        default=False,
        description="accept the older signature of webhooks too, which whoever has seen one can repeat",
    )
    journal: bool = Field(
        default=False,
        description="follow HubSpot's webhooks journal, with a token that the app of CLIENT_ID gets",
    )
    journal_subscribe: bool = Field(
        default=True, description="subscribe the journal to what is mapped; otherwise only say what lacks"
    )
    portal_id: str | None = Field(
        default=None, pattern=r"^\d+$", description="refuse to run on any other account"
    )
    app_id: str | None = Field(
        default=None,
        pattern=r"^\d+$",
        description="the id of the app that the token belongs to; a field's history tells then which values "
        "leadloop itself has set",
    )
    base_url: Origin = Field(
        default="https://api.hubapi.com", description="the API, or a sandbox on loopback"
    )
    api_version: Literal["v3", "2026-03", "2026-09"] = Field(
        default="v3",
        description="v3 ends in September 2027; from 2026-09 on validation rules apply to API writes",
    )
    poll_seconds: Seconds = Field(
        default=30.0, description="time between two looks at what decides stages: people and opportunities"
    )
    archived_seconds: float = Field(
        default=3_600.0,
        ge=0,
        le=2_592_000,
        description="time between two looks into the recycle bin, which no search shows; 0: never",
    )

    def credentials(self) -> AccessToken | RefreshToken:
        """The credentials that are set. Raises SettingsError, naming what to set, when none are complete."""
        if self.access_token is not None:
            return AccessToken(self.access_token.get_secret_value())
        if self.refresh_token is not None:
            if not self.client_id or self.client_secret is None:
                name = "CLIENT_SECRET" if self.client_id else "CLIENT_ID"
                raise SettingsError(f"{PREFIX}HUBSPOT__{name} is not set: it goes with the refresh token.")
            return RefreshToken(
                self.client_id, self.client_secret.get_secret_value(), self.refresh_token.get_secret_value()
            )
        raise SettingsError(
            f"No HubSpot credentials: set {PREFIX}HUBSPOT__ACCESS_TOKEN to a private-app token or service "
            "key, or __CLIENT_ID, __CLIENT_SECRET and __REFRESH_TOKEN of an OAuth app."
        )
