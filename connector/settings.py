"""Settings: what an admin configures, from the environment, secret files and leadloop.yaml.

Names are those of the design: `LEADLOOP_SALESFORCE__INSTANCE_URL` is the field `salesforce.instance_url`.
Order: environment, then files in `LEADLOOP_SECRETS_DIR`, then leadloop.yaml, then the defaults. Credentials
are never taken from leadloop.yaml. What is wrong there is told with line and column; what is wrong elsewhere
is a `SettingsError` that names the variable. This file does no network I/O and knows no vendor package.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSettings

from connector.platforms.settings import PREFIX, HubSpotSettings, SalesforceSettings, SettingsError
from connector.variables import SECRETS_DIR, unknown_variables
from connector.webhooks.settings import WebhookSettings
from mappings.mapping import Mapping as LeadMapping
from mappings.problems import did_you_mean
from mappings.source import ConfigError, ConfigErrors, Document, validate

__all__ = [
    "HubSpotSettings",
    "SalesforceSettings",
    "Settings",
    "SettingsError",
    "WebhookSettings",
    "load_settings",
    "written_settings",
]

_PLATFORMS: Mapping[str, type[SalesforceSettings | HubSpotSettings]] = {
    "salesforce": SalesforceSettings,
    "hubspot": HubSpotSettings,
}


class Settings(BaseSettings):
    """Everything an admin can set. Make one with `load_settings`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    database_url: str = Field(
        default="sqlite:///leadloop.db", description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    )
    redis_url: str | None = Field(
        default=None, description="Redis for wake-ups across machines; unset: everything in one process"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least severe line"
    )
    verify_hours: float = Field(
        default=24.0,
        ge=0,
        le=8_760,
        description="time between two sweeps of a side that nothing was missed; 0: never",
    )
    salesforce: SalesforceSettings = Field(default_factory=lambda: SalesforceSettings())
    hubspot: HubSpotSettings = Field(default_factory=lambda: HubSpotSettings())
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # see above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # see above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # see above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` merged: nothing is read behind its back."""
        return (init_settings,)


class _Variables(EnvSettingsSource):
    """pydantic-settings' own reading of nested variables, over a mapping in place of `os.environ`."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name.lower(): value for name, value in variables.items()}
        super().__init__(Settings, env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True)

    def __call__(self) -> dict[str, Any]:
        """The values by the names of their settings. Raises SettingsError."""
        try:
            return super().__call__()
        except UnreadableSettings as error:
            # it names the part of the settings alone, and not the variable
            wrong = [
                name.upper()
                for name, value in self._variables.items()
                if _is_mapping(name) and not _is_json(value)
            ]
            lines = [f'{name}: must be a JSON object, such as {{"Task": 900}}.' for name in wrong]
            raise SettingsError("\n".join(lines) or f"{error}.") from None

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: value for name, value in self._variables.items() if value.strip()}


def load_settings(
    written: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Merge the sources into checked settings.

    `written` is what leadloop.yaml says, by `written_settings`; `environment` replaces `os.environ` (tests).
    Raises SettingsError with one line for each fault, a variable that is no setting included."""
    variables = os.environ if environment is None else environment
    folder = variables.get(SECRETS_DIR)
    secrets = _secret_files(folder)
    known = setting_names()
    unknown = [
        *unknown_variables(variables, known, ""),
        *unknown_variables(secrets, known, f" (a file in {folder})"),
    ]
    if unknown:
        raise SettingsError("\n".join(unknown))
    merged: dict[str, Any] = {}
    for source in (written or {}, _Variables(secrets)(), _Variables(variables)()):
        _merge(merged, source)
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None
    lacking = list(_lacking_for_tls(settings))
    if lacking:
        raise SettingsError("\n".join(lacking))
    return settings


def written_settings(document: Document) -> Mapping[str, Any]:
    """The part `settings` of leadloop.yaml, checked. Raises ConfigErrors, with one for each credential in it,
    or one for each other fault."""
    written = document.data.get("settings") if isinstance(document.data, Mapping) else None
    if written is None:
        return {}
    errors = list(_credentials(document, written)) if isinstance(written, Mapping) else []
    if errors:
        raise ConfigErrors(errors)
    validate(Settings, document, ("settings",))
    return dict(written)


def unknown_objects(document: Document, mapping: LeadMapping) -> list[ConfigError]:
    """What `settings` of leadloop.yaml says of objects that no side of the mapping has."""
    written = document.data.get("settings") if isinstance(document.data, Mapping) else None
    found = []
    for platform in _PLATFORMS:
        part = written.get(platform) if isinstance(written, Mapping) else None
        named = part.get("poll_seconds_of") if isinstance(part, Mapping) else None
        for name, message, hint in _not_mapped(
            named if isinstance(named, Mapping) else {}, platform, mapping
        ):
            path = ("settings", platform, "poll_seconds_of", name)
            found.append(document.error(path, message, hint, key=True))
    return found


