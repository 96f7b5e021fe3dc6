"""Journalled: a world whose HubSpot keeps a journal, and a leadloop that follows it, by the world's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.intake.hints import follow_hints
from connector.intake.poll import poll, start_cursors
from connector.intake.streams import Follower
from connector.observation import Observation, RecordKey
from connector.platforms.protocol import Meter
from connector.platforms.streams import Stream, StreamBatch
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET
from connector.settings import Settings, load_settings
from connector.store.catch_ups import catch_ups_of
from connector.store.inbox import count_hints
from connector.store.links import linked
from connector.store.observations import observations_by_key
from connector.store.streams import StreamPlace, stream_places
from connector.worker.passes import Pass, act
from connector.worker.stream_threads import OpenedStream, open_stream
from tests.world import World

SIDE = "hubspot"


class UntilQuiet:
    """A stream that ends its follower once nothing is new: the follower stores that, and stops."""

    def __init__(self, stream: Stream, stopping: threading.Event) -> None:
        self.objects: Sequence[str] = stream.objects
        self.keeps_ms: int = stream.keeps_ms
        self._stream = stream
        self._stopping = stopping

    def batches(
        self, position: str | None, stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        for batch in self._stream.batches(position, stopping):
            if not batch.events:
                self._stopping.set()
            yield batch

    def close(self) -> None:
        self._stream.close()


@dataclass
class Journalled:
    """leadloop polls nothing here unless a test says so: what it knows came by the journal."""

    world: World
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    polls: list[str] = field(default_factory=list)
    meter: Meter | None = None
    _opened: OpenedStream | None = None
    _follower: Follower | None = None

    def __post_init__(self) -> None:
        for side in self.world.leadloop.feeds:
            start_cursors(self.world.leadloop, side)
        self.follow()

    def follow(self) -> float:
        """Follow until nothing is new; returns how many seconds the follower wants to wait then."""
        stopping = threading.Event()
        if self._opened is None or self._follower is None:
            self._opened = self._open()
            self._follower = self._new_follower(self._opened)
        self._follower.stream = UntilQuiet(self._opened.stream, stopping)
        return self._follower.follow(stopping)

    def _new_follower(self, opened: OpenedStream) -> Follower:
        return Follower(
            SIDE,
            opened.stream,
            opened.objects,
            opened.overlap_ms,
            self.world.database,
            self.world.own_clock,
            "the test's own",
            lambda event, facts: self.told.append((event, dict(facts))),
            poll_soon=self.polls.append,
        )

    def restart(self) -> None:
        """The process that follows is gone, with all that it knew; the next one begins from the database."""
        if self._opened is not None:
            self._opened.stream.close()
        self._opened = self._follower = None

    def read(self) -> int:
        """Read what the inbox names; returns how many records were read or were gone."""
        records = 0
        while (followed := follow_hints(self.world.leadloop, SIDE)).taken:
            records += followed.records + followed.missing
        return records

    def work(self) -> int:
        """Follow, read, decide and deliver, without a look at either platform; returns the writes."""
        self.follow()
        self.read()
        return self.decide()

    def decide(self) -> int:
        """Decide and deliver; returns the writes."""
        made = Pass()
        assert act(self.world.leadloop, made)
        return made.written

    def poll(self, side: str = SIDE) -> None:
        """One look at a side, as the follower asks for when events are lost."""
        poll(self.world.leadloop, side)

    def events(self, name: str) -> list[dict[str, object]]:
        """What was told under this name."""
        return [facts for event, facts in self.told if event == name]

    def seen(self, record_id: str) -> Observation | None:
        key = RecordKey(SIDE, "contacts", record_id)
        with self.world.database.read() as conn:
            return observations_by_key(conn, [key]).get(key)

    def lead_of(self, record_id: str) -> str | None:
        key = RecordKey(SIDE, "contacts", record_id)
        with self.world.database.read() as conn:
            link = linked(conn, [key]).get(key)
        return None if link is None else link.lead_id

    def waiting(self) -> int:
        with self.world.database.read() as conn:
            found = count_hints(conn).get(SIDE)
        return 0 if found is None else found.hints

    @property
    def place(self) -> StreamPlace:
        with self.world.database.read() as conn:
            return stream_places(conn)[SIDE]

    def append(self, **event: Any) -> None:
        """An event of a contact in the journal, of whatever form."""
        crm = self.world.hubspot.crm
        usual = {"type": "crmObject", "portalId": crm.portal_id, "objectTypeId": "0-1"}
        crm.journal.append({**usual, **event}, self.world.clock.now_ms())

    def settings(self, **given: str) -> Settings:
        return load_settings(
            {},
            {
                "LEADLOOP_HUBSPOT__BASE_URL": self.world.sandbox.hubspot_url,
                "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
                "LEADLOOP_HUBSPOT__CLIENT_ID": HUBSPOT_CLIENT_ID,
                "LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
                "LEADLOOP_HUBSPOT__JOURNAL": "true",
                **given,
            },
        )

    def _open(self) -> OpenedStream:
        connected = self.world.connected
        made = open_stream(
            SIDE,
            "hubspot",
            connected.installation.feeds[SIDE].objects,
            connected.accounts[SIDE].account_id,
            self.settings(),
            self.meter or connected.budgets[SIDE],
            self.world.own_clock,
            connected.accounts[SIDE].ahead_ms,
        )
        assert not isinstance(made, str), made
        return made


def stored(world: World) -> dict[str, int]:
    """What is to be polled again, and from when on."""
    with world.database.read() as conn:
        return catch_ups_of(conn, SIDE)


def name_of(journalled: Journalled, contact: str) -> object:
    """The last name under which leadloop knows a contact."""
    seen = journalled.seen(contact)
    return None if seen is None else seen.fields["lastname"]
