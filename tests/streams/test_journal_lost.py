"""When HubSpot's journal, who follows it, or an event is amiss: it is told, and made up for."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.budget import Budget
from connector.clock import MINUTE_MS
from connector.intake.streams import AFTER_LOST_SECONDS
from connector.lane import Lane
from connector.platforms.protocol import Allowance, Usage
from tests.streams.journalled import SIDE, Journalled, name_of, stored
from tests.world import World


def test_killed_between_fetching_and_storing_nothing_is_lost_and_nobody_is_made_twice(
    journalled: Journalled, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = journalled.world
    world.hubspot.crm.journal.most_events = 4
    ids = [world.hubspot.create("contacts", email=f"n{n}@acme.example", lastname=f"No {n}") for n in range(9)]
    put, stored_batches = "connector.intake.streams.put_stream_place", 0

    class Killed(BaseException):
        """As SIGKILL: nothing is tidied up that the database does not tidy up itself."""

    from connector.store.streams import put_stream_place

    def dies_at_the_third(*given: object) -> None:
        nonlocal stored_batches
        stored_batches += 1
        put_stream_place(*given)  # type: ignore[arg-type]  # handed on as it came
        if stored_batches == 3:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(put, dies_at_the_third)
        with pytest.raises(Killed):
            journalled.follow()
    before = journalled.waiting()
    assert 0 < before < len(ids)

    journalled.restart()
    world.later(minutes=2)  # the lease of the dead runs out
    journalled.work()

    leads = [journalled.lead_of(each) for each in ids]
    assert None not in leads
    assert len(set(leads)) == len(ids)
    assert len(world.hubspot.rows("contacts")) == len(ids)


@pytest.mark.parametrize("restarted", [True, False])
def test_away_for_more_than_three_days_a_poll_makes_up_for_it(
    journalled: Journalled, restarted: bool
) -> None:
    world = journalled.world
    ids = [world.hubspot.create("contacts", email=f"n{n}@acme.example", lastname="Old") for n in range(3)]
    journalled.work()
    reached_ms = journalled.place.reached_ms
    assert reached_ms is not None
    world.hubspot.update("contacts", ids[0], lastname="First")
    world.later(days=2)
    world.hubspot.update("contacts", ids[1], lastname="Second")
    world.later(days=2)
    world.hubspot.update("contacts", ids[2], lastname="Third")
    if restarted:
        journalled.restart()

    assert journalled.follow() == AFTER_LOST_SECONDS

    assert journalled.polls == [SIDE]
    assert journalled.place.lost is not None
    assert stored(world)["contacts"] <= reached_ms
    journalled.poll()
    assert stored(world) == {}
    assert [name_of(journalled, each) for each in ids] == ["First", "Second", "Third"]
    assert world.verify(repair=False).unexplained == 0
    journalled.follow()
    world.hubspot.update("contacts", ids[0], lastname="Now")
    journalled.work()
    assert name_of(journalled, ids[0]) == "Now"


def test_a_poll_that_has_gone_past_is_gone_back_over_when_events_are_lost(journalled: Journalled) -> None:
    """Search shows a record only after the cursor has passed it, and the event that told of it is lost."""
    world = journalled.world
    contact = world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    journalled.work()
    world.hubspot.faults.visibility_lag_seconds = 3_600
    world.hubspot.update("contacts", contact, lastname="Becker")
    world.hubspot.crm.journal.cut_next()
    world.later(minutes=1)
    world.hubspot.create("contacts", email="bo@acme.example")
    journalled.poll()
    journalled.follow()
    assert stored(world).keys() == {"contacts"}
    assert journalled.events("stream_missed")

    world.hubspot.faults.visibility_lag_seconds = 0.0
    journalled.poll()

    assert name_of(journalled, contact) == "Becker"


def test_with_a_clock_that_is_fast_a_catch_up_still_goes_back_far_enough(tmp_path: Path) -> None:
    """Quiet moments are noted by leadloop's own clock, and records are stamped by HubSpot's."""
    with World(tmp_path, fast_seconds=3_600) as world:
        journalled = Journalled(world)
        contact = world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
        journalled.work()
        world.later(minutes=20)
        journalled.follow()
        world.hubspot.faults.visibility_lag_seconds = 3_600
        world.hubspot.update("contacts", contact, lastname="Becker")
        world.hubspot.crm.journal.cut_next()
        world.later(minutes=1)
        journalled.poll()  # which does not see it yet

        journalled.follow()

        assert stored(world)["contacts"] <= world.clock.now_ms() - 6 * MINUTE_MS
        world.hubspot.faults.visibility_lag_seconds = 0.0
        journalled.poll()
        assert name_of(journalled, contact) == "Becker"
        journalled.restart()


def test_events_out_of_order_and_told_again_end_in_what_is_true_now(journalled: Journalled) -> None:
    world = journalled.world
    contact = world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    for _ in range(3):
        journalled.append(action="DELETE", objectId=int(contact), occurredAt="2027-01-14T08:00:00.000Z")
        journalled.append(action="UPDATE", objectId=int(contact), occurredAt="2027-01-13T08:00:00.000Z")
        journalled.append(action="CREATE", objectId=int(contact), occurredAt="2099-01-13T08:00:00.000Z")

    journalled.work()

    seen = journalled.seen(contact)
    assert seen is not None
    assert not seen.deleted
    assert world.lead("ann@acme.example").cut_sides == ()
    assert journalled.waiting() == 0
    assert (journalled.place.reached_ms or 0) <= world.clock.now_ms()


def test_events_that_are_malformed_foreign_or_of_vanished_records_stop_no_other(
    journalled: Journalled,
) -> None:
    world = journalled.world
    gone = world.hubspot.create("contacts", email="gone@acme.example")
    journalled.append(action="UPDATE")
    journalled.append(portalId=4, action="GDPR_DELETE", objectId=int(gone))
    journalled.append(action="LEVITATE", objectId=7)
    journalled.append(action="UPDATE", objectId=9_999_999)
    kept = world.hubspot.create("contacts", email="kept@acme.example", lastname="Kept")
    world.hubspot.archive("contacts", gone)

    journalled.work()

    (received,) = journalled.events("stream_received")
    assert (received["malformed"], received["unwanted"]) == (1, 2)
    assert stored(world).keys() == {"contacts"}  # what the malformed one was about, a poll finds
    assert journalled.seen(kept) is not None
    assert journalled.seen(gone) is None
    assert journalled.waiting() == 0


def test_a_token_that_ends_in_between_costs_nothing(journalled: Journalled) -> None:
    world = journalled.world
    world.hubspot.crm.journal.most_events = 1
    world.hubspot.access.lifetime_seconds = 90
    world.hubspot.faults.expire_tokens()
    ids = []
    for n in range(20):
        ids.append(world.hubspot.create("contacts", email=f"n{n}@acme.example"))
        world.later(seconds=20)
        if n % 5 == 4:
            journalled.follow()
    world.hubspot.faults.expire_tokens()
    journalled.work()

    assert all(journalled.seen(each) for each in ids)
    assert not journalled.events("stream_waits")
    assert not journalled.events("stream_refused")


def test_when_the_days_calls_run_short_the_journal_waits_and_polls_go_on(journalled: Journalled) -> None:
    world = journalled.world
    allowance = Allowance(100, 50, 20, 1_000, 1.0)  # 50 calls are ours; 10 of them the journal cannot have
    meter = Budget(SIDE, world.database, world.clock, allowance)
    meter.answered(Usage(day_used=0, day_limit=100))
    journalled.restart()
    journalled.meter = meter
    wait_seconds = 0.0
    for _ in range(60):
        wait_seconds = journalled.follow()
        if wait_seconds:
            break

    assert wait_seconds == 900.0
    (waits,) = journalled.events("stream_waits")
    assert "used up" in str(waits["reason"])
    for _ in range(5):
        meter.admit(Lane.HANDOFF, "search")
    world.later(days=2)
    assert journalled.follow() == 0.0


def test_a_subscription_that_lacks_is_told_once(journalled: Journalled) -> None:
    world = journalled.world
    world.hubspot.crm.journal.subscriptions.clear()
    world.hubspot.faults.fail_next(1, 400, {"message": "not for you"}, match="POST /webhooks-journal/")
    journalled.restart()

    journalled.follow()
    journalled.follow()

    (warned,) = journalled.events("stream_warns")
    assert "contacts (CREATE" in str(warned["reason"])
    assert "contacts (CREATE" in str(journalled.place.warning)
