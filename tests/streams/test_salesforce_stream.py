"""Salesforce's change events, from the org over gRPC to the store: nothing is lost, whatever happens."""

from __future__ import annotations

import json

import pytest

from connector.store.errors import StoreError
from connector.worker.passes import Pass, act
from tests.streams.salesforce import Streamed, sum_of


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


def test_no_more_events_are_asked_for_than_can_be_stored(streamed: Streamed) -> None:
    streamed.begin()
    leads = [streamed.lead(f"{number}@acme.example") for number in range(350)]

    streamed.follow_to(*leads)

    assert sum_of(streamed, "events") == 350
    assert streamed.server.most_open == 100


def test_positions_of_all_topics_are_kept(streamed: Streamed) -> None:
    streamed.begin()

    assert sorted(json.loads(str(streamed.place().position))) == [
        "/data/ContactChangeEvent",
        "/data/LeadChangeEvent",
        "/data/OpportunityChangeEvent",
    ]
