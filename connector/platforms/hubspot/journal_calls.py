"""Calls to HubSpot's webhooks journal: where its entries are, and what it is subscribed to.

The vendor's client does not know the journal, so the requests are made here (paths and bodies from HubSpot's
OpenAPI spec of 2026-03). It takes a token that an app gets for its own id and secret and that opens nothing
else; the token of the account is of no use here. An entry is the address of a file, which `journal_files`
fetches. Must not interpret events, nor retry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from connector.clock import SECOND_MS, Clock
from connector.lane import Lane
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.hubspot.answers import Answer, answer_of, pools_to, unanswered
from connector.platforms.hubspot.faults import app_token_refusal
from connector.platforms.protocol import Meter, Usage
from connector.platforms.settings import HubSpotSettings

VERSION = "2026-03"
SCOPES = ("developer.webhooks_journal.read", "developer.webhooks_journal.subscriptions.read")
SUBSCRIBING = "developer.webhooks_journal.subscriptions.write"
LONGEST_ANSWER_SECONDS = 20.0
"""A journal that is slower than this is left for later: whoever follows it holds a lease."""

_RENEW_BEFORE_MS = 60_000
_LIVES_SECONDS = 1_800
_REMEDY = (
    "check that the app of LEADLOOP_HUBSPOT__CLIENT_ID is installed in this account and has the scopes "
    "developer.webhooks_journal.* and those of the mapped objects"
)
_OFFSET = re.compile(r"[A-Za-z0-9_.-]{1,200}\Z")


class UnknownOffset(Exception):
    """The journal does not know the offset: it is older than what it keeps, or of another journal. HubSpot's
    reference of 2027-03-beta says 404; with nothing newer the answer is 204 (reported from the live API in
    September 2026)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the journal: where it stands, and its address, which is good for a while."""

    offset: str
    url: str


class JournalCalls:
    """The journal of one account. For one thread. Every call raises RetryLater or Refused."""

    def __init__(
        self, settings: HubSpotSettings, client_id: str, portal_id: str, meter: Meter, clock: Clock
    ) -> None:
        self._origin = settings.base_url
        self._host = urlsplit(settings.base_url).netloc
        self._client_id = client_id
        self._client_secret = settings.client_secret
        self._scopes = (*SCOPES, SUBSCRIBING) if settings.journal_subscribe else SCOPES
        self._portal_id = portal_id
        self._meter = meter
        self._clock = clock
        self._timeout = Timeout(
            connect=settings.connect_timeout_seconds,
            read=min(settings.read_timeout_seconds, LONGEST_ANSWER_SECONDS),
        )
        self._pools = pools_to(settings.base_url)
        self._token = ""
        self._expires_ms = 0

    def earliest(self) -> Entry | None:
        """The oldest entry that is kept; None when there is none."""
        return self._entry("earliest")

    def latest(self) -> Entry | None:
        """The newest entry; None when there is none."""
        return self._entry("latest")

    def after(self, offset: str) -> Entry | None:
        """The entry after `offset`; None when there is none yet. Raises UnknownOffset."""
        return self._entry(f"offset/{offset}/next", offset)

    def batch_after(self, offset: str, count: int) -> Sequence[Entry]:
        """Up to `count` entries after `offset`, in order. Raises UnknownOffset."""
        answer = self._journal(f"batch/{offset}/next/{count}")
        _check_offset(answer, offset)
        if answer.status in (204, 404):
            return []
        body = answer.checked()
        results = body.get("results") if isinstance(body, Mapping) else None
        if not isinstance(results, list):
            raise _unusable()
        return [_entry_of(each) for each in results]

    def subscriptions(self) -> list[Mapping[str, Any]]:
        """All subscriptions of the app, in whichever account."""
        body = self._call("GET", f"/webhooks-journal/subscriptions/{VERSION}").checked()
        results = body.get("results") if isinstance(body, Mapping) else None
        if not isinstance(results, list):
            raise _unusable()
        return [each for each in results if isinstance(each, Mapping)]

    def subscribe(self, body: Mapping[str, Any]) -> None:
        """Create a subscription, or change the one that is like it."""
        self._call("POST", f"/webhooks-journal/subscriptions/{VERSION}", body).checked()

    def close(self) -> None:
        """Close all connections."""
        self._pools.clear()

    def _entry(self, place: str, offset: str | None = None) -> Entry | None:
        answer = self._journal(place)
        if offset is not None:
            _check_offset(answer, offset)
        if answer.status in (204, 404):  # without an offset there is nothing that could be unknown
            return None
        return _entry_of(answer.checked())

    def _journal(self, place: str) -> Answer:
        # the journal of one account: that of the app holds the events of all accounts that have installed it
        path = f"/webhooks-journal/journal-local/{VERSION}/{place}?installPortalId={self._portal_id}"
        return self._call("GET", path)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        # HubSpot: a 401 is no signal that a token is over; its time to live is
        fresh = self._clock.now_ms() >= self._expires_ms - _RENEW_BEFORE_MS
        if fresh:
            self._renew()
        answer = self._send(method, path, body)
        if answer.status == 401 and not fresh:
            self._renew()
            answer = self._send(method, path, body)
        if answer.status == 401:
            raise RetryLater(f"HubSpot's journal refuses the token of the app (HTTP 401): {_REMEDY}", 300)
        if answer.status == 403:
            fault = answer.fault("read")
            raise Refused(f"HubSpot's journal is closed to the app ({fault.reason}): {_REMEDY}", "FORBIDDEN")
        return answer

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is None:
            return self._exchange(method, path, headers)
        return self._exchange(
            method, path, {**headers, "Content-Type": "application/json"}, body=orjson.dumps(body)
        )

    def _renew(self) -> None:
        secret = self._client_secret
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": secret.get_secret_value() if secret is not None else "",
            "scope": " ".join(self._scopes),
        }
        answer = self._exchange("POST", f"/oauth/{VERSION}/token", {}, fields=form, encode_multipart=False)
        body = answer.body if isinstance(answer.body, Mapping) else {}
        token = body.get("access_token")
        if answer.status in (400, 401, 403):
            raise Refused(app_token_refusal(body, answer.status), "NO_APP_TOKEN")
        if not answer.ok or not isinstance(token, str):
            raise RetryLater(f"HubSpot gave no token for its journal (HTTP {answer.status})", 30)
        seconds = body.get("expires_in")
        lives_seconds = seconds if isinstance(seconds, int) and seconds > 0 else _LIVES_SECONDS
        self._expires_ms = self._clock.now_ms() + lives_seconds * SECOND_MS
        self._token = token

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], **sent: Any) -> Answer:
        # whether they count to the account's day is told nowhere: counted, in a lane that leaves polling its
        # part
        self._meter.admit(Lane.UPDATE, "read" if method == "GET" else "metadata")
        try:
            response = self._pools.request(
                method,
                f"{self._origin}{path}",
                headers={**headers, "Accept-Encoding": "gzip", "User-Agent": "leadloop"},
                retries=False,
                redirect=False,  # a redirect must not carry the token to another host
                timeout=self._timeout,
                **sent,
            )
        except HTTPError as error:
            raise unanswered(error, self._host, writing=False) from error
        # its headers speak of another app's limits than those that the meter paces
        self._meter.answered(Usage())
        return answer_of(response, self._clock.now_ms())


def is_offset(text: str) -> bool:
    """Whether `text` can stand in a path as an offset: they are UUIDs, by the spec."""
    return _OFFSET.match(text) is not None


def _check_offset(answer: Answer, offset: str) -> None:
    if answer.status in (400, 404, 410):
        raise UnknownOffset(offset)


def _entry_of(found: object) -> Entry:
    if isinstance(found, Mapping):
        offset, url = found.get("currentOffset"), found.get("url")
        if isinstance(offset, str) and is_offset(offset) and isinstance(url, str):
            return Entry(offset, url)
    raise _unusable()


def _unusable() -> RetryLater:
    return RetryLater("HubSpot's journal gave an answer that says nothing", 60)
