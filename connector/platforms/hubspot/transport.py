"""Transport: every HTTP request to HubSpot, through hubspot-api-client.

The only file that imports the vendor package. Its api objects are made once and kept (each access of
`client.crm…` would open a new connection), and `_Wire` stands in for the urllib3 pool below them: the one
place for API versions, allowed host, redirects, retries (none) and compression. Bodies are taken raw and read
with orjson: the client's models cost twenty times as much. It renews the token over its `expires_in`, and at
most once on a 401. It must not interpret answers: callers classify them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import urllib3
from hubspot import HubSpot as Client
from urllib3.exceptions import HTTPError

from connector.clock import Clock
from connector.lane import Lane
from connector.platforms.clock_there import ClockThere
from connector.platforms.credentials import RefreshToken
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.hubspot.answers import Answer, answer_of, pools_to, unanswered, usage_of
from connector.platforms.hubspot.faults import renewal_refusal
from connector.platforms.hubspot.paths import ACCOUNT, in_version
from connector.platforms.protocol import Meter
from connector.platforms.settings import HubSpotSettings

Kind = Literal["read", "search", "write", "metadata"]

_RENEW_BEFORE_MS = 60_000
_AFTER_REFUSED_TOKEN_SECONDS = 300


class _Answered(Exception):
    """Any answer but a 2xx, raised below the vendor code, whose exception classes differ by api package and
    break on bodies that are not UTF-8."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        super().__init__(response.status)
        self.response = response


class _Unanswered(Exception):
    """No answer, for the reason in `error`. Raised below the vendor code, which takes a failed TLS handshake
    for an answer and breaks on its missing body."""

    def __init__(self, error: HTTPError) -> None:
        super().__init__(error)
        self.error = error


class _Wire:
    """What the generated code takes for a urllib3.PoolManager."""

    def __init__(self, settings: HubSpotSettings) -> None:
        self._origin = settings.base_url
        self._version = settings.api_version
        self.pools = pools_to(settings.base_url)

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self._origin:
            raise Refused(f"leadloop does not send to {parts.hostname}", "FOREIGN_HOST")
        query = f"?{parts.query}" if parts.query else ""
        options["headers"] = {**options["headers"], "Accept-Encoding": "gzip", "User-Agent": "leadloop"}
        options["preload_content"] = True
        try:
            response = self.pools.request(
                method,
                f"{self._origin}{in_version(parts.path, self._version)}{query}",
                retries=False,
                redirect=False,  # a redirect must not carry the token to another host
                **options,
            )
        except HTTPError as error:
            raise _Unanswered(error) from error
        if not 200 <= response.status < 300:
            raise _Answered(response)
        return response


