"""Transport: every HTTP request to Salesforce, through simple-salesforce.

The only file that imports simple-salesforce. It gives each request a time-out, a place from the meter,
our headers (again after each login) and a host check; it opens the session, and opens it anew once when it
has expired. It must not interpret what records or queries mean: callers classify the answer.

It calls `Salesforce._call_salesforce`, not the public `restful`, because only that hands back the response:
`restful` parses with the standard library into OrderedDicts (twice the cost of the whole read), hides
status and headers, and answers None for 204 and `[]` alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce as Client
from simple_salesforce.exceptions import SalesforceError
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ReadTimeoutError

from connector.clock import HOUR_MS, MINUTE_MS, Clock
from connector.lane import Lane
from connector.platforms.clock_there import ClockThere
from connector.platforms.credentials import SessionId
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import Meter, Usage
from connector.platforms.salesforce.faults import Outcome, Sent, classify, faults_of
from connector.platforms.salesforce.login import Session, log_in
from connector.platforms.settings import SalesforceSettings, is_loopback
from connector.platforms.unreached import why_unreached

HEADERS: Mapping[str, str] = {
    # Absent means TRUE: assignment rules would change OwnerId on every create and update.
    "Sforce-Auto-Assign": "FALSE",
    # Shows as the client in change events, so that admins and others can tell our writes.
    "Sforce-Call-Options": "client=leadloop",
    "X-PrettyPrint": "0",
    "Accept": "application/json",
    "User-Agent": "leadloop",
}
_AFTER_REFUSED_LOGIN_SECONDS = 300
"""How long to leave the login alone once it was refused: repeated logins can lock the user."""

UNTOLD_AT_MOST = 10
"""After so many answers in a row that told nothing of the day's calls, the limits themselves are asked for.
Nearly every answer tells; those without a body have been recorded without."""

ASK_LIMITS_EVERY_MS = 15 * MINUTE_MS
"""How often they are asked for at most, by all workers: what was told is believed for so long."""

_LOCATOR = re.compile(r"/services/data/v\d+\.\d/query(?:All)?/[\w.~%-]+\Z")

# not that of the app alone, which is told beside it: per-app-api-usage=17/250(appName=…)
_API_USAGE = re.compile(r"(?<![\w-])api-usage=([0-9]{1,12})/([1-9][0-9]{0,11})(?![0-9])")

Kind = Literal["read", "search", "write", "metadata"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: HTTP status and the parsed body (None when empty or not JSON). Of a page of CSV the body is
    bytes, and `headers` tell where it goes on."""

    status: int
    body: Any
    readable: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300 and self.readable

    def fault(self, sent: Sent) -> Outcome:
        """What went wrong, when not `ok`."""
        return classify(self.body, self.status, sent)

    def checked(self) -> Any:
        """The body of a read. Raises the fault when it is not `ok`."""
        if not self.ok:
            raise self.fault("read")
        return self.body


class _ForeignHost(requests.RequestException):
    """A request was about to leave for a host that is not configured."""


class _Wire(HTTPAdapter):
    """Sends only to known origins, always with a time-out; rewrites https to http for a loopback sandbox,
    since simple-salesforce always makes https addresses."""

    def __init__(self, timeout: tuple[float, float]) -> None:
        self.timeout = timeout
        self.origins: dict[str, str] = {}
        super().__init__()

    def allow(self, origin: str) -> None:
        """Let requests to `origin` pass; for a plain http origin also those made for https."""
        self.origins[origin] = origin
        self.origins[origin.replace("http://", "https://", 1)] = origin

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        target = self.origins.get(f"{parts.scheme}://{parts.netloc}")
        if target is None:
            raise _ForeignHost(f"{parts.hostname} is not a configured host")
        request.url = target + (request.url or "")[len(f"{parts.scheme}://{parts.netloc}") :]
        if options.get("timeout") is None:
            options["timeout"] = self.timeout
        return super().send(request, *args, **options)


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without an `auth` of its own, requests lets a .netrc entry replace our Authorization header.
    return request


