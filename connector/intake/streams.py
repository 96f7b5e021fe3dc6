"""Streams: follow a side's stream of events, and store which records it tells of, to be read.

Hints, position and moment are stored in one transaction, so a position is never ahead of its hints. What is
told twice costs time and nothing else. Events that are lost are made up for by a poll from before the last
stored one on; polling goes on in any case, so whatever is amiss with a stream is only waited for. Reads no
record and decides nothing.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Event

from connector.clock import HOUR_MS, MINUTE_MS, Clock
from connector.platforms.errors import PlatformError, RetryLater
from connector.platforms.streams import PositionLost, Stream, StreamBatch
from connector.store.catch_ups import ask_catch_ups
from connector.store.database import Database
from connector.store.errors import LeaseLost, StoreError
from connector.store.inbox import Hint, count_hints, put_hints
from connector.store.leases import drop_lease, take_lease
from connector.store.streams import StreamPlace, put_stream_place, put_stream_warning, stream_places

LEASE_MS = MINUTE_MS
"""Renewed with every batch, of which there is one at least every 20 seconds."""

STAND_BY_SECONDS = 10.0
"""How often a process that stands by asks whether the other one still follows."""

AFTER_LOST_SECONDS = 2.0
AFTER_REFUSED_SECONDS = 300.0
STORE_PAUSE_SECONDS = 5.0
FULL_SECONDS = 60.0
COUNT_EVERY = 10_000
"""After so many stored hints the inbox is counted."""

Tell = Callable[[str, Mapping[str, object]], None]


def lease_of(side: str) -> str:
    """The name of the lease on following a side's stream."""
    return f"stream.{side}"


