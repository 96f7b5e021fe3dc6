"""Answers: what came back over HTTP, and what it means when nothing did. Sends nothing.

Shared by the two ways to HubSpot: the vendor's client (`transport`) and the journal, which that client does
not know (`journal_calls`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import orjson
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError, SSLError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from connector.clock import SECOND_MS
from connector.platforms.errors import RetryLater
from connector.platforms.hubspot.faults import Outcome, Pause, Sent, classify
from connector.platforms.protocol import Usage
from connector.platforms.retry_after import retry_after_seconds
from connector.platforms.settings import is_loopback
from connector.platforms.unreached import why_unreached

LONGEST_INTERVAL_SECONDS = 60.0
"""The stretch over which calls are counted is 10 seconds; what goes far beyond is somebody's mistake."""

_NUMBER = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: HTTP status, the parsed body (None when empty or not JSON), what it says about waiting."""

    status: int
    body: Any
    readable: bool = True
    pause: Pause = field(default_factory=Pause)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300 and self.readable

    def fault(self, sent: Sent) -> Outcome:
        """What went wrong, when not `ok`."""
        return classify(self.body, self.status, sent, self.pause)

    def checked(self) -> Any:
        """The body of a read. Raises the fault when it is not `ok`."""
        if not self.ok:
            raise self.fault("read")
        return self.body

    def for_all(self) -> RetryLater | None:
        """What a refusal says that concerns more than its request."""
        fault = None if self.ok else self.fault("read")
        return fault if isinstance(fault, RetryLater) and fault.concerns != "request" else None


def answer_of(response: urllib3.BaseHTTPResponse, now_ms: int) -> Answer:
    """An answer whose body has been loaded."""
    interval_ms = _number(response.headers, "X-HubSpot-RateLimit-Interval-Milliseconds")
    pause = Pause(
        retry_after_seconds(response.headers.get("Retry-After"), now_ms),
        min(interval_ms / SECOND_MS, LONGEST_INTERVAL_SECONDS) if interval_ms else 10.0,
    )
    if not response.data:
        return Answer(response.status, None, pause=pause)
    try:
        return Answer(response.status, orjson.loads(response.data), pause=pause)
    except orjson.JSONDecodeError:
        return Answer(response.status, None, readable=False, pause=pause)


def usage_of(headers: Mapping[str, str]) -> Usage:
    """What the headers of an answer tell about the limits; a limit of no calls at all tells nothing."""
    limit = _number(headers, "X-HubSpot-RateLimit-Daily") or None
    left = _number(headers, "X-HubSpot-RateLimit-Daily-Remaining")
    return Usage(
        day_used=max(0, limit - left) if limit is not None and left is not None else None,
        day_limit=limit,
        burst_limit=_number(headers, "X-HubSpot-RateLimit-Max") or None,
    )


def pools_to(url: str) -> urllib3.PoolManager:
    """Connections to the host of `url`, through the proxy of the environment where there is one for it."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not is_loopback(url) and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, maxsize=4)
    return urllib3.PoolManager(maxsize=4)


def unanswered(error: HTTPError, host: str, *, writing: bool) -> RetryLater:
    """What a failed exchange means: never sent, or sent with the answer lost."""
    if isinstance(error, (ConnectTimeoutError, NewConnectionError, SSLError, ProxyError)):
        return RetryLater(
            f"HubSpot cannot be reached at {host} ({why_unreached(error)}): check the network and "
            "LEADLOOP_HUBSPOT__BASE_URL",
            30,
            concerns="side",
            answered=False,
        )
    if isinstance(error, Urllib3Timeout):
        return RetryLater(
            f"HubSpot did not answer at {host} in time: check the network and "
            "LEADLOOP_HUBSPOT__READ_TIMEOUT_SECONDS",
            30,
            writing,
            answered=False,
        )
    return RetryLater(f"the connection to HubSpot at {host} broke ({type(error).__name__})", 15, writing)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = (headers.get(name) or "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None
