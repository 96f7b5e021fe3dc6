"""The connection to Salesforce's stream: sessions that end, servers that go, silence, and who follows."""

from __future__ import annotations

import threading
from typing import Any

import grpc
import pytest

from connector.platforms.salesforce.pubsub_wire import Wire
from connector.sandbox import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET, SALESFORCE_SESSION_ID
from connector.store.leases import lease_held
from tests.streams.salesforce import SIDE, Streamed, serving


def test_an_expired_session_is_renewed_once_and_nothing_is_lost(streamed: Streamed) -> None:
    streamed.environment = {
        "LEADLOOP_SALESFORCE__SESSION_ID": "",
        "LEADLOOP_SALESFORCE__INSTANCE_URL": streamed.world.sandbox.salesforce_url,
        "LEADLOOP_SALESFORCE__CONSUMER_KEY": SALESFORCE_CLIENT_ID,
        "LEADLOOP_SALESFORCE__CONSUMER_SECRET": SALESFORCE_CLIENT_SECRET,
    }
    follower = streamed.follower()
    streamed.follow(streamed.has_begun, follower)
    lead = streamed.lead("bo@acme.example")
    streamed.world.salesforce.faults.expire_tokens()

    streamed.follow_to(lead, follower=follower)

    assert "stream_waits" not in streamed.events()
    follower.stream.close()


def test_a_session_that_cannot_be_renewed_is_told(streamed: Streamed) -> None:
    follower = streamed.follower(LEADLOOP_SALESFORCE__SESSION_ID="00D000000000000!no")

    seconds = streamed.follow(lambda: "stream_waits" in streamed.events(), follower)

    assert seconds == 300
    assert "LEADLOOP_SALESFORCE__SESSION_ID" in str(streamed.told[-1][1]["reason"])
    follower.stream.close()


