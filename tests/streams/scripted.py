"""A stream that says what a test has written down, and a follower of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from connector.clock import DAY_MS, MINUTE_MS, Clock
from connector.intake.streams import Follower
from connector.platforms.pushes import Told
from connector.platforms.streams import StreamBatch
from connector.store.catch_ups import catch_ups_of
from connector.store.database import Database
from connector.store.inbox import due_hints
from connector.store.streams import StreamPlace, stream_places

SIDE = "salesforce"


@dataclass
class Scripted:
    """Gives the batches, or raises the errors, of one call after another; then it is silent and ends."""

    calls: list[Sequence[StreamBatch | Exception]]
    objects: Sequence[str] = ("Lead", "Contact")
    keeps_ms: int = 3 * DAY_MS
    positions: list[str | None] = field(default_factory=list)
    closed: bool = False

    def batches(
        self, position: str | None, stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        self.positions.append(position)
        for each in self.calls.pop(0) if self.calls else ():
            if isinstance(each, Exception):
                raise each
            yield each

    def close(self) -> None:
        self.closed = True


@dataclass
class Following:
    """A process that follows a scripted stream. `told` is what it said, `polls` how often it wanted one."""

    database: Database
    clock: Clock
    stream: Scripted
    token: str = "one"
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    polls: int = 0
    wakes: int = 0

    def __post_init__(self) -> None:
        self.follower = Follower(
            SIDE,
            self.stream,
            ("Lead", "Contact", "CampaignMember"),
            10 * MINUTE_MS,
            self.database,
            self.clock,
            self.token,
            lambda event, facts: self.told.append((event, dict(facts))),
            lambda side: self._wake(),
            lambda side: self._poll(),
        )

    def turn(self) -> float:
        """Follow until the script's next call is over; returns how many seconds to leave it alone."""
        return self.follower.follow(threading.Event())

    def events(self) -> list[str]:
        return [event for event, _ in self.told]

    def _wake(self) -> None:
        self.wakes += 1

    def _poll(self) -> None:
        self.polls += 1


def batch(
    *ids: str, position: str | None = None, reached_ms: int | None = None, **rest: object
) -> StreamBatch:
    """A batch that tells of Leads."""
    told = [Told("Lead", record_id, "read") for record_id in ids]
    return StreamBatch(told, position, reached_ms, events=len(ids), **rest)  # type: ignore[arg-type]  # as given


def hints(database: Database) -> set[str]:
    with database.read() as conn:
        return {hint.record_id for hint in due_hints(conn, SIDE, 2**62, 1_000)}


def place(database: Database) -> StreamPlace:
    with database.read() as conn:
        return stream_places(conn)[SIDE]


def catch_ups(database: Database) -> dict[str, int]:
    with database.read() as conn:
        return catch_ups_of(conn, SIDE)
