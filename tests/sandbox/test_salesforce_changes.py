"""`updated/` and `deleted/`: the exact answers to what changed and what went."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.salesforce_client import Client, error

DAY_SECONDS = 86_400
SPAN = "?start=2026-01-05T08:00:59Z&end=2026-01-05T08:10:30%2B00:00"


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_updated_lists_what_changed_within_whole_minutes(client: Client) -> None:
    early = client.lead()
    client.clock.advance(599)
    inside, deleted = client.lead(), client.lead()
    client.org.delete("Lead", deleted)
    client.clock.advance(1)
    late = client.lead()
    client.clock.advance(300)
    body = client.get("sobjects/Lead/updated/" + SPAN).json()
    # seconds are cut off: the span is 08:00 to 08:10
    assert body == {"ids": [early, inside], "latestDateCovered": "2026-01-05T08:10:00.000+0000"}
    assert late not in body["ids"]


def test_coverage_ends_now_or_where_a_running_transaction_began(client: Client) -> None:
    client.clock.advance(300)
    covered = client.get("sobjects/Lead/updated/" + SPAN).json()["latestDateCovered"]
    assert covered == "2026-01-05T08:05:00.000+0000"
    client.org.faults.visibility_lag_seconds = 120
    new = client.lead()
    body = client.get("sobjects/Lead/updated/" + SPAN).json()
    assert body["latestDateCovered"] == "2026-01-05T08:03:00.000+0000"
    assert new not in body["ids"]


def test_deleted_lists_deletions_and_merge_losers_but_not_what_came_back(client: Client) -> None:
    kept, deleted, loser, back = (client.lead() for _ in range(4))
    client.clock.advance(60)
    for row_id in (deleted, back):
        client.org.delete("Lead", row_id)
    client.org.merge(kept, loser)
    client.org.undelete("Lead", back)
    client.clock.advance(600)
    body = client.get("sobjects/Lead/deleted/" + SPAN).json()
    moment = "2026-01-05T08:01:00.000+0000"
    assert body == {
        "deletedRecords": [
            {"id": deleted, "deletedDate": moment},
            {"id": loser, "deletedDate": moment},
        ],
        "earliestDateAvailable": "2025-12-21T08:11:00.000+0000",
        "latestDateCovered": "2026-01-05T08:10:00.000+0000",
    }


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("updated", "2026-01-05T08:00:00Z", "2026-01-05T08:00:50Z"),
        ("updated", "2026-01-05T08:10:00Z", "2026-01-05T08:00:00Z"),
        ("updated", "2025-12-01T08:00:00Z", "2026-01-05T08:00:00Z"),
        ("deleted", "2025-12-20T08:00:00Z", "2026-01-05T08:00:00Z"),
        ("updated", "yesterday", "2026-01-05T08:00:00Z"),
    ],
)
def test_spans_that_are_too_short_or_too_old(client: Client, kind: str, start: str, end: str) -> None:
    answer = client.get(f"sobjects/Lead/{kind}/?start={start}&end={end}")
    assert error(answer) == (400, "INVALID_REPLICATION_DATE")


def test_both_ends_must_be_named(client: Client) -> None:
    answer = client.get("sobjects/Lead/updated/?start=2026-01-05T08:00:00Z")
    assert error(answer) == (400, "MISSING_ARGUMENT")
