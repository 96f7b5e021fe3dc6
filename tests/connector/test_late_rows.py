"""Rows that show up late: whatever happens between, the next look far back stores each, and none is missed.

The truth is known: a made-up platform decides when each record is stamped and when it can be seen.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from connector.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from connector.intake.poll import Polled, poll
from connector.intake.timetable import due_objects, next_poll_ms, plan_next
from connector.lane import Lane
from connector.observation import Observation, RecordKey
from connector.platforms.errors import PlatformError, Refused, RetryLater
from connector.platforms.protocol import ChangePage, Cursor, Watch
from connector.store.catch_ups import ask_catch_ups
from connector.store.cursors import put_cursor
from connector.store.observations import observations_by_key
from tests.world import World

SIDE = "salesforce"
OBJECTS = {"Lead": 60.0, "CampaignMember": 300.0, "Opportunity": 1_500.0}
OVERLAP_SECONDS = 600
WALKS = 5 * int(os.environ.get("LEADLOOP_SIMULATIONS", "1"))


@dataclass(frozen=True)
class Row:
    """A record's version: when the platform stamped it, by its clock, and when it can be seen, by ours."""

    name: str
    record_id: str
    stamp_ms: int
    visible_ms: int


class LatePlatform:
    """Shows rows in the order of their stamps once they are visible, three to a page; and breaks off."""

    def __init__(self, world: World, ahead_ms: int, chance: random.Random) -> None:
        self._world, self._ahead_ms, self._chance = world, ahead_ms, chance
        self.rows: list[Row] = []
        self.breaks = 0.0
        self.shown = 0

    def changes(self, watches: Sequence[Watch], lane: Lane) -> Iterator[ChangePage]:  # the protocol's
        for watch in watches:
            asked_ms = self._world.clock.now_ms()
            rows = sorted(
                (
                    row
                    for row in self.rows
                    if row.name == watch.object
                    and row.visible_ms <= asked_ms
                    and row.stamp_ms >= watch.since_ms // SECOND_MS * SECOND_MS
                ),
                key=lambda row: (row.stamp_ms, row.record_id),
            )
            self.shown += len(rows)
            # the date of an answer is cut down to the second
            there_ms = (asked_ms + self._ahead_ms) // SECOND_MS * SECOND_MS
            for at in range(0, len(rows) + 1, 3):
                part = rows[at : at + 3]
                reached = Cursor(part[-1].stamp_ms, part[-1].record_id) if part else None
                last = at + 3 > len(rows)
                yield ChangePage(watch.object, [self._seen(row) for row in part], reached, last, there_ms)
                if self._chance.random() < self.breaks:
                    raise self._chance.choice([RetryLater("away", 20.0), Refused("no such column")])

    def close(self) -> None:
        return

    def _seen(self, row: Row) -> Observation:
        return Observation(SIDE, row.name, row.record_id, row.stamp_ms, self._world.clock.now_ms(), {})


def _missed(world: World, rows: Sequence[Row]) -> list[Row]:
    with world.database.read() as conn:
        stored = observations_by_key(conn, [RecordKey(SIDE, row.name, row.record_id) for row in rows])
    found = {(key.object, key.record_id): item.stamp_ms for key, item in stored.items()}
    return [row for row in rows if found.get((row.name, row.record_id), 0) < row.stamp_ms]


