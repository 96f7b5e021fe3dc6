"""Poll: look at a side for changes, store what it shows, and mark the leads concerned dirty.

An observation is stored in the same transaction that moves the cursor past it. A finished look moves the
cursor up to a little before its own beginning, by the clock that stamps the records, so that what is read is
not read again; and now and then a look goes far back (`overlap_seconds`), because rows become visible late:
transactions that commit after later ones, search indexes that lag. Re-read rows are recognised by their
version and cost nothing more. A look that is broken off is gone on with where it ended, however far back it
had begun.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.clock import SECOND_MS
from connector.installation import Installation
from connector.intake.archived import ARCHIVED, find_archived
from connector.intake.taking_in import take_in
from connector.intake.timetable import Looked, leave_alone, put_looked
from connector.lane import Lane
from connector.platforms.errors import PlatformError, RetryLater, concerns_all
from connector.platforms.protocol import ChangePage, Cursor, Watch
from connector.store.catch_ups import ask_catch_ups, catch_ups_of, move_catch_up
from connector.store.cursors import cursors_of, put_cursor, updated_ms
from connector.store.settings_values import get_value, put_value
from connector.store.write_ahead_log import empty_if_asked
from mappings.object_mapping import ObjectMapping

DEEP = "deep:"
"""Prefix of the feed that remembers when the last look at an object with the full overlap was begun: by the
platform's clock, and (as the moment of storing) by ours."""


@dataclass(slots=True)
class Polled:
    """What one look at a side brought."""

    records: int = 0
    changed: int = 0
    leads: int = 0


def start_cursors(installation: Installation, side: str, ahead_ms: int = 0) -> None:
    """Begin at now where a side has never been looked at: nothing that is already there is imported, but for
    accounts, which are read from the first one on, and again when other fields of theirs are. `ahead_ms`: how
    far the clock that stamps the side's records is ahead of ours."""
    now_ms = installation.clock.now_ms()
    there_ms = now_ms + ahead_ms
    objects = installation.policy.mapping.sides[side].objects
    with installation.database.begin() as conn:
        known = cursors_of(conn, side)
        # what may not be read yet, too: once it may, what has changed in between is read
        for name in objects:
            if name not in known:
                put_cursor(conn, side, name, Cursor(there_ms), now_ms)
                put_cursor(conn, side, DEEP + name, Cursor(there_ms), now_ms)
                put_value(conn, began_key(side, name), there_ms)
            if objects[name].role == "account" and name in installation.feeds[side].objects:
                _read_all_once(conn, installation, objects[name])
        if ARCHIVED not in known:
            put_cursor(conn, side, ARCHIVED, Cursor(now_ms), now_ms)


def _read_all_once(conn: Connection, installation: Installation, target: ObjectMapping) -> None:
    """Have an object read from the beginning, unless all of it was read, or is being read, with these fields.
    Leads of long ago belong to accounts of long ago."""
    natives = installation.feeds[target.side].objects[target.object]
    read = {pair.canonical: pair.native for pair in target.pairs if pair.native in natives}
    key = f"read_all:{target.side}:{target.object}"
    if get_value(conn, key) != read:
        ask_catch_ups(conn, target.side, (target.object,), 0)
        put_value(conn, began_key(target.side, target.object), 0)
        put_value(conn, key, read)


def began_key(side: str, name: str) -> str:
    """Under which it is remembered since when an object is looked at: what lies before was not imported."""
    return f"began_ms:{side}:{name}"


def poll(
    installation: Installation,
    side: str,
    names: Collection[str] | None = None,
    result: Polled | None = None,
) -> Polled:
    """Look once, at the objects in `names` or at all of the side's. Raises RetryLater or Refused when the
    platform does not answer; what was stored stays, and is counted in `result`. Where that concerns some
    objects alone, they are left alone for a while."""
    empty_if_asked(installation.database)  # of who was forgotten while somebody else was reading
    feed = installation.feeds[side]
    watched = [name for name in feed.objects if names is None or name in names]
    look = _Look(installation, side, watched, Polled() if result is None else result)
    try:
        for page in installation.platforms[side].changes(look.watches, Lane.LOOK):
            look.store(page)
    except PlatformError as fault:
        if not concerns_all(fault):
            after_ms = int(fault.after_seconds * SECOND_MS) if isinstance(fault, RetryLater) else None
            with installation.database.begin() as conn:
                leave_alone(conn, side, look.open, installation.clock.now_ms(), after_ms)
        raise
    look.result.leads += len(find_archived(installation, side))
    return look.result


