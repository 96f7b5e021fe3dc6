"""What an admin sees of a stream, what a catch-up poll does, and how the next poll is brought forward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.clock import HOUR_MS, MINUTE_MS, ManualClock
from connector.intake.poll import poll
from connector.intake.streams import LEASE_MS, lease_of
from connector.intake.timetable import (
    AFTER_REFUSED_MS,
    Looked,
    due_objects,
    leave_alone,
    next_poll_ms,
    put_looked,
)
from connector.metrics import Metrics
from connector.platforms.errors import RetryLater
from connector.platforms.streams import PositionLost
from connector.store.catch_ups import ask_catch_ups
from connector.store.database import Database
from connector.store.leases import take_lease
from connector.store.settings_values import put_value
from connector.store.streams import StreamPlace
from connector.worker.poll_lease import PollLease, poll_soon
from tests.cli.shell import Shell
from tests.streams.salesforce import SIDE, Streamed
from tests.streams.scripted import Following, Scripted, batch, hints, place
from tests.world import START_MS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


def status(streamed: Streamed, folder: Path) -> tuple[str, dict[str, Any]]:
    """What `leadloop status` shows, on one line, and what it says of the stream as JSON."""
    database = {"LEADLOOP_DATABASE_URL": f"sqlite:///{folder}/leadloop.db"}
    shell = Shell(folder, database, streamed.world.clock)
    known = shell("status", "--json").json["sides"][SIDE]["stream"]
    return " ".join(shell("status").out.split()), known


def test_metrics_tell_what_a_stream_brought(database: Database, clock: ManualClock) -> None:
    metrics = Metrics(database, clock, [SIDE], dict)
    first = batch("1", "2", position="p1", reached_ms=START_MS, unwanted=1, malformed=1, missed=("Lead",))
    made = Following(database, clock, Scripted([[first, PositionLost("gone")]]))
    made.follower.tell = metrics.count
    made.turn()
    clock.advance(90)
    with database.begin() as conn:
        take_lease(conn, lease_of(SIDE), "another", clock.now_ms(), LEASE_MS)

    page = metrics.text().decode()

    for line in (
        'leadloop_stream_events_total{side="salesforce"} 2.0',
        'leadloop_stream_unwanted_events_total{side="salesforce"} 1.0',
        'leadloop_stream_malformed_events_total{side="salesforce"} 1.0',
        'leadloop_stream_catch_ups_total{cause="missed",side="salesforce"} 1.0',
        'leadloop_stream_catch_ups_total{cause="lost",side="salesforce"} 1.0',
        'leadloop_stream_followed{side="salesforce"} 1.0',
        'leadloop_stream_age_seconds{side="salesforce"} 90.0',
    ):
        assert line in page


def test_status_says_that_a_stream_lost_its_place_and_that_nobody_follows_it(
    streamed: Streamed, tmp_path: Path
) -> None:
    now_ms = streamed.world.clock.now_ms()
    lost = "Salesforce does not know the position any more"
    streamed.put_place(StreamPlace("p", now_ms - 2 * HOUR_MS, now_ms, now_ms - HOUR_MS, lost))

    text, known = status(streamed, tmp_path)

    assert "not followed, up to 2027-01-15 06:00:00, 2 hours ago" in text
    assert f"2027-01-15 07:00:00: {lost}" in text
    assert known["followed"] is False
    assert known["age_seconds"] == 7_200
    assert known["lost_because"] == lost


def test_status_says_why_a_stream_is_not_followed(streamed: Streamed, tmp_path: Path) -> None:
    streamed.changes.select("Task")
    streamed.follow(lambda: "stream_refused" in streamed.events())

    text, known = status(streamed, tmp_path)

    assert "stream warns 2027-01-15 08:00:00: " in text
    assert "/data/LeadChangeEvent" in text
    assert known["warned_at"] == "2027-01-15T08:00:00Z"
    assert "/data/LeadChangeEvent" in known["warning"]
    metrics = Metrics(streamed.world.database, streamed.world.clock, [SIDE], dict).text().decode()
    assert 'leadloop_stream_warns{side="salesforce"} 1.0' in metrics


def test_status_says_that_a_stream_has_told_nothing_yet(streamed: Streamed, tmp_path: Path) -> None:
    streamed.follow(lambda: False, streamed.follower(LEADLOOP_SALESFORCE__SESSION_ID="00D000000000000!no"))

    text, known = status(streamed, tmp_path)

    assert "not followed, and has told nothing yet" in text
    assert "LEADLOOP_SALESFORCE__SESSION_ID" in text
    assert (known["reached"], known["age_seconds"]) == (None, None)
    metrics = Metrics(streamed.world.database, streamed.world.clock, [SIDE], dict).text().decode()
    assert "leadloop_stream_age_seconds{" not in metrics


def test_a_catch_up_that_was_cut_short_is_made_again(streamed: Streamed) -> None:
    world = streamed.world
    since_ms = world.clock.now_ms() - MINUTE_MS
    with world.database.begin() as conn:
        ask_catch_ups(conn, SIDE, ("Lead",), since_ms)
    world.salesforce.faults.fail_next(1, 503, match="composite")

    with pytest.raises(RetryLater):
        poll(world.leadloop, SIDE)
    assert streamed.catch_ups() == {"Lead": since_ms}
    world.later(minutes=2)  # a platform that is unavailable is left alone for one
    poll(world.leadloop, SIDE)

    assert streamed.catch_ups() == {}


def test_what_a_stream_has_lost_is_due_whatever_its_interval_unless_it_was_refused(
    database: Database, clock: ManualClock
) -> None:
    seconds, now_ms = {"Lead": 3_600.0, "Contact": 3_600.0, "Case": 3_600.0}, clock.now_ms()
    with database.begin() as conn:
        for name in seconds:
            put_looked(conn, SIDE, name, Looked(now_ms - 1))
        ask_catch_ups(conn, SIDE, ("Lead", "Case"), 0)
        leave_alone(conn, SIDE, ["Case"], now_ms)

        assert due_objects(conn, SIDE, seconds, now_ms) == ["Lead"]
        assert due_objects(conn, SIDE, seconds, now_ms + AFTER_REFUSED_MS) == ["Lead", "Case"]


def test_the_next_poll_of_a_worker_is_brought_forward(database: Database, clock: ManualClock) -> None:
    def next_ms() -> int:
        with database.read() as conn:
            return next_poll_ms(conn, SIDE)

    with database.begin() as conn:
        put_value(conn, f"next_poll_ms:{SIDE}", START_MS + HOUR_MS)
    poll_soon(database, clock, SIDE, "follower")
    assert next_ms() <= clock.now_ms()

    worker = PollLease(database, clock, SIDE, "worker")
    assert worker.begin()
    poll_soon(database, clock, SIDE, "follower")  # one is under way: it is left alone
    worker.renew()
    worker.end({"Lead": 60.0}, 3_600.0, looked=True)
    assert next_ms() == START_MS + HOUR_MS


def test_a_full_inbox_is_waited_for(database: Database, clock: ManualClock) -> None:
    script = [[batch("1", "2", "3", position="p1"), batch("4", position="p2")], [batch("4", position="p2")]]
    made = Following(database, clock, Scripted(script))  # type: ignore[arg-type]  # as given
    made.follower.most_waiting = 3
    made.follower._since_count = 9_999

    assert made.turn() == 60
    assert hints(database) == {"1", "2", "3"}
    assert place(database).position == "p1"
    assert "the inbox is full" in str(made.told[-1][1]["reason"])
    made.follower.most_waiting = 4
    made.turn()
    assert hints(database) == {"1", "2", "3", "4"}
