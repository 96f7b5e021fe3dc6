"""What HubSpot's journal is subscribed to."""

from __future__ import annotations

import pytest

from connector.clock import ManualClock
from connector.platforms.errors import Refused
from connector.sandbox.hubspot import HubSpotPortal
from tests.platforms.journal.following import Following


def deals(portal: HubSpotPortal) -> int:
    """The subscription to deals."""
    held = portal.crm.journal.subscriptions.items()
    return next(
        n for n, each in held if (each["objectTypeId"], each["subscriptionType"]) == ("0-3", "OBJECT")
    )


def test_it_is_subscribed_to_once_and_then_left_alone(following: Following, portal: HubSpotPortal) -> None:
    made = dict(portal.crm.journal.subscriptions)
    assert {(each["objectTypeId"], each["subscriptionType"]) for each in made.values()} == {
        ("0-1", "OBJECT"),
        ("0-1", "GDPR_PRIVACY_DELETION"),
        ("0-1", "ASSOCIATION"),
        ("0-3", "OBJECT"),
        ("0-3", "ASSOCIATION"),
    }

    following.restart()
    portal.requests.reset()
    following.told()

    assert portal.crm.journal.subscriptions == made
    assert [each.method for each in portal.requests.log if "/subscriptions/" in each.path] == ["GET"]


def test_what_others_subscribed_to_stays(following: Following, portal: HubSpotPortal) -> None:
    number = deals(portal)
    portal.crm.journal.subscriptions[number]["properties"] = ["theirs"]
    following.restart()
    following.told()

    assert set(portal.crm.journal.subscriptions[number]["properties"]) == {"theirs", "amount"}


def test_without_leave_to_subscribe_it_says_what_lacks_and_reads_what_there_is(
    following: Following, portal: HubSpotPortal
) -> None:
    following.given = {"LEADLOOP_HUBSPOT__JOURNAL_SUBSCRIBE": "false"}
    journal = portal.crm.journal
    del journal.subscriptions[deals(portal)]
    portal.access.app_scopes = frozenset(
        {"developer.webhooks_journal.read", "developer.webhooks_journal.subscriptions.read"}
    )
    contact = portal.create("contacts", email="ann@acme.example")
    following.restart()

    batch, alive = following.batches()

    assert "deals (CREATE, UPDATE, DELETE, MERGE, RESTORE)" in batch.warning
    assert "contacts" not in batch.warning
    assert alive.warning == batch.warning, "for as long as that is so"
    assert batch.told == [("contacts", contact, "read")]
    assert len(journal.subscriptions) == 4

    journal.subscriptions.clear()
    following.restart()
    with pytest.raises(Refused, match="JOURNAL_SUBSCRIBE"):
        following.told()


def test_a_subscription_that_is_refused_is_told_and_the_others_are_read(
    following: Following, portal: HubSpotPortal
) -> None:
    journal = portal.crm.journal
    del journal.subscriptions[deals(portal)]
    portal.faults.fail_next(1, 400, {"message": "deals are not for you"}, match="POST /webhooks-journal/")
    following.restart()

    (alive,) = following.batches()

    assert "deals (CREATE" in alive.warning
    assert "deals are not for you" in alive.warning


def test_a_subscription_that_somebody_ends_is_made_again_while_it_is_followed(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    del portal.crm.journal.subscriptions[deals(portal)]
    until_ms = clock.now_ms() + 7 * 3_600_000

    for _ in following.journal.batches(following.position, lambda: clock.now_ms() > until_ms):
        pass

    assert deals(portal)
