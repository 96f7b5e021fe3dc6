"""Calls and changes are counted for five weeks, so that no table grows for ever."""

from __future__ import annotations

from sqlalchemy import select

from connector.clock import DAY_MS
from connector.learning import learn_again
from connector.store.brakes import count_changes
from connector.store.calls import count_calls
from connector.store.schema import brake_counts, calls
from tests.world import World

AGES_DAYS = (0, 34, 36, 400)


def count_some(world: World) -> None:
    with world.database.begin() as conn:
        for days in AGES_DAYS:
            count_calls(conn, "salesforce", 1, world.clock.now_ms() - days * DAY_MS)
            count_changes(conn, "v1", world.clock.now_ms() - days * DAY_MS, {"mql": 1})


def counted_days_ago(world: World) -> tuple[set[int], set[int]]:
    """How many days ago the calls and the changes were that are still counted."""
    now_ms = world.clock.now_ms()
    with world.database.read() as conn:
        return (
            {round((now_ms - at_ms) / DAY_MS) for (at_ms,) in conn.execute(select(calls.c.hour_ms))},
            {round((now_ms - at_ms) / DAY_MS) for (at_ms,) in conn.execute(select(brake_counts.c.window_ms))},
        )


def test_who_starts_drops_what_was_counted_more_than_five_weeks_ago(world: World) -> None:
    count_some(world)
    world.reconnect()
    world.leadloop  # noqa: B018  # connects
    assert counted_days_ago(world) == ({0, 34}, {0, 34})


def test_who_runs_for_weeks_drops_it_too(world: World) -> None:
    world.leadloop  # noqa: B018  # connected before anything was counted
    count_some(world)
    assert counted_days_ago(world) == (set(AGES_DAYS), set(AGES_DAYS))
    learn_again(world.leadloop, "hubspot")
    assert counted_days_ago(world) == ({0, 34}, {0, 34})
    world.later(days=36)
    learn_again(world.leadloop, "hubspot")
    assert counted_days_ago(world) == ({0}, set())
