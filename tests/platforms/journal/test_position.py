"""Where HubSpot's journal is gone on from, and when that place is lost."""

from __future__ import annotations

import pytest

from connector.clock import ManualClock
from connector.platforms.hubspot.journal import ENTRIES_AT_ONCE, KEEPS_MS
from connector.platforms.streams import PositionLost
from connector.sandbox.control import Control
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.server import serve
from tests.platforms.journal.following import DAY_SECONDS, Following, calls
from tests.platforms.journal.strange import Strange


def test_it_begins_at_now_and_goes_on_where_it_was(following: Following, portal: HubSpotPortal) -> None:
    portal.create("contacts", email="old@acme.example")
    following.position = None
    assert following.told() == []

    new = portal.create("contacts", email="new@acme.example")
    following.restart()

    assert following.told() == [("contacts", new, "read")]


def test_what_comes_between_an_empty_journal_and_a_restart_is_told(
    portal: HubSpotPortal, clock: ManualClock
) -> None:
    server = serve(Control(portal, clock))
    first = Following(server.url, portal.portal_id, clock)
    assert first.batches()[-1].position is not None
    contact = portal.create("contacts", email="ann@acme.example")
    first.restart()

    assert first.told() == [("contacts", contact, "read")]
    first.restart()
    server.stop()


def test_each_file_is_a_batch_and_a_kill_between_two_repeats_at_most_the_second(
    following: Following, portal: HubSpotPortal
) -> None:
    portal.crm.journal.most_events = 2
    ids = [portal.create("contacts", email=f"n{n}@acme.example") for n in range(3)]  # 2 events each

    first = following.batches(most=1)
    following.restart()
    rest = following.batches()

    assert [each.record_id for batch in first for each in batch.told] == ids[:1]
    assert [each.record_id for batch in rest for each in batch.told] == ids[1:]


def test_a_backlog_takes_one_call_for_many_files(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.crm.journal.most_events = 1
    made = 3 * ENTRIES_AT_ONCE
    contact = portal.create("contacts", email="ann@acme.example")
    following.told()
    for n in range(made):
        portal.update("contacts", contact, lastname=f"Name {n}")
        clock.advance(60)
    portal.requests.reset()

    assert len(following.batches()) == made + 1
    assert calls(portal, "/webhooks-journal/") <= made // ENTRIES_AT_ONCE + 2
    assert calls(portal, "/journal-files/") == made


def test_away_for_longer_than_entries_are_kept_the_position_is_lost(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    following.told()
    portal.update("contacts", contact, lastname="Lost")
    clock.advance(4 * DAY_SECONDS)
    portal.update("contacts", contact, lastname="Kept")

    with pytest.raises(PositionLost, match="does not have"):
        following.told()
    following.position = None
    assert following.told() == []
    portal.update("contacts", contact, lastname="New")
    assert following.told() == [("contacts", contact, "read")]


def test_an_entry_that_ends_while_nothing_happens_loses_nothing(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    """Three quiet days: HubSpot drops the entry that we stand at, and there was nothing after it."""
    contact = portal.create("contacts", email="ann@acme.example")
    following.told()
    for _ in range(4):
        clock.advance(DAY_SECONDS)
        assert following.told() == []

    portal.update("contacts", contact, lastname="Becker")

    assert following.told() == [("contacts", contact, "read")]


def test_a_dropped_entry_is_gone_on_from_with_the_oldest_that_is_kept(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    following.told()
    clock.advance(2 * DAY_SECONDS)
    following.told()
    portal.update("contacts", contact, lastname="Becker")
    clock.advance(2 * DAY_SECONDS)
    portal.update("contacts", contact, lastname="Cole")

    assert following.told() == [("contacts", contact, "read")] * 2


def test_a_journal_that_was_emptied_is_lost_only_when_that_may_have_cost_events(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.create("contacts", email="ann@acme.example")
    following.told()
    portal.crm.journal.lose()
    assert following.told() == []

    following.position = f"{clock.now_ms() - KEEPS_MS - 1}:0d6d9c47-5a0a-4e33-9a57-58be01dd1ffd"
    with pytest.raises(PositionLost):
        following.told()


@pytest.mark.parametrize("position", ["", "x", "12", "now:abc", "12:../../latest", "12:a b"])
def test_a_position_of_something_else_is_lost(following: Following, position: str) -> None:
    following.position = position

    with pytest.raises(PositionLost, match="not one of"):
        following.told()


def test_a_404_with_nothing_newer_is_no_loss(strange: Strange) -> None:
    strange.entry = False

    (alive,) = strange.following.batches()

    assert not alive.events
    assert strange.following.position is not None
    assert strange.following.position.endswith(":o1")


def test_an_entry_that_is_given_as_the_next_one_after_itself_is_nothing_newer(strange: Strange) -> None:
    """It would be read for ever, as fast as the network goes."""
    strange.next = "o1"

    (alive,) = strange.following.batches(most=3)

    assert not alive.events
