"""HubSpot's journal from end to end: what people do there is fetched, read, decided and written to
Salesforce, without a look at HubSpot; and what becomes of it when the journal, the follower or an event is
amiss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.budget import Budget
from connector.clock import MINUTE_MS
from connector.intake.streams import AFTER_LOST_SECONDS
from connector.lane import Lane
from connector.platforms.protocol import Allowance, Usage
from connector.store import holds as hold_store
from connector.store.catch_ups import catch_ups_of
from tests.connector.switched_on import with_objects
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.streams.journalled import SIDE, Journalled
from tests.world import RULES, World, configuration


@pytest.fixture
def journalled(tmp_path: Path) -> Iterator[Journalled]:
    with World(tmp_path) as world:
        made = Journalled(world)
        yield made
        made.restart()


def searches(world: World) -> int:
    return sum(1 for each in world.hubspot.requests.log if each.path.endswith("/search"))


def stored(world: World) -> dict[str, int]:
    """What is to be polled again, and from when on."""
    with world.database.read() as conn:
        return catch_ups_of(conn, SIDE)


def name_of(journalled: Journalled, contact: str) -> object:
    seen = journalled.seen(contact)
    return None if seen is None else seen.fields["lastname"]


def test_a_change_in_hubspot_reaches_salesforce_without_a_look_at_hubspot(journalled: Journalled) -> None:
    world = journalled.world
    contact = enter_ann(world)
    journalled.work()
    world.hubspot.submit_form(ANN, "Pricing")
    journalled.work()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    journalled.poll("salesforce")  # what was created there has been seen
    journalled.decide()

    world.hubspot.requests.reset()
    world.hubspot.update("contacts", contact, phone="+49 30 1234567")
    journalled.work()

    assert world.sf_lead(ANN)["Phone"] == "+49301234567"
    assert searches(world) == 0


def test_a_deal_and_its_contact_move_the_lead_without_a_look(tmp_path: Path) -> None:
    """Whether an association moves the stamp of a deal is not known; here it does not."""
    with World(tmp_path, configuration(RULES, {"preset:hubspot": with_objects("deals")})) as world:
        journalled = Journalled(world)
        make_mql(world)
        journalled.work()
        deal = world.hubspot.create("deals", dealname="Acme", pipeline="default", dealstage="contractsent")
        journalled.work()
        assert world.contact(ANN)["leadloop_stage"] == "distributed"

        world.hubspot.associate("deals", deal, "contacts", str(world.contact(ANN)["id"]))
        journalled.work()
        assert world.contact(ANN)["leadloop_stage"] == "opportunity"

        world.hubspot.update("deals", deal, dealstage="closedwon")
        journalled.work()
        assert world.contact(ANN)["leadloop_outcome"] == "won"
        assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "closed"
        journalled.restart()


def test_what_leadloop_writes_itself_comes_back_and_changes_nothing(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)

    assert journalled.work() == 0
    assert journalled.work() == 0
    assert journalled.waiting() == 0


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


def test_a_privacy_deletion_forgets_the_person(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.hubspot.privacy_delete(contact)

    journalled.work()

    assert journalled.seen(contact) is None
    assert journalled.lead_of(contact) is None
    with world.database.read() as conn:
        held = hold_store.open_holds(conn, [hold_store.INSTALLATION])[hold_store.INSTALLATION]
    assert [hold.kind for hold in held] == ["forgotten"]  # the Lead that Salesforce still has
    assert world.hubspot.rows("contacts") == []


@pytest.mark.parametrize("keep_primary_id", [True, False])
def test_a_merge_unites_the_leads_under_the_survivor(journalled: Journalled, keep_primary_id: bool) -> None:
    world = journalled.world
    world.hubspot.crm.keep_primary_id = keep_primary_id
    one = world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    other = world.hubspot.create("contacts", email="ann@home.example", lastname="Arbor")
    journalled.work()
    survivor = world.hubspot.merge(one, other)

    journalled.work()

    assert len({journalled.lead_of(each) for each in (one, other, survivor)}) == 1
    for each in {one, other} - {survivor}:
        seen = journalled.seen(each)
        assert seen is not None
        assert (seen.deleted, seen.merged_into) == (True, survivor)


def test_deleted_and_restored(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.hubspot.archive("contacts", contact)
    journalled.work()
    assert world.lead(ANN).cut_sides == (SIDE,)

    world.hubspot.restore("contacts", contact)
    journalled.work()

    assert world.lead(ANN).cut_sides == ()
    assert journalled.waiting() == 0


def test_a_deletion_that_was_told_is_not_found_a_second_time_in_the_recycle_bin(
    journalled: Journalled,
) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.hubspot.archive("contacts", contact)
    journalled.work()
    before, lead = journalled.seen(contact), world.lead(ANN)

    world.later(hours=2)
    journalled.poll()
    written = journalled.decide()

    lists = [each for each in world.hubspot.requests.log if each.method == "GET" and "/contacts" in each.path]
    assert lists
    assert written == 0
    assert journalled.seen(contact) == before
    assert world.lead(ANN) == lead
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_a_deletion_that_the_recycle_bin_has_shown_is_not_told_a_second_time(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.later(hours=2)
    world.hubspot.archive("contacts", contact)
    journalled.poll()
    journalled.decide()
    assert world.lead(ANN).cut_sides == (SIDE,)
    lead = world.lead(ANN)

    assert journalled.work() == 0

    assert world.lead(ANN) == lead
    seen = journalled.seen(contact)
    assert seen is not None
    assert seen.deleted
    assert journalled.waiting() == 0


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


def test_the_status_says_how_far_the_journal_is_read(journalled: Journalled) -> None:
    world = journalled.world
    world.hubspot.create("contacts", email="ann@acme.example")
    world.later(minutes=3)
    asked_ms = world.clock.now_ms()

    journalled.follow()

    place = journalled.place
    assert place.lost is None
    assert asked_ms <= (place.reached_ms or 0) <= asked_ms + MINUTE_MS
    assert place.position is not None
