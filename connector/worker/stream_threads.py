"""Stream threads: one for each side whose stream of events is switched on. Opening the streams from the
settings, starting and stopping; following is in `connector.intake.streams`."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points

import structlog

from connector.clock import MINUTE_MS, SECOND_MS, Clock
from connector.intake.streams import Follower, Tell
from connector.platforms.protocol import Meter
from connector.platforms.streams import OpenStream, Stream
from connector.settings import Settings
from connector.store.database import Database

LEAST_OVERLAP_MS = 5 * MINUTE_MS
"""An event comes some time after its change: a catch-up goes back at least so far."""

_LEVELS = {
    "stream_followed": "info",
    "stream_standby": "info",
    "stream_waits": "warning",
    "stream_missed": "warning",
    "stream_warns": "warning",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """One side's stream, the objects that are polled there, how far back a catch-up goes, and how many hints
    may wait."""

    stream: Stream
    objects: Collection[str]
    overlap_ms: int
    most_waiting: int


def open_stream(
    side: str,
    platform: str,
    objects: Mapping[str, Sequence[str]],
    account: str,
    settings: Settings,
    meter: Meter,
    clock: Clock,
    ahead_ms: int = 0,
) -> OpenedStream | str:
    """A side's stream, or the sentence that says why it has none. `ahead_ms`: how far the platform's clock is
    ahead of ours. Raises SettingsError."""
    for entry in entry_points(group="leadloop.platforms", name=platform):
        make: OpenStream | None = getattr(import_module(entry.module), "stream", None)
        if make is None:
            continue
        own = getattr(settings, platform)
        stream = make(own, side, objects, account, meter, clock)
        if isinstance(stream, str):
            return stream
        # a quiet moment is noted by our clock, and what is polled again is stamped by the platform's
        overlap_ms = max(own.overlap_seconds * SECOND_MS, LEAST_OVERLAP_MS) + max(0, -ahead_ms)
        return OpenedStream(stream, objects, overlap_ms, settings.webhooks.max_waiting)
    return f"The platform {platform!r} has no stream that leadloop can follow."


class StreamThreads:
    """Follows streams, side name to stream, a thread each, from `start` to `stop`. `tell` counts what
    happens; it is logged besides. `stored` is called with a side that was told of records, `poll_soon` with
    one that is to be polled at once."""

    def __init__(
        self,
        streams: Mapping[str, OpenedStream],
        database: Database,
        clock: Clock,
        tell: Tell,
        stored: Callable[[str], object] = lambda _side: None,
        poll_soon: Callable[[str], object] = lambda _side: None,
    ) -> None:
        self._stopping = threading.Event()
        self._tell = tell
        self._threads = []
        for side, opened in streams.items():
            follower = Follower(
                side,
                opened.stream,
                opened.objects,
                opened.overlap_ms,
                database,
                clock,
                uuid.uuid4().hex,
                self._told,
                stored,
                poll_soon,
                opened.most_waiting,
            )
            self._threads.append(
                threading.Thread(target=follower.run, args=(self._stopping,), name=f"leadloop-stream-{side}")
            )

    def start(self) -> None:
        """Follow from now on."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Store what has come, and end."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _told(self, event: str, facts: Mapping[str, object]) -> None:
        self._tell(event, facts)
        if event != "stream_received":
            getattr(log, _LEVELS.get(event, "error"))(event.replace("_", " "), **facts)
