"""Webhook settings: where leadloop listens, what its address is outside, its TLS, and what is too much."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connector.platforms.settings import is_loopback


def _public(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be an address such as https://leadloop.acme.example") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or port == 0:
        raise ValueError("must be an address such as https://leadloop.acme.example")
    if parts.query or parts.fragment:
        raise ValueError("must be an address without ? and #")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("must begin with https:// (plain http is accepted on loopback only)")
    return url.rstrip("/")


class WebhookSettings(BaseModel):
    """What is needed to receive what platforms send."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int | None = Field(
        default=None, ge=0, le=65_535, description="port to listen on; unset: nothing is received"
    )
    public_url: Annotated[str, AfterValidator(_public)] | None = Field(
        default=None,
        description="what platforms call it by, up to the side's name; unset: the host and port above",
    )
    certificate_file: Path | None = Field(
        default=None,
        description="certificate and chain in PEM: HTTPS is spoken, and no proxy is needed for it",
    )
    private_key_file: Path | None = Field(default=None, description="its private key in PEM")
    client_roots_file: Path | None = Field(
        default=None,
        description="roots of the certificates that senders are asked for, in PEM; who must have one says "
        "`LEADLOOP_SALESFORCE__WEBHOOK_CLIENT_NAME`",
    )
    max_body_bytes: int = Field(
        default=1_048_576, ge=1_024, le=16_777_216, description="longest body that is read"
    )
    max_events: int = Field(default=1_000, ge=1, le=10_000, description="most events in one delivery")
    deliveries_per_second: int = Field(
        default=1_000,
        ge=1,
        le=1_000_000,
        description="genuine deliveries that are taken in a second, by each process",
    )
    max_waiting: int = Field(
        default=1_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="records told of that may wait to be read; more are refused, and streams wait",
    )
