"""Files of HubSpot's webhooks journal: fetched from where an entry says, and read.

A file holds `{offset, journalEvents, publishedAt}`, up to 10,000 events or 5 MB (reported from HubSpot's
notes of July 2026). It lies with a storage service at an address that is signed and good for a while; no
token of ours may go there. Nothing that this service answers is trusted but the events, which are hints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
import urllib3
from urllib3.exceptions import DecodeError, HTTPError, IncompleteRead, InvalidChunkLength, LocationParseError
from urllib3.util import Timeout

from connector.clock import SECOND_MS, Clock
from connector.platforms.hubspot.answers import pools_to
from connector.platforms.hubspot.journal_calls import LONGEST_ANSWER_SECONDS
from connector.platforms.hubspot.journal_events import moment_ms
from connector.platforms.settings import HubSpotSettings, is_loopback
from connector.platforms.unreached import why_unreached

MOST_BYTES = 32 * 1_048_576
"""Of the file as it is read, whatever it was packed into."""

_CHUNK_BYTES = 65_536
_MOST_HOSTS = 4


@dataclass(frozen=True, slots=True)
class JournalFile:
    """What a file holds. `published_ms` is by HubSpot's clock; None where the file does not tell it."""

    events: Sequence[object]
    published_ms: int | None


class FileFault(Exception):
    """A file could not be had. `str()` says why, without the address, which is a key. `wait_seconds` is how
    long to leave it alone; 0: ask for a new address at once."""

    def __init__(self, reason: str, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class JournalFiles:
    """Fetches files. For one thread."""

    def __init__(self, settings: HubSpotSettings, clock: Clock) -> None:
        self._loopback = is_loopback(settings.base_url)
        self._clock = clock
        self._timeout = Timeout(
            connect=settings.connect_timeout_seconds,
            read=min(settings.read_timeout_seconds, LONGEST_ANSWER_SECONDS),
        )
        self._pools: dict[str, urllib3.PoolManager] = {}

    def fetch(self, url: str) -> JournalFile:
        """The file at a signed address. Raises FileFault."""
        pools = self._pools_to(url)
        until_ms = self._clock.now_ms() + int(LONGEST_ANSWER_SECONDS * SECOND_MS)
        try:
            response = pools.request(
                "GET",
                url,
                headers={"Accept-Encoding": "gzip", "User-Agent": "leadloop"},
                retries=False,
                redirect=False,
                timeout=self._timeout,
                preload_content=False,
            )
            try:
                return _file_of(self._content(response, until_ms))
            except FileFault:
                response.close()  # what is left of it must not be taken for the next answer
                raise
            finally:
                response.release_conn()
        except (DecodeError, IncompleteRead, InvalidChunkLength) as error:
            raise FileFault(f"the file ends early ({type(error).__name__})") from error
        except LocationParseError as error:
            raise FileFault("its address is none") from error
        except HTTPError as error:
            raise FileFault(f"its storage did not answer ({why_unreached(error)})", 30) from error

    def close(self) -> None:
        """Close all connections."""
        for pools in self._pools.values():
            pools.clear()
        self._pools.clear()

    def _pools_to(self, url: str) -> urllib3.PoolManager:
        try:
            parts = urlsplit(url)
            origin = f"{parts.scheme}://{parts.netloc}"
            safe = parts.scheme == "https" and not is_loopback(url)
            usable = safe or (self._loopback and is_loopback(url) and parts.scheme in ("http", "https"))
        except ValueError as error:
            raise FileFault("its address is none") from error
        if not usable or not parts.hostname or parts.username is not None:
            raise FileFault("its address is not one of HTTPS on the internet")
        if origin not in self._pools:
            if len(self._pools) >= _MOST_HOSTS:
                self.close()
            self._pools[origin] = pools_to(url)
        return self._pools[origin]

    def _content(self, response: urllib3.BaseHTTPResponse, until_ms: int) -> bytes:
        if response.status in (400, 401, 403, 404, 410):
            raise FileFault(f"its address is not good any more (HTTP {response.status})")
        if response.status != 200:
            raise FileFault(f"its storage gave no file (HTTP {response.status})", 30)
        content = bytearray()
        # what has come, however little: a storage may give a byte now and then
        while chunk := response.read1(_CHUNK_BYTES, decode_content=True):
            content += chunk
            if len(content) > MOST_BYTES:
                raise FileFault(f"it has more than {MOST_BYTES} bytes")
            if self._clock.now_ms() > until_ms:
                raise FileFault("it takes too long", 30)
        return bytes(content)


def _file_of(content: bytes) -> JournalFile:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise FileFault("it is not JSON") from error
    events = body.get("journalEvents") if isinstance(body, Mapping) else None
    if not isinstance(events, list):
        raise FileFault("it has no list of events")
    return JournalFile(events, moment_ms(body.get("publishedAt")))