@pytest.mark.parametrize("seed", range(WALKS))
def test_rows_that_show_up_ten_minutes_late_are_never_missed(seed: int, world: World) -> None:
    chance = random.Random(seed)
    ahead_ms = chance.choice([0, -2 * MINUTE_MS, 2 * MINUTE_MS, HOUR_MS, -HOUR_MS])
    platform = LatePlatform(world, ahead_ms, chance)
    leadloop = world.leadloop
    feed = replace(
        leadloop.feeds[SIDE],
        objects={name: leadloop.feeds[SIDE].objects[name] for name in OBJECTS},
        seconds=OBJECTS,
        overlap_seconds=OVERLAP_SECONDS,
    )
    made: Any = {**leadloop.platforms, SIDE: platform}
    leadloop.platforms, leadloop.feeds = made, {**leadloop.feeds, SIDE: feed}
    with world.database.begin() as conn:  # as connecting to such a platform would have it
        for name in OBJECTS:
            put_cursor(conn, SIDE, name, Cursor(world.clock.now_ms() + ahead_ms), world.clock.now_ms())

    def look() -> None:
        with world.database.begin() as conn:
            if next_poll_ms(conn, SIDE) > world.clock.now_ms():
                return
            due = due_objects(conn, SIDE, OBJECTS, world.clock.now_ms())
        patience_seconds = 0.0
        try:
            assert isinstance(poll(leadloop, SIDE, due), Polled)
        except RetryLater as error:
            patience_seconds = error.after_seconds
        except PlatformError:
            patience_seconds = 0.0
        with world.database.begin() as conn:
            plan_next(conn, SIDE, OBJECTS, world.clock.now_ms(), patience_seconds)

    changed = 0
    for step in range(250):
        world.later(seconds=chance.choice([5, 20, 31, 60]))
        if chance.random() < 0.02:
            world.later(hours=chance.choice([1, 7]))  # nobody is at work; the platform goes on
        now_ms = world.clock.now_ms()
        for _ in range(chance.randint(0, 3)):
            late_ms = chance.choice([0, 0, 0, 2_000, 60_000, chance.randint(0, 1_000 * OVERLAP_SECONDS)])
            stamp_ms = (now_ms + ahead_ms - late_ms) // SECOND_MS * SECOND_MS
            if stamp_ms <= world.connected.installation.policy.live_since_ms + ahead_ms:
                continue  # from before leadloop
            name = chance.choice(list(OBJECTS))
            platform.rows.append(Row(name, f"{name}{step}-{changed}", stamp_ms, now_ms))
            changed += 1
        platform.breaks = 0.1 if chance.random() < 0.15 else 0.0
        if chance.random() < 0.02:
            with world.database.begin() as conn:
                ask_catch_ups(conn, SIDE, OBJECTS, now_ms + ahead_ms - chance.randint(0, 2 * HOUR_MS))
        if chance.random() < 0.8:  # else a wake-up was lost
            look()
    platform.breaks = 0.0
    for _ in range(OVERLAP_SECONDS // 60 + 60):
        world.later(minutes=1)
        look()
    assert changed > 200
    assert _missed(world, platform.rows) == []
    # each row is read again by few looks, not by all that come after it
    assert platform.shown < 40 * changed
    shown = platform.shown
    for _ in range(120):
        world.later(minutes=1)
        look()
    assert platform.shown == shown, "what is long past is not read again"


def test_a_row_is_found_by_the_next_look_far_back_also_after_a_restart_just_before(world: World) -> None:
    """Late by all of the overlap, at an object with an interval of its own, after hours of downtime."""
    platform = LatePlatform(world, 0, random.Random(1))
    leadloop = world.leadloop
    name = "CampaignMember"
    objects = {name: leadloop.feeds[SIDE].objects[name]}
    platform.rows = []

    def restart() -> None:
        world.reconnect()
        again = world.leadloop
        feed = replace(again.feeds[SIDE], objects=objects, seconds={name: 300.0})
        made: Any = {**again.platforms, SIDE: platform}
        again.platforms, again.feeds = made, {**again.feeds, SIDE: feed}

    restart()
    for minutes in (5, 5, 3 * 60 + 1, 5):
        world.later(minutes=minutes)
        now_ms = world.clock.now_ms()
        late = Row(name, f"late{minutes}-{now_ms}", now_ms - 1_000 * OVERLAP_SECONDS, now_ms)
        poll(world.leadloop, SIDE)
        platform.rows.append(replace(late, visible_ms=now_ms + 1))
        world.later(minutes=9, seconds=58)
        restart()
        poll(world.leadloop, SIDE)
        world.later(seconds=5)
        restart()
        poll(world.leadloop, SIDE)
        assert _missed(world, platform.rows) == []
