"""Clocks that differ: what a platform stamps by a clock of its own is neither passed over nor read late."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from connector.clock import ManualClock
from connector.delivery import deliver
from connector.intake.poll import poll
from connector.intake.timetable import due_objects
from connector.lane import Lane
from connector.observation import RecordKey
from connector.platforms.clock_there import ClockThere
from connector.platforms.protocol import ChangePage, Watch
from connector.settle import LEASE_MS, settle
from connector.store.cursors import cursors_of
from connector.store.leads import claim_leads
from connector.store.leases import take_lease
from connector.store.observations import observations_by_key
from connector.store.sweeps import last_result
from connector.worker.actors import Duties
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.worker.crew import Woken
from tests.world import START_MS, World

HOUR = 3_600
SIDES = {"salesforce": ("Lead", 60), "hubspot": ("contacts", 30)}


class _Asked:
    """A platform that notes from when on it was asked for what has changed."""

    def __init__(self, platform: Any) -> None:
        self._platform = platform
        self.since_ms: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def changes(self, watches: Sequence[Watch], lane: Lane) -> Iterator[ChangePage]:
        self.since_ms += [(watch.object, watch.since_ms) for watch in watches]
        yield from self._platform.changes(watches, lane)


def _enter(world: World, side: str, number: int) -> str:
    email = f"p{number}@x.example"
    if side == "salesforce":
        return world.salesforce.insert("Lead", Email=email, LastName=f"P{number}", Company="X")
    return world.hubspot.create("contacts", email=email, lastname=f"P{number}")


@pytest.mark.parametrize("fast_seconds", [-HOUR, -120, -7.5, 0, 7.5, 120, HOUR])
def test_a_clock_that_is_off_delays_nothing_and_loses_nothing(fast_seconds: float, tmp_path: Path) -> None:
    chance = random.Random(fast_seconds)
    with World(tmp_path, fast_seconds=fast_seconds) as world:
        asked: dict[str, Any] = {side: _Asked(there) for side, there in world.leadloop.platforms.items()}
        leadloop = replace(world.leadloop, platforms=asked)
        waiting: dict[RecordKey, int] = {}
        looks: list[tuple[str, str, int, int]] = []
        last_ms = dict.fromkeys(SIDES, world.clock.now_ms())
        for step in range(150):
            world.later(seconds=chance.choice([1, 3, 11]))
            now_ms = world.clock.now_ms()
            for side, (name, _) in SIDES.items():
                if chance.random() < 0.4:
                    waiting[RecordKey(side, name, _enter(world, side, 10 * step + len(waiting)))] = now_ms
            for side, (name, _) in SIDES.items():
                with world.database.read() as conn:
                    due = due_objects(conn, side, leadloop.feeds[side].poll_seconds, world.own_clock.now_ms())
                if name in due:
                    asked[side].since_ms.clear()
                    poll(leadloop, side, due)
                    looks.append((side, name, dict(asked[side].since_ms)[name], last_ms[side]))
                    last_ms[side] = now_ms
            with world.database.read() as conn:
                found = observations_by_key(conn, waiting)
            waiting = {key: at_ms for key, at_ms in waiting.items() if key not in found}
            late = {
                key: now_ms - at_ms
                for key, at_ms in waiting.items()
                if now_ms - at_ms > 1_000 * SIDES[key.side][1]
            }
            assert not late, "later than with the next look"
            with world.database.read() as conn:
                for side in SIDES:
                    reached_ms = cursors_of(conn, side)[SIDES[side][0]].stamp_ms
                    assert reached_ms <= now_ms, "never past the clock that stamps the records"
    far = 0
    for side, _, since_ms, before_ms in looks[4:]:
        overlap_ms = before_ms - since_ms
        far += overlap_ms > 33_000
        # what an answer's date leaves out of a second
        assert overlap_ms <= 33_000 or overlap_ms >= 290_000, (side, overlap_ms)
    assert far <= 6, "now and then a look goes far back, and no more often"
    assert len(looks) > 15


@pytest.mark.parametrize("fast_seconds", [-120, 120])
def test_who_comes_right_after_going_live_is_new_whichever_clock_is_ahead(
    fast_seconds: float, tmp_path: Path
) -> None:
    with World(tmp_path, fast_seconds=fast_seconds) as world:
        world.leadloop  # noqa: B018  # connected, and live
        world.later(seconds=5)
        world.hubspot.create("contacts", email="ann@acme.example", firstname="Ann", lastname="Lee")
        world.run()
        assert world.contact("ann@acme.example")["leadloop_stage"] == "nurture"
        assert not world.lead("ann@acme.example").resting


def test_a_clock_that_is_put_back_while_an_answer_travels_takes_no_cursor_along() -> None:
    clock = ManualClock(START_MS)
    there = ClockThere(clock)
    asked_ms = clock.now_ms()
    clock.advance(-HOUR)
    there.heard(format_datetime(datetime.fromtimestamp(START_MS / 1_000, UTC), usegmt=True))
    assert there.at(asked_ms) == START_MS


def test_a_date_without_a_zone_is_gmt_wherever_leadloop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9110 has recipients accept the form of asctime, which names none."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        there = ClockThere(ManualClock(START_MS))
        there.heard(datetime.fromtimestamp(START_MS / 1_000, UTC).ctime())
        assert there.ahead_ms == 0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_clock_that_was_ahead_during_a_sweep_does_not_put_off_the_next_one(world: World) -> None:
    """A month ahead; the next sweep is due at once, and then a day after it, as ever."""
    world.later(days=30)
    world.verify()
    world.clock.advance(-30 * 24 * HOUR)
    duties = Duties(world.leadloop, Woken().send)
    for hours, swept in ((0, 1), (1, 0), (24, 1)):
        world.later(hours=hours)
        before_ms = _swept_ms(world)
        duties.verify("hubspot")
        assert (_swept_ms(world) != before_ms) == bool(swept), hours


def _swept_ms(world: World) -> int:
    with world.database.read() as conn:
        return int((last_result(conn, "hubspot") or {"ended_ms": 0})["ended_ms"])


def test_what_a_clock_that_was_ahead_has_put_off_or_leased_waits_no_longer_than_anything_else(
    world: World,
) -> None:
    """Both platforms were away, and whoever worked was killed at it."""
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    for side in world.leadloop.feeds:
        poll(world.leadloop, side)
    world.clock.advance(30 * 24 * HOUR)
    with world.database.begin() as conn:
        now_ms = world.clock.now_ms()
        assert claim_leads(conn, "dead", now_ms, LEASE_MS, 10)
        assert take_lease(conn, "clock", "dead", now_ms, LEASE_MS)
    world.clock.advance(-30 * 24 * HOUR)
    with world.database.begin() as conn:
        assert take_lease(conn, "clock", "living", world.clock.now_ms(), LEASE_MS)
    settle(world.leadloop)
    world.clock.advance(30 * 24 * HOUR)
    for platform in (world.salesforce, world.hubspot):
        platform.faults.fail_next(1_000, 503)
    for side in world.leadloop.feeds:
        deliver(world.leadloop, side)
    for platform in (world.salesforce, world.hubspot):
        platform.faults.clear()
    world.clock.advance(-30 * 24 * HOUR)
    world.work(minutes=3)
    assert world.contact(ANN)["leadloop_stage"] == world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_a_clock_that_is_put_back_does_not_end_the_looks_until_it_has_caught_up(world: World) -> None:
    duties = Duties(world.leadloop, Woken().send)
    duties.poll("hubspot")
    world.clock.advance(-HOUR)
    for _ in range(3):
        world.later(seconds=30)
        world.hubspot.requests.reset()
        duties.poll("hubspot")
        assert world.hubspot.requests.by_kind["POST", "/crm/v3/objects/contacts/search"] == 1
