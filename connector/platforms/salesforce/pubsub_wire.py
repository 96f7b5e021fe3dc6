"""The wire to Salesforce's Pub/Sub API: one gRPC channel, a subscription for each topic, schemas.

The only importer of grpc. What fails becomes one of our errors here; nothing is interpreted that an event
says. Needs the extra `salesforce-streams`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import grpc

from connector.platforms.errors import PlatformError, Refused, RetryLater
from connector.platforms.redaction import redact
from connector.platforms.salesforce import pubsub_messages as messages
from connector.platforms.streams import PositionLost

MOST_EVENTS = 100
"""As many events as Salesforce gives on one subscription before it is asked for more."""

LARGEST_ANSWER_BYTES = 16 * 1_048_576
AGAIN_SECONDS = 5.0
UNAVAILABLE_SECONDS = 30.0
USED_UP_SECONDS = 1_800.0

_CODES = "sfdc.platform.eventbus.grpc."
_LOST = ("subscription.fetch.replayid.corrupted", "subscription.fetch.replayid.validation.failed")
_USED_UP = ("subscription.limit.exceeded", "concurrent.client.limit.exceeded")
_BROKEN_OFF = ("subscription.fetch.overflow", "subscription.fetch.replay.repeated")
"""Salesforce's guide to errors: begin the subscription anew."""

_UNREADABLE = ("Exception deserializing response", "Received message larger than max")
"""What grpc itself says of an answer that it cannot take in. The same one would come again for ever."""

_NO_LICENCE = "service.tenant.license"
_REFUSED = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
)


class NotAuthenticated(Exception):
    """The session is not accepted (any more)."""


class Answer(NamedTuple):
    """What came on a topic's subscription: a FetchResponse, or why there will be no more."""

    topic: str
    response: Any | None
    error: grpc.RpcError | None = None


