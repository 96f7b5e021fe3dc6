"""The sandbox's Pub/Sub API answers as the public contract and the guide say, to any client."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import fastavro
import grpc
import orjson
import pytest

from connector.clock import ManualClock
from connector.platforms.salesforce import pubsub_messages as messages
from connector.sandbox import SALESFORCE_SESSION_ID
from connector.sandbox.salesforce import SalesforceOrg, custom_field
from connector.sandbox.salesforce.change_events import UnknownReplayId
from connector.sandbox.salesforce.pubsub_server import PubSubServer
from connector.sandbox.server import PortTakenError

LEADS = "/data/LeadChangeEvent"
DAY_SECONDS = 86_400


class Subscriber:
    """A client of its own, by the contract alone."""

    def __init__(self, url: str, organization_id: str, token: str = SALESFORCE_SESSION_ID) -> None:
        self.channel = grpc.insecure_channel(url.removeprefix("http://"), [("grpc.enable_http_proxy", 0)])
        self.metadata = (("accesstoken", token), ("instanceurl", "x"), ("tenantid", organization_id))
        self.requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def unary(self, method: str, request: Any, answer: Any) -> Any:
        call = self.channel.unary_unary(method, type(request).SerializeToString, answer.FromString)
        return call(request, metadata=self.metadata, timeout=30)

    def subscribe(self, topic: str = LEADS, want: int = 100, **place: Any) -> Any:
        """The answers to a subscription."""
        self.ask(topic, want, **place)
        call = self.channel.stream_stream(
            messages.SUBSCRIBE, messages.FetchRequest.SerializeToString, messages.FetchResponse.FromString
        )
        return call(iter(self.requests.get, None), metadata=self.metadata, timeout=30)

    def ask(self, topic: str, want: int, **place: Any) -> None:
        self.requests.put(messages.FetchRequest(topic_name=topic, num_requested=want, **place))

    def decoded(self, event: Any) -> dict[str, Any]:
        info = self.unary(
            messages.GET_SCHEMA, messages.SchemaRequest(schema_id=event.event.schema_id), messages.SchemaInfo
        )
        schema = fastavro.parse_schema(orjson.loads(info.schema_json))
        read: Any = fastavro.schemaless_reader(BytesIO(event.event.payload), schema, None)
        return {"fields": [each["name"] for each in orjson.loads(info.schema_json)["fields"]], **read}


@pytest.fixture
def org(clock: ManualClock) -> SalesforceOrg:
    made = SalesforceOrg(clock)
    made.changes.select("Lead", "Contact")
    return made


@pytest.fixture
def server(org: SalesforceOrg) -> Iterator[PubSubServer]:
    made = PubSubServer(org, keepalive_seconds=0.3)
    yield made
    made.stop()


@pytest.fixture
def subscriber(server: PubSubServer, org: SalesforceOrg) -> Iterator[Subscriber]:
    made = Subscriber(server.url, org.organization_id)
    yield made
    made.requests.put(None)
    made.channel.close()


def lead(org: SalesforceOrg, **fields: Any) -> str:
    return org.insert("Lead", **{"LastName": "Arbor", "Company": "Acme", **fields})


def events(answers: Any, number: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < number:
        found += next(answers).events
    return found


def code_of(error: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    trailers = dict(error.value.trailing_metadata())
    return str(trailers["error-code"]).removeprefix("sfdc.platform.eventbus.grpc.")


def test_what_a_change_event_holds(org: SalesforceOrg, subscriber: Subscriber, clock: ManualClock) -> None:
    answers = subscriber.subscribe(replay_preset=messages.EARLIEST)
    row = lead(org, Phone="1")
    org.update("Lead", row, Phone=None, LastName="Bell")
    org.delete("Lead", row)
    org.undelete("Lead", row)

    created, changed, deleted, back = (subscriber.decoded(each) for each in events(answers, 4))

    header = changed["ChangeEventHeader"]
    assert header["entityName"] == "Lead"
    assert header["recordIds"] == [row]
    assert header["commitTimestamp"] == clock.now_ms()
    assert header["commitUser"] == org.admin_id
    kinds = [each["ChangeEventHeader"]["changeType"] for each in (created, changed, deleted, back)]
    assert kinds == ["CREATE", "UPDATE", "DELETE", "UNDELETE"]
    assert (created["LastName"], created["Phone"]) == ("Arbor", "1")
    assert (changed["LastName"], changed["Phone"], changed["Company"]) == ("Bell", None, None)
    assert {"LastName", "Phone"} <= named(changed, header["changedFields"])
    assert "Company" not in named(changed, header["changedFields"])
    assert named(changed, header["nulledFields"]) == {"Phone"}
    assert deleted["LastName"] is None


def named(event: dict[str, Any], bitmaps: list[str]) -> set[str]:
    """The fields that a bitmap means: the lowest bit is the schema's first field."""
    (bitmap,) = bitmaps
    bits = int(bitmap, 16)
    return {name for place, name in enumerate(event["fields"]) if bits >> place & 1}