def check_objects(settings: Settings, mapping: LeadMapping) -> None:
    """Raises SettingsError when an interval is set for an object that no side of the mapping has."""
    lines = [
        f"{PREFIX}{platform.upper()}__POLL_SECONDS_OF: {message}{f'; {hint}' if hint else '.'}"
        for platform in _PLATFORMS
        for _, message, hint in _not_mapped(getattr(settings, platform).poll_seconds_of, platform, mapping)
    ]
    if lines:
        raise SettingsError("\n".join(lines))


def _not_mapped(named: Iterable[str], platform: str, mapping: LeadMapping) -> Iterable[tuple[str, str, str]]:
    """Each name that is no object of this platform, why it is refused, and the nearest that is one."""
    known = [name for side in mapping.sides.values() if side.platform == platform for name in side.objects]
    for name in named:
        if name not in known:
            yield name, f'the mapping has no object "{name}" of {platform}', did_you_mean(name, known)


def setting_names() -> frozenset[str]:
    """The variable of every setting."""
    parts = {**_PLATFORMS, "webhooks": WebhookSettings}
    names = {name for name in Settings.model_fields if name not in parts}
    names |= {f"{part}__{name}" for part, model in parts.items() for name in model.model_fields}
    return frozenset(f"{PREFIX}{name}".upper() for name in names)


def _lacking_for_tls(settings: Settings) -> Iterable[str]:
    """What goes with a setting of TLS and is not set."""
    webhooks, name = settings.webhooks, settings.salesforce.webhook_client_name
    for one, other in (
        ("certificate_file", "private_key_file"),
        ("private_key_file", "certificate_file"),
        ("client_roots_file", "certificate_file"),
    ):
        if getattr(webhooks, one) is not None and getattr(webhooks, other) is None:
            yield f"{PREFIX}WEBHOOKS__{other.upper()} is not set: it goes with __{one.upper()}."
    if name is not None and webhooks.client_roots_file is None:
        yield (
            f"{PREFIX}WEBHOOKS__CLIENT_ROOTS_FILE is not set: {PREFIX}SALESFORCE__WEBHOOK_CLIENT_NAME asks "
            "for a client certificate, and it says which are genuine."
        )
    if name is None and webhooks.client_roots_file is not None:
        yield (
            f"{PREFIX}SALESFORCE__WEBHOOK_CLIENT_NAME is not set: nobody is asked for a certificate of "
            f"{PREFIX}WEBHOOKS__CLIENT_ROOTS_FILE without it."
        )


def _is_mapping(variable: str) -> bool:
    return variable.endswith("__poll_seconds_of")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _merge(into: dict[str, Any], source: Mapping[str, Any]) -> None:
    for name, value in source.items():
        if isinstance(value, Mapping):
            part = into.setdefault(name, {})
            if isinstance(part, dict):
                _merge(part, value)
                continue
        into[name] = value


def _secret_files(directory: str | None) -> dict[str, str]:
    if not directory:
        return {}
    path = Path(directory)
    try:
        found = {}
        for path in sorted(Path(directory).iterdir()):
            if path.name.upper().startswith(PREFIX) and path.is_file():
                found[path.name] = path.read_text(encoding="utf-8").strip()
        return found
    except OSError as error:
        raise SettingsError(f"{SECRETS_DIR}: {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{SECRETS_DIR}: {path} is not UTF-8 (byte {error.start}).") from error


def _credentials(document: Document, written: Mapping[str, Any]) -> Iterable[ConfigError]:
    for platform, model in _PLATFORMS.items():
        part = written.get(platform)
        for name in sorted(model.credentials_only & set(part)) if isinstance(part, Mapping) else ():
            yield document.error(
                ("settings", platform, name),
                f"{platform}.{name} is a credential and is taken from the environment only",
                f"remove it from the file and set {PREFIX}{platform.upper()}__{name.upper()}",
                key=True,
            )
    for name in ("database_url", "redis_url"):
        if isinstance(written.get(name), str) and _has_password(written[name]):
            yield document.error(
                ("settings", name),
                f"{name} holds a password",
                f"remove it there and set {PREFIX}{name.upper()}",
                key=True,
            )


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:  # no address at all: whoever opens it says so
        return False


def _sentences(error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        variable = PREFIX + "__".join(str(part) for part in fault["loc"]).upper()
        message = fault["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}: {message[0].lower()}{message[1:]}.")
    return lines
