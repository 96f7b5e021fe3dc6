"""What Salesforce tells of the day's calls: by a header, or where that is missing by `/limits`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connector.budget import Budget
from connector.clock import ManualClock
from connector.lane import Lane
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import Allowance
from connector.platforms.salesforce.transport import Transport
from connector.settings import load_settings
from connector.spending import Account, spending_of
from connector.store.database import Database

NOW_MS = 1_790_000_000_000
DATA = "/services/data/v62.0"
ALLOWANCE = Allowance(15_000, 50, 20, burst_calls=1_000, burst_seconds=10.0)


class Org:
    """An org whose answers carry `header`, if any, and whose `/limits` answers `status` and `limits`."""

    def __init__(self, server: HTTPServer, database: Database) -> None:
        self.header: str | None = None
        self.status, self.limits = 200, json.dumps({"DailyApiRequests": {"Max": 15_000, "Remaining": 14_000}})
        self.asked = 0
        self.clock = ManualClock(NOW_MS)
        self.database = database
        self.budget = Budget("crm", database, self.clock, ALLOWANCE)
        self.budget.serves("UTC", 100, 200)
        environment = {
            "LEADLOOP_SALESFORCE__SESSION_ID": "00D!s",
            "LEADLOOP_SALESFORCE__BASE_URL": server.url_for("").rstrip("/"),
        }
        self.settings = load_settings({}, environment).salesforce
        self.transport = Transport(self.settings, self.budget, self.clock)
        server.expect_request(f"{DATA}/x").respond_with_handler(self._answer)
        server.expect_request(f"{DATA}/limits").respond_with_handler(self._limits)

    def call(
        self,
        times: int = 1,
        lane: Lane = Lane.HANDOFF,
        transport: Transport | None = None,
        every_seconds: float = 1.0,
    ) -> None:
        """So many calls, each of which is answered."""
        for _ in range(times):
            self.clock.advance(every_seconds)
            assert (transport or self.transport).get(f"{DATA}/x", lane, "read").body == []

    def told(self) -> Account | None:
        """What leadloop knows of the whole account."""
        self.call()  # what an answer told goes along with the next call
        with self.database.read() as conn:
            spending = spending_of(conn, "crm", self.clock.now_ms())
        assert spending is not None
        return spending.account

    def _answer(self, _request: Request) -> Response:
        headers = {} if self.header is None else {"Sforce-Limit-Info": self.header}
        return Response("[]", 200, {"content-type": "application/json", **headers})

    def _limits(self, _request: Request) -> Response:
        self.asked += 1
        return Response(self.limits, self.status, {"content-type": "application/json"})


@pytest.fixture
def org(httpserver: HTTPServer, sqlite_url: str) -> Iterator[Org]:
    database = Database.open(sqlite_url)
    made = Org(httpserver, database)
    yield made
    made.transport.close()
    database.close()


def test_where_answers_tell_the_limits_are_not_asked_for(org: Org) -> None:
    org.header = "api-usage=25/5000"
    org.call(20)
    assert org.asked == 0
    told = org.told()
    assert told is not None
    assert (told.used, told.limit) == (25, 5_000)


@pytest.mark.parametrize(
    "header",
    [
        "api-usage=25/5000; per-app-api-usage=17/250(appName=x)",
        "per-app-api-usage=17/250(appName=x); api-usage=25/5000",
        "something=1/2;api-usage=25/5000",
    ],
)
def test_the_calls_of_the_org_are_not_those_of_the_app(org: Org, header: str) -> None:
    org.header = header
    org.call()
    told = org.told()
    assert told is not None
    assert (told.used, told.limit) == (25, 5_000)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "api-usage=",
        "api-usage=many/more",
        "api-usage=3/0",
        "api-usage=\xb2/\xb3",
        f"api-usage=1/{'9' * 40}",
        "api-usage=-1/15000",
        "per-app-api-usage=17/250(appName=x)",
    ],
)
def test_a_header_that_makes_no_sense_tells_nothing(org: Org, header: str) -> None:
    org.header = header
    org.call(9)
    assert org.told() is None


def test_ten_answers_that_tell_nothing_have_the_limits_asked_for(org: Org) -> None:
    org.call(10)
    assert org.asked == 0
    org.call()
    assert org.asked == 1
    told = org.told()
    assert told is not None
    assert (told.used, told.limit) == (1_000, 15_000)


def test_the_limits_are_asked_for_once_in_a_quarter_of_an_hour_by_all_connections(org: Org) -> None:
    other = Transport(org.settings, org.budget, org.clock)
    for _ in range(60):
        org.call(every_seconds=30)
        org.call(every_seconds=30, transport=other)
    assert org.clock.now_ms() == NOW_MS + 3_600_000
    other.close()
    assert 3 <= org.asked <= 4


def test_what_the_limits_tell_keeps_calls_for_hand_offs(org: Org) -> None:
    org.limits = json.dumps({"DailyApiRequests": {"Max": 15_000, "Remaining": 1_000}})
    org.call(12)
    with pytest.raises(RetryLater, match="the account has 1,000 calls left today, which are kept for"):
        org.call(lane=Lane.UPDATE)
    org.call(lane=Lane.HANDOFF)


@pytest.mark.parametrize(
    ("status", "limits"),
    [
        (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]),
        (404, [{"errorCode": "NOT_FOUND", "message": "no"}]),
        (500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "no"}]),
        (503, "<html>maintenance</html>"),
        (200, "<html>log in</html>"),
        (200, []),
        (200, {}),
        (200, {"DailyApiRequests": None}),
        (200, {"DailyApiRequests": {}}),
        (200, {"DailyApiRequests": {"Max": None, "Remaining": None}}),
        (200, {"DailyApiRequests": {"Max": "many", "Remaining": "few"}}),
        (200, {"DailyApiRequests": {"Max": 0, "Remaining": 0}}),
        (200, {"DailyApiRequests": {"Max": 15_000}}),
    ],
)
def test_limits_that_tell_nothing_stop_nobody_and_are_left_alone_for_an_hour(
    org: Org, status: int, limits: Any
) -> None:
    org.status, org.limits = status, limits if isinstance(limits, str) else json.dumps(limits)
    org.call(11)
    assert org.asked == 1
    org.call(29, every_seconds=120)
    assert org.asked == 1
    assert org.told() is None
    with org.database.read() as conn:
        spending = spending_of(conn, "crm", org.clock.now_ms())
    assert spending is not None
    assert (spending.limit, spending.pause) == (15_000, None)
    org.clock.advance(3_600)
    org.call()
    assert org.asked == 2


def test_more_used_than_there_are_calls_is_all_of_them(org: Org) -> None:
    """The limit is a soft one."""
    org.limits = json.dumps({"DailyApiRequests": {"Max": 15_000, "Remaining": -20}})
    org.call(10)
    with pytest.raises(RetryLater, match="no calls left today"):
        org.call()