def test_what_is_rolled_back_is_not_told_and_a_transaction_tells_each_record_once(
    org: SalesforceOrg, subscriber: Subscriber
) -> None:
    answers = subscriber.subscribe(replay_preset=messages.EARLIEST)
    with org.lock, org.transaction() as roll_back:
        lead(org)
        roll_back()
    with org.lock, org.transaction():
        row = lead(org)
        org.update("Lead", row, LastName="Bell")

    (only,) = events(answers, 1)

    decoded = subscriber.decoded(only)
    assert decoded["ChangeEventHeader"]["changeType"] == "CREATE"
    assert decoded["LastName"] == "Bell"
    assert not next(answers).events  # the keep-alive


def test_a_new_field_makes_a_new_schema_and_the_old_one_stays(
    org: SalesforceOrg, subscriber: Subscriber
) -> None:
    topic = messages.TopicRequest(topic_name=LEADS)
    before = subscriber.unary(messages.GET_TOPIC, topic, messages.TopicInfo).schema_id
    org.add_field("Lead", custom_field("Budget__c", "number"))

    after = subscriber.unary(messages.GET_TOPIC, topic, messages.TopicInfo).schema_id

    assert before != after
    old = subscriber.unary(messages.GET_SCHEMA, messages.SchemaRequest(schema_id=before), messages.SchemaInfo)
    assert "Budget__c" not in old.schema_json


def test_no_more_is_given_than_was_asked_for(org: SalesforceOrg, subscriber: Subscriber) -> None:
    answers = subscriber.subscribe(want=3, replay_preset=messages.EARLIEST)
    for _ in range(5):
        lead(org)

    assert len(events(answers, 3)) == 3
    subscriber.ask(LEADS, 100)
    assert len(events(answers, 2)) == 2


def test_replay_goes_on_after_the_event_and_quiet_moments_have_a_place(
    org: SalesforceOrg, subscriber: Subscriber, server: PubSubServer
) -> None:
    answers = subscriber.subscribe()
    quiet = next(answers)
    assert not quiet.events
    one, two = lead(org), lead(org)
    first, second = events(answers, 2)

    again = Subscriber(server.url, org.organization_id)
    for place, expected in ((quiet.latest_replay_id, [one, two]), (first.replay_id, [two])):
        replayed = again.subscribe(replay_preset=messages.CUSTOM, replay_id=place)
        found = [again.decoded(each) for each in events(replayed, len(expected))]
        assert [each["ChangeEventHeader"]["recordIds"] for each in found] == [[each] for each in expected]
        replayed.cancel()
        again.requests = queue.SimpleQueue()
    assert first.replay_id < second.replay_id
    again.channel.close()


