"""HubSpot's transport: versions, tokens, limits, and what goes where; and the adapter on captured bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connector.clock import ManualClock
from connector.platforms.errors import Missing, Refused, RetryLater
from connector.platforms.hubspot.adapter import HubSpot
from connector.platforms.hubspot.paths import in_version
from connector.platforms.hubspot.records import text_of
from connector.platforms.protocol import FreeMeter, RecordWrite, Usage, Written
from connector.settings import load_settings
from tests.platforms.recordings import json_of, needs_recordings

NOW_MS = 1_790_000_000_000
SEARCH = "/crm/v3/objects/contacts/search"


class _Meter(FreeMeter):
    def __init__(self) -> None:
        super().__init__()
        self.usages: list[Usage] = []

    def answered(self, usage: Usage, later: RetryLater | None = None) -> None:
        self.usages.append(usage)


@pytest.fixture
def meter() -> _Meter:
    return _Meter()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def there(httpserver: HTTPServer, meter: _Meter, clock: ManualClock) -> Iterator[HubSpot]:
    yield from _connected(httpserver, meter, clock, ACCESS_TOKEN="t")


@pytest.fixture
def oauth(httpserver: HTTPServer, meter: _Meter, clock: ManualClock) -> Iterator[HubSpot]:
    given = {"CLIENT_ID": "i", "CLIENT_SECRET": "c", "REFRESH_TOKEN": "r1"}
    yield from _connected(httpserver, meter, clock, **given)


def _connected(httpserver: HTTPServer, meter: _Meter, clock: ManualClock, **given: str) -> Iterator[HubSpot]:
    environment = {f"LEADLOOP_HUBSPOT__{name}": value for name, value in given.items()}
    environment["LEADLOOP_HUBSPOT__BASE_URL"] = httpserver.url_for("").rstrip("/")
    adapter = HubSpot(load_settings({}, environment).hubspot, "map", meter, clock)
    yield adapter
    adapter.close()


@needs_recordings
@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
@pytest.mark.parametrize(
    ("path", "spec", "template"),
    [
        ("/crm/v3/objects/contacts/search", "contacts", "{path}"),
        ("/crm/v3/objects/contacts/batch/read", "contacts", "{path}"),
        ("/crm/v3/objects/contacts/batch/update", "contacts", "{path}"),
        ("/crm/v3/objects/contacts/batch/create", "contacts", "{path}"),
        ("/crm/v3/owners/", "crmOwners", "{path}"),
        ("/crm/v3/properties/contacts", "properties", "contacts→{objectType}"),
        ("/account-info/v3/details", "accountInfo", "{path}"),
        ("/oauth/v1/token", "oauth", "{path}"),
    ],
)
def test_every_path_that_is_used_is_in_hubspots_published_specs(
    version: str, path: str, spec: str, template: str
) -> None:
    folder = {"oauth": {"v3": "v1"}, "accountInfo": {"2026-09": "2026-03"}}.get(spec, {}).get(
        version, version
    )
    published = json_of(f"hubspot/specs/{folder}/{spec}.json")["paths"]
    used = in_version(path, version)
    old, arrow, new = template.partition("→")
    if arrow:
        used = used.replace(old, new)
    # some editions publish the object type as a parameter
    assert used in published or used.replace("/contacts", "/{objectType}") in published


def test_a_path_nobody_checked_is_not_sent() -> None:
    with pytest.raises(ValueError, match="no path"):
        in_version("/crm/v4/associations/x", "2026-09")


def test_the_token_is_renewed_before_it_ends_and_only_then(
    oauth: HubSpot, httpserver: HTTPServer, meter: _Meter, clock: ManualClock
) -> None:
    forms: list[Mapping[str, str]] = []
    bearers: list[str] = []

    def token(request: Request) -> Response:
        forms.append(dict(request.form))
        number = len(forms)
        body = {"access_token": f"a{number}", "expires_in": 1_800, "refresh_token": f"r{number + 1}"}
        return Response(json.dumps(body), 200, {"content-type": "application/json"})

    def search(request: Request) -> Response:
        bearers.append(request.headers["Authorization"])
        return Response('{"total":3,"results":[]}', 200, {"content-type": "application/json"})

    httpserver.expect_request("/oauth/v1/token", "POST").respond_with_handler(token)
    httpserver.expect_request(SEARCH, "POST").respond_with_handler(search)
    for pause in (0, 1_700, 100, 0):
        clock.advance(pause)
        assert oauth.count(["contacts"]) == {"contacts": 3}
    assert bearers == ["Bearer a1", "Bearer a1", "Bearer a2", "Bearer a2"]
    # a refresh token that changed is used from then on
    assert [form["refresh_token"] for form in forms] == ["r1", "r2"]
    assert forms[0] == {
        "grant_type": "refresh_token",
        "client_id": "i",
        "client_secret": "c",
        "refresh_token": "r1",
    }
    assert meter.calls == {"metadata": 2, "search": 4}


@pytest.mark.parametrize(
    "body",
    [{"status": "BAD_REFRESH_TOKEN", "message": "no"}, {"error": "invalid_grant", "error_description": "no"}],
)
def test_a_refused_renewal_is_a_sentence_and_is_left_alone(
    oauth: HubSpot, httpserver: HTTPServer, meter: _Meter, body: dict[str, str]
) -> None:
    httpserver.expect_request("/oauth/v1/token", "POST").respond_with_json(body, 400)
    with pytest.raises(Refused, match="LEADLOOP_HUBSPOT__REFRESH_TOKEN"):
        oauth.prove_identity()
    with pytest.raises(RetryLater):
        oauth.count(["contacts"])
    assert meter.calls == {"metadata": 1}


def test_limits_in_headers_reach_the_meter(there: HubSpot, httpserver: HTTPServer, meter: _Meter) -> None:
    headers = {
        "x-hubspot-ratelimit-max": "110",
        "X-HubSpot-RateLimit-Remaining": "103",
        "X-HubSpot-RateLimit-Daily": "250000",
        "X-HubSpot-RateLimit-Daily-Remaining": "249000",
    }
    httpserver.expect_request(SEARCH).respond_with_json({"total": 0, "results": []}, headers=headers)
    there.count(["contacts"])
    assert meter.usages == [Usage(1_000, 250_000, 110)]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"Daily": "0", "Daily-Remaining": "0", "Max": "0"}, Usage()),
        ({"Daily": "many", "Daily-Remaining": "-1", "Max": "1e3"}, Usage()),
        ({"Daily": "\xb2\xb3", "Max": "\xb9\xb9\xb0"}, Usage()),
        ({"Daily": "9" * 40, "Max": "9" * 40}, Usage()),
        ({"Daily-Remaining": "100"}, Usage()),
        ({"Daily": "250000"}, Usage(None, 250_000)),
        ({"Daily": "250000", "Daily-Remaining": "300000"}, Usage(0, 250_000)),
        ({"Max": "190"}, Usage(burst_limit=190)),
    ],
)
def test_headers_that_make_no_sense_tell_nothing(
    there: HubSpot, httpserver: HTTPServer, meter: _Meter, headers: dict[str, str], told: Usage
) -> None:
    named = {f"X-HubSpot-RateLimit-{name}": text for name, text in headers.items()}
    httpserver.expect_request(SEARCH).respond_with_json({"total": 0, "results": []}, headers=named)
    there.count(["contacts"])
    assert meter.usages == [told]


def test_an_interval_that_makes_no_sense_stops_nobody_for_long(
    there: HubSpot, httpserver: HTTPServer
) -> None:
    headers = {"X-HubSpot-RateLimit-Interval-Milliseconds": "999999999999"}
    httpserver.expect_request(SEARCH).respond_with_json({}, 429, headers)
    with pytest.raises(RetryLater) as caught:
        there.count(["contacts"])
    assert caught.value.after_seconds == 60


def test_bodies_that_are_not_even_text_are_survived(there: HubSpot, httpserver: HTTPServer) -> None:
    for status in (200, 400, 502):
        httpserver.expect_oneshot_request(SEARCH).respond_with_data(b"\xff\xfe\x00page", status)
        with pytest.raises((RetryLater, Refused)):
            there.count(["contacts"])


@needs_recordings
def test_a_captured_batch_create_is_matched_item_by_item(there: HubSpot, httpserver: HTTPServer) -> None:
    body = json_of("hubspot/captured-errors/207_batch_create_multistatus_official_doc.json")
    body["errors"][0]["context"]["objectWriteTraceId"] = ["1"]
    httpserver.expect_request("/crm/v3/objects/tickets/batch/create").respond_with_json(body, 207)
    results = there.write(
        [
            RecordWrite("good", "tickets", None, {"hs_pipeline": "0", "hs_pipeline_stage": "1"}),
            RecordWrite("bad", "tickets", None, {"missing": "x"}),
        ]
    )
    good, bad = (result.outcome for result in results)
    assert isinstance(good, Written)
    assert good.record_id == "1145814089"
    assert good.stamp_ms == 1_723_741_753_648
    assert isinstance(bad, Refused)
    assert bad.fields == ("missing",)


@needs_recordings
def test_a_captured_partial_read_tells_found_from_missing(there: HubSpot, httpserver: HTTPServer) -> None:
    body = json_of("hubspot/captured-errors/207_batch_read_partial.json")
    httpserver.expect_request("/crm/v3/objects/contacts/batch/read").respond_with_json(body, 207)
    reading = there.read("contacts", ["201", "202"], ["email", "phone"])
    assert [(each.record_id, each.fields) for each in reading.found] == [
        ("201", {"email": "redacted@example.com"})
    ]
    assert reading.missing == ["202"]


def test_an_update_answered_under_another_id_went_elsewhere(there: HubSpot, httpserver: HTTPServer) -> None:
    row: dict[str, Any] = {"id": "9", "properties": {}, "updatedAt": "2026-03-12T07:34:24.559Z"}
    answer = {"status": "COMPLETE", "results": [{**row, "objectWriteTraceId": "0"}]}
    httpserver.expect_request("/crm/v3/objects/contacts/batch/update").respond_with_json(answer)
    (result,) = there.write([RecordWrite("t", "contacts", "5", {"phone": "1"})])
    assert isinstance(result.outcome, Missing)


def test_creates_without_an_echoed_trace_are_matched_by_their_values(
    there: HubSpot, httpserver: HTTPServer
) -> None:
    stamp = "2026-03-12T07:34:24.559Z"
    rows = [
        {"id": "2", "properties": {"leadloop_id": "b", "email": "b@x.example"}, "updatedAt": stamp},
        {"id": "1", "properties": {"leadloop_id": "a", "email": "a@x.example"}, "updatedAt": stamp},
    ]
    httpserver.expect_request("/crm/v3/objects/contacts/batch/create").respond_with_json(
        {"results": rows}, 201
    )
    results = there.write(
        [
            RecordWrite(
                name, "contacts", None, {"leadloop_id": name, "email": f"{name}@x.example"}, "leadloop_id"
            )
            for name in ("a", "b")
        ]
    )
    assert [
        (each.token, each.outcome.record_id) for each in results if isinstance(each.outcome, Written)
    ] == [
        ("a", "1"),
        ("b", "2"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (False, "false"), (12.0, "12"), (12.5, "12.5"), (7, "7"), ("x", "x")],
)
def test_values_are_sent_as_text(value: Any, text: str) -> None:
    assert text_of(value) == text
