"""A stream is followed: hints and position are stored together, and what is lost is polled again."""

from __future__ import annotations

import pytest

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, ManualClock
from connector.intake.streams import LEASE_MS, STAND_BY_SECONDS, lease_of
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.streams import PositionLost, StreamBatch
from connector.store.catch_ups import move_catch_up
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.leases import lease_held, take_lease
from tests.streams.scripted import SIDE, Following, Scripted, batch, catch_ups, hints, place
from tests.world import START_MS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


def following(database: Database, clock: ManualClock, *calls: object, token: str = "one") -> Following:
    return Following(database, clock, Scripted(list(calls)), token)  # type: ignore[arg-type]  # as given


def test_hints_position_and_moment_are_stored_and_gone_on_from(
    database: Database, clock: ManualClock
) -> None:
    made = following(
        database,
        clock,
        [batch("1", "2", position="p1", reached_ms=START_MS - 50), batch("3", position="p2")],
        [batch("4", position="p3", reached_ms=START_MS - 7)],
    )

    made.turn()
    assert hints(database) == {"1", "2", "3"}
    assert place(database)[:3] == ("p2", START_MS - 50, START_MS)
    made.turn()

    assert made.stream.positions == [None, "p2"]
    assert hints(database) == {"1", "2", "3", "4"}
    assert place(database).reached_ms == START_MS - 7
    assert made.wakes == 3
    assert made.polls == 0


