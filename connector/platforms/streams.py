"""Streams: events that a platform keeps for a while, in order, and that we fetch from where we stopped.

A platform that has one has a function `stream` in its package, beside `connect`: settings to a `Stream`, or
to the sentence that says why there is none. What comes out are hints only: which records to read. No value
that an event carries is ever taken over. Plain data; no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.platforms.pushes import Told


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """What came together. `told` are the records to read; of the batch's `events`, `unwanted` are of types
    that nobody reads, and `malformed` say nothing. `position` is where to go on once these are stored: text
    of the platform's own, None when it is unchanged. `reached_ms`: the moment of the newest event, by the
    platform's clock; None for a batch that only shows that the stream is alive. `missed` names the native
    objects of which events are lost or cannot be named one by one: they are polled from before the last
    stored event on."""

    told: Sequence[Told] = ()
    position: str | None = None
    reached_ms: int | None = None
    missed: Sequence[str] = ()
    events: int = 0
    unwanted: int = 0
    malformed: int = 0


class PositionLost(Exception):
    """The platform does not have the events after the stored position any more. `str()` says why, for the
    log. The stream begins at now, and everything since the last stored event is polled."""


class Stream(Protocol):
    """One platform's events. For one thread. `objects`: the native objects whose changes it tells."""

    objects: Sequence[str]

    def batches(self, position: str | None, stopping: Callable[[], bool]) -> Iterator[StreamBatch]:
        """The batches after `position`; from now on where it is None. Waits for more until `stopping()` says
        so, and gives a batch without events now and then, so that the caller can renew its lease. Raises
        PositionLost, RetryLater when the platform does not answer, Refused when it does not want to."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...
