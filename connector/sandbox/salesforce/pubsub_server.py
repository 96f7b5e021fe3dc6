"""The org's Pub/Sub API over gRPC: GetTopic, GetSchema and Subscribe, with sessions, replay and flow control.

The events are those of `change_events`. Source: the public contract and error codes, facts/salesforce.md
12.2. Publish is not there. Needs the extra `salesforce-streams`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from connector.platforms.salesforce import pubsub_messages as messages
from connector.sandbox.salesforce.change_events import Event, UnknownReplayId
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.server import HOST, PortTakenError

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

MOST_EVENTS = 100
KEEPALIVE_SECONDS = 270.0
LOOK_SECONDS = 0.1
THREADS = 32
_CODE = "sfdc.platform.eventbus.grpc."


class PubSubServer:
    """Serves one org from its making until `stop`. `url` has no slash at its end. `keepalive_seconds`: how
    long a subscriber is told nothing while nothing happens; in real time, as sockets are. `most_at_once`:
    events in one answer. `most_open`: the most that a subscriber wanted while it had not got them."""

    def __init__(
        self,
        org: SalesforceOrg,
        port: int = 0,
        keepalive_seconds: float = KEEPALIVE_SECONDS,
        most_at_once: int = MOST_EVENTS,
    ) -> None:
        """Raises PortTakenError."""
        self._org = org
        self._keepalive_seconds = keepalive_seconds
        self._most_at_once = most_at_once
        self._stopping = threading.Event()
        self.most_open = 0
        self._server: Any = grpc.server(ThreadPoolExecutor(THREADS), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((_Handlers(self._handlers()),))
        try:
            self.port: int = self._server.add_insecure_port(f"{HOST}:{port}")
        except RuntimeError as error:
            raise PortTakenError(
                f"port {port} of {HOST} cannot be used: choose another one; 0 takes any that is free"
            ) from error
        self.url = f"http://{HOST}:{self.port}"
        self._server.start()

    def stop(self) -> None:
        """Cut every subscription and close the port."""
        self._stopping.set()
        self._server.stop(None).wait()

    def _handlers(self) -> dict[str, Any]:
        return {
            messages.GET_TOPIC: grpc.unary_unary_rpc_method_handler(
                self._get_topic,
                messages.TopicRequest.FromString,
                messages.TopicInfo.SerializeToString,
            ),
            messages.GET_SCHEMA: grpc.unary_unary_rpc_method_handler(
                self._get_schema,
                messages.SchemaRequest.FromString,
                messages.SchemaInfo.SerializeToString,
            ),
            messages.SUBSCRIBE: grpc.stream_stream_rpc_method_handler(
                self._subscribe,
                messages.FetchRequest.FromString,
                messages.FetchResponse.SerializeToString,
            ),
        }

    def _get_topic(self, request: Any, context: Any) -> Any:
        self._check_session(context)
        entities = self._entities(request.topic_name, context)
        schema_id = self._org.changes.schema_of(request.topic_name) if len(entities) == 1 else ""
        return messages.TopicInfo(
            topic_name=request.topic_name,
            tenant_guid=self._org.organization_id,
            can_subscribe=True,
            schema_id=schema_id,
        )

    def _get_schema(self, request: Any, context: Any) -> Any:
        self._check_session(context)
        text = self._org.changes.schema_text(request.schema_id)
        if text is None:
            _fail(context, grpc.StatusCode.NOT_FOUND, "schema.meta.permission", "There is no such schema.")
        return messages.SchemaInfo(schema_json=text, schema_id=request.schema_id)

    def _subscribe(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        self._check_session(context)
        asked = _Asked(requests, self._org.changes.changed)
        first = asked.first()
        if first is None:
            return
        topic = first.topic_name
        entities = self._entities(topic, context)
        place = self._place(first, context)
        quiet = 0.0
        while context.is_active() and not self._stopping.is_set():
            if asked.fault is not None:
                _fail(context, grpc.StatusCode.INVALID_ARGUMENT, *asked.fault)
            self._check_session(context)
            self.most_open = max(self.most_open, asked.most_open)
            events = self._after(place, entities, min(asked.open, self._most_at_once), context)
            if events:
                place, quiet = events[-1].replay_id, 0.0
                asked.give(len(events))
                yield messages.FetchResponse(
                    events=events, latest_replay_id=place, pending_num_requested=asked.open
                )
            elif asked.done and not asked.open:
                return
            elif quiet >= self._keepalive_seconds and asked.open:
                now = self._org.changes.latest_if_quiet(place, entities)
                if now is None:
                    continue
                place, quiet = now, 0.0
                yield messages.FetchResponse(latest_replay_id=place, pending_num_requested=asked.open)
            else:
                with self._org.changes.changed:
                    self._org.changes.changed.wait(LOOK_SECONDS)
                quiet += LOOK_SECONDS

    def _after(self, place: bytes, entities: frozenset[str], most: int, context: Any) -> list[Any]:
        if most <= 0:
            return []
        try:
            found = self._org.changes.after(place, entities, most)
        except UnknownReplayId:
            _lost(context)
        return [_consumer_event(event) for event in found]

    def _place(self, first: Any, context: Any) -> bytes:
        changes = self._org.changes
        if first.replay_preset == messages.LATEST:
            return changes.latest()
        if first.replay_preset == messages.EARLIEST:
            return changes.earliest()
        if not first.replay_id:
            _fail(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "subscription.fetch.replayid.validation.failed",
                "The Replay ID validation failed.",
            )
        place: bytes = first.replay_id
        try:
            changes.after(place, frozenset(), 1)
        except UnknownReplayId:
            _lost(context)
        return place

    def _entities(self, topic: str, context: Any) -> frozenset[str]:
        entities = self._org.changes.entities_of(topic)
        if entities is None:
            _fail(context, grpc.StatusCode.NOT_FOUND, "topic.not.found", f"The topic {topic} does not exist.")
        return entities

    def _check_session(self, context: Any) -> None:
        given = dict(context.invocation_metadata())
        accepted = given.get("tenantid") == self._org.organization_id and given.get("instanceurl")
        try:
            with self._org.lock:
                self._org.auth.user_of(f"Bearer {given.get('accesstoken', '')}")
        except Refusal:
            accepted = None
        if not accepted:
            _fail(
                context,
                grpc.StatusCode.UNAUTHENTICATED,
                "service.auth.error",
                "An authentication exception occurred. Provide valid authentication via metadata headers.",
            )


class _Asked:
    """What one subscriber has asked for: read on a thread of its own, since more may be asked for while
    events are being sent."""

    def __init__(self, requests: Iterator[Any], changed: threading.Condition) -> None:
        self.open = 0
        self.most_open = 0
        self.done = False
        self.fault: tuple[str, str] | None = None
        self._first: Any = None
        self._there = threading.Event()
        self._changed = changed
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()

    def first(self) -> Any:
        """The first request; None when there was none."""
        self._there.wait()
        return self._first

    def give(self, events: int) -> None:
        """So many of what was asked for were sent."""
        with self._changed:
            self.open -= events

    def _read(self, requests: Iterator[Any]) -> None:
        try:
            for request in requests:
                self._take(request)
        except grpc.RpcError:
            pass  # the subscriber has gone
        finally:
            self.done = True
            self._there.set()

    def _take(self, request: Any) -> None:
        if request.num_requested <= 0:
            self.fault = ("subscription.fetch.requested.events.invalid", "Request more than 0 events.")
        if self._first is None:
            self._first = request
        elif request.topic_name and request.topic_name != self._first.topic_name:
            self.fault = ("subscription.fetch.topic.mismatch", "The topic cannot change.")
        with self._changed:
            wanted = self.open + max(0, request.num_requested)
            self.most_open = max(self.most_open, wanted)
            self.open = min(MOST_EVENTS, wanted)
            self._changed.notify_all()
        self._there.set()


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc is published without types
    def __init__(self, handlers: dict[str, Any]) -> None:
        self._handlers = handlers

    def service(self, details: Any) -> Any:
        """The handler of a method; None for one that is not there."""
        return self._handlers.get(details.method)


def _consumer_event(event: Event) -> Any:
    made = messages.ProducerEvent(id=event.event_id, schema_id=event.schema_id, payload=event.payload)
    return messages.ConsumerEvent(event=made, replay_id=event.replay_id)


def _lost(context: Any) -> NoReturn:
    _fail(
        context,
        grpc.StatusCode.INVALID_ARGUMENT,
        "subscription.fetch.replayid.corrupted",
        "The Replay ID validation failed. Ensure that the Replay ID is valid.",
    )


def _fail(context: Any, status: Any, code: str, words: str) -> NoReturn:
    context.set_trailing_metadata((("error-code", _CODE + code),))
    context.abort(status, words)
    raise AssertionError("abort raises")
