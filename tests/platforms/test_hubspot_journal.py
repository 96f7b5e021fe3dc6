"""The stream of HubSpot's webhooks journal, against a portal that keeps one: what is told of, from where it
goes on, and what becomes of everything that can be amiss with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connector.clock import ManualClock
from connector.platforms import hubspot
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.hubspot import journal_files
from connector.platforms.hubspot.journal import ENTRIES_AT_ONCE, KEEPS_MS, MOST_TRIES
from connector.platforms.hubspot.journal_files import FileFault, JournalFiles
from connector.platforms.protocol import FreeMeter
from connector.platforms.settings import SettingsError
from connector.platforms.streams import PositionLost
from connector.sandbox.control import Control
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.server import serve
from connector.settings import load_settings
from tests.platforms.following import OBJECTS, Following

START_MS = 1_790_000_000_000
DAY_SECONDS = 86_400


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def portal(clock: ManualClock) -> HubSpotPortal:
    return HubSpotPortal(clock)


@pytest.fixture
def following(portal: HubSpotPortal, clock: ManualClock) -> Iterator[Following]:
    """Somebody who has begun, so that the journal is subscribed to."""
    server = serve(Control(portal, clock))
    made = Following(server.url, portal.portal_id, clock)
    made.batches()
    yield made
    made.restart()
    server.stop()


def calls(portal: HubSpotPortal, text: str) -> int:
    return sum(1 for each in portal.requests.log if text in each.path)


def deals(portal: HubSpotPortal) -> int:
    """The subscription to deals."""
    held = portal.crm.journal.subscriptions.items()
    return next(
        n for n, each in held if (each["objectTypeId"], each["subscriptionType"]) == ("0-3", "OBJECT")
    )


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


def test_no_token_of_ours_goes_to_the_storage(following: Following, portal: HubSpotPortal) -> None:
    """It would answer 400, as storage services do."""
    portal.create("contacts", email="ann@acme.example")
    portal.requests.reset()
    following.told()

    assert [each.status for each in portal.requests.log if "/journal-files/" in each.path] == [200]


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


def test_a_storage_that_is_down_is_waited_for_and_then_passed_over(
    following: Following, portal: HubSpotPortal
) -> None:
    portal.create("contacts", email="ann@acme.example")
    portal.faults.fail_next(MOST_TRIES, 503, match="/journal-files/")

    for _ in range(MOST_TRIES - 1):
        with pytest.raises(RetryLater, match="HTTP 503"):
            following.told()
    passed, _ = following.batches()

    assert passed.missed == tuple(OBJECTS)


def test_a_lost_connection_to_the_storage_loses_no_event(following: Following, portal: HubSpotPortal) -> None:
    contact = portal.create("contacts", email="ann@acme.example")
    portal.faults.lose_answer(match="/journal-files/")

    with pytest.raises(RetryLater, match="storage"):
        following.told()
    assert following.told() == [("contacts", contact, "read")]


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


def test_the_moment_reached_is_that_of_the_newest_event_of_this_account(
    following: Following, portal: HubSpotPortal, clock: ManualClock
) -> None:
    clock.advance(5)
    portal.create("contacts", email="ann@acme.example")
    clock.advance(9)

    batch, alive = following.batches()

    assert batch.reached_ms == clock.now_ms() - 9_000
    assert alive.reached_ms is None


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
    assert not alive.warning
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


class _Strange:
    """A HubSpot that answers 404 when nothing is new, as it was reported once, and names a file anywhere."""

    def __init__(self, server: HTTPServer, clock: ManualClock) -> None:
        self.file: Response | None = None
        self.address = server.url_for("/file")
        self.entry = True
        self.latest = "o1"
        base = "/webhooks-journal/journal-local/2026-03"
        expect = server.expect_request
        expect("/oauth/2026-03/token").respond_with_json({"access_token": "t", "expires_in": 1_800})
        listed = {"results": [each.body("62515", []) | {"appId": 1} for each in _wanted()]}
        expect("/webhooks-journal/subscriptions/2026-03").respond_with_json(listed)
        expect(f"{base}/latest").respond_with_handler(lambda _: self._entry_of(self.latest))
        expect(f"{base}/offset/o1/next").respond_with_handler(self._next)
        expect(f"{base}/earliest").respond_with_handler(lambda _: self._entry_of("o0"))
        expect("/file").respond_with_handler(lambda _: self.file or Response("", 500))
        self.following = Following(server.url_for("").rstrip("/"), 62515, clock)
        self.following.position = f"{clock.now_ms()}:o1"

    def _entry_of(self, offset: str) -> Response:
        body = {"currentOffset": offset, "url": self.address, "expiresAt": "2027-01-15T08:00:00Z"}
        return Response(json.dumps(body), 200, {"content-type": "application/json"})

    def _next(self, _: Request) -> Response:
        return self._entry_of("o2") if self.entry else Response('{"message": "not found"}', 404)


def _wanted() -> list[Any]:
    from connector.platforms.hubspot.journal_subscriptions import needed

    return needed(OBJECTS)


@pytest.fixture
def strange(httpserver: HTTPServer, clock: ManualClock) -> Iterator[_Strange]:
    made = _Strange(httpserver, clock)
    yield made
    made.following.restart()


def test_a_404_with_nothing_newer_is_no_loss(strange: _Strange) -> None:
    strange.entry = False

    (alive,) = strange.following.batches()

    assert not alive.events
    assert strange.following.position is not None
    assert strange.following.position.endswith(":o1")


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


def test_a_file_that_lies_nowhere_is_passed_over(strange: _Strange) -> None:
    strange.address = "ftp://files.example/x"

    assert strange.following.batches(most=1)[0].missed == tuple(OBJECTS)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"journalEvents": 7}', b'{"offset": "o2"}', b"\xff\xfe", b'{"journalEvents": [' * 9],
)
def test_a_file_of_another_form_is_passed_over(strange: _Strange, content: bytes) -> None:
    strange.file = Response(content, 200)

    passed = strange.following.batches(most=1)[0]

    assert (passed.missed, passed.malformed) == (tuple(OBJECTS), 1)


def test_a_file_without_an_end_is_not_read_to_its_end(
    strange: _Strange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is small on the wire: what counts is what it unpacks to."""
    monkeypatch.setattr(journal_files, "MOST_BYTES", 1_000_000)
    strange.file = Response(gzip.compress(b" " * 3_000_000), 200, {"Content-Encoding": "gzip"})

    assert strange.following.batches(most=1)[0].missed == tuple(OBJECTS)


def test_a_redirect_is_not_followed(strange: _Strange) -> None:
    strange.file = Response("", 302, {"Location": "http://127.0.0.1:1/x"})

    with pytest.raises(RetryLater, match="HTTP 302"):
        strange.following.batches(most=1)


def test_a_packed_file_is_read(strange: _Strange) -> None:
    event = {"portalId": 62515, "action": "CREATE", "objectTypeId": "0-1", "objectId": 7}
    content = json.dumps({"offset": "o2", "journalEvents": [event]}).encode()
    strange.file = Response(gzip.compress(content), 200, {"Content-Encoding": "gzip"})

    batch = strange.following.batches(most=1)[0]

    assert batch.told == [("contacts", "7", "read")]
    assert batch.reached_ms is None
