"""Hearing: how leadloop learns of what happens in a story in which it does not look by itself. Both platforms
tell it: they call its webhooks, or it follows their streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager

from connector.intake.streams import Follower
from connector.platforms.streams import Stream, StreamBatch
from connector.sandbox import (
    HUBSPOT_ACCESS_TOKEN,
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    SALESFORCE_SESSION_ID,
)
from connector.sandbox.salesforce.pubsub_server import PubSubServer
from connector.settings import load_settings
from connector.worker.stream_threads import OpenedStream, open_stream
from tests.webhooks.sending import PATH_SECRET, Post
from tests.world import World

Listen = Callable[[], int]
"""Let the platforms tell what has happened; returns how much they told. Raises NotHeard."""

OBJECTS = ("Lead", "Contact", "Opportunity")
KEEPALIVE_SECONDS = 0.05


class NotHeard(AssertionError):
    """The platforms could not tell something. `str()` says what."""


@contextmanager
def by_webhooks(world: World) -> Iterator[Listen]:
    """Both platforms send what happens from now on."""
    with Post(
        world.database, world.clock, {"LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET}
    ) as made:
        url = made.reception.url
        world.hubspot.crm.webhooks.subscribe(f"{url}/hubspot")
        user = world.salesforce.integration_user_id
        world.salesforce.outbound.set_up(f"{url}/salesforce/{PATH_SECRET}", OBJECTS, user)

        def listen() -> int:
            statuses = world.sandbox.send()
            if not all(200 <= status < 300 for status in statuses):
                raise NotHeard(f"a delivery was answered with {statuses}")
            return len(statuses)

        yield listen


@contextmanager
def by_streams(world: World) -> Iterator[Listen]:
    """Both platforms keep what happens from now on, and leadloop follows it."""
    world.salesforce.changes.select(*OBJECTS)
    server = PubSubServer(world.salesforce, keepalive_seconds=KEEPALIVE_SECONDS)
    opened = _opened(world, server.url)

    def listen() -> int:
        return sum(_follow(world, side, each) for side, each in opened.items())

    try:
        listen()  # from now on
        yield listen
    finally:
        for each in opened.values():
            each.stream.close()
        server.stop()


def _opened(world: World, stream_url: str) -> dict[str, OpenedStream]:
    environment = {
        "LEADLOOP_SALESFORCE__BASE_URL": world.sandbox.salesforce_url,
        "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
        "LEADLOOP_SALESFORCE__STREAM": "true",
        "LEADLOOP_SALESFORCE__STREAM_URL": stream_url,
        "LEADLOOP_HUBSPOT__BASE_URL": world.sandbox.hubspot_url,
        "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
        "LEADLOOP_HUBSPOT__CLIENT_ID": HUBSPOT_CLIENT_ID,
        "LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
        "LEADLOOP_HUBSPOT__JOURNAL": "true",
    }
    settings, connected = load_settings({}, environment), world.connected
    opened = {}
    for side, feed in connected.installation.feeds.items():
        account, meter = connected.accounts[side].account_id, connected.budgets[side]
        made = open_stream(side, side, feed.objects, account, settings, meter, world.clock)
        assert not isinstance(made, str), made
        opened[side] = made
    return opened


def _follow(world: World, side: str, opened: OpenedStream) -> int:
    """Follow a side's stream until nothing is new; returns how many events came."""
    stopping, events, troubles = threading.Event(), [0], []

    def tell(event: str, facts: object) -> None:
        if event == "stream_received" and isinstance(facts, dict):
            events.append(facts["events"])
        elif event != "stream_followed":
            troubles.append(f"{event}: {facts}")

    stream = _UntilQuiet(opened.stream, stopping, world.clock.now_ms())
    Follower(
        side, stream, opened.objects, opened.overlap_ms, world.database, world.clock, "the story's own", tell
    ).follow(stopping)
    if troubles:
        raise NotHeard("; ".join(troubles))
    return sum(events)


class _UntilQuiet:
    """A stream that stops its follower once everything up to a moment has come."""

    def __init__(self, stream: Stream, stopping: threading.Event, moment_ms: int) -> None:
        self.objects: Sequence[str] = stream.objects
        self.keeps_ms: int = stream.keeps_ms
        self._stream = stream
        self._stopping = stopping
        self._moment_ms = moment_ms

    def batches(
        self, position: str | None, stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        """See `Stream`."""
        for batch in self._stream.batches(position, stopping):
            if not batch.events and (batch.reached_ms is None or batch.reached_ms >= self._moment_ms):
                self._stopping.set()
            yield batch

    def close(self) -> None:
        """The stream itself is closed by whoever has opened it."""