@dataclass(slots=True)
class Follower:
    """Follows one side's stream. For one thread. `objects` are those that are polled on that side, from
    `overlap_ms` before a moment on where events since then are lost. `token` names this follower. `tell` is
    told what happens, `stored` is called after hints were stored, `poll_soon` when the side is to be polled
    at once. `most_waiting`: hints in the inbox at which the stream is left alone; the platform keeps what
    comes."""

    side: str
    stream: Stream
    objects: Collection[str]
    overlap_ms: int
    database: Database
    clock: Clock
    token: str
    tell: Tell = lambda _event, _facts: None
    stored: Callable[[str], object] = lambda _side: None
    poll_soon: Callable[[str], object] = lambda _side: None
    most_waiting: int = 1_000_000
    _standing_by: bool = False
    _since_count: int = COUNT_EVERY
    _warned: str = ""

    def run(self, stopping: Event) -> None:
        """Follow until stopped, and stand by while another process does."""
        try:
            while not stopping.is_set():
                seconds = self.follow(stopping)
                if not stopping.is_set():
                    self.clock.sleep(seconds, stopping)
        finally:
            self.stream.close()

    def follow(self, stopping: Event) -> float:
        """Follow for as long as it goes well; returns how many seconds to leave it alone then."""
        try:
            if not self._begin():
                return STAND_BY_SECONDS
            try:
                self._follow(stopping)
            except PositionLost as lost:
                self._begin_anew(str(lost))
                return AFTER_LOST_SECONDS
            finally:
                self._give_back()
        except RetryLater as later:
            self._tell("stream_waits", reason=later.reason, after_seconds=later.after_seconds)
            self._note(later.reason)
            return later.after_seconds
        except PlatformError as refused:
            self._tell("stream_refused", reason=str(refused), after_seconds=AFTER_REFUSED_SECONDS)
            self._note(str(refused))
            return AFTER_REFUSED_SECONDS
        except LeaseLost:
            return STAND_BY_SECONDS
        except StoreError as error:
            self._tell("stream_waits", reason=str(error), after_seconds=STORE_PAUSE_SECONDS)
            return STORE_PAUSE_SECONDS
        except Exception as error:  # noqa: BLE001  # told; a stream is a short cut, and must not end the polls
            frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()[-12:]
            self._tell("stream_failed", error=type(error).__name__, where=frames)
            self._note(f"an error in leadloop ({type(error).__name__}): the log has it as `stream failed`")
            return AFTER_REFUSED_SECONDS
        return 0.0

    def _begin(self) -> bool:
        with self.database.begin() as conn:
            ours = take_lease(conn, lease_of(self.side), self.token, self.clock.now_ms(), LEASE_MS)
        if not ours and not self._standing_by:
            self._tell("stream_standby")
        self._standing_by = not ours
        return ours

    def _follow(self, stopping: Event) -> None:
        with self.database.read() as conn:
            place = stream_places(conn).get(self.side, StreamPlace())
        away_ms = self.clock.now_ms() - place.seen_ms
        if place.position is not None and away_ms > self.stream.keeps_ms:
            raise PositionLost(
                f"nobody has followed the stream for {away_ms // HOUR_MS} hours, and events are kept for "
                f"{self.stream.keeps_ms // HOUR_MS}"
            )
        self._check_room()
        self._tell("stream_followed", anew=place.position is None)
        # it was followed before, and begins at now: what has happened in between is not on it
        anew = place.position is None and bool(place.seen_ms)
        with closing(self.stream.batches(place.position, stopping.is_set)) as batches:
            for batch in batches:
                place = self._store(batch, place, self.stream.objects if anew else batch.missed)
                anew = False
                if stopping.is_set():
                    return
                self._check_room()

    def _check_room(self) -> None:
        if self._since_count < COUNT_EVERY:
            return
        with self.database.read() as conn:
            filling = count_hints(conn).get(self.side)
        if filling is not None and filling.hints >= self.most_waiting:
            raise RetryLater("the inbox is full: nobody reads what was told", FULL_SECONDS)
        self._since_count = 0

    def _store(self, batch: StreamBatch, place: StreamPlace, missed: Collection[str]) -> StreamPlace:
        """Store what came together, what is to be polled, and how far that is; returns where the stream
        stands now."""
        now_ms = self.clock.now_ms()
        reached_ms = now_ms if batch.reached_ms is None and not batch.events else batch.reached_ms or 0
        # an event that says it is of tomorrow must not hide what is lost until then
        reached_ms = min(reached_ms, now_ms)
        after = place._replace(
            position=place.position if batch.position is None else batch.position,
            reached_ms=max(reached_ms, place.reached_ms or 0) or None,
            seen_ms=now_ms,
            warned_ms=now_ms if batch.warning else None,
            warning=batch.warning or None,
        )
        missed = sorted(set(missed) & set(self.objects))
        with self.database.begin() as conn:
            if not take_lease(conn, lease_of(self.side), self.token, now_ms, LEASE_MS):
                raise LeaseLost([lease_of(self.side)])
            put_hints(conn, [Hint(self.side, *told, now_ms) for told in batch.told])
            ask_catch_ups(conn, self.side, missed, self._before_ms(place))
            put_stream_place(conn, self.side, after)
        if batch.events:
            self._tell(
                "stream_received", events=batch.events, unwanted=batch.unwanted, malformed=batch.malformed
            )
        if batch.warning and batch.warning != self._warned:
            self._tell("stream_warns", reason=batch.warning)
        self._warned = batch.warning
        self._since_count += len(batch.told)
        if batch.told:
            self.stored(self.side)
        if missed:
            self._tell("stream_missed", objects=missed)
            self.poll_soon(self.side)
        return after

    def _begin_anew(self, reason: str) -> None:
        """Go on from now, and have everything polled that may have changed since the last stored event."""
        now_ms = self.clock.now_ms()
        wanted = sorted(set(self.stream.objects) & set(self.objects))
        with self.database.begin() as conn:
            if not take_lease(conn, lease_of(self.side), self.token, now_ms, LEASE_MS):
                raise LeaseLost([lease_of(self.side)])
            place = stream_places(conn).get(self.side, StreamPlace())
            ask_catch_ups(conn, self.side, wanted, self._before_ms(place))
            put_stream_place(
                conn, self.side, place._replace(position=None, seen_ms=now_ms, lost_ms=now_ms, lost=reason)
            )
        self._tell("stream_lost", reason=reason, objects=wanted)
        self.poll_soon(self.side)

    def _before_ms(self, place: StreamPlace) -> int:
        """Before the last stored event; where none has come yet, before we last heard of the stream. What was
        before a loss is polled already."""
        known_ms = place.reached_ms or place.seen_ms or self.clock.now_ms()
        if place.position is None:
            known_ms = max(known_ms, place.lost_ms or 0)
        return known_ms - self.overlap_ms

    def _note(self, reason: str) -> None:
        """Have `leadloop status` say why it is not followed, where the database can be told."""
        with suppress(StoreError), self.database.begin() as conn:  # the log says it in any case
            put_stream_warning(conn, self.side, reason, self.clock.now_ms())

    def _give_back(self) -> None:
        """Let another process follow at once, where the database can still be told."""
        with suppress(StoreError), self.database.begin() as conn:  # it runs out by itself
            drop_lease(conn, lease_of(self.side), self.token)

    def _tell(self, event: str, **facts: object) -> None:
        self.tell(event, {"side": self.side, **facts})
