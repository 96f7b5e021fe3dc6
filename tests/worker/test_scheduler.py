"""The clock: it wakes for what the database says, when it says so, and there is one that leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from connector.clock import MINUTE_MS, ManualClock
from connector.store import leads as lead_store
from connector.store import outbox
from connector.store.configurations import apply_configuration, put_configuration
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.inbox import Hint, put_hints
from connector.store.settings_values import put_value
from connector.worker.scheduler import AGAIN_MS, LEASE_MS, RENEW_MS, Scheduler
from tests.store.conftest import a_lead
from tests.worker.crew import Woken
from tests.world import START_MS

SIDES = ("hubspot", "salesforce")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def scheduler(database: Database, clock: ManualClock, woken: Woken) -> Scheduler:
    """A clock over an empty database of which both sides have just been looked at."""
    with database.begin() as conn:
        for side in SIDES:
            looked_at(conn, side, START_MS)
    return Scheduler(database, clock, SIDES, woken.send, "one")


def looked_at(conn: Connection, side: str, at_ms: int) -> None:
    put_value(conn, f"next_poll_ms:{side}", at_ms + MINUTE_MS)


def ticks(scheduler: Scheduler, clock: ManualClock, woken: Woken, seconds: int) -> dict[int, list[str]]:
    """Tick once a second; returns what was woken for, by the second."""
    found = {}
    for second in range(seconds):
        scheduler.tick()
        if woken.duties:
            found[second] = woken.taken()
        clock.advance(1)
    return found


def test_nothing_to_do_wakes_nobody(scheduler: Scheduler, clock: ManualClock, woken: Woken) -> None:
    assert ticks(scheduler, clock, woken, 60) == {}


def test_a_side_is_woken_for_when_its_interval_is_over(
    scheduler: Scheduler, clock: ManualClock, woken: Woken, database: Database
) -> None:
    with database.begin() as conn:
        looked_at(conn, "hubspot", START_MS + 3_000)
    assert ticks(scheduler, clock, woken, 65) == {60: ["poll.salesforce"], 63: ["poll.hubspot"]}


def test_a_side_that_was_never_looked_at_is_woken_for_at_once(
    database: Database, clock: ManualClock, woken: Woken
) -> None:
    Scheduler(database, clock, SIDES, woken.send, "one").tick()
    assert sorted(woken.taken()) == ["poll.hubspot", "poll.salesforce"]


def test_a_wakeup_that_came_to_nothing_is_sent_again(
    scheduler: Scheduler, clock: ManualClock, woken: Woken, database: Database
) -> None:
    """As when Redis was flushed, or the worker that took it was killed."""
    with database.begin() as conn:
        looked_at(conn, "hubspot", START_MS + MINUTE_MS)
    clock.advance(60)
    again = AGAIN_MS // 1_000
    assert ticks(scheduler, clock, woken, 2 * again) == {
        0: ["poll.salesforce"],
        again: ["poll.salesforce"],
    }


def test_a_clock_that_was_ahead_for_a_while_goes_on_waking_and_leading(
    database: Database, clock: ManualClock, woken: Woken
) -> None:
    first = Scheduler(database, clock, SIDES, woken.send, "one")
    clock.advance(30 * 86_400)
    assert first.tick()
    clock.advance(-30 * 86_400)
    woken.taken()
    assert first.tick()
    assert sorted(woken.taken()) == ["poll.hubspot", "poll.salesforce"]
    clock.advance(60)
    assert Scheduler(database, clock, SIDES, woken.send, "two").tick(), "the lease of the first has ended"


def test_a_wakeup_that_could_not_be_sent_is_sent_as_soon_as_it_can(
    database: Database, clock: ManualClock
) -> None:
    """As when Redis is away, or one like it waits already."""
    sent: list[str] = []
    away = True

    def wake(duty: str) -> bool:
        if not away:
            sent.append(duty)
        return not away

    scheduler = Scheduler(database, clock, ["hubspot"], wake, "one")
    scheduler.tick()
    away = False
    clock.advance(1)
    scheduler.tick()
    assert sent == ["poll.hubspot"]


def test_dirty_leads_are_woken_for_unless_somebody_has_them(
    scheduler: Scheduler, clock: ManualClock, woken: Woken, database: Database
) -> None:
    with database.begin() as conn:
        lead_store.insert_leads(conn, [a_lead("L1", dirty_since_ms=START_MS)])
        lead_store.claim_leads(conn, "a worker", START_MS, 20_000, 10)
    # the worker dies; its claim lasts 20 seconds
    assert list(ticks(scheduler, clock, woken, 23)) == [20]


def test_a_lead_is_woken_for_when_time_changes_something(
    scheduler: Scheduler, clock: ManualClock, woken: Woken, database: Database
) -> None:
    with database.begin() as conn:
        lead_store.insert_leads(conn, [a_lead("L1", due_at_ms=START_MS + 30_000)])
    assert ticks(scheduler, clock, woken, 33) == {30: ["settle"]}


def test_a_write_is_woken_for_when_its_time_comes_and_when_its_sender_died(
    scheduler: Scheduler, clock: ManualClock, woken: Woken, database: Database
) -> None:
    with database.begin() as conn:
        lead_store.insert_leads(conn, [a_lead("L1"), a_lead("L2")])
        rows = [
            outbox.Row(lead_id, side, "Lead", "1", "update", 1, {"a": 1}, not_before_ms=at_ms)
            for lead_id, side, at_ms in (
                ("L1", "salesforce", START_MS + 10_000),
                ("L2", "hubspot", START_MS),
            )
        ]
        outbox.replace_pending(conn, ["L1", "L2"], rows)
        outbox.claim_writes(conn, "hubspot", "a worker that dies", START_MS, 20_000, 10)
    assert ticks(scheduler, clock, woken, 22) == {
        10: ["deliver.salesforce"],
        15: ["deliver.salesforce"],
        20: ["deliver.hubspot", "deliver.salesforce"],
    }


def test_of_two_clocks_one_leads_until_it_dies(
    scheduler: Scheduler, clock: ManualClock, woken: Woken, database: Database
) -> None:
    idle = Woken()
    other = Scheduler(database, clock, SIDES, idle.send, "two")
    clock.advance(60)
    for _ in range(120):
        assert scheduler.tick()
        assert not other.tick()
        clock.advance(1)
    assert woken.duties
    assert not idle.duties
    # the first one is killed
    seconds = 0
    while not other.tick():
        clock.advance(1)
        seconds += 1
    assert seconds <= (LEASE_MS + RENEW_MS) // 1_000
    assert idle.duties
    # and finds another one leading when it is back
    clock.advance(RENEW_MS / 1_000)
    assert not scheduler.tick()


def test_a_clock_that_is_stopped_hands_over_at_once(
    database: Database, clock: ManualClock, woken: Woken
) -> None:
    def wake_and_stop(duty: str) -> bool:
        first.stop()
        return woken.send(duty)

    first = Scheduler(database, clock, SIDES, wake_and_stop, "one")
    first.run()
    assert sorted(woken.taken()) == ["poll.hubspot", "poll.salesforce"]
    assert Scheduler(database, clock, SIDES, woken.send, "two").tick()


def test_a_clock_stops_when_another_configuration_is_applied(
    database: Database, clock: ManualClock, woken: Woken
) -> None:
    with database.begin() as conn:
        for number, version in enumerate(("old", "new")):
            put_configuration(conn, version, {}, START_MS)
            apply_configuration(conn, version, START_MS + number)
    Scheduler(database, clock, SIDES, woken.send, "one", "old").run()  # returns
    with database.begin() as conn:
        apply_configuration(conn, "old", START_MS + 2)
    scheduler = Scheduler(database, clock, SIDES, woken.send, "one", "old")
    assert scheduler.tick()


def test_a_clock_waits_for_a_database_that_is_away(
    clock: ManualClock, database: Database, woken: Woken
) -> None:
    class Restarting:
        """A database that is away for the first minute."""

        @contextmanager
        def begin(self) -> Iterator[Connection]:
            if clock.now_ms() < START_MS + MINUTE_MS:
                raise StoreError("the database cannot be used: the server is shutting down")
            with database.begin() as conn:
                yield conn

        read: Callable[..., object] = begin

    def wake_and_stop(duty: str) -> bool:
        scheduler.stop()
        return woken.send(duty)

    away: object = Restarting()
    scheduler = Scheduler(away, clock, SIDES, wake_and_stop, "one")  # type: ignore[arg-type]  # the part that is used
    scheduler.run()
    assert sorted(woken.taken()) == ["poll.hubspot", "poll.salesforce"]
    assert clock.now_ms() >= START_MS + MINUTE_MS


def test_a_side_is_woken_for_when_its_platform_told_of_something(
    scheduler: Scheduler, clock: ManualClock, woken: Woken, database: Database
) -> None:
    with database.begin() as conn:
        put_hints(conn, [Hint("hubspot", "contacts", "1", "read", START_MS + 2_000)])

    assert ticks(scheduler, clock, woken, 4) == {2: ["hints.hubspot"]}
