"""TLS of the receiver: its own certificate, and those that senders are asked for.

A sender may come without a certificate, since HubSpot has none to show; which sides demand one is theirs to
say. Checked before the port is taken, so that a wrong file is a sentence and no failed handshake.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from connector.platforms.settings import PREFIX, SettingsError
from connector.webhooks.settings import WebhookSettings


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: the certificate with its chain, its private key, and the roots that certificates of
    senders are held against, where any are."""

    certificate: Path
    private_key: Path
    client_roots: Path | None

    @classmethod
    def of(cls, settings: WebhookSettings) -> Self | None:
        """What the settings say; None for plain HTTP. Raises SettingsError for files that cannot be used."""
        if settings.certificate_file is None or settings.private_key_file is None:
            return None
        files = ("certificate_file", "private_key_file", "client_roots_file")
        for name in files:
            _read(f"{PREFIX}WEBHOOKS__{name.upper()}", getattr(settings, name))
        made = cls(*(getattr(settings, name) for name in files))
        made._check()
        return made

    def _check(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # without a password of its own OpenSSL would ask for one on the terminal
            context.load_cert_chain(self.certificate, self.private_key, lambda: "")
        except ssl.SSLError as error:
            raise SettingsError(
                f"{PREFIX}WEBHOOKS__CERTIFICATE_FILE {self.certificate} and __PRIVATE_KEY_FILE "
                f"{self.private_key} do not go together ({_said(error)}): give a certificate in PEM, its "
                "chain after it, and its own private key without a passphrase."
            ) from error
        if self.client_roots is None:
            return
        try:
            context.load_verify_locations(self.client_roots)
        except ssl.SSLError as error:
            raise SettingsError(
                f"{PREFIX}WEBHOOKS__CLIENT_ROOTS_FILE {self.client_roots} holds no certificates in PEM "
                f"({_said(error)})."
            ) from error


def names_in(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """The names that a proven certificate was made out to, in small letters: its common name, and its DNS
    names. `certificate` is what `ssl.SSLSocket.getpeercert` gives; None, or empty: there was none."""
    if not certificate:
        return frozenset()
    common = {value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"}
    dns = {value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
    return frozenset(str(name).lower() for name in common | dns)


def _read(variable: str, path: Path | None) -> None:
    """Raises SettingsError when the file cannot be read."""
    if path is None:
        return
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{variable}: cannot read {path}: {error.strerror or error}.") from error


def _said(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
