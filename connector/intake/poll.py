"""Poll: look at a side for changes, store what it shows, and mark the leads concerned dirty.

An observation is stored in the same transaction that moves the cursor past it. Every look goes a little
behind the cursor, and now and then far behind it (`overlap_seconds`), because rows become visible late:
transactions that commit after later ones, search indexes that lag. Re-read rows are recognised by their
version and cost nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.installation import Installation
from connector.intake.link import link_records
from connector.platforms.protocol import ChangePage, Cursor, Lane, Watch
from connector.store.cursors import cursors_of, put_cursor, updated_ms
from connector.store.observations import store_observations

DEEP = "deep:"
"""Prefix of the feed that remembers when an object was last looked at with the full overlap."""


@dataclass(slots=True)
class Polled:
    """What one look at a side brought."""

    records: int = 0
    changed: int = 0
    leads: int = 0


def start_cursors(installation: Installation, side: str) -> None:
    """Begin at now where a side has never been looked at: nothing that is already there is imported."""
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        known = cursors_of(conn, side)
        for name in installation.feeds[side].objects:
            if name not in known:
                put_cursor(conn, side, name, Cursor(now_ms), now_ms)
                put_cursor(conn, side, DEEP + name, Cursor(now_ms), now_ms)


def poll(installation: Installation, side: str) -> Polled:
    """Look once. Raises RetryLater or Refused when the platform does not answer; what was stored stays."""
    feed = installation.feeds[side]
    now_ms = installation.clock.now_ms()
    with installation.database.read() as conn:
        cursors = cursors_of(conn, side)
        looked = updated_ms(conn, side)
    watches: list[Watch] = []
    deep: list[str] = []
    for name, natives in feed.objects.items():
        cursor = cursors.get(name, Cursor(now_ms))
        since_ms = cursor.stamp_ms - 1_000 * min(feed.short_overlap_seconds, feed.overlap_seconds)
        last_deep = cursors.get(DEEP + name)
        if now_ms - looked.get(DEEP + name, 0) >= feed.overlap_seconds * 1_000:
            deep.append(name)
            behind_ms = min(cursor.stamp_ms, last_deep.stamp_ms if last_deep else cursor.stamp_ms)
            since_ms = behind_ms - feed.overlap_seconds * 1_000
        watches.append(Watch(name, natives, since_ms))
    result = Polled()
    for page in installation.platforms[side].changes(watches, Lane.HANDOFF):
        _store_page(installation, side, page, cursors, result, page.object in deep, now_ms)
    return result


def _store_page(
    installation: Installation,
    side: str,
    page: ChangePage,
    cursors: dict[str, Cursor],
    result: Polled,
    deep: bool,
    started_ms: int,
) -> None:
    if not page.observations and not (page.last and deep):
        return
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        stored = store_observations(conn, page.observations)
        leads = link_records(conn, installation, stored, now_ms)
        before = cursors.get(page.object, Cursor(0))
        if page.reached is not None and page.reached.stamp_ms > before.stamp_ms:
            put_cursor(conn, side, page.object, page.reached, now_ms)
            cursors[page.object] = page.reached
        if deep and page.last:
            put_cursor(conn, side, DEEP + page.object, cursors.get(page.object, before), started_ms)
    result.records += len(stored)
    result.changed += sum(1 for item in stored if item.status in ("new", "changed"))
    result.leads += len(leads)
