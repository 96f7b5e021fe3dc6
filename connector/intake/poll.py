"""Poll: look at a side for changes, store what it shows, and mark the leads concerned dirty.

An observation is stored in the same transaction that moves the cursor past it. A finished look moves the
cursor up to a little before its own beginning, so that what is read is not read again, and now and then a
look goes far back (`overlap_seconds`), because rows become visible late: transactions that commit after later
ones, search indexes that lag. Re-read rows are recognised by their version and cost nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.archived import ARCHIVED, find_archived
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.platforms.protocol import ChangePage, Cursor, Watch
from connector.store.catch_ups import catch_ups_of, finish_catch_up
from connector.store.cursors import cursors_of, put_cursor
from connector.store.settings_values import get_value, put_value
from mappings.object_mapping import ObjectMapping

DEEP = "deep:"
"""Prefix of the feed that remembers when an object was last looked at with the full overlap."""


@dataclass(slots=True)
class Polled:
    """What one look at a side brought."""

    records: int = 0
    changed: int = 0
    leads: int = 0


def start_cursors(installation: Installation, side: str) -> None:
    """Begin at now where a side has never been looked at: nothing that is already there is imported, but for
    accounts, which are read from the first one on, and again when other fields of theirs are."""
    now_ms = installation.clock.now_ms()
    objects = installation.policy.mapping.sides[side].objects
    with installation.database.begin() as conn:
        known = cursors_of(conn, side)
        for name in installation.feeds[side].objects:
            if name not in known:
                put_cursor(conn, side, name, Cursor(now_ms), now_ms)
                put_cursor(conn, side, DEEP + name, Cursor(now_ms), now_ms)
                put_value(conn, began_key(side, name), now_ms)
            if objects[name].role == "account":
                _read_all_once(conn, installation, objects[name], now_ms)
        if ARCHIVED not in known:
            put_cursor(conn, side, ARCHIVED, Cursor(now_ms), now_ms)


def _read_all_once(conn: Connection, installation: Installation, target: ObjectMapping, now_ms: int) -> None:
    """Send the cursor of an object back to the beginning, unless all of it was read, or is being read, with
    these fields. Leads of long ago belong to accounts of long ago."""
    natives = installation.feeds[target.side].objects[target.object]
    read = {pair.canonical: pair.native for pair in target.pairs if pair.native in natives}
    key = f"read_all:{target.side}:{target.object}"
    if get_value(conn, key) != read:
        put_cursor(conn, target.side, target.object, Cursor(0), now_ms)
        put_value(conn, began_key(target.side, target.object), 0)
        put_value(conn, key, read)


def began_key(side: str, name: str) -> str:
    """Under which it is remembered since when an object is looked at: what lies before was not imported."""
    return f"began_ms:{side}:{name}"


def poll(installation: Installation, side: str) -> Polled:
    """Look once. Raises RetryLater or Refused when the platform does not answer; what was stored stays."""
    feed = installation.feeds[side]
    started_ms = installation.clock.now_ms()
    with installation.database.read() as conn:
        cursors = cursors_of(conn, side)
        asked = catch_ups_of(conn, side)  # a stream has lost events of these objects
    overlap_ms = 1_000 * feed.overlap_seconds
    watches: list[Watch] = []
    deep: set[str] = set()
    for name, natives in feed.objects.items():
        since_ms = cursors.get(name, Cursor(started_ms)).stamp_ms
        last_deep_ms = cursors.get(DEEP + name, Cursor(started_ms)).stamp_ms
        if overlap_ms and started_ms - last_deep_ms >= overlap_ms:
            deep.add(name)
            since_ms = min(since_ms, last_deep_ms) - overlap_ms
        since_ms = min(since_ms, asked.get(name, since_ms))
        watches.append(Watch(name, natives, since_ms))
    result = Polled()
    for page in installation.platforms[side].changes(watches, Lane.HANDOFF):
        before = cursors.get(page.object, Cursor(0))
        reached = [before, *([page.reached] if page.reached is not None else [])]
        if page.last:
            reached.append(Cursor(started_ms - 1_000 * feed.short_overlap_seconds))
        cursors[page.object] = max(reached, key=lambda cursor: (cursor.stamp_ms, cursor.record_id))
        _store_page(installation, side, page, cursors[page.object], result)
        if page.last and page.object in deep:
            with installation.database.begin() as conn:
                put_cursor(conn, side, DEEP + page.object, Cursor(started_ms), started_ms)
        if page.last and page.object in asked:
            with installation.database.begin() as conn:
                finish_catch_up(conn, side, page.object, asked[page.object])
    result.leads += len(find_archived(installation, side))
    return result


def _store_page(
    installation: Installation, side: str, page: ChangePage, cursor: Cursor, result: Polled
) -> None:
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        taken = take_in(conn, installation, page.observations, now_ms)
        put_cursor(conn, side, page.object, cursor, now_ms)
    result.records += len(taken.stored)
    result.changed += sum(1 for item in taken.stored if item.status in ("new", "changed"))
    result.leads += len(taken.leads)