class _Look:
    """One look at some objects of a side. `open` are those that have not been read to their end."""

    def __init__(self, installation: Installation, side: str, names: Collection[str], result: Polled) -> None:
        self._installation = installation
        self._side = side
        self._feed = installation.feeds[side]
        self._started_ms = installation.clock.now_ms()
        with installation.database.read() as conn:
            self._cursors = cursors_of(conn, side)
            stored_ms = updated_ms(conn, side)
            self._asked = catch_ups_of(conn, side)
        self._deep = {name for name in names if self._goes_far(name, stored_ms.get(DEEP + name))}
        for name in self._deep:
            self._cursors[name] = self._far_back(name)
        self.watches = [Watch(name, self._feed.objects[name], self._since_ms(name)) for name in names]
        self.open = set(names)
        self.result = result

    def _goes_far(self, name: str, last_ms: int | None) -> bool:
        """Whether it is time to go back over the full overlap; also when our clock has been put back. What a
        look has left unread, or is to be made up for, is read first: of many records that changed at once
        every look would else begin with the first again, and none might reach the last."""
        overlap_ms = SECOND_MS * self._feed.overlap_seconds
        if not overlap_ms or name in self._asked or self._cursors.get(name, Cursor(0)).record_id:
            return False
        return last_ms is None or not 0 <= self._started_ms - last_ms < overlap_ms

    def _far_back(self, name: str) -> Cursor:
        """What was stamped within the overlap before the last such look may have shown up after it."""
        cursor = self._cursors.get(name, Cursor(self._started_ms))
        last = self._cursors.get(DEEP + name, cursor)
        return min(cursor, Cursor(last.stamp_ms - SECOND_MS * self._feed.overlap_seconds), key=_place)

    def _since_ms(self, name: str) -> int:
        since_ms = self._cursors.get(name, Cursor(self._started_ms)).stamp_ms
        return min(since_ms, self._asked.get(name, since_ms))

    def store(self, page: ChangePage) -> None:
        """Store a page, and with it how far its object is read now."""
        name, side, now_ms = page.object, self._side, self._installation.clock.now_ms()
        asked_ms = self._started_ms if page.asked_ms is None else page.asked_ms
        cursor = self._cursors[name] = self._reached(page, asked_ms)
        with self._installation.database.begin() as conn:
            taken = take_in(conn, self._installation, page.observations, now_ms)
            put_cursor(conn, side, name, cursor, now_ms)
            if name in self._asked:
                self._catch_up(conn, page)
            if page.last:
                put_looked(conn, side, name, Looked(self._started_ms))
            if name in self._deep:
                # once is enough, also if it is broken off: the cursor stands as far back as there is to read
                put_cursor(conn, side, DEEP + name, Cursor(asked_ms), self._started_ms)
        self._deep.discard(name)
        if page.last:
            self.open.discard(name)
        self.result.records += len(taken.stored)
        self.result.changed += sum(1 for item in taken.stored if item.status in ("new", "changed"))
        self.result.leads += len(taken.leads)

    def _catch_up(self, conn: Connection, page: ChangePage) -> None:
        """Remember how far what is made up for is read: the next look goes on there if this one is broken
        off."""
        before_ms = self._asked[page.object]
        reached_ms = before_ms if page.reached is None else page.reached.stamp_ms
        after_ms = None if page.last else max(before_ms, reached_ms)
        move_catch_up(conn, self._side, page.object, before_ms, after_ms)
        if after_ms is not None:
            self._asked[page.object] = after_ms

    def _reached(self, page: ChangePage, asked_ms: int) -> Cursor:
        """Where the next look goes on. After a finished one that is never past the platform's own clock, even
        where records are stamped ahead of it."""
        if page.last:
            return Cursor(asked_ms - SECOND_MS * self._feed.short_overlap_seconds)
        before = self._cursors.get(page.object, Cursor(0))
        return max(before, page.reached or before, key=_place)


def _place(cursor: Cursor) -> tuple[int, str]:
    return cursor.stamp_ms, cursor.record_id
