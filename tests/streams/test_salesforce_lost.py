"""What Salesforce's stream has lost, or tells without naming a record: it is noticed, and polled again."""

from __future__ import annotations

import json

import pytest

from connector.clock import HOUR_MS, MINUTE_MS
from connector.sandbox import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from connector.sandbox.salesforce import custom_field
from connector.sandbox.salesforce.stamps import stamp_of_ms
from tests.streams.salesforce import SIDE, Streamed, sum_of


@pytest.mark.parametrize("change_type", ["GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE"])
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


def test_an_answer_that_is_too_large_is_passed_over_and_polled_for(
    streamed: Streamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would come again and again, and nothing behind it."""
    streamed.begin()
    monkeypatch.setattr("connector.platforms.salesforce.pubsub_wire.LARGEST_ANSWER_BYTES", 200)
    streamed.lead("bo@acme.example")

    streamed.follow(lambda: "stream_lost" in streamed.events())

    assert "cannot be read" in str(streamed.place().lost)
    assert set(streamed.catch_ups()) == {"Lead", "Contact", "Opportunity"}
    monkeypatch.undo()
    streamed.begin()
    again = streamed.lead("2@acme.example")
    streamed.follow_to(again)


def test_a_schema_that_is_not_given_has_its_object_polled_and_is_asked_for_again(
    streamed: Streamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed.begin()
    follower = streamed.follower()
    with monkeypatch.context() as patch:
        asked: list[str] = []
        patch.setattr(streamed.changes, "schema_text", asked.append)
        for number in range(3):
            streamed.lead(f"{number}@acme.example")
        streamed.follow(lambda: sum_of(streamed, "malformed") == 3, follower)
    assert len(asked) <= sum(event == "stream_received" for event in streamed.events())
    assert set(streamed.catch_ups()) == {"Lead"}

    lead = streamed.lead("later@acme.example")
    streamed.follow_to(lead, follower=follower)

    assert sum_of(streamed, "malformed") == 3
    follower.stream.close()


def test_a_session_that_ends_within_an_answer_loses_nothing(
    streamed: Streamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schema of an event cannot be had then."""
    streamed.environment = {
        "LEADLOOP_SALESFORCE__SESSION_ID": "",
        "LEADLOOP_SALESFORCE__INSTANCE_URL": streamed.world.sandbox.salesforce_url,
        "LEADLOOP_SALESFORCE__CONSUMER_KEY": SALESFORCE_CLIENT_ID,
        "LEADLOOP_SALESFORCE__CONSUMER_SECRET": SALESFORCE_CLIENT_SECRET,
    }
    streamed.begin()
    streamed.world.later(minutes=1)
    one = streamed.lead("1@acme.example")
    streamed.world.salesforce.add_field("Lead", custom_field("Budget__c", "number", scale=2))
    two = streamed.lead("2@acme.example", Budget__c=12.5)
    text_of, ended = streamed.changes.schema_text, []

    def ends(schema_id: str) -> str | None:
        if not ended:
            ended.append(schema_id)
            streamed.world.salesforce.faults.expire_tokens()
        return text_of(schema_id)

    monkeypatch.setattr(streamed.changes, "schema_text", ends)

    streamed.follow_to(one, two)

    assert ended
    assert streamed.catch_ups() == {}
