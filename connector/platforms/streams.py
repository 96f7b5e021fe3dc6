"""Streams: events that a platform keeps for a while, in order, and that we fetch from where we stopped.

A platform that has one has a function `stream` in its package, beside `connect`: an `OpenStream`. What comes
out are hints only: which records to read. No value that an event carries is ever taken over. Plain data; no
I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connector.clock import Clock
from connector.platforms.protocol import Meter
from connector.platforms.pushes import Told


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """What came together. `told` are the records to read; of the batch's `events`, `unwanted` are of types
    that nobody reads, and `malformed` say nothing. `position` is where to go on once these are stored: text
    of the platform's own, None when it is unchanged. `reached_ms`: everything that the platform has
    told up to then, by its clock, has come: the moment of the newest event. None for a batch without events
    that shows that the stream is alive: everything up to now has come. `missed` names the native
    objects of which events are lost or cannot be named one by one: they are polled from before the last
    stored event on. `warning`: what the stream does not tell, for an admin to mend; every batch says it again
    for as long as that is so."""

    told: Sequence[Told] = ()
    position: str | None = None
    reached_ms: int | None = None
    missed: Sequence[str] = ()
    events: int = 0
    unwanted: int = 0
    malformed: int = 0
    warning: str = ""


class PositionLost(Exception):
    """The platform does not have the events after the stored position any more. `str()` says why, for the
    log. The stream begins at now, and everything since the last stored event is polled."""


class Stream(Protocol):
    """One platform's events. For one thread. `objects`: the native objects whose changes it tells, all of
    them mapped. `keeps_ms`: how long the platform keeps an event: a position that nobody has followed for so
    long is not gone on from."""

    objects: Sequence[str]
    keeps_ms: int

    def batches(
        self, position: str | None, stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        """The batches after `position`; from now on where it is None. Waits for more until `stopping()` says
        so, which it asks every second or so, and gives a batch without events at least every 20 seconds, so
        that the caller can renew its lease; who has enough closes it. Raises PositionLost, RetryLater when
        the platform does not answer, Refused when it does not want to. May be called again after any."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class OpenStream(Protocol):
    """The function `stream` of a platform's package."""

    def __call__(
        self,
        settings: Any,
        side: str,
        objects: Mapping[str, Sequence[str]],
        account: str,
        meter: Meter,
        clock: Clock,
    ) -> Stream | str:
        """The stream of one account (the org or portal id that we work with), or the sentence that says that
        it is switched off. `objects`: the native objects that are mapped, with the fields that are read of
        each. Makes no request yet. Raises SettingsError when it is switched on and cannot be: a setting or an
        installed package is missing."""
        ...