def test_a_position_is_never_ahead_of_its_hints(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = following(database, clock, [batch("1", position="p1")], [batch("1", position="p1")])

    def fails(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("connector.intake.streams.put_stream_place", fails)
        assert made.turn() > 0
    assert hints(database) == set()

    with monkeypatch.context() as patch:
        patch.setattr("connector.intake.streams.put_hints", fails)
        assert made.turn() > 0
    with pytest.raises(KeyError):
        place(database)
    assert made.stream.positions == [None, None]


def test_silence_moves_the_moment_and_the_position(database: Database, clock: ManualClock) -> None:
    made = following(database, clock, [StreamBatch(position="p1")])

    made.turn()

    assert place(database)[:3] == ("p1", START_MS, START_MS)
    assert "stream_received" not in made.events()


def test_missed_objects_are_polled_from_before_the_last_stored_event(
    database: Database, clock: ManualClock
) -> None:
    first = batch("1", position="p1", reached_ms=START_MS - HOUR_MS)
    gap = StreamBatch(position="p2", reached_ms=START_MS, missed=("Contact", "Unmapped__c"), events=1)
    made = following(database, clock, [first, gap])

    made.turn()

    assert catch_ups(database) == {"Contact": START_MS - HOUR_MS - 10 * MINUTE_MS}
    assert made.polls == 1
    assert ("stream_missed", {"side": SIDE, "objects": ["Contact"]}) in made.told
    assert place(database).position == "p2"


def test_a_lost_position_begins_at_now_and_has_everything_polled(
    database: Database, clock: ManualClock
) -> None:
    made = following(
        database,
        clock,
        [batch("1", position="p1", reached_ms=START_MS - HOUR_MS)],
        [PositionLost("the replay id is too old")],
        [],
    )
    made.turn()
    clock.advance(60)

    made.turn()

    since_ms = START_MS - HOUR_MS - 10 * MINUTE_MS
    assert catch_ups(database) == {"Lead": since_ms, "Contact": since_ms}
    stands = place(database)
    assert (stands.position, stands.lost_ms, stands.lost) == (
        None,
        START_MS + 60_000,
        "the replay id is too old",
    )
    assert made.polls == 1
    assert "stream_lost" in made.events()
    made.turn()
    assert made.stream.positions == [None, "p1", None]


def test_a_second_loss_does_not_shorten_the_first_ones_catch_up(
    database: Database, clock: ManualClock
) -> None:
    made = following(
        database,
        clock,
        [batch("1", position="p1", reached_ms=START_MS - DAY_MS), PositionLost("gone")],
        [batch("2", position="p2", reached_ms=START_MS), PositionLost("gone again")],
    )
    made.turn()
    made.turn()

    assert catch_ups(database)["Lead"] == START_MS - DAY_MS - 10 * MINUTE_MS


def test_a_position_that_nobody_followed_for_longer_than_events_are_kept_is_lost(
    database: Database, clock: ManualClock
) -> None:
    made = following(database, clock, [batch("1", position="p1", reached_ms=START_MS)], [])
    made.turn()
    clock.advance(3 * 86_400 + 1)

    made.turn()

    assert place(database).position is None
    assert catch_ups(database)["Lead"] == START_MS - 10 * MINUTE_MS
    assert "for 72 hours" in str(place(database).lost)
    made.turn()
    assert made.stream.positions == [None, None]


@pytest.mark.parametrize("told_ms", [START_MS + 400 * DAY_MS, 2**64 - 1])
def test_an_event_of_the_future_hides_no_loss(database: Database, clock: ManualClock, told_ms: int) -> None:
    future = batch("1", position="p1", reached_ms=told_ms)
    gap = StreamBatch(position="p2", reached_ms=told_ms, missed=("Contact",), events=1)
    made = following(database, clock, [future, gap])

    made.turn()

    assert hints(database) == {"1"}
    assert catch_ups(database) == {"Contact": START_MS - 10 * MINUTE_MS}
    assert place(database).reached_ms == START_MS


def test_a_position_that_is_lost_before_any_moment_was_told_is_made_up_for_from_when_it_was_seen(
    database: Database, clock: ManualClock
) -> None:
    made = following(database, clock, [batch("1", position="p1")], [])
    made.turn()
    assert place(database).reached_ms is None
    clock.advance(4 * 86_400)

    made.turn()

    assert catch_ups(database)["Lead"] == START_MS - 10 * MINUTE_MS


def test_a_stream_that_ended_before_it_told_a_position_is_made_up_for(
    database: Database, clock: ManualClock
) -> None:
    """A quiet Salesforce tells a position after minutes; whoever follows may be killed before."""
    made = following(database, clock, [StreamBatch(reached_ms=0)] * 2, [StreamBatch(reached_ms=0)] * 2)
    made.turn()
    assert catch_ups(database) == {}
    clock.advance(3_600)

    made.turn()

    assert made.stream.positions == [None, None]
    since_ms = START_MS - 10 * MINUTE_MS
    assert catch_ups(database) == {"Lead": since_ms, "Contact": since_ms}
    assert made.polls == 1


def test_what_happens_between_a_loss_and_the_new_beginning_is_made_up_for(
    database: Database, clock: ManualClock
) -> None:
    first = batch("1", position="p1", reached_ms=START_MS - DAY_MS)
    made = following(database, clock, [first], [PositionLost("gone")], [RetryLater("down", 42)], [batch("2")])
    made.turn()
    made.turn()
    with database.begin() as conn:  # a poll has made up for it
        for name, since_ms in catch_ups(database).items():
            move_catch_up(conn, SIDE, name, since_ms, None)
    clock.advance(3_600)
    made.turn()
    assert catch_ups(database) == {}

    made.turn()

    since_ms = START_MS - 10 * MINUTE_MS
    assert catch_ups(database) == {"Lead": since_ms, "Contact": since_ms}


def test_a_quiet_stream_that_is_followed_is_not_lost(database: Database, clock: ManualClock) -> None:
    made = following(database, clock, [batch("1", position="p1", reached_ms=START_MS)], [StreamBatch()], [])
    made.turn()
    clock.advance(2 * 86_400)
    made.turn()
    clock.advance(2 * 86_400)
    made.turn()

    assert made.stream.positions == [None, "p1", "p1"]
    assert place(database).lost_ms is None


def test_one_process_follows_and_the_others_take_over(database: Database, clock: ManualClock) -> None:
    one = following(database, clock, [batch("1", position="p1")])
    two = following(database, clock, [batch("2", position="p2")], token="two")
    with database.begin() as conn:
        take_lease(conn, lease_of(SIDE), "one", clock.now_ms(), LEASE_MS)

    assert two.turn() == STAND_BY_SECONDS
    assert two.turn() == STAND_BY_SECONDS
    assert two.events() == ["stream_standby"]  # told once
    assert two.stream.positions == []

    one.turn()  # which gives it back at its end
    two.turn()
    assert two.stream.positions == ["p1"]
    assert place(database).position == "p2"


def test_who_lost_the_lease_stores_nothing_any_more(database: Database, clock: ManualClock) -> None:
    class Stalling(Scripted):
        def batches(self, position, stopping):  # type: ignore[no-untyped-def]  # as the protocol's
            clock.advance(LEASE_MS / 1_000 + 1)  # longer than the lease, and meanwhile:
            with database.begin() as conn:
                assert take_lease(conn, lease_of(SIDE), "two", clock.now_ms(), LEASE_MS)
            yield batch("1", position="p1")

    made = Following(database, clock, Stalling([]))

    assert made.turn() == STAND_BY_SECONDS

    assert hints(database) == set()
    with database.read() as conn:
        assert lease_held(conn, lease_of(SIDE), clock.now_ms())


def test_a_platform_that_does_not_answer_is_waited_for_and_one_that_refuses_too(
    database: Database, clock: ManualClock
) -> None:
    made = following(
        database, clock, [RetryLater("down", 42)], [Refused("no permission")], [batch("1", position="p1")]
    )

    assert made.turn() == 42
    assert made.turn() == 300
    with database.read() as conn:
        assert not lease_held(conn, lease_of(SIDE), clock.now_ms())  # another process may try meanwhile
    made.turn()

    assert made.events()[:5] == [
        "stream_followed",
        "stream_waits",
        "stream_followed",
        "stream_refused",
        "stream_followed",
    ]
    assert hints(database) == {"1"}


def test_a_fault_that_nobody_foresaw_is_told_without_its_values(
    database: Database, clock: ManualClock
) -> None:
    made = following(database, clock, [ValueError("ann@acme.example")], [batch("1", position="p1")])

    assert made.turn() == 300
    event, facts = made.told[-1]
    assert (event, facts["error"]) == ("stream_failed", "ValueError")
    assert "ann@" not in str(facts)
    made.turn()
    assert hints(database) == {"1"}


def test_what_a_stream_does_not_tell_stays_until_it_tells_it(database: Database, clock: ManualClock) -> None:
    lacks = StreamBatch(position="p1", warning="Contact is not captured")
    made = following(database, clock, [lacks, lacks], [batch("1", position="p2")])

    made.turn()
    assert place(database)[-2:] == (START_MS, "Contact is not captured")
    assert made.events().count("stream_warns") == 1
    made.turn()

    assert place(database)[-2:] == (None, None)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Refused("the user may not", "NO"), "NO: the user may not"),
        (RetryLater("the server is away", 30.0), "the server is away"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_why_a_stream_is_not_followed_is_kept_beside_where_it_stands(
    database: Database, clock: ManualClock, fault: Exception, said: str
) -> None:
    made = following(database, clock, [fault], [batch("1", position="p1", reached_ms=START_MS)], [fault])

    made.turn()
    assert said in str(place(database).warning)
    made.turn()
    assert place(database) == ("p1", START_MS, START_MS, None, None, None, None)
    clock.advance(60)
    made.turn()

    stands = place(database)
    assert stands[:3] == ("p1", START_MS, START_MS)
    assert said in str(stands.warning)
    assert stands.warned_ms == START_MS + 60_000