def test_events_are_kept_for_72_hours(org: SalesforceOrg, subscriber: Subscriber, clock: ManualClock) -> None:
    answers = subscriber.subscribe(replay_preset=messages.EARLIEST)
    lead(org)
    (old,) = events(answers, 1)
    clock.advance(3 * DAY_SECONDS - 1)
    lead(org)
    assert len(org.changes.after(old.replay_id, frozenset({"Lead"}), 10)) == 1
    clock.advance(1)

    answers.cancel()
    subscriber.requests = queue.SimpleQueue()
    late = subscriber.subscribe(replay_preset=messages.CUSTOM, replay_id=old.replay_id)
    with pytest.raises(grpc.RpcError) as raised:
        next(late)

    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert code_of(raised) == "subscription.fetch.replayid.corrupted"


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"topic": "/data/CaseChangeEvent"}, grpc.StatusCode.NOT_FOUND, "topic.not.found"),
        ({"topic": "/data/OpportunityChangeEvent"}, grpc.StatusCode.NOT_FOUND, "topic.not.found"),
        (
            {"want": 0},
            grpc.StatusCode.INVALID_ARGUMENT,
            "subscription.fetch.requested.events.invalid",
        ),
        (
            {"replay_preset": messages.CUSTOM},
            grpc.StatusCode.INVALID_ARGUMENT,
            "subscription.fetch.replayid.validation.failed",
        ),
        (
            {"replay_preset": messages.CUSTOM, "replay_id": b"nothing"},
            grpc.StatusCode.INVALID_ARGUMENT,
            "subscription.fetch.replayid.corrupted",
        ),
    ],
)
def test_what_it_refuses(subscriber: Subscriber, asked: dict[str, Any], status: Any, code: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        next(subscriber.subscribe(**asked))

    assert raised.value.code() is status
    assert code_of(raised) == code


@pytest.mark.parametrize(
    ("token", "tenant"), [("wrong", None), (SALESFORCE_SESSION_ID, "00D000000000009EAA")]
)
def test_who_has_no_session_of_this_org_gets_nothing(
    server: PubSubServer, org: SalesforceOrg, token: str, tenant: str | None
) -> None:
    stranger = Subscriber(server.url, tenant or org.organization_id, token)

    with pytest.raises(grpc.RpcError) as raised:
        next(stranger.subscribe())
    stranger.requests.put(None)
    stranger.channel.close()

    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert code_of(raised) == "service.auth.error"


def test_the_topic_cannot_change(subscriber: Subscriber) -> None:
    answers = subscriber.subscribe()
    next(answers)
    subscriber.ask("/data/ContactChangeEvent", 1)

    with pytest.raises(grpc.RpcError) as raised:
        for _ in answers:
            pass

    assert code_of(raised) == "subscription.fetch.topic.mismatch"


def test_nothing_is_noted_until_somebody_selects_an_object(clock: ManualClock) -> None:
    org = SalesforceOrg(clock)
    lead(org)

    assert org.changes.entities_of(LEADS) is None
    org.changes.select("Lead")
    assert org.changes.after(org.changes.earliest(), frozenset({"Lead"}), 10) == []


def test_a_place_that_is_taken_while_an_event_is_published_is_on_the_bus(
    org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Subscribers take their places on threads of their own, at any moment."""
    taken: list[bytes] = []

    def meanwhile() -> uuid.UUID:
        taken.append(org.changes.earliest())
        return uuid.UUID(int=7)

    monkeypatch.setattr("connector.sandbox.salesforce.change_events.uuid.uuid4", meanwhile)
    row = lead(org)
    org.update("Lead", row, LastName="Bell")

    found = [org.changes.after(place, frozenset({"Lead"}), 10) for place in taken]
    assert [len(each) for each in found] == [2, 2]


def test_a_restart_keeps_events_their_schemas_and_every_place(
    org: SalesforceOrg, subscriber: Subscriber, clock: ManualClock
) -> None:
    org.changes.add_channel("People__chn", "Lead", "Contact")
    answers = subscriber.subscribe()
    quiet = next(answers).latest_replay_id
    one = lead(org)
    (first,) = events(answers, 1)
    org.add_field("Lead", custom_field("Budget__c", "number"))
    two = lead(org, Budget__c=5)
    clock.advance(60)
    again = SalesforceOrg(clock)
    again.from_json(orjson.loads(orjson.dumps(org.to_json())))
    three = lead(again)

    restarted = PubSubServer(again, keepalive_seconds=0.3)
    later = Subscriber(restarted.url, again.organization_id)
    for topic, place, expected in (
        (LEADS, quiet, [one, two, three]),
        ("/data/People__chn", first.replay_id, [two, three]),
    ):
        replayed = later.subscribe(topic, replay_preset=messages.CUSTOM, replay_id=place)
        found = [later.decoded(each) for each in events(replayed, len(expected))]
        assert [each["ChangeEventHeader"]["recordIds"] for each in found] == [[each] for each in expected]
        assert found[-2].get("Budget__c") == (5 if expected[-2] == two else None)
        replayed.cancel()
        later.requests = queue.SimpleQueue()
    later.channel.close()
    restarted.stop()


def test_a_place_of_a_run_whose_state_was_not_kept_is_unknown(org: SalesforceOrg, clock: ManualClock) -> None:
    lead(org)
    place = org.changes.latest()
    clock.advance(60)
    another = SalesforceOrg(clock)
    another.changes.select("Lead")

    with pytest.raises(UnknownReplayId):
        another.changes.after(place, frozenset({"Lead"}), 1)


def test_who_made_a_change_is_told(org: SalesforceOrg, subscriber: Subscriber) -> None:
    org.changes.origin = "com/salesforce/api/rest/62.0;client=leadloop"
    answers = subscriber.subscribe(replay_preset=messages.EARLIEST)
    lead(org)

    (only,) = events(answers, 1)

    assert subscriber.decoded(only)["ChangeEventHeader"]["changeOrigin"].endswith(";client=leadloop")


def test_a_port_that_is_taken_is_told(server: PubSubServer, org: SalesforceOrg) -> None:
    with pytest.raises(PortTakenError, match=f"port {server.port} of"):
        PubSubServer(org, server.port)
