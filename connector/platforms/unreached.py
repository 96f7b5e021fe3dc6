"""Unreached: why a platform could not be reached, in an admin's words. Never quotes what was sent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from urllib3.exceptions import ConnectTimeoutError, ProxyError

_DEEPEST = 10


def why_unreached(error: BaseException) -> str:
    """What stopped the connection, from an error of requests or urllib3; the type's name for what is new."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ProxyError):
            return "the proxy of the environment does not serve it"
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return "its name is not known"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS: {cause.reason or type(cause).__name__}".lower().replace("tls", "TLS", 1)
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    # last, because urllib3 counts every failed connection as one
    if any(isinstance(cause, (ConnectTimeoutError, TimeoutError)) for cause in causes):
        return "no connection in time"
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what is inside it, outermost first."""
    found: BaseException | None = error
    for _ in range(_DEEPEST):
        if found is None:
            return
        yield found
        inner = getattr(found, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in found.args if isinstance(part, BaseException)), None)
        found = inner or found.__cause__ or found.__context__
