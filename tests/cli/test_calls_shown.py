"""What has become of the day's calls, by value: in `status`, as rows and as JSON, and in the metrics."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from connector.clock import HOUR_MS
from connector.lane import Lane
from connector.metrics import Metrics
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import Usage
from connector.store.calls import count_calls
from connector.store.schema import calls
from tests.cli.shell import Shell
from tests.cli.test_health_and_metrics import page_of
from tests.world import START_MS, World


@pytest.fixture
def world(world: World) -> World:
    """Of 1,000 calls a day of HubSpot's account, 600 are used; 314 by leadloop, since midnight. It is past
    eight in the morning. Of Salesforce's nothing was told."""
    with world.database.begin() as conn:
        conn.execute(delete(calls))
        for hours_ago in (1, 2):
            count_calls(conn, "hubspot", Lane.UPDATE, START_MS - hours_ago * HOUR_MS, 100)
        count_calls(conn, "hubspot", Lane.BACKFILL, START_MS - 7 * HOUR_MS, 97)
        count_calls(conn, "hubspot", Lane.LOOK, START_MS - 7 * HOUR_MS, 3)
        count_calls(conn, "hubspot", Lane.HANDOFF, START_MS - 2 * HOUR_MS, 12)
        count_calls(conn, "hubspot", Lane.HANDOFF, START_MS - 9 * HOUR_MS, 5_000)
    budget = world.connected.budgets["hubspot"]
    for _ in range(2):  # what an answer told goes along with the next call
        budget.admit(Lane.HANDOFF, "read")
        budget.answered(Usage(600, 1_000, 190))
    return world


def rows(leadloop: Shell, side: str) -> list[str]:
    """The rows about a side, as they are printed, with single spaces."""
    part = leadloop("status").out.split(f"\n{side}\n")[1].split("\n\n")[0]
    return [" ".join(line.split()) for line in part.splitlines()]


def test_rows_tell_what_is_used_of_what_and_what_will_be(world: World, leadloop: Shell) -> None:
    world.later(minutes=5)
    shown = leadloop("status", "--json").json["sides"]["hubspot"]["calls"]
    printed = rows(leadloop, "hubspot")
    assert "calls since midnight 314 of our share of 500 (50 %)" in printed
    assert "… by lane hand-offs 14, updates 200, backfill 97, looks 3" in printed
    assert "… kept for hand-offs 100" in printed
    assert "… kept for looks 133" in printed  # half of what updates may have, for the rest of the day
    assert "… whole account 600 of 1,000 (60 %), 5 minutes ago" in printed
    # looking for changes alone takes 2,904 calls a day, which is more than was made in the last hours
    assert shown["forecast"] == 314 + 1_926
    assert "… forecast 2,240 by midnight (UTC)" in printed
    assert shown["ceiling_reached_at"] == "2027-01-15T10:00:00Z"
    assert "… TOO MANY ours are used up about 2027-01-15 10:00" in printed


def test_the_same_as_data(world: World, leadloop: Shell) -> None:
    sides = leadloop("status", "--json").json["sides"]
    shown = sides["hubspot"]["calls"]
    assert (shown["used"], shown["limit"], shown["ceiling"], shown["reserve"]) == (314, 1_000, 500, 100)
    assert (shown["since"], shown["until"]) == ("2027-01-15T00:00:00Z", "2027-01-16T00:00:00Z")
    assert shown["by_lane"] == {"handoff": 14, "update": 200, "backfill": 97, "look": 3}
    whole = shown["whole_account"]
    assert (whole["used"], whole["limit"], whole["age_seconds"]) == (600, 1_000, 0)
    rolling = sides["salesforce"]["calls"]
    assert (rolling["day"], rolling["until"], rolling["used"]) == ("rolling", None, 0)
    assert (rolling["limit"], rolling["ceiling"], rolling["reserve"]) == (15_000, 7_500, 1_500)


def test_metrics_tell_the_same(world: World, leadloop: Shell) -> None:
    budget = world.connected.budgets["hubspot"]
    for _ in range(2):
        budget.admit(Lane.HANDOFF, "read")
        budget.answered(Usage(), RetryLater("HubSpot is away", 30, concerns="side"))
    world.later(seconds=90)
    page = page_of(Metrics(world.database, world.clock, ["hubspot", "salesforce"], dict))
    shown = leadloop("status", "--json").json["sides"]["hubspot"]["calls"]

    def told(name: str, side: str = "hubspot") -> float:
        return page[f'leadloop_api_{name}{{side="{side}"}}']

    used = {
        lane: page[f'leadloop_api_calls_used{{lane="{lane}",side="hubspot"}}'] for lane in shown["by_lane"]
    }
    assert used == {"handoff": 16, "update": 200, "backfill": 97, "look": 3} == shown["by_lane"]
    assert (told("calls_limit"), told("calls_ceiling"), told("calls_reserve")) == (1_000, 500, 100)
    assert told("account_calls_used") == 600
    assert told("calls_forecast") == shown["forecast"]
    assert (told("paused_seconds"), told("paused_seconds", "salesforce")) == (90, 0)
    assert told("calls_ceiling", "salesforce") == 7_500
