"""A Salesforce whose change events are followed: its sandbox, its Pub/Sub API, and a follower of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connector.intake.hints import Followed, follow_hints
from connector.intake.poll import poll
from connector.intake.streams import Follower
from connector.observation import Observation, RecordKey
from connector.platforms.protocol import FreeMeter
from connector.platforms.salesforce import stream
from connector.platforms.streams import Stream
from connector.sandbox import SALESFORCE_SESSION_ID
from connector.sandbox.salesforce.change_events import ChangeEvents
from connector.sandbox.salesforce.pubsub_server import PubSubServer
from connector.settings import load_settings
from connector.store.catch_ups import catch_ups_of
from connector.store.inbox import due_hints
from connector.store.observations import observations_by_key
from connector.store.streams import StreamPlace, put_stream_place, stream_places
from connector.worker.passes import Pass, act
from tests.world import World

SIDE = "salesforce"
OBJECTS = ("Lead", "Contact", "Opportunity", "CampaignMember")
DEADLINE_SECONDS = 30.0


class Until(threading.Event):
    """Set as soon as something is so, or after much too long a time."""

    def __init__(self, so: Callable[[], bool]) -> None:
        super().__init__()
        self._so = so
        self._ends = time.monotonic() + DEADLINE_SECONDS

    def is_set(self) -> bool:
        return super().is_set() or self._so() or time.monotonic() > self._ends


@dataclass
class Streamed:
    """A world of which Salesforce's changes come by its stream. leadloop does not look for itself here."""

    world: World
    server: PubSubServer
    environment: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    polls_wanted: int = 0

    @property
    def changes(self) -> ChangeEvents:
        return self.world.salesforce.changes

    def stream(self, **more: str) -> Stream:
        """The stream as a process opens it."""
        environment = {
            "LEADLOOP_SALESFORCE__BASE_URL": self.world.sandbox.salesforce_url,
            "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
            "LEADLOOP_SALESFORCE__STREAM": "true",
            "LEADLOOP_SALESFORCE__STREAM_URL": self.server.url,
            **self.environment,
            **more,
        }
        settings = load_settings({}, {name: value for name, value in environment.items() if value})
        account = self.world.salesforce.organization_id
        made = stream(
            settings.salesforce, SIDE, dict.fromkeys(OBJECTS, ()), account, FreeMeter(), self.world.clock
        )
        assert not isinstance(made, str), made
        return made

    def follower(self, token: str = "one", **more: str) -> Follower:
        """A process that follows."""
        return Follower(
            SIDE,
            self.stream(**more),
            OBJECTS,
            600_000,
            self.world.database,
            self.world.clock,
            token,
            lambda event, facts: self.told.append((event, dict(facts))),
            poll_soon=self._poll_soon,
        )

    def follow(self, so: Callable[[], bool], follower: Follower | None = None) -> float:
        """Follow until something is so; returns how many seconds to leave the stream alone."""
        mine = follower or self.follower()
        try:
            return mine.follow(Until(so))
        finally:
            if follower is None:
                mine.stream.close()

    def begin(self) -> None:
        """Follow until there is a position to go on from."""
        self.follow(self.has_begun)
        assert self.has_begun(), self.told

    def has_begun(self) -> bool:
        """Whether each topic has a position."""
        topics = 1 if "LEADLOOP_SALESFORCE__STREAM_CHANNEL" in self.environment else 3
        return len(self.topics()) == topics

    def topics(self) -> list[str]:
        """The topics that have a position."""
        return sorted(json.loads(self.place().position or "{}"))

    def follow_to(self, *ids: str, follower: Follower | None = None) -> None:
        """Follow until these records were told of."""
        self.follow(lambda: set(ids) <= self.waiting(), follower)
        assert set(ids) <= self.waiting(), self.told

    def read(self) -> Followed:
        """Read what was told of."""
        total = Followed()
        while (followed := follow_hints(self.world.leadloop, SIDE)).taken:
            for name in Followed.__dataclass_fields__:
                setattr(total, name, getattr(total, name) + getattr(followed, name))
        return total

    def decide(self) -> None:
        act(self.world.leadloop, Pass())

    def poll(self) -> None:
        poll(self.world.leadloop, SIDE)

    def place(self) -> StreamPlace:
        with self.world.database.read() as conn:
            return stream_places(conn).get(SIDE, StreamPlace())

    def put_place(self, place: StreamPlace) -> None:
        with self.world.database.begin() as conn:
            put_stream_place(conn, SIDE, place)

    def hints(self) -> dict[tuple[str, str], str]:
        """Object and record to what is said to have happened to it."""
        with self.world.database.read() as conn:
            return {(hint.object, hint.record_id): hint.kind for hint in due_hints(conn, SIDE, 2**62, 10_000)}

    def waiting(self) -> set[str]:
        return {record_id for _, record_id in self.hints()}

    def catch_ups(self) -> dict[str, int]:
        with self.world.database.read() as conn:
            return catch_ups_of(conn, SIDE)

    def seen(self, name: str, record_id: str) -> Observation | None:
        key = RecordKey(SIDE, name, record_id)
        with self.world.database.read() as conn:
            return observations_by_key(conn, [key]).get(key)

    def events(self) -> list[str]:
        return [event for event, _ in self.told]

    def lead(self, email: str, **more: Any) -> str:
        """A person enters a lead."""
        values: dict[str, Any] = {"LastName": "Bell", "Company": "Acme", "Email": email, **more}
        return self.world.salesforce.insert("Lead", **values)

    def _poll_soon(self, side: str) -> None:
        assert side == SIDE
        self.polls_wanted += 1


@contextmanager
def serving(world: World, port: int = 0, keepalive_seconds: float = 0.3) -> Iterator[PubSubServer]:
    """The org's Pub/Sub API."""
    server = PubSubServer(world.salesforce, port, keepalive_seconds)
    try:
        yield server
    finally:
        server.stop()


def sum_of(streamed: Streamed, what: str) -> int:
    """Of all that was received."""
    return sum(int(str(facts[what])) for event, facts in streamed.told if event == "stream_received")
