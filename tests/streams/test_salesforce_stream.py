"""Salesforce's change events, from the org over gRPC to the store: nothing is lost, whatever happens."""

from __future__ import annotations

import json

import pytest

from connector.clock import HOUR_MS, MINUTE_MS
from connector.sandbox import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from connector.sandbox.salesforce import custom_field
from connector.sandbox.salesforce.stamps import stamp_of_ms
from connector.store.errors import StoreError
from connector.store.leases import lease_held
from connector.worker.passes import Pass, act
from tests.streams.salesforce import SIDE, Streamed, serving


def test_a_new_lead_reaches_hubspot_without_a_poll(streamed: Streamed) -> None:
    streamed.begin()
    streamed.world.later(seconds=1)
    lead = streamed.lead("bo@acme.example")

    streamed.follow_to(lead)
    assert streamed.read().records == 1
    streamed.decide()

    assert [row["email"] for row in streamed.world.hubspot.rows("contacts")] == ["bo@acme.example"]
    assert streamed.polls_wanted == 0


def test_what_leadloop_wrote_itself_comes_back_and_ends_there(streamed: Streamed) -> None:
    streamed.begin()
    streamed.world.later(seconds=1)
    lead = streamed.lead("bo@acme.example")
    streamed.follow_to(lead)
    streamed.read()
    streamed.decide()
    assert streamed.world.sf_lead("bo@acme.example")["Leadloop_Stage__c"] == "nurture"

    streamed.follow_to(lead)  # leadloop's own write
    assert streamed.read().records == 1
    written = Pass()
    act(streamed.world.leadloop, written)

    assert written.written == 0


def test_what_happens_while_nobody_follows_is_told_afterwards(streamed: Streamed) -> None:
    streamed.begin()
    leads = [streamed.lead(f"{number}@acme.example") for number in range(3)]
    streamed.world.later(hours=71)

    streamed.follow_to(*leads)

    assert streamed.place().lost_ms is None


