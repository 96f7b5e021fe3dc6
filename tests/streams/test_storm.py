"""Whatever happens to a stream, in whatever order: in the end leadloop has seen every record as it is.

leadloop looks for itself only where the stream says that it has lost something.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from connector.platforms.stamps import epoch_ms
from connector.sandbox.salesforce.pubsub_server import PubSubServer
from connector.store.catch_ups import ask_catch_ups
from connector.store.errors import StoreError
from tests.streams.salesforce import Streamed

CAPTURED = ("Lead", "Contact", "Opportunity", "Task")


class Storm:
    """What people do in Salesforce, and what goes wrong meanwhile."""

    def __init__(self, streamed: Streamed, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.streamed = streamed
        self.random = random.Random(seed)
        self.patch = patch
        self.leads: list[str] = []
        self.number = 0

    def people_work(self) -> None:
        org = self.streamed.world.salesforce
        for _ in range(self.random.randint(1, 5)):
            self.streamed.world.later(minutes=self.random.randint(0, 15))
            live = [row["Id"] for row in org.rows("Lead") if not row["IsConverted"]]
            deleted = [row["Id"] for row in org.rows("Lead", deleted=True) if row["IsDeleted"]]
            what = self.random.choice(("enter", "edit", "edit", "delete", "undelete", "convert"))
            self.number += 1
            if what == "undelete" and deleted:
                org.undelete("Lead", self.random.choice(deleted))
            elif what == "enter" or not live:
                self.streamed.lead(f"{self.number}@acme.example")
            elif what == "edit":
                org.update("Lead", self.random.choice(live), Phone=f"+1 555 {self.number:04}")
            elif what == "delete":
                org.delete("Lead", self.random.choice(live))
            elif what == "convert":
                org.convert_lead(self.random.choice(live))

    def gaps(self) -> None:
        self.streamed.changes.gaps = True
        self.people_work()
        self.streamed.changes.gaps = False

    def without_events(self) -> None:
        self.streamed.changes.select()
        self.people_work()
        self.streamed.changes.select(*CAPTURED)

    def overflow(self) -> None:
        self.without_events()
        for name in ("Lead", "Contact"):
            self.streamed.changes.tell_gap(name, "GAP_OVERFLOW")

    def not_captured(self) -> None:
        """An admin takes an object out of the capture, and puts it back later."""
        self.streamed.changes.select("Lead", "Opportunity")
        warned = self.streamed.events().count("stream_warns")
        self.streamed.follow(lambda: self.streamed.events().count("stream_warns") > warned)
        self.without_events()

    def garbage(self) -> None:
        self.without_events()
        for name in ("Lead", "Contact"):
            self.streamed.changes.tell_garbage(name)

    def moved(self) -> None:
        self.without_events()
        self.streamed.changes.reset()

    def away(self) -> None:
        self.people_work()
        self.streamed.world.later(hours=self.random.choice((1, 30, 80)))
        self.people_work()

    def dies(self) -> None:
        """Within one of the first transactions that it makes."""
        self.people_work()
        left = [self.random.randint(0, 3)]

        def fails(*given: Any) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise StoreError("killed")
            ask_catch_ups(*given)

        with self.patch.context() as patch:
            patch.setattr("connector.intake.streams.ask_catch_ups", fails)
            self.streamed.follow(lambda: left[0] < 0)

    def server_restarts(self) -> None:
        port = self.streamed.server.port
        self.streamed.server.stop()
        self.people_work()
        self.streamed.follow(lambda: "stream_waits" in self.streamed.events()[-1:])
        self.streamed.server = PubSubServer(self.streamed.world.salesforce, port, 0.3)

    def calm(self) -> None:
        """Follow until everything has come, read it, and look where that was asked for."""
        for _ in range(5):
            now_ms = self.streamed.world.clock.now_ms()
            lost_ms = self.streamed.place().lost_ms

            def done(now_ms: int = now_ms, lost_ms: int | None = lost_ms) -> bool:
                place = self.streamed.place()
                return place.reached_ms == now_ms or place.lost_ms != lost_ms

            self.streamed.follow(done)
            if self.streamed.place().reached_ms == now_ms and self.streamed.has_begun():
                break
        else:
            raise AssertionError(self.streamed.told)
        self.streamed.read()
        if self.streamed.catch_ups():
            self.streamed.poll()
            assert self.streamed.catch_ups() == {}


@pytest.mark.parametrize("seed", range(4))
def test_every_record_is_seen_as_it_is(
    streamed: Streamed, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storm = Storm(streamed, seed, monkeypatch)
    streamed.world.later(seconds=1)
    storm.calm()
    trouble: list[Callable[[], None]] = [
        storm.people_work, storm.gaps, storm.overflow, storm.not_captured, storm.garbage,
        storm.moved, storm.away, storm.dies, storm.server_restarts,
    ]  # fmt: skip
    try:
        for happens in storm.random.sample(trouble * 2, 2 * len(trouble)):
            happens()
            streamed.world.later(minutes=storm.random.randint(0, 15))
            if storm.random.random() < 0.6:
                storm.calm()
        storm.calm()
    finally:
        streamed.server.stop()

    org = streamed.world.salesforce
    checked = 0
    for name in ("Lead", "Contact"):
        for row in org.rows(name, deleted=True):
            seen = streamed.seen(name, row["Id"])
            assert seen is not None, (name, row)
            assert seen.stamp_ms == epoch_ms(row["SystemModstamp"]), (name, row)
            assert seen.deleted == row["IsDeleted"]
            checked += 1
    assert checked > 5
