"""Calls to HubSpot's journal: how many there are, with which token, and what becomes of those that fail."""

from __future__ import annotations

from itertools import pairwise

import pytest

from connector.clock import ManualClock
from connector.platforms import hubspot
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import FreeMeter
from connector.platforms.settings import SettingsError
from connector.sandbox.hubspot import HubSpotPortal
from connector.settings import load_settings
from tests.platforms.journal.following import OBJECTS, START_MS, Following, calls


def test_a_quiet_journal_is_asked_seldom_and_shows_that_it_lives(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.requests.reset()
    seen_ms = [clock.now_ms()]

    for batch in following.journal.batches(following.position, lambda: False):
        assert (batch.events, batch.reached_ms) == (0, None)
        seen_ms.append(clock.now_ms())
        if clock.now_ms() > START_MS + 600_000:
            break

    assert max(later - sooner for sooner, later in pairwise(seen_ms)) <= 20_000
    assert portal.requests.count <= 46


def test_it_stops_when_told_to_within_a_second(following: Following, clock: ManualClock) -> None:
    until_ms = clock.now_ms() + 9_500

    for _ in following.journal.batches(following.position, lambda: clock.now_ms() >= until_ms):
        pass

    assert until_ms <= clock.now_ms() <= until_ms + 1_000


def test_calls_are_counted_and_files_are_not(following: Following, portal: HubSpotPortal) -> None:
    portal.create("contacts", email="ann@acme.example")
    before = sum(following.meter.calls.values())
    portal.requests.reset()
    following.told()

    assert calls(portal, "/journal-files/") == 1
    assert sum(following.meter.calls.values()) - before == calls(portal, "/webhooks-journal/")


def test_the_token_of_the_app_is_renewed_before_it_ends_and_when_it_is_refused(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.requests.reset()
    clock.advance(1_000)
    following.told()
    assert calls(portal, "/oauth/") == 0
    clock.advance(900)
    contact = portal.create("contacts", email="ann@acme.example")
    assert following.told() == [("contacts", contact, "read")]
    assert calls(portal, "/oauth/") == 1
    assert portal.requests.by_status[401] == 0

    portal.faults.expire_tokens()
    portal.update("contacts", contact, lastname="Becker")
    assert following.told() == [("contacts", contact, "read")]
    assert portal.requests.by_status[401] == 1


@pytest.mark.parametrize(
    ("status", "headers", "seconds"), [(500, {}, 30), (429, {"Retry-After": "7"}, 7), (429, {}, 10)]
)
def test_a_journal_that_does_not_answer_is_left_alone_as_long_as_it_says(
    following: Following, portal: HubSpotPortal, status: int, headers: dict[str, str], seconds: float
) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    portal.faults.fail_next(1, status, headers=headers, match="/webhooks-journal/")

    with pytest.raises(RetryLater) as waited:
        following.told()

    assert waited.value.after_seconds == seconds
    assert following.told() == [("contacts", contact, "read")]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("client_id", "LEADLOOP_HUBSPOT__CLIENT_ID"),
        ("client_secret", "LEADLOOP_HUBSPOT__CLIENT_SECRET"),
        ("app_scopes", "scopes of the app"),
    ],
)
def test_an_app_that_gets_no_token_is_told_what_to_check(
    following: Following, portal: HubSpotPortal, spoil: str, said: str
) -> None:
    setattr(portal.access, spoil, frozenset() if spoil == "app_scopes" else "another")
    following.restart()

    with pytest.raises(Refused, match=said):
        following.told()


def test_another_account_is_not_ours_to_read(following: Following) -> None:
    following.portal_id += 1
    following.restart()

    with pytest.raises(Refused):
        following.told()


def test_switched_off_it_says_so_and_without_an_app_what_to_set(clock: ManualClock) -> None:
    def stream(**given: str) -> object:
        environment = {f"LEADLOOP_HUBSPOT__{name}": value for name, value in given.items()}
        settings = load_settings({}, environment).hubspot
        return hubspot.stream(settings, "hubspot", OBJECTS, "1", FreeMeter(), clock)

    assert stream() == "LEADLOOP_HUBSPOT__JOURNAL is off."
    with pytest.raises(SettingsError, match="LEADLOOP_HUBSPOT__CLIENT_ID is not set"):
        stream(JOURNAL="true", CLIENT_SECRET="s")
    with pytest.raises(SettingsError, match="LEADLOOP_HUBSPOT__CLIENT_SECRET is not set"):
        stream(JOURNAL="true", CLIENT_ID="i")


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_the_journal_refuses_is_told_with_the_app_to_check(
    following: Following, portal: HubSpotPortal, status: int
) -> None:
    """The token of the account is another one, and is in order."""
    portal.faults.fail_next(2, status, {"message": "no"}, match="/webhooks-journal/")

    with pytest.raises((Refused, RetryLater), match="LEADLOOP_HUBSPOT__CLIENT_ID") as refused:
        following.told()

    assert "journal" in str(refused.value)