def test_nothing_is_lost_when_it_dies_between_an_event_and_the_store(
    streamed: Streamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed.begin()
    lead = streamed.lead("bo@acme.example")

    def dies(*_: object) -> None:
        raise StoreError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("connector.intake.streams.put_stream_place", dies)
        streamed.follow(lambda: "stream_waits" in streamed.events())
    assert streamed.waiting() == set()

    streamed.follow_to(lead)


def test_events_that_come_again_and_in_another_order_do_no_harm(streamed: Streamed) -> None:
    streamed.begin()
    before = streamed.place()
    lead = streamed.lead("bo@acme.example")
    streamed.world.salesforce.update("Lead", lead, LastName="Bello")
    streamed.follow_to(lead)
    streamed.read()
    streamed.world.salesforce.update("Lead", lead, LastName="Bellow")
    streamed.put_place(before)

    streamed.follow_to(lead)
    streamed.read()

    seen = streamed.seen("Lead", lead)
    assert seen is not None
    assert seen.fields["LastName"] == "Bellow"


@pytest.mark.parametrize("change_type", ["GAP_UPDATE", "GAP_CREATE", "GAP_DELETE"])
def test_a_gap_event_has_its_records_read(streamed: Streamed, change_type: str) -> None:
    streamed.begin()
    streamed.changes.select()  # changes are made past the bus
    one, two = streamed.lead("1@acme.example"), streamed.lead("2@acme.example")
    streamed.changes.select("Lead", "Contact", "Opportunity")
    streamed.changes.tell_gap("Lead", change_type, one[:15], two)

    streamed.follow_to(one, two)

    assert streamed.read().records == 2
    assert streamed.catch_ups() == {}


def keep_polling(streamed: Streamed, hours: int) -> None:
    for _ in range(hours):
        streamed.world.later(hours=1)
        streamed.poll()


@pytest.mark.parametrize("ids", [(), ("000000000000000AAA",), ("00Q*",)])
def test_an_overflow_or_wildcard_is_answered_by_a_catch_up_poll(
    streamed: Streamed, ids: tuple[str, ...]
) -> None:
    streamed.world.later(minutes=1)
    streamed.begin()
    lost_ms = streamed.world.clock.now_ms()
    keep_polling(streamed, 3)
    lead = back_dated_since(streamed, lost_ms)
    streamed.poll()
    assert streamed.seen("Lead", lead) is None
    streamed.changes.tell_gap("Lead", "GAP_UPDATE" if ids else "GAP_OVERFLOW", *ids)

    streamed.follow(lambda: bool(streamed.catch_ups()))

    assert set(streamed.catch_ups()) == {"Lead"}
    assert streamed.polls_wanted == 1
    streamed.poll()
    assert streamed.seen("Lead", lead) is not None
    assert streamed.catch_ups() == {}


def back_dated_since(streamed: Streamed, moment_ms: int) -> str:
    """A lead of which no event tells, with a stamp that the looks have long passed."""
    streamed.changes.select()
    lead = streamed.lead("late@acme.example")
    streamed.world.salesforce.touch("Lead", lead, SystemModstamp=stamp_of_ms(moment_ms + MINUTE_MS))
    streamed.changes.select("Lead", "Contact", "Opportunity", "Task")
    return lead


def test_away_for_more_than_72_hours_is_noticed_and_nothing_is_missed(streamed: Streamed) -> None:
    streamed.world.later(minutes=1)
    streamed.begin()
    last_ms = streamed.world.clock.now_ms()
    keep_polling(streamed, 73)
    lead = back_dated_since(streamed, last_ms)
    streamed.poll()
    assert streamed.seen("Lead", lead) is None

    streamed.follow(lambda: "stream_lost" in streamed.events())

    assert "for 73 hours" in str(streamed.place().lost)
    assert set(streamed.catch_ups()) == {"Lead", "Contact", "Opportunity"}
    assert streamed.polls_wanted == 1
    streamed.poll()
    assert streamed.seen("Lead", lead) is not None
    streamed.begin()  # from now on
    again = streamed.lead("bo@acme.example")
    streamed.follow_to(again)


def test_a_replay_id_that_salesforce_does_not_know_any_more(streamed: Streamed) -> None:
    streamed.begin()
    streamed.changes.reset()

    streamed.follow(lambda: "stream_lost" in streamed.events())

    assert "replayid.corrupted" in str(streamed.place().lost)
    assert streamed.place().position is None
    assert set(streamed.catch_ups()) == {"Lead", "Contact", "Opportunity"}
    streamed.begin()


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"/data/LeadChangeEvent": "?"}', '{"/data/LeadChangeEvent": "YQ=="}']
)
def test_a_position_that_is_damaged(streamed: Streamed, text: str) -> None:
    streamed.begin()
    streamed.put_place(streamed.place()._replace(position=text))

    streamed.follow(lambda: "stream_lost" in streamed.events())

    assert set(streamed.catch_ups()) == {"Lead", "Contact", "Opportunity"}


def test_an_event_that_cannot_be_decoded_stops_no_other(streamed: Streamed) -> None:
    streamed.begin()
    streamed.changes.tell_garbage("Contact")
    contact = streamed.world.salesforce.insert("Contact", LastName="Arbor")
    lead = streamed.lead("bo@acme.example")

    streamed.follow_to(lead, contact)

    received = [facts for event, facts in streamed.told if event == "stream_received"]
    assert sum(int(str(facts["malformed"])) for facts in received) == 1
    assert set(streamed.catch_ups()) == {"Contact"}
    assert ("stream_missed", {"side": SIDE, "objects": ["Contact"]}) in streamed.told
    told = len(streamed.told)
    after = streamed.lead("2@acme.example")
    streamed.follow_to(after)
    assert not [event for event, _ in streamed.told[told:] if event == "stream_missed"]  # it is passed


def test_a_schema_that_changes_in_mid_stream(streamed: Streamed) -> None:
    streamed.begin()
    follower = streamed.follower()
    one = streamed.lead("1@acme.example")
    streamed.follow_to(one, follower=follower)
    streamed.world.salesforce.add_field("Lead", custom_field("Budget__c", "number", scale=2))
    two = streamed.lead("2@acme.example", Budget__c=12.5)
    streamed.world.salesforce.update("Lead", one, Budget__c=7)

    streamed.follow_to(two, follower=follower)

    assert streamed.catch_ups() == {}
    follower.stream.close()


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


