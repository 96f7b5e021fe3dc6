"""Files of HubSpot's journal: fetched from a storage that may be anything, at addresses that end."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest
from werkzeug import Response

from connector.clock import ManualClock
from connector.platforms.errors import RetryLater
from connector.platforms.hubspot import journal_files
from connector.platforms.hubspot.journal import MOST_TRIES
from connector.platforms.hubspot.journal_files import FileFault, JournalFiles
from connector.sandbox.hubspot import HubSpotPortal
from connector.settings import load_settings
from tests.platforms.journal.following import OBJECTS, Following, calls
from tests.platforms.journal.strange import Strange


def test_no_token_of_ours_goes_to_the_storage(following: Following, portal: HubSpotPortal) -> None:
    """It would answer 400, as storage services do."""
    portal.create("contacts", email="ann@acme.example")
    portal.requests.reset()
    following.told()

    assert [each.status for each in portal.requests.log if "/journal-files/" in each.path] == [200]


def test_an_address_that_has_ended_is_asked_for_again(following: Following, portal: HubSpotPortal) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    portal.faults.fail_next(1, 403, "<Error><Code>AccessDenied</Code></Error>", match="/journal-files/")

    assert following.told() == [("contacts", contact, "read")]


def test_a_file_that_stays_cut_off_is_passed_over_and_its_objects_are_missed(
    following: Following, portal: HubSpotPortal
) -> None:
    portal.create("contacts", email="cut@acme.example")
    portal.crm.journal.cut_next()
    contact = portal.create("contacts", email="ann@acme.example")
    portal.requests.reset()

    cut, whole, alive = following.batches()

    assert (cut.events, cut.malformed, cut.told) == (1, 1, ())
    assert cut.missed == tuple(OBJECTS)
    assert cut.reached_ms is None
    assert whole.told == [("contacts", contact, "read")]
    assert not whole.missed
    assert not alive.missed
    assert calls(portal, "/journal-files/") == MOST_TRIES + 1


def test_a_file_that_was_cut_off_on_its_way_is_fetched_again(
    following: Following, portal: HubSpotPortal
) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    portal.faults.fail_next(1, 200, '{"journalEvents": [{"type"', match="/journal-files/")

    batches = following.batches()

    assert [batch.missed for batch in batches] == [(), ()]
    assert batches[0].told == [("contacts", contact, "read")]


def test_a_storage_that_is_down_is_waited_for_and_loses_nothing(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    portal.privacy_delete(contact)
    portal.faults.fail_next(100, 503, match="/journal-files/")

    for _ in range(100):
        with pytest.raises(RetryLater, match="HTTP 503") as waited:
            following.told()
        clock.advance(waited.value.after_seconds)

    assert ("contacts", contact, "forget") in following.told()


def test_a_file_whose_storage_stays_down_for_an_hour_is_passed_over(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.create("contacts", email="ann@acme.example")
    portal.faults.fail_next(2, 503, match="/journal-files/")
    with pytest.raises(RetryLater):
        following.told()
    clock.advance(3_600)

    passed, _ = following.batches()

    assert passed.missed == tuple(OBJECTS)


def test_a_storage_that_gives_a_byte_now_and_then_is_not_waited_for(
    strange: Strange, clock: ManualClock
) -> None:
    def drips() -> Iterator[bytes]:
        for _ in range(1_000):
            clock.advance(5)
            yield b" "

    strange.file = Response(drips(), 200)

    with pytest.raises(RetryLater, match="takes too long"):
        strange.following.batches(most=1)


def test_a_lost_connection_to_the_storage_loses_no_event(following: Following, portal: HubSpotPortal) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    portal.faults.lose_answer(match="/journal-files/")

    with pytest.raises(RetryLater, match="storage"):
        following.told()
    assert following.told() == [("contacts", contact, "read")]


@pytest.mark.parametrize(
    "address",
    [
        "http://files.example/x",
        "http://127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://user:secret@files.example/x",
        "file:///etc/passwd",
        "ftp://files.example/x",
        "//files.example/x",
        "https://[::1/x",
        "https:///x",
        "",
    ],
)
def test_a_file_is_fetched_by_https_from_the_internet_alone(clock: ManualClock, address: str) -> None:
    files = JournalFiles(load_settings({}, {}).hubspot, clock)

    with pytest.raises(FileFault, match="address") as fault:
        files.fetch(address)

    assert not fault.value.wait_seconds
    assert "secret" not in str(fault.value)


def test_a_file_that_lies_nowhere_is_passed_over(strange: Strange) -> None:
    strange.address = "ftp://files.example/x"

    assert strange.following.batches(most=1)[0].missed == tuple(OBJECTS)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"journalEvents": 7}', b'{"offset": "o2"}', b"\xff\xfe", b'{"journalEvents": [' * 9],
)
def test_a_file_of_another_form_is_passed_over(strange: Strange, content: bytes) -> None:
    strange.file = Response(content, 200)

    passed = strange.following.batches(most=1)[0]

    assert (passed.missed, passed.malformed) == (tuple(OBJECTS), 1)


def test_a_file_without_an_end_is_not_read_to_its_end(
    strange: Strange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is small on the wire: what counts is what it unpacks to."""
    monkeypatch.setattr(journal_files, "MOST_BYTES", 1_000_000)
    strange.file = Response(gzip.compress(b" " * 3_000_000), 200, {"Content-Encoding": "gzip"})

    assert strange.following.batches(most=1)[0].missed == tuple(OBJECTS)


def test_a_redirect_is_not_followed(strange: Strange) -> None:
    strange.file = Response("", 302, {"Location": "http://127.0.0.1:1/x"})

    with pytest.raises(RetryLater, match="HTTP 302"):
        strange.following.batches(most=1)


def test_a_packed_file_is_read(strange: Strange) -> None:
    event = {"portalId": 62515, "action": "CREATE", "objectTypeId": "0-1", "objectId": 7}
    content = json.dumps({"offset": "o2", "journalEvents": [event]}).encode()
    strange.file = Response(gzip.compress(content), 200, {"Content-Encoding": "gzip"})

    batch = strange.following.batches(most=1)[0]

    assert batch.told == [("contacts", "7", "read")]
    assert batch.reached_ms is None