class Transport:
    """One account's API with one token. Not for use by several threads."""

    def __init__(self, settings: HubSpotSettings, meter: Meter, clock: Clock) -> None:
        credentials = settings.credentials()
        self._meter = meter
        self._clock = clock
        self.there = ClockThere(clock)
        self._timeout = (settings.connect_timeout_seconds, settings.read_timeout_seconds)
        self._wire = _Wire(settings)
        self._host = urlsplit(settings.base_url).netloc
        # host= redirects the generated apis; retry=False: the client's own retries repeat creates
        client = Client(
            access_token="none yet",  # noqa: S106  # replaced before the first request
            retry=False,
            host=settings.base_url,
        )
        self._search_api = client.crm.objects.search_api
        self._batch_api = client.crm.objects.batch_api
        self._basic_api = client.crm.objects.basic_api
        self._properties_api = client.crm.properties.core_api
        self._owners_api = client.crm.owners.owners_api
        self._pipelines_api = client.crm.pipelines.pipelines_api
        self._associations_api = client.crm.associations.v4.batch_api
        self._tokens_api = client.oauth.tokens_api
        self._apis = (
            self._search_api,
            self._batch_api,
            self._basic_api,
            self._properties_api,
            self._owners_api,
            self._pipelines_api,
            self._associations_api,
            self._tokens_api,
        )
        for api in self._apis:
            api.api_client.rest_client.pool_manager.clear()
            api.api_client.rest_client.pool_manager = self._wire
        self._refresh = credentials if isinstance(credentials, RefreshToken) else None
        self._token: str | None = None
        self._expires_ms = 0
        self._refused_until_ms = 0
        self._refusal = ""
        if not isinstance(credentials, RefreshToken):
            self._use(credentials.access_token)

    def search(self, object_name: str, body: Mapping[str, Any], lane: Lane) -> Answer:
        """One search. Like all requests: raises RetryLater or Refused when no answer came or no token is to
        be had; HTTP errors come back as an Answer."""
        return self._call(lambda **o: self._search_api.do_search(object_name, body, **o), lane, "search")

    def batch(
        self, object_name: str, verb: Literal["read", "update", "create"], body: Mapping[str, Any], lane: Lane
    ) -> Answer:
        """One batch request."""
        send = getattr(self._batch_api, verb)
        kind: Kind = "read" if verb == "read" else "write"
        return self._call(lambda **o: send(object_name, body, **o), lane, kind)

    def page(self, object_name: str, lane: Lane, **parameters: object) -> Answer:
        """One page of the list of an object."""
        return self._call(lambda **o: self._basic_api.get_page(object_name, **parameters, **o), lane, "read")

    def properties(self, object_name: str, lane: Lane) -> Answer:
        """All property definitions of an object type."""
        return self._call(lambda **o: self._properties_api.get_all(object_name, **o), lane, "metadata")

    def pipelines(self, object_name: str, lane: Lane) -> Answer:
        """All pipelines of an object type, with their stages."""
        return self._call(lambda **o: self._pipelines_api.get_all(object_name, **o), lane, "metadata")

    def associations(self, origin: str, target: str, body: Mapping[str, Any], lane: Lane) -> Answer:
        """What records of one object are associated with in another."""
        return self._call(
            lambda **o: self._associations_api.get_page(origin, target, body, **o), lane, "read"
        )

    def owners(self, lane: Lane, **parameters: object) -> Answer:
        """One page of owners."""
        return self._call(lambda **o: self._owners_api.get_page(**parameters, **o), lane, "metadata")

    def account(self, lane: Lane) -> Answer:
        """The account's details. The client has no method for it, so its general one is used."""
        call = self._owners_api.api_client.call_api
        return self._call(
            lambda **o: call(ACCOUNT, "GET", header_params={}, auth_settings=["oauth2"], **o),
            lane,
            "metadata",
        )

    @property
    def locked_out(self) -> bool:
        """Whether the token was not accepted lately, so that trying again soon is no use."""
        return self._clock.now_ms() < self._refused_until_ms

    def close(self) -> None:
        """Close all connections."""
        self._wire.pools.clear()

    def _call(self, send: Callable[..., Any], lane: Lane, kind: Kind) -> Answer:
        self._ensure_token(lane)
        answer = self._attempt(send, lane, kind)
        if answer.status != 401:
            return answer
        if self._refresh is not None:
            self._renew(lane)
            answer = self._attempt(send, lane, kind)
            if answer.status != 401:
                return answer
        body = answer.body if isinstance(answer.body, Mapping) else {}
        name = "ACCESS_TOKEN" if self._refresh is None else "REFRESH_TOKEN"
        raise self._refuse(
            f"HubSpot does not accept the token of LEADLOOP_HUBSPOT__{name} "
            f"({body.get('category') or 'HTTP 401'}): set a valid one"
        )

    def _attempt(self, send: Callable[..., Any], lane: Lane, kind: Kind) -> Answer:
        self._meter.admit(lane, kind)
        try:
            response = send(_preload_content=False, _request_timeout=self._timeout)
        except _Answered as answered:
            response = answered.response
        except _Unanswered as lost:
            raise unanswered(lost.error, self._host, writing=kind == "write") from lost
        self.there.heard(response.headers.get("Date"))
        answer = answer_of(response, self._clock.now_ms())
        self._meter.answered(usage_of(response.headers), answer.for_all())
        return answer

    def _ensure_token(self, lane: Lane) -> None:
        now_ms = self._clock.now_ms()
        if now_ms < self._refused_until_ms:
            raise RetryLater(self._refusal, (self._refused_until_ms - now_ms) / 1_000)
        # HubSpot: a 401 is no signal that a refresh is due; the time to live is
        if self._refresh is not None and now_ms >= self._expires_ms - _RENEW_BEFORE_MS:
            self._renew(lane)

    def _renew(self, lane: Lane) -> None:
        refresh = self._refresh
        assert refresh is not None  # noqa: S101  # told to mypy; only called with a refresh token
        answer = self._attempt(
            lambda **o: self._tokens_api.create(
                grant_type="refresh_token",
                client_id=refresh.client_id,
                client_secret=refresh.client_secret,
                refresh_token=refresh.refresh_token,
                **o,
            ),
            lane,
            "metadata",
        )
        body = answer.body if isinstance(answer.body, Mapping) else {}
        token = body.get("access_token")
        if not answer.ok or not isinstance(token, str):
            if answer.status in (400, 401, 403):
                raise self._refuse(renewal_refusal(body, answer.status))
            raise RetryLater(f"HubSpot did not renew the token (HTTP {answer.status})", 30)
        if body.get("refresh_token"):
            self._refresh = RefreshToken(refresh.client_id, refresh.client_secret, str(body["refresh_token"]))
        self._expires_ms = self._clock.now_ms() + int(body.get("expires_in") or 1_800) * 1_000
        self._use(token)

    def _use(self, token: str) -> None:
        self._token = token
        # a kept api object does not see a token that the client gets later
        for api in self._apis:
            api.api_client.configuration.access_token = token

    def _refuse(self, reason: str) -> RetryLater:
        self._refusal = reason
        self._refused_until_ms = self._clock.now_ms() + _AFTER_REFUSED_TOKEN_SECONDS * 1_000
        return RetryLater(reason, _AFTER_REFUSED_TOKEN_SECONDS)