class Transport:
    """One session with one org. Not for use by several threads."""

    def __init__(self, settings: SalesforceSettings, meter: Meter, clock: Clock) -> None:
        # Asked for now, so that incomplete credentials are an error at start, not at the first poll.
        self._renewable = not isinstance(settings.credentials(), SessionId)
        self.settings = settings
        self._meter = meter
        self._clock = clock
        self.there = ClockThere(clock)
        self._wire = _Wire((settings.connect_timeout_seconds, settings.read_timeout_seconds))
        for origin in (settings.base_url, settings.instance_url, settings.login_url):
            if origin is not None:
                self._wire.allow(origin)
        self._http = requests.Session()
        self._http.auth = _no_netrc
        # proxies of the environment, but never for a sandbox on this machine
        self._http.trust_env = not is_loopback(settings.base_url or settings.instance_url or "")
        self._http.mount("https://", self._wire)
        self._http.mount("http://", self._wire)
        self._http.hooks["response"].append(self._note_headers)
        self._usage = Usage()
        self._untold = 0
        self._ask_limits_ms = 0
        self._client: Client | None = None
        self._session: Session | None = None
        self._no_login_until_ms = 0
        self._login_refusal = ""

    @property
    def data_path(self) -> str:
        """`/services/data/v62.0`."""
        return f"/services/data/v{self.settings.api_version}"

    def session(self, lane: Lane) -> Session:
        """The open session; opens one when there is none. Raises Refused, RetryLater."""
        if self._session is None:
            self._log_in(lane)
        assert self._session is not None  # noqa: S101  # told to mypy; _log_in sets it or raises
        return self._session

    def session_instead_of(self, refused: Session, lane: Lane) -> Session:
        """A session in place of one that an API besides REST did not accept. Raises Refused, RetryLater."""
        if self._session is refused:
            self._session = None
        if not self._renewable:
            raise self.locked_out_by("HTTP 401")
        return self.session(lane)

    def get(self, path: str, lane: Lane, kind: Kind) -> Answer:
        """GET `path` (absolute, from `/services` on). Raises RetryLater, Refused when no answer came."""
        return self.call("GET", path, None, lane, kind)

    def next_page(self, next_records_url: str, lane: Lane, kind: Kind) -> Any:
        """The next page of a query, by the page before's `nextRecordsUrl`. Raises RetryLater, Refused."""
        # Taken from an answer, so checked: it must stay a path to a query of this org.
        if not _LOCATOR.match(next_records_url):
            raise Refused("Salesforce named a next page that is not a query", "INVALID_QUERY_LOCATOR")
        return self.get(next_records_url, lane, kind).checked()

    def csv(self, path: str, lane: Lane) -> Answer:
        """GET a page of CSV, as bytes: the vendor's client would guess its charset. See `call`."""
        return self.call("GET", path, None, lane, "read", accept="text/csv")

    @property
    def locked_out(self) -> bool:
        """Whether the last login or session was not accepted, so that trying again soon is no use."""
        return self._clock.now_ms() < self._no_login_until_ms

    def call(
        self, method: str, path: str, body: object, lane: Lane, kind: Kind, accept: str = "application/json"
    ) -> Answer:
        """One request. Logs in anew, once, when the session has expired.

        Raises RetryLater when no answer came (`applied_unknown` for writes that may have arrived) or the
        session is not accepted; Refused when a login is refused. HTTP errors come back as an Answer."""
        if self._untold >= UNTOLD_AT_MOST:
            now_ms = self._clock.now_ms()
            if now_ms >= max(self._ask_limits_ms, self._meter.told_ms + ASK_LIMITS_EVERY_MS):
                self._ask_limits(lane)
        answer = self._attempt(method, path, body, lane, kind, accept)
        if answer.status != 401:
            return answer
        self._session = None
        if self._renewable:
            answer = self._attempt(method, path, body, lane, kind, accept)
            if answer.status != 401:
                return answer
            self._session = None
        raise self._locked_out(answer)

    def _locked_out(self, answer: Answer) -> RetryLater:
        return self.locked_out_by(next((fault.code for fault in faults_of(answer.body)), "HTTP 401"))

    def locked_out_by(self, said: str) -> RetryLater:
        """Leave the login alone for a while: the session that it gave was not accepted, for the reason
        given."""
        self._session = None
        if self._renewable:
            self._login_refusal = f"Salesforce does not accept the session of a fresh login ({said})"
        else:
            self._login_refusal = (
                f"Salesforce does not accept LEADLOOP_SALESFORCE__SESSION_ID ({said}): set a new one, or use "
                "JWT bearer or client credentials, which leadloop can renew"
            )
        self._no_login_until_ms = self._clock.now_ms() + _AFTER_REFUSED_LOGIN_SECONDS * 1_000
        return RetryLater(self._login_refusal, _AFTER_REFUSED_LOGIN_SECONDS)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _attempt(self, method: str, path: str, body: object, lane: Lane, kind: Kind, accept: str) -> Answer:
        answer = self._exchange(method, path, body, lane, kind, accept)
        self._untold = 0 if self._usage.day_limit is not None else self._untold + 1
        self._meter.answered(self._usage, _for_all(answer))
        return answer

    def _exchange(self, method: str, path: str, body: object, lane: Lane, kind: Kind, accept: str) -> Answer:
        origin = self.session(lane).origin
        assert self._client is not None  # noqa: S101  # told to mypy; the session brings the client
        content = None if body is None else orjson.dumps(body)
        self._meter.admit(lane, kind)
        self._usage = Usage()
        try:
            # allow_redirects: a redirect must not carry the token to another host.
            # stream: the body is read in one piece below; requests would join it from pieces of 10 KB.
            response = self._client._call_salesforce(
                method,
                _https(origin) + path,
                data=content,
                allow_redirects=False,
                stream=True,
                headers={"Accept": accept},
            )
            received = response.raw.read(decode_content=True)
        except SalesforceError as error:
            return Answer(error.status, error.content if not isinstance(error.content, bytes) else None)
        except (requests.RequestException, HTTPError) as error:
            raise self._lost(error, origin, writing=kind == "write") from error
        if not received:
            return Answer(response.status_code, None, headers=response.headers)
        if accept == "text/csv":
            kind_of_body = response.headers.get("Content-Type", "")
            readable = kind_of_body.startswith("text/csv")  # not the HTML of a gateway
            shown = received if readable else _page(received)
            return Answer(response.status_code, shown, readable, response.headers)
        try:
            return Answer(response.status_code, orjson.loads(received))
        except orjson.JSONDecodeError:
            return Answer(response.status_code, _page(received), readable=False)

    def _ask_limits(self, lane: Lane) -> None:
        """Have the meter told of the day's calls by the endpoint for it, since no answer's header does. Where
        that tells nothing either, it is left alone for an hour."""
        self._ask_limits_ms = self._clock.now_ms() + HOUR_MS
        self._untold = 0
        answer = self._attempt("GET", f"{self.data_path}/limits", None, lane, "metadata", "application/json")
        day = answer.body.get("DailyApiRequests") if answer.ok and isinstance(answer.body, Mapping) else None
        match day:  # where it does not, the configured limit is all that is known
            case {"Max": int(most), "Remaining": int(left)} if most > 0:
                self._ask_limits_ms = 0
                self._meter.answered(Usage(day_used=max(0, most - max(0, left)), day_limit=most))

    def _log_in(self, lane: Lane) -> None:
        now_ms = self._clock.now_ms()
        if now_ms < self._no_login_until_ms:
            raise RetryLater(self._login_refusal, (self._no_login_until_ms - now_ms) / 1_000)
        try:
            session = log_in(self.settings, lambda url, form: self._post(url, form, lane), now_ms)
        except Refused as refusal:
            self._login_refusal = str(refusal)
            self._no_login_until_ms = now_ms + _AFTER_REFUSED_LOGIN_SECONDS * 1_000
            raise
        self._wire.allow(session.origin)
        self._client = Client(
            session_id=session.token,
            instance_url=_https(session.origin),
            session=self._http,
            version=self.settings.api_version,
        )
        # On the client, so that they are on every request of every session: reads, writes, after a new login.
        self._client.headers.update(HEADERS)
        self._session = session

    def _post(self, url: str, form: dict[str, str], lane: Lane) -> tuple[int, bytes]:
        self._meter.admit(lane, "metadata")
        self._usage = Usage()
        try:
            response = self._http.post(
                url, data=form, headers={"User-Agent": "leadloop"}, allow_redirects=False
            )
        except requests.RequestException as error:
            parts = urlsplit(url)
            raise self._lost(error, f"{parts.scheme}://{parts.netloc}", writing=False) from error
        answer = Answer(response.status_code, _page(response.content), response.status_code < 500)
        self._meter.answered(self._usage, _for_all(answer))
        return response.status_code, response.content

    def _lost(
        self, error: requests.RequestException | HTTPError, origin: str, *, writing: bool
    ) -> RetryLater | Refused:
        """What a failed exchange means: refused by us, never sent, or sent with the answer lost."""
        host = urlsplit(origin).netloc
        if isinstance(error, _ForeignHost):
            return Refused(f"leadloop does not send to {error}", "FOREIGN_HOST")
        if _never_sent(error):
            return RetryLater(
                f"Salesforce cannot be reached at {host} ({why_unreached(error)}): check the network and "
                f"{self.settings.source_of(origin)}",
                30,
                concerns="side",
                answered=False,
            )
        if isinstance(error, (requests.Timeout, ReadTimeoutError)):
            return RetryLater(
                f"Salesforce did not answer at {host} in time: check the network and "
                "LEADLOOP_SALESFORCE__READ_TIMEOUT_SECONDS",
                30,
                writing,
                answered=False,
            )
        return RetryLater(
            f"the connection to Salesforce at {host} broke ({type(error).__name__})", 15, writing
        )

    def _note_headers(self, response: requests.Response, *_: object, **__: object) -> None:
        self.there.heard(response.headers.get("Date"))
        told = _API_USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if told is not None:
            self._usage = Usage(day_used=int(told[1]), day_limit=int(told[2]))


def _for_all(answer: Answer) -> RetryLater | None:
    """What a refusal says that concerns more than its request."""
    fault = None if answer.ok else answer.fault("read")
    return fault if isinstance(fault, RetryLater) and fault.concerns != "request" else None


def _page(received: bytes) -> str | None:
    """The beginning of what came in place of data, if it is a page of HTML."""
    begin = received[:200].lstrip()
    return begin.decode("latin-1") if begin.startswith(b"<") else None


def _https(origin: str) -> str:
    return origin.replace("http://", "https://", 1)


def _never_sent(error: Exception) -> bool:
    if isinstance(
        error, (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    ):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
