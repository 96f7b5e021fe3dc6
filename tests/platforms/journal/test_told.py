"""What HubSpot's journal tells of: records, and events that say nothing."""

from __future__ import annotations

from typing import Any

import pytest

from connector.clock import ManualClock
from connector.sandbox.hubspot import HubSpotPortal
from tests.platforms.journal.following import Following


def test_what_people_do_is_told_in_order(following: Following, portal: HubSpotPortal) -> None:
    contact = portal.create("contacts", email="ann@acme.example", lastname="Arbor")
    assert following.told() == [("contacts", contact, "read")]

    portal.update("contacts", contact, lastname="Becker")
    portal.archive("contacts", contact)
    portal.restore("contacts", contact)
    deal = portal.create("deals", dealname="Engines", amount=5)

    assert following.told() == [
        ("contacts", contact, "read"),
        ("contacts", contact, "deleted"),
        ("contacts", contact, "restored"),
        ("deals", deal, "read"),
    ]
    assert following.told() == []


def test_an_association_and_its_end_tell_of_both_records(following: Following, portal: HubSpotPortal) -> None:
    contact, deal = portal.create("contacts", email="ann@acme.example"), portal.create("deals", amount=5)
    following.told()

    portal.associate("contacts", contact, "deals", deal)
    assert set(following.told()) == {("contacts", contact, "read"), ("deals", deal, "read")}
    portal.dissociate("deals", deal, "contacts", contact)
    assert set(following.told()) == {("contacts", contact, "read"), ("deals", deal, "read")}


def test_properties_that_nobody_reads_are_not_told(following: Following, portal: HubSpotPortal) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    following.told()

    portal.update("contacts", contact, jobtitle="VP")

    assert following.batches()[0].events == 0


@pytest.mark.parametrize("keep_primary_id", [True, False])
def test_a_merge_tells_of_the_survivor_first(
    following: Following, portal: HubSpotPortal, keep_primary_id: bool
) -> None:
    portal.crm.keep_primary_id = keep_primary_id
    one = portal.create("contacts", email="ann@acme.example")
    other = portal.create("contacts", email="ann@home.example")
    following.told()

    survivor = portal.merge(one, other)

    told = [each for each in following.told() if each.kind == "merged"]
    assert told[0].record_id == survivor
    assert {each.record_id for each in told} == {survivor, one, other}


def test_a_privacy_deletion_tells_whom_to_forget(following: Following, portal: HubSpotPortal) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    following.told()

    portal.privacy_delete(contact)

    assert ("contacts", contact, "forget") in following.told()


def test_events_that_say_nothing_are_counted_and_stop_no_other(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    ours = {"portalId": portal.portal_id, "type": "crmObject", "occurredAt": "2027-01-15T08:00:00.000Z"}
    contact = portal.create("contacts", email="ann@acme.example")
    given: list[dict[str, Any]] = [
        {},
        {**ours, "action": "UPDATE"},
        {**ours, "action": "UPDATE", "objectTypeId": "0-1", "objectId": "../7"},
        {**ours, "portalId": 4, "action": "UPDATE", "objectTypeId": "0-1", "objectId": 7},
        {**ours, "action": "LEVITATE", "objectTypeId": "0-1", "objectId": 7},
        {**ours, "action": "UPDATE", "objectTypeId": "0-5", "objectId": 7},
    ]
    for event in given:
        portal.crm.journal.append(event, clock.now_ms())
    last = portal.create("contacts", email="bo@acme.example")

    batch, _ = following.batches()

    assert batch.told == [("contacts", contact, "read"), ("contacts", last, "read")]
    assert (batch.events, batch.malformed, batch.unwanted) == (10, 3, 3)


@pytest.mark.parametrize(
    ("event", "missed"),
    [
        ({}, ("contacts", "deals")),
        ({"action": "MERGE", "objectTypeId": "0-1"}, ("contacts",)),
        ({"action": "UPDATE", "objectTypeId": "0-3", "objectId": "../7"}, ("deals",)),
        ({"action": "ASSOCIATION_ADDED", "fromObjectTypeId": "0-1", "toObjectTypeId": 3}, ("contacts",)),
        ({"action": "UPDATE", "objectTypeId": "0-5"}, ()),
        ({"action": "UPDATE", "objectTypeId": ["0-1"], "objectId": 7}, ("contacts", "deals")),
    ],
)
def test_what_a_malformed_event_may_be_about_is_missed(
    following: Following,
    portal: HubSpotPortal,
    clock: ManualClock,
    event: dict[str, Any],
    missed: tuple[str, ...],
) -> None:
    portal.crm.journal.append({"portalId": portal.portal_id, **event}, clock.now_ms())

    batch, _ = following.batches()

    assert (batch.malformed, batch.missed) == (1, missed)


def test_the_moment_reached_is_not_that_of_another_accounts_event(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.create("contacts", email="ann@acme.example")
    clock.advance(5)
    portal.crm.journal.append(
        {"portalId": 4, "action": "UPDATE", "occurredAt": clock.now_ms()}, clock.now_ms()
    )

    assert following.batches()[0].reached_ms == clock.now_ms() - 5_000


def test_the_moment_reached_is_that_of_the_newest_event_of_this_account(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    clock.advance(5)
    portal.create("contacts", email="ann@acme.example")
    clock.advance(9)

    batch, alive = following.batches()

    assert batch.reached_ms == clock.now_ms() - 9_000
    assert alive.reached_ms is None