def test_deletion_restoring_conversion_and_merge_are_told(streamed: Streamed) -> None:
    org = streamed.world.salesforce
    gone, back, converted = (streamed.lead(f"{name}@acme.example") for name in ("gone", "back", "conv"))
    winner, loser = streamed.lead("win@acme.example"), streamed.lead("lose@acme.example")
    org.delete("Lead", back)
    streamed.begin()
    org.delete("Lead", gone)
    org.undelete("Lead", back)
    became = org.convert_lead(converted, opportunity_name="Engines")
    org.merge(winner, loser, Phone="1")

    streamed.follow_to(gone, back, converted, winner, loser, became.contact_id)
    streamed.follow(lambda: became.opportunity_id in streamed.waiting())

    told = streamed.hints()
    assert told["Lead", gone] == "deleted"
    assert told["Lead", back] == "restored"
    assert told["Lead", converted] == "read"
    assert told["Lead", loser] == "deleted"
    assert told["Contact", became.contact_id] == "read"
    assert became.opportunity_id is not None
    assert told["Opportunity", became.opportunity_id] == "read"
    streamed.read()
    seen = streamed.seen("Lead", gone)
    assert seen is not None
    assert seen.deleted
    merged = streamed.seen("Lead", loser)
    assert merged is not None
    assert merged.merged_into == winner


def test_one_custom_channel_keeps_one_position(streamed: Streamed) -> None:
    streamed.environment = {"LEADLOOP_SALESFORCE__STREAM_CHANNEL": "Leads__chn"}
    streamed.changes.add_channel("Leads__chn", "Lead", "Contact", "Task")
    streamed.begin()
    lead = streamed.lead("bo@acme.example")
    contact = streamed.world.salesforce.insert("Contact", LastName="Arbor")
    streamed.world.salesforce.insert("Task", Subject="Call")  # which the mapping does not have

    streamed.follow_to(lead, contact)
    streamed.follow(lambda: sum_of(streamed, "unwanted") == 1)

    assert sum_of(streamed, "unwanted") == 1
    assert list(json.loads(str(streamed.place().position))) == ["/data/Leads__chn"]
    assert streamed.waiting() == {lead, contact}


def sum_of(streamed: Streamed, what: str) -> int:
    return sum(int(str(facts[what])) for event, facts in streamed.told if event == "stream_received")


def test_no_more_events_are_asked_for_than_can_be_stored(streamed: Streamed) -> None:
    streamed.begin()
    leads = [streamed.lead(f"{number}@acme.example") for number in range(350)]

    streamed.follow_to(*leads)

    assert sum_of(streamed, "events") == 350
    assert streamed.server.most_open == 100


def test_an_object_whose_changes_are_not_captured_is_refused_with_the_remedy(streamed: Streamed) -> None:
    streamed.changes.select("Lead")

    seconds = streamed.follow(lambda: "stream_refused" in streamed.events())

    assert seconds == 300
    reason = str(streamed.told[-1][1]["reason"])
    assert "/data/ContactChangeEvent" in reason or "/data/OpportunityChangeEvent" in reason
    assert "Change Data Capture" in reason


def test_a_quiet_stream_moves_on(streamed: Streamed) -> None:
    """So that a position does not grow old in an org where nothing happens."""
    streamed.begin()
    first = streamed.place()
    streamed.world.later(hours=50)
    streamed.follow(lambda: streamed.place().reached_ms == streamed.world.clock.now_ms())
    streamed.world.later(hours=50)

    streamed.follow(lambda: streamed.place().reached_ms == streamed.world.clock.now_ms())

    place = streamed.place()
    assert place.lost_ms is None
    assert place.position != first.position
    assert place.reached_ms is not None
    assert first.reached_ms is not None
    assert place.reached_ms - first.reached_ms == 100 * HOUR_MS


def test_an_object_that_is_followed_anew_is_polled_from_where_the_others_stand(streamed: Streamed) -> None:
    streamed.begin()
    before = streamed.place()
    places = json.loads(str(before.position))
    del places["/data/ContactChangeEvent"]
    streamed.put_place(before._replace(position=json.dumps(places)))

    streamed.follow(lambda: bool(streamed.catch_ups()))

    assert before.reached_ms is not None
    assert streamed.catch_ups() == {"Contact": before.reached_ms - 10 * MINUTE_MS}


def test_positions_of_all_topics_are_kept(streamed: Streamed) -> None:
    streamed.begin()

    assert sorted(json.loads(str(streamed.place().position))) == [
        "/data/ContactChangeEvent",
        "/data/LeadChangeEvent",
        "/data/OpportunityChangeEvent",
    ]
