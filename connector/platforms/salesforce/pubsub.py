"""Salesforce's change events over the Pub/Sub API, as a stream.

A position is the replay id of each topic, which are opaque to us. Every answer moves it: one with events past
the last of them, one without to where Salesforce says. It decodes which records changed, and no value.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import orjson

from connector.clock import HOUR_MS, MINUTE_MS, SECOND_MS, Clock
from connector.lane import Lane
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import Meter
from connector.platforms.pushes import Told
from connector.platforms.salesforce.change_events import HeaderReader, Undecodable, meaning_of
from connector.platforms.salesforce.ids import id18, is_name
from connector.platforms.salesforce.login import Session
from connector.platforms.salesforce.pubsub_wire import NotAuthenticated, Wire
from connector.platforms.salesforce.transport import Transport
from connector.platforms.settings import SalesforceSettings
from connector.platforms.streams import PositionLost, StreamBatch

KEPT_MS = 72 * HOUR_MS
"""How long Salesforce keeps change events."""

ASK_SECONDS = 1.0
ALIVE_MS = 15 * SECOND_MS
SILENT_MS = 6 * MINUTE_MS
"""Salesforce says at least every 270 seconds that it is there."""

AFTER_REFUSED_MS = 5 * MINUTE_MS
"""How long a topic is left alone that is refused while others are not."""


class ChangeStream:
    """The change events of one org."""

    keeps_ms = KEPT_MS

    def __init__(
        self, settings: SalesforceSettings, objects: Sequence[str], account: str, meter: Meter, clock: Clock
    ) -> None:
        """`objects` are those that are mapped. Raises SettingsError when credentials are missing."""
        self._settings = settings
        self._account = id18(account)
        self._clock = clock
        self._transport = Transport(settings, meter, clock)
        plain = [name for name in objects if is_name(name)]
        if settings.stream_channel is not None:
            self.objects: Sequence[str] = plain
            self._topics = {f"/data/{settings.stream_channel}": self.objects}
        else:
            wanted = [name.strip() for name in settings.stream_objects.split(",")]
            self.objects = [name for name in plain if name in wanted]
            self._topics = {_topic_of(name): [name] for name in self.objects}
        self._readers: dict[str, HeaderReader] = {}
        self._reached_ms: dict[str, int] = {}
        self._refused_until_ms: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self._anew: set[str] = set()

    def batches(
        self, position: str | None, stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        """See `Stream`."""
        places = _places(position)
        self._reached_ms = {}
        self._refused_until_ms = {}
        # what happened before a topic begins at now is not on it: its objects are polled once it does
        self._anew = set() if position is None else set(self._topics) - set(places)
        tried: Session | None = None
        while True:
            session = self._session(tried)
            try:
                for batch in self._batches(session, places, stopping):
                    tried = None  # it was accepted
                    yield replace(batch, warning=self._not_told())
                return
            except NotAuthenticated as error:
                if tried is not None:
                    raise self._transport.locked_out_by(str(error)) from error
                tried = session

    def close(self) -> None:
        """Close connections."""
        self._transport.close()

    def _session(self, refused: Session | None) -> Session:
        lane = Lane.HANDOFF
        session = (
            self._transport.session(lane)
            if refused is None
            else self._transport.session_instead_of(refused, lane)
        )
        organization = session.organization_id
        if organization is not None and id18(organization) != self._account:
            raise Refused(
                f"the credentials are for the Salesforce org {id18(organization)}, and this leadloop works "
                f"with {self._account}: correct them",
                "WRONG_ORG",
            )
        return session

    def _batches(
        self, session: Session, places: dict[str, bytes], stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        wire = Wire(self._settings.stream_url, session.token, session.origin, self._account)
        try:
            given_ms = self._clock.now_ms()
            heard_ms: dict[str, int] = {}
            while not stopping():
                self._subscribe(wire, places, heard_ms)
                answer = wire.answer(ASK_SECONDS)
                now_ms = self._clock.now_ms()
                if answer is not None and answer.response is not None:
                    batch = self._batch(wire, answer.topic, answer.response, places)
                    self._refused.pop(answer.topic, None)
                    heard_ms[answer.topic] = given_ms = now_ms
                    yield batch
                    wire.handled(answer.topic, batch.events)
                    continue
                if answer is not None:
                    fault = wire.fault(answer.error, answer.topic)
                    if not isinstance(fault, Refused):
                        raise fault
                    del heard_ms[answer.topic]
                    self._set_aside(answer.topic, fault.reason, places)
                    yield StreamBatch((), _position(places), self._all_reached_ms())
                    if not heard_ms:
                        raise replace(fault, reason=self._not_told())
                for topic, last_ms in heard_ms.items():
                    if now_ms - last_ms > SILENT_MS:
                        raise RetryLater(f"Salesforce has been silent on {topic} for too long", 5.0)
                if now_ms - given_ms >= ALIVE_MS:
                    given_ms = now_ms
                    yield StreamBatch(reached_ms=self._all_reached_ms())
        finally:
            wire.close()

    def _subscribe(self, wire: Wire, places: dict[str, bytes], heard_ms: dict[str, int]) -> None:
        """Have every topic followed that is not followed yet, but for those that are to be left alone."""
        now_ms = self._clock.now_ms()
        for topic in self._topics.keys() - heard_ms.keys():
            if self._refused_until_ms.get(topic, 0) <= now_ms:
                self._refused_until_ms.pop(topic, None)
                heard_ms[topic] = now_ms
                wire.subscribe(topic, places.get(topic))

    def _set_aside(self, topic: str, reason: str, places: dict[str, bytes]) -> None:
        """Leave a topic alone that is refused. What happens meanwhile may never be told, if its object is not
        captured: it begins at now again."""
        places.pop(topic, None)
        self._anew.add(topic)
        self._refused[topic] = reason
        self._refused_until_ms[topic] = self._clock.now_ms() + AFTER_REFUSED_MS

    def _not_told(self) -> str:
        """Why topics are refused; each is until it has answered."""
        return "; ".join(sorted(set(self._refused.values())))

    def _batch(self, wire: Wire, topic: str, response: object, places: dict[str, bytes]) -> StreamBatch:
        """One answer's events. `places` is moved past them."""
        events = response.events  # type: ignore[attr-defined]  # a FetchResponse, which has no static type
        told: dict[Told, None] = {}
        missed = dict.fromkeys(self._topics[topic] if topic in self._anew else ())
        withheld: set[str] = set()
        reached_ms = self._reached_ms.get(topic, 0) if events else self._clock.now_ms()
        unwanted = malformed = 0
        for each in events:
            try:
                reader = self._reader(wire, each.event.schema_id, withheld)
                if not reader.is_change:
                    unwanted += 1
                    continue
                header = reader.read(each.event.payload)
            except Undecodable:
                malformed += 1
                missed.update(dict.fromkeys(self._topics[topic]))
                continue
            meaning = meaning_of(header, self.objects)
            unwanted += meaning.unwanted
            told.update(dict.fromkeys(meaning.told))
            if meaning.missed is not None:
                missed[meaning.missed] = None
            reached_ms = max(header.commit_ms, reached_ms)
        # only now: an answer that is broken off in the middle comes again
        self._reached_ms[topic] = reached_ms
        self._anew.discard(topic)
        replay_id = events[-1].replay_id if events else response.latest_replay_id  # type: ignore[attr-defined]  # as above
        if replay_id:
            places[topic] = replay_id
        return StreamBatch(
            tuple(told),
            _position(places),
            self._all_reached_ms(),
            tuple(missed),
            len(events),
            unwanted,
            malformed,
        )

    def _reader(self, wire: Wire, schema_id: str, withheld: set[str]) -> HeaderReader:
        """The reader for a schema, which is fetched once. One that is not given now may be a moment later:
        `withheld` are those of this answer. Raises Undecodable, RetryLater, NotAuthenticated."""
        reader = self._readers.get(schema_id)
        if reader is None:
            if schema_id in withheld:
                raise Undecodable("the event's schema cannot be had")
            withheld.add(schema_id)
            schema_json = wire.schema(schema_id, self._settings.read_timeout_seconds)
            if schema_json is None:
                raise Undecodable("the event's schema cannot be had")
            reader = self._readers[schema_id] = HeaderReader(schema_json)
        return reader

    def _all_reached_ms(self) -> int:
        """Up to when all topics have told everything; 0 while one of them has not been heard of. One that is
        refused tells nothing for however long, and is left out."""
        told = [topic for topic in self._topics if topic not in self._refused_until_ms]
        return min((self._reached_ms.get(topic, 0) for topic in told), default=0)


def _topic_of(name: str) -> str:
    # of a custom object Invoice__c: Invoice__ChangeEvent
    return f"/data/{name.removesuffix('c') if name.endswith('__c') else name}ChangeEvent"


def _position(places: dict[str, bytes]) -> str:
    return orjson.dumps({topic: b64encode(places[topic]).decode() for topic in sorted(places)}).decode()


def _places(position: str | None) -> dict[str, bytes]:
    """The replay ids of a position. Raises PositionLost when it is none of ours."""
    if position is None:
        return {}
    try:
        return {str(topic): b64decode(text, validate=True) for topic, text in orjson.loads(position).items()}
    except (orjson.JSONDecodeError, AttributeError, TypeError, binascii.Error) as error:
        raise PositionLost("the stored position cannot be read") from error