class Wire:
    """One channel with one session. `url`: https, or plain http on loopback. Answers of all subscriptions
    come by `answer`."""

    def __init__(self, url: str, token: str, instance_url: str, organization_id: str) -> None:
        parts = urlsplit(url)
        options = [("grpc.max_receive_message_length", LARGEST_ANSWER_BYTES)]
        if parts.scheme == "https":
            target = f"{parts.hostname}:{parts.port or 443}"
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
        else:  # the settings take it on loopback only; no proxy of the environment is on the way there
            options.append(("grpc.enable_http_proxy", 0))
            self._channel = grpc.insecure_channel(parts.netloc, options)
        self._host = parts.netloc
        self._metadata = (
            ("accesstoken", token),
            ("instanceurl", instance_url),
            ("tenantid", organization_id),
        )
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._subscriptions: dict[str, _Subscription] = {}
        self._subscribe: Any = self._channel.stream_stream(
            messages.SUBSCRIBE, messages.FetchRequest.SerializeToString, messages.FetchResponse.FromString
        )
        self._get_schema: Any = self._channel.unary_unary(
            messages.GET_SCHEMA, messages.SchemaRequest.SerializeToString, messages.SchemaInfo.FromString
        )

    def subscribe(self, topic: str, replay_id: bytes | None) -> None:
        """Have the events of a topic after `replay_id`, or from now on. One that has ended makes room."""
        if topic in self._subscriptions:
            self._subscriptions.pop(topic).close()
        first = messages.FetchRequest(
            topic_name=topic,
            replay_preset=messages.LATEST if replay_id is None else messages.CUSTOM,
            replay_id=replay_id or b"",
            num_requested=MOST_EVENTS,
        )
        self._subscriptions[topic] = _Subscription(
            self._subscribe, self._metadata, topic, first, self._answers
        )

    def answer(self, seconds: float) -> Answer | None:
        """The next answer on any topic; None when none comes within `seconds`."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None

    def handled(self, topic: str, events: int) -> None:
        """So many events are done with: there is room for as many more."""
        self._subscriptions[topic].handled(events)

    def schema(self, schema_id: str, seconds: float) -> str | None:
        """A schema in JSON; None when Salesforce does not give it. Raises RetryLater, NotAuthenticated."""
        try:
            answer = self._get_schema(
                messages.SchemaRequest(schema_id=schema_id), metadata=self._metadata, timeout=seconds
            )
        except grpc.RpcError as error:
            fault = self.fault(error, "schema")
            if isinstance(fault, Refused | PositionLost):
                return None
            raise fault from error
        return str(answer.schema_json)

    def fault(
        self, error: grpc.RpcError | None, topic: str
    ) -> PlatformError | PositionLost | NotAuthenticated:
        """What a call that ended means."""
        if error is None:
            return RetryLater(f"Salesforce ended the stream of {topic}", AGAIN_SECONDS)
        status, code, said = error.code(), _code_of(error), redact(error.details() or "")
        if status is grpc.StatusCode.UNAUTHENTICATED or code.startswith("service.auth."):
            return NotAuthenticated(code or "UNAUTHENTICATED")
        if code in _LOST:
            return PositionLost(f"Salesforce does not know the position in {topic} any more ({code})")
        if code in _USED_UP:
            return RetryLater(
                f"Salesforce gives no more events: the org's allowance is used up ({code})", USED_UP_SECONDS
            )
        if code in _BROKEN_OFF:
            return RetryLater(f"Salesforce broke off the stream of {topic} ({code})", AGAIN_SECONDS)
        if code == _NO_LICENCE:
            return Refused(
                f"the org has no licence for the Pub/Sub API: ask Salesforce for one ({code})", code
            )
        if any(each in said for each in _UNREADABLE):
            return PositionLost(f"an answer on {topic} cannot be read, and would come again ({status.name})")
        if status in _REFUSED:
            return Refused(
                f"Salesforce refuses {topic}: {said.rstrip('. ')} (is its object selected in Setup → Change "
                "Data Capture, and may the integration user see it?)",
                code or status.name,
            )
        if code:
            return RetryLater(f"Salesforce gives no events now ({code})", UNAVAILABLE_SECONDS)
        return RetryLater(
            f"Salesforce's Pub/Sub API at {self._host} does not answer ({status.name}): check the network "
            "and LEADLOOP_SALESFORCE__STREAM_URL",
            UNAVAILABLE_SECONDS,
        )

    def close(self) -> None:
        """End all subscriptions and the channel."""
        for subscription in self._subscriptions.values():
            subscription.close()
        self._channel.close()


class _Subscription:
    """One topic's call. Salesforce never gives more than it was asked for, so what waits here is bounded."""

    def __init__(
        self,
        subscribe: Any,
        metadata: tuple[tuple[str, str], ...],
        topic: str,
        first: Any,
        answers: queue.SimpleQueue[Answer],
    ) -> None:
        self._topic = topic
        self._answers = answers
        self._open = MOST_EVENTS
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._requests.put(first)
        self._call = subscribe(self._asked(), metadata=metadata)
        threading.Thread(target=self._read, name=f"leadloop-{topic}", daemon=True).start()

    def handled(self, events: int) -> None:
        self._open -= events
        if self._open <= MOST_EVENTS // 2:
            self._requests.put(
                messages.FetchRequest(topic_name=self._topic, num_requested=MOST_EVENTS - self._open)
            )
            self._open = MOST_EVENTS

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()

    def _asked(self) -> Iterator[Any]:
        return iter(self._requests.get, None)

    def _read(self) -> None:
        try:
            for response in self._call:
                self._answers.put(Answer(self._topic, response))
        except grpc.RpcError as error:
            self._answers.put(Answer(self._topic, None, error))
        else:
            self._answers.put(Answer(self._topic, None))


def _code_of(error: grpc.RpcError) -> str:
    """Salesforce's own code, from the trailers, without what all of them begin with."""
    for key, value in error.trailing_metadata() or ():
        if key == "error-code":
            return str(value).removeprefix(_CODES)
    return ""
