"""The stream of one HubSpot account: its webhooks journal, entry by entry.

Kept 3 days and read from where we stopped, so leadloop needs no address that HubSpot could call. A position
says which entry was read last, and up to when everything was read: between an entry that HubSpot has dropped
since then and the oldest one that is left there is nothing, unless that is longer ago than entries are kept.
Values that events carry are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Clock
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.hubspot.events import MalformedEvent
from connector.platforms.hubspot.journal_calls import Entry, JournalCalls, UnknownOffset, is_offset
from connector.platforms.hubspot.journal_events import occurred_ms, read_journal_event
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
"""How often a file is asked for before it is passed over."""


UNREADABLE = JournalFile((), None)
"""Stands for a file that could not be had."""


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
        self._app_ids: frozenset[str] | None = None
        self._warning = ""
        self._failed: tuple[str, int] = ("", 0)

    def batches(
        self, position: str | None, stopping: Callable[[], bool]
    ) -> Generator[StreamBatch, None, None]:
        """See `Stream.batches`: one batch for each file."""
        if self._app_ids is None:
            self._app_ids, self._warning = self._subscribed()
        place = self._now() if position is None else place_of(position)
        pause_seconds = FIRST_PAUSE_SECONDS
        while not stopping():
            asked_ms = self._clock.now_ms()
            place, entries = self._following(place)
            for entry in entries:
                file = self._file(entry)
                if file is None:
                    break  # its address has ended: ask for it, and what follows it, anew
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
            return place, _one(self._calls.after(place.offset))
        except UnknownOffset:
            pass
        latest = self._calls.latest()
        if latest is not None:
            if latest.offset == place.offset:  # some answer so when nothing is newer (reported)
                return place, ()
            try:
                return place, _one(self._calls.after(place.offset))  # it came in between
            except UnknownOffset:
                pass
        return self._oldest(Place("", place.read_ms))

    def _oldest(self, place: Place) -> tuple[Place, Sequence[Entry]]:
        if place.read_ms < self._clock.now_ms() - KEEPS_MS:
            raise PositionLost("HubSpot does not have the entries after the last one that was read any more")
        return place, _one(self._calls.earliest())

    def _file(self, entry: Entry) -> JournalFile | None:
        """The file of an entry; None when another try is due with a new address. One that cannot be had after
        several tries is passed over, as one that says nothing. Raises RetryLater."""
        try:
            return self._files.fetch(entry.url)
        except FileFault as fault:
            tries = self._failed[1] + 1 if self._failed[0] == entry.offset else 1
            self._failed = (entry.offset, tries)
            if tries >= MOST_TRIES:
                return UNREADABLE
            if fault.wait_seconds:
                raise RetryLater(f"a file of HubSpot's journal: {fault}", fault.wait_seconds) from fault
            return None

    def _batch(self, file: JournalFile, place: Place) -> StreamBatch:
        """What the events of a file tell of. Those of other accounts are nobody's here."""
        if file is UNREADABLE:
            return StreamBatch(position=str(place), missed=self.objects, events=1, malformed=1)
        told: dict[Told, None] = {}
        unwanted = malformed = 0
        newest_ms: int | None = None
        for event in file.events:
            try:
                found = self._told(event)
            except MalformedEvent:
                malformed += 1
                continue
            unwanted += not found
            told.update(dict.fromkeys(found))
            if isinstance(event, Mapping):
                newest_ms = max(newest_ms or 0, occurred_ms(event) or 0) or None
        if newest_ms is not None and file.published_ms is not None:
            newest_ms = min(newest_ms, file.published_ms)
        return StreamBatch(list(told), str(place), newest_ms, (), len(file.events), unwanted, malformed)

    def _warned(self, batch: StreamBatch) -> StreamBatch:
        """The batch, with what is still to be said."""
        warning, self._warning = self._warning, ""
        return replace(batch, warning=warning) if warning else batch

    def _told(self, event: object) -> list[Told]:
        if not isinstance(event, Mapping):
            raise MalformedEvent("an event that is no object")
        if "portalId" not in event:
            raise MalformedEvent("an event of no account")
        if str(event["portalId"]) != self._account:
            return []
        told = read_journal_event(event, self._app_ids or ())
        return [each for each in told if each.object in self._natives or each.kind == "forget"]

    def _subscribed(self) -> tuple[frozenset[str], str]:
        """Have the journal hold what is needed. Returns the app's id, which its own changes carry, and a
        sentence about what will be missing. Raises Refused when everything will."""
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
        return frozenset(str(each["appId"]) for each in found if "appId" in each), warning

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
