"""Calls that a platform refuses because there were too many: who waits, for how long, and that it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.spending import spending_of
from connector.store import outbox
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import World

CONCURRENT = [
    {
        "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        "errorCode": "REQUEST_LIMIT_EXCEEDED",
    }
]
LONG = [{"message": "ConcurrentPerOrgLongTxn Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
BURST = {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT", "status": "error"}
SEARCHES = {"message": "You have reached your secondly limit.", "errorType": "RATE_LIMIT"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.hubspot.limits.time_zone = "Asia/Kolkata"
        made.leadloop  # noqa: B018  # connected before anybody acts
        yield made


@pytest.mark.parametrize(
    ("side", "status", "body", "match"),
    [
        ("salesforce", 403, CONCURRENT, "PATCH"),
        ("salesforce", 403, LONG, "composite"),
        ("hubspot", 429, BURST, "batch/update"),
        ("hubspot", 429, SEARCHES, "search"),
    ],
)
def test_what_came_too_fast_goes_a_moment_later_and_is_held_against_nobody(
    world: World, side: str, status: int, body: Any, match: str
) -> None:
    platform = getattr(world, side)
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    platform.faults.fail_next(1, status, body=body, match=match)
    world.work(minutes=2, every_seconds=15)
    assert platform.requests.by_status[status] == 1
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == world.contact(ANN)["leadloop_stage"] == "distributed"
    with world.database.read() as conn:
        spending = spending_of(conn, side, world.clock.now_ms())
        assert outbox.counts(conn) == {}
    assert spending is not None
    assert spending.pause is None, "nobody is told of a moment"


def test_the_accounts_day_ends_at_its_own_midnight_to_the_minute(world: World) -> None:
    lead_id = make_mql(world)
    world.hubspot.limits.used = world.hubspot.limits.daily
    world.salesforce.update("Lead", lead_id, Title="Director")
    world.work(minutes=2)
    with world.database.read() as conn:
        spending = spending_of(conn, "hubspot", world.clock.now_ms())
    assert spending is not None
    assert spending.pause is not None
    ends_ms = spending.pause.until_ms
    assert ends_ms is not None
    assert datetime.fromtimestamp(ends_ms / 1_000, UTC).strftime("%H:%M") == "18:30", "midnight in Kolkata"
    world.later(seconds=(ends_ms - world.clock.now_ms()) / 1_000 - 60)
    world.work(minutes=0.5)
    assert world.contact(ANN)["jobtitle"] == "VP Sales"
    world.work(minutes=2.5)
    assert world.contact(ANN)["jobtitle"] == "Director"
    with world.database.read() as conn:
        spending = spending_of(conn, "hubspot", world.clock.now_ms())
    assert spending is not None
    assert spending.pause is None
    assert spending.began_ms == ends_ms
    assert 0 < spending.total < 40
