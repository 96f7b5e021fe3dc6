"""The stream of one HubSpot account: its webhooks journal, entry by entry.

Kept 3 days and read from where we stopped, so leadloop needs no address that HubSpot could call. A position
says which entry was read last, and up to when everything was read: between an entry that HubSpot has dropped
since then and the oldest one that is left there is nothing, unless that is longer ago than entries are kept.
Values that events carry are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Clock
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.hubspot.events import MalformedEvent
from connector.platforms.hubspot.journal_calls import Entry, JournalCalls, UnknownOffset, is_offset
from connector.platforms.hubspot.journal_events import occurred_ms, read_journal_event, types_of
from connector.platforms.hubspot.journal_files import FileFault, JournalFile, JournalFiles
from connector.platforms.hubspot.journal_subscriptions import Subscription, needed
from connector.platforms.protocol import Meter
from connector.platforms.pushes import Told
from connector.platforms.settings import HubSpotSettings
from connector.platforms.streams import PositionLost, StreamBatch

KEEPS_MS = 3 * DAY_MS - HOUR_MS
"""How long HubSpot keeps an entry (3 days, its guide says), less an hour between its clock and ours."""

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 15.0
"""Between two questions while nothing is new: 5,760 calls a day at most."""

BEHIND_MS = MINUTE_MS
ENTRIES_AT_ONCE = 20
"""Entries that one call asks for, when the last one is older than `BEHIND_MS`: their addresses end soon."""

MOST_TRIES = 4
"""How often a file that cannot be read is asked for before it is passed over."""

LONGEST_OUTAGE_MS = HOUR_MS
"""How long a storage that does not answer is waited for: what is in its files is not lost, and a privacy
deletion is told nowhere else."""

LOOK_AFTER_MS = 6 * HOUR_MS
"""Between two looks at what the journal is subscribed to: somebody may end that at any time."""


UNREADABLE = JournalFile((), None)
"""Stands for a file that could not be had."""


class Failure(NamedTuple):
    """The file of `offset` could not be had so many times, since `since_ms`."""

    offset: str = ""
    tries: int = 0
    since_ms: int = 0


class Place(NamedTuple):
    """Where reading stands: after the entry `offset` ("": before the oldest), and everything that HubSpot
    published up to `read_ms` has been read."""

    offset: str
    read_ms: int

    def __str__(self) -> str:
        return f"{self.read_ms}:{self.offset}"


def place_of(position: str) -> Place:
    """A stored position. Raises PositionLost for a text that is none."""
    moment, colon, offset = position.partition(":")
    if not colon or not moment.isdecimal() or (offset and not is_offset(offset)):
        raise PositionLost("the stored position is not one of HubSpot's journal")
    return Place(offset, int(moment))


class Journal:
    """See `Stream`. `objects`: the mapped objects, with the properties that are read of each."""

    keeps_ms: int = KEEPS_MS

    def __init__(
        self,
        settings: HubSpotSettings,
        client_id: str,
        account: str,
        objects: Mapping[str, Sequence[str]],
        meter: Meter,
        clock: Clock,
    ) -> None:
        self.objects: Sequence[str] = tuple(objects)
        self._natives = objects
        self._account = account
        self._may_subscribe = settings.journal_subscribe
        self._clock = clock
        self._calls = JournalCalls(settings, client_id, account, meter, clock)
        self._files = JournalFiles(settings, clock)
        self._looked_ms: int | None = None
        self._warning = ""
        self._failed = Failure()

    def batches(
        self, position: str | None, stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        """See `Stream.batches`: one batch for each file."""
        self._look_at_subscriptions()
        place = self._now() if position is None else place_of(position)
        pause_seconds = FIRST_PAUSE_SECONDS
        while not stopping():
            self._look_at_subscriptions()
            asked_ms = self._clock.now_ms()
            place, entries = self._following(place)
            for entry in entries:
                file = self._file(entry)
                if file is None:  # its address has ended: ask for it, and what follows it, anew
                    self._wait(FIRST_PAUSE_SECONDS * (self._failed.tries - 1), stopping)
                    break
                place = Place(entry.offset, _later(place.read_ms, file.published_ms, asked_ms))
                yield self._warned(self._batch(file, place))
                if stopping():
                    return
            if entries:
                pause_seconds = FIRST_PAUSE_SECONDS
                continue
            place = place._replace(read_ms=_later(place.read_ms, asked_ms, asked_ms))
            yield self._warned(StreamBatch(position=str(place)))
            self._wait(pause_seconds, stopping)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Close connections."""
        self._calls.close()
        self._files.close()

    def _now(self) -> Place:
        now_ms = self._clock.now_ms()
        latest = self._calls.latest()
        return Place("" if latest is None else latest.offset, now_ms)

    def _following(self, place: Place) -> tuple[Place, Sequence[Entry]]:
        """The entries after a place, and the place, which is another one when HubSpot has dropped it. Raises
        PositionLost."""
        if not place.offset:
            return self._oldest(place)
        try:
            if place.read_ms < self._clock.now_ms() - BEHIND_MS:
                entries = self._calls.batch_after(place.offset, ENTRIES_AT_ONCE)
                return place, [entry for entry in entries if entry.offset != place.offset]
            return place, self._next(place)
        except UnknownOffset:
            pass
        latest = self._calls.latest()
        if latest is not None:
            if latest.offset == place.offset:  # some answer so when nothing is newer (reported)
                return place, ()
            try:
                return place, self._next(place)  # it came in between
            except UnknownOffset:
                pass
        return self._oldest(Place("", place.read_ms))

    def _next(self, place: Place) -> Sequence[Entry]:
        """The entry after a place. One that is the place itself is nothing newer: read again, it would be
        read for ever."""
        return [entry for entry in _one(self._calls.after(place.offset)) if entry.offset != place.offset]

    def _oldest(self, place: Place) -> tuple[Place, Sequence[Entry]]:
        if place.read_ms < self._clock.now_ms() - KEEPS_MS:
            raise PositionLost("HubSpot does not have the entries after the last one that was read any more")
        return place, _one(self._calls.earliest())

    def _file(self, entry: Entry) -> JournalFile | None:
        """The file of an entry; None when another try is due with a new address. One that cannot be had is
        passed over after several tries, or after an outage of its storage, as one that says nothing. Raises
        RetryLater."""
        try:
            return self._files.fetch(entry.url)
        except FileFault as fault:
            now_ms = self._clock.now_ms()
            last = self._failed if self._failed.offset == entry.offset else Failure(entry.offset, 0, now_ms)
            self._failed = last._replace(tries=last.tries + 1)
            if fault.wait_seconds:
                if now_ms - last.since_ms < LONGEST_OUTAGE_MS:
                    raise RetryLater(f"a file of HubSpot's journal: {fault}", fault.wait_seconds) from fault
                return UNREADABLE
            return UNREADABLE if self._failed.tries >= MOST_TRIES else None

    def _batch(self, file: JournalFile, place: Place) -> StreamBatch:
        """What the events of a file tell of. Those of other accounts are nobody's here."""
        if file is UNREADABLE:
            return StreamBatch(position=str(place), missed=self.objects, events=1, malformed=1)
        told: dict[Told, None] = {}
        missed: dict[str, None] = {}
        unwanted = malformed = 0
        newest_ms: int | None = None
        for event in file.events:
            try:
                found = self._told(event)
            except MalformedEvent:
                malformed += 1
                missed.update(dict.fromkeys(self._meant(event)))
                continue
            unwanted += not found
            told.update(dict.fromkeys(found))
            if isinstance(event, Mapping) and self._is_ours(event):
                newest_ms = max(newest_ms or 0, occurred_ms(event) or 0) or None
        if newest_ms is not None and file.published_ms is not None:
            newest_ms = min(newest_ms, file.published_ms)
        return StreamBatch(
            list(told), str(place), newest_ms, tuple(missed), len(file.events), unwanted, malformed
        )

    def _warned(self, batch: StreamBatch) -> StreamBatch:
        return replace(batch, warning=self._warning) if self._warning else batch

    def _told(self, event: object) -> list[Told]:
        if not isinstance(event, Mapping):
            raise MalformedEvent("an event that is no object")
        if "portalId" not in event:
            raise MalformedEvent("an event of no account")
        if not self._is_ours(event):
            return []
        told = read_journal_event(event)
        return [each for each in told if each.object in self._natives or each.kind == "forget"]

    def _is_ours(self, event: Mapping[str, Any]) -> bool:
        return str(event.get("portalId")) == self._account

    def _meant(self, event: object) -> Sequence[str]:
        """The objects that a malformed event may be about: all of them, unless it names one."""
        names = types_of(event)
        return [name for name in self.objects if not names or name in names]

    def _look_at_subscriptions(self) -> None:
        now_ms = self._clock.now_ms()
        if self._looked_ms is None or not 0 <= now_ms - self._looked_ms < LOOK_AFTER_MS:
            self._warning = self._subscribed()
            self._looked_ms = now_ms

    def _subscribed(self) -> str:
        """Have the journal hold what is needed. Returns a sentence about what will be missing. Raises Refused
        when everything will."""
        wanted = needed(self._natives)
        found = self._calls.subscriptions()
        lacking = [each for each in wanted if not each.is_met(self._account, found)]
        reasons: list[str] = []
        if lacking and self._may_subscribe:
            for each in lacking:
                try:
                    self._calls.subscribe(each.body(self._account, found))
                except Refused as refused:
                    reasons.append(refused.reason)
            found = self._calls.subscriptions()
            lacking = [each for each in wanted if not each.is_met(self._account, found)]
        warning = _warning(lacking, reasons) if lacking else ""
        if lacking and len(lacking) == len(wanted):
            raise Refused(warning, "NO_SUBSCRIPTION")
        return warning

    def _wait(self, seconds: float, stopping: Callable[[], bool]) -> None:
        until_ms = self._clock.now_ms() + int(seconds * SECOND_MS)
        while not stopping() and (left_ms := until_ms - self._clock.now_ms()) > 0:
            self._clock.sleep(min(1.0, left_ms / SECOND_MS))


def _one(entry: Entry | None) -> Sequence[Entry]:
    return () if entry is None else (entry,)


def _later(read_ms: int, told_ms: int | None, now_ms: int) -> int:
    """Up to when everything is read, going by what a file tells, which may be ahead of our clock."""
    return read_ms if told_ms is None else max(read_ms, min(told_ms, now_ms))


def _warning(lacking: Sequence[Subscription], reasons: Sequence[str]) -> str:
    names = "; ".join(map(str, lacking))
    if reasons:
        return f"HubSpot's journal does not tell of {names}, and would not be told to: {'; '.join(reasons)}"
    return (
        f"HubSpot's journal is not subscribed to {names}: subscribe it, or let leadloop do so with "
        "LEADLOOP_HUBSPOT__JOURNAL_SUBSCRIBE=true"
    )