def test_a_session_that_is_refused_right_after_a_login_is_left_alone(
    streamed: Streamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated logins can lock the user."""
    streamed.environment = {
        "LEADLOOP_SALESFORCE__SESSION_ID": "",
        "LEADLOOP_SALESFORCE__INSTANCE_URL": streamed.world.sandbox.salesforce_url,
        "LEADLOOP_SALESFORCE__CONSUMER_KEY": SALESFORCE_CLIENT_ID,
        "LEADLOOP_SALESFORCE__CONSUMER_SECRET": SALESFORCE_CLIENT_SECRET,
    }
    logins: list[str] = []
    issue = streamed.world.salesforce.auth.issue

    def useless(user_id: str) -> str:
        logins.append(user_id)
        return issue(user_id)[:-1]

    monkeypatch.setattr(streamed.world.salesforce.auth, "issue", useless)
    follower = streamed.follower()

    assert streamed.follow(lambda: False, follower) == 300
    assert "fresh login" in str(streamed.told[-1][1]["reason"])
    assert streamed.follow(lambda: False, follower) == 300

    assert len(logins) == 2
    follower.stream.close()


def test_a_stream_that_falls_silent_is_opened_anew(streamed: Streamed) -> None:
    """A connection can be dead without anybody saying so."""
    with serving(streamed.world, keepalive_seconds=270) as mute:
        streamed.server = mute

        def time_passes() -> bool:
            streamed.world.later(minutes=7)
            return False

        assert streamed.follow(time_passes) == 5

    assert "has been silent on /data/" in str(streamed.told[-1][1]["reason"])


def test_who_follows_keeps_the_lease_while_nothing_happens(streamed: Streamed) -> None:
    with serving(streamed.world, keepalive_seconds=270) as mute:
        streamed.server = mute
        seen: set[int] = set()

        def time_passes() -> bool:
            now_ms = streamed.world.clock.now_ms()
            with streamed.world.database.read() as conn:
                assert lease_held(conn, f"stream.{SIDE}", now_ms)
            seen.add(streamed.place().seen_ms)
            streamed.world.later(seconds=16)
            return len(seen) > 6

        streamed.follow(time_passes)

    assert max(seen) - min(seen - {0}) >= 60_000
    assert streamed.place().reached_ms is None  # Salesforce has not said that it told everything


def test_credentials_of_another_org_are_refused(streamed: Streamed) -> None:
    streamed.environment = {
        "LEADLOOP_SALESFORCE__SESSION_ID": "",
        "LEADLOOP_SALESFORCE__INSTANCE_URL": streamed.world.sandbox.salesforce_url,
        "LEADLOOP_SALESFORCE__CONSUMER_KEY": SALESFORCE_CLIENT_ID,
        "LEADLOOP_SALESFORCE__CONSUMER_SECRET": SALESFORCE_CLIENT_SECRET,
    }
    follower = streamed.follower()
    follower.stream._account = "00D000000000009EAA"  # type: ignore[attr-defined]  # as if the database were another org's

    assert streamed.follow(lambda: "stream_refused" in streamed.events(), follower) == 300

    assert "00D000000000009EAA" in str(streamed.told[-1][1]["reason"])
    follower.stream.close()


def test_the_server_goes_and_comes_back(streamed: Streamed) -> None:
    streamed.begin()
    streamed.server.stop()
    lead = streamed.lead("bo@acme.example")

    seconds = streamed.follow(lambda: "stream_waits" in streamed.events())

    assert seconds == 30
    assert streamed.place().position is not None
    with serving(streamed.world, streamed.server.port):
        streamed.follow_to(lead)


def test_the_server_goes_while_it_is_followed(streamed: Streamed) -> None:
    streamed.begin()

    def gone() -> bool:
        streamed.server.stop()
        return False

    assert streamed.follow(gone) > 0

    assert "stream_waits" in streamed.events()


def test_two_processes_one_follows(streamed: Streamed) -> None:
    streamed.begin()
    one, two = streamed.follower("one"), streamed.follower("two")
    asked: list[float] = []

    def second_asks() -> bool:
        asked.append(streamed.follow(lambda: True, two))
        return True

    streamed.follow(second_asks, one)

    assert asked[0] == 10  # it stands by
    lead = streamed.lead("bo@acme.example")
    streamed.follow_to(lead, follower=two)
    with streamed.world.database.read() as conn:
        assert not lease_held(conn, f"stream.{SIDE}", streamed.world.clock.now_ms())
    one.stream.close()
    two.stream.close()


def warnings(streamed: Streamed) -> str:
    return " ".join(str(facts["reason"]) for event, facts in streamed.told if event == "stream_warns")


def test_an_object_whose_changes_are_not_captured_is_told_with_the_remedy_and_stops_no_other(
    streamed: Streamed,
) -> None:
    streamed.changes.select("Lead", "Opportunity")
    follower = streamed.follower()
    streamed.follow(lambda: len(streamed.topics()) == 2 and bool(warnings(streamed)), follower)

    lead = streamed.lead("bo@acme.example")
    streamed.follow_to(lead, follower=follower)

    assert "/data/ContactChangeEvent" in warnings(streamed)
    assert "Change Data Capture" in warnings(streamed)
    assert "/data/ContactChangeEvent" in str(streamed.place().warning)
    assert streamed.place().reached_ms == streamed.world.clock.now_ms()
    follower.stream.close()


def test_an_object_that_is_captured_later_is_followed_from_then_on(streamed: Streamed) -> None:
    streamed.changes.select("Lead", "Opportunity")
    contacts: list[str] = []

    def admin_selects_it() -> bool:
        if warnings(streamed) and not contacts:
            streamed.changes.select("Lead", "Contact", "Opportunity")
            streamed.world.later(minutes=5)
            contacts.append("")
        if len(streamed.topics()) == 3 and contacts == [""]:
            contacts[:] = [streamed.world.salesforce.insert("Contact", LastName="Arbor")]
        return set(contacts) <= streamed.waiting() and bool(contacts)

    streamed.follow(admin_selects_it)

    assert streamed.waiting() == set(contacts)
    assert streamed.events().count("stream_warns") == 1
    assert streamed.place().warning is None


def test_a_topic_that_is_refused_again_and_again_leaves_nothing_behind(streamed: Streamed) -> None:
    def threads() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if "ThreadPool" not in each.name}

    before, salesforce = threads(), streamed.world.salesforce
    wire = Wire(streamed.server.url, SALESFORCE_SESSION_ID, "https://x", salesforce.organization_id)

    for _ in range(3):
        wire.subscribe("/data/CaseChangeEvent", None)
        answer = wire.answer(30)
        assert answer is not None
        assert answer.error is not None
    wire.close()

    left = threads() - before
    for each in left:
        each.join(10)
    assert not [each for each in left if each.is_alive()]


@pytest.mark.parametrize("left", [("Lead", "Opportunity"), ("Task",)])
@pytest.mark.parametrize("restarted", [True, False])
def test_what_happens_while_an_object_is_not_captured_is_polled_once_it_is_again(
    streamed: Streamed, left: tuple[str, ...], restarted: bool
) -> None:
    """No event ever tells of it, and the position from before is good for 72 hours."""
    streamed.begin()
    streamed.changes.select(*left)
    follower = streamed.follower()
    streamed.follow(lambda: bool({"stream_warns", "stream_refused"} & set(streamed.events())), follower)
    streamed.follow(lambda: "/data/ContactChangeEvent" not in streamed.topics(), follower)
    contact = streamed.world.salesforce.insert("Contact", LastName="Arbor")
    streamed.changes.select("Lead", "Contact", "Opportunity")
    if restarted:
        follower.stream.close()
        follower = streamed.follower()
    streamed.world.later(minutes=5)

    streamed.follow(lambda: "Contact" in streamed.catch_ups(), follower)

    assert streamed.polls_wanted
    streamed.poll()
    assert streamed.seen("Contact", contact) is not None
    follower.stream.close()


def test_when_no_object_is_captured_the_stream_is_refused(streamed: Streamed) -> None:
    streamed.changes.select("Task")

    seconds = streamed.follow(lambda: "stream_refused" in streamed.events())

    assert seconds == 300
    reason = str(streamed.told[-1][1]["reason"])
    assert "ChangeEvent" in reason
    assert "Change Data Capture" in reason
    for name in ("Lead", "Contact", "Opportunity"):
        assert f"/data/{name}ChangeEvent" in str(streamed.place().warning)
    assert streamed.catch_ups() == {}  # it is asked for again and again, and each time nothing is new


@pytest.mark.parametrize(
    ("code", "status", "seconds", "said"),
    [
        ("service.protection.triggered", "RESOURCE_EXHAUSTED", 30, "Salesforce gives no events now"),
        ("subscription.fetch.overflow", "INVALID_ARGUMENT", 5, "broke off the stream"),
        ("subscription.fetch.replay.repeated", "FAILED_PRECONDITION", 5, "broke off the stream"),
        ("subscription.limit.exceeded", "RESOURCE_EXHAUSTED", 1_800, "allowance is used up"),
        ("service.tenant.license", "PERMISSION_DENIED", 300, "no licence for the Pub/Sub API"),
        ("", "UNAVAILABLE", 30, "check the network"),
    ],
)
def test_each_refusal_is_waited_for_and_told_in_its_own_words(
    streamed: Streamed, monkeypatch: pytest.MonkeyPatch, code: str, status: str, seconds: float, said: str
) -> None:
    def refuses(_: object, context: Any) -> None:
        if code:
            context.set_trailing_metadata((("error-code", f"sfdc.platform.eventbus.grpc.{code}"),))
        context.abort(getattr(grpc.StatusCode, status), "No.")

    monkeypatch.setattr(streamed.server, "_check_session", lambda context: refuses(None, context))

    assert streamed.follow(lambda: False) == seconds

    assert said in str(streamed.told[-1][1]["reason"])
