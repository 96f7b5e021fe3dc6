"""Settings: what an admin configures, from the environment, secret files and leadloop.yaml.

Names are those of the design: `LEADLOOP_SALESFORCE__INSTANCE_URL` is the field `salesforce.instance_url`.
Order: environment, then files in `LEADLOOP_SECRETS_DIR`, then leadloop.yaml, then the defaults. Credentials
are never taken from leadloop.yaml. This file does no network I/O and knows no vendor package; every error is
a `SettingsError` whose text names the variable and the remedy.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from connector.platforms.settings import PREFIX, HubSpotSettings, SalesforceSettings, SettingsError

__all__ = ["HubSpotSettings", "SalesforceSettings", "Settings", "SettingsError", "load_settings"]

SECRETS_DIR = "LEADLOOP_SECRETS_DIR"


class Settings(BaseSettings):
    """Everything an admin can set. Make one with `load_settings`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    database_url: str = Field(
        default="sqlite:///leadloop.db", description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    )
    redis_url: str | None = Field(
        default=None, description="Redis for wake-ups across machines; unset: everything in one process"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least severe line"
    )
    salesforce: SalesforceSettings = Field(default_factory=lambda: SalesforceSettings())
    hubspot: HubSpotSettings = Field(default_factory=lambda: HubSpotSettings())

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

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: value for name, value in self._variables.items() if value.strip()}


def load_settings(
    document: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Merge the sources into checked settings.

    `document` is the settings part of leadloop.yaml; `environment` replaces `os.environ` (tests). Raises
    SettingsError with one line for each fault."""
    variables = os.environ if environment is None else environment
    given = dict(document or {})
    _refuse_credentials(given)
    secrets = _secret_files(variables.get(SECRETS_DIR))
    merged: dict[str, Any] = {}
    for source in (given, _Variables(secrets)(), _Variables(variables)()):
        _merge(merged, source)
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None


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
    try:
        return {
            path.name: path.read_text(encoding="utf-8").strip()
            for path in sorted(Path(directory).iterdir())
            if path.name.upper().startswith(PREFIX) and path.is_file()
        }
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{SECRETS_DIR}: cannot read {directory}: {error}") from error


def _refuse_credentials(document: Mapping[str, Any]) -> None:
    for platform, model in (("salesforce", SalesforceSettings), ("hubspot", HubSpotSettings)):
        part = document.get(platform)
        for name in sorted(model.credentials_only & set(part)) if isinstance(part, Mapping) else ():
            raise SettingsError(
                f"leadloop.yaml: {platform}.{name} is a credential and is taken from the environment only: "
                f"remove it from the file and set {PREFIX}{platform.upper()}__{name.upper()}."
            )
    for name in ("database_url", "redis_url"):
        if isinstance(document.get(name), str) and urlsplit(document[name]).password:
            raise SettingsError(
                f"leadloop.yaml: {name} holds a password: remove it there and set {PREFIX}{name.upper()}."
            )


def _sentences(error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        names = [str(part) for part in fault["loc"]]
        variable = PREFIX + "__".join(names).upper()
        if fault["type"] == "extra_forbidden":
            close = difflib.get_close_matches(names[-1], _known(names[:-1]), n=1)
            hint = f" Did you mean {PREFIX}{'__'.join([*names[:-1], close[0]]).upper()}?" if close else ""
            lines.append(f"{variable} ({'.'.join(names)} in leadloop.yaml) is not a setting.{hint}")
        else:
            message = fault["msg"].removeprefix("Value error, ")
            lines.append(f"{variable} ({'.'.join(names)} in leadloop.yaml): {message}.")
    return lines


def _known(path: list[str]) -> list[str]:
    models: dict[str, type[BaseModel]] = {"salesforce": SalesforceSettings, "hubspot": HubSpotSettings}
    return list(models[path[0]].model_fields if path and path[0] in models else Settings.model_fields)
