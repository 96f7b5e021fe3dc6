"""Archived: deletions that no feed of changes shows are looked for now and then, as the side's feed says.

A platform whose `changes` tells of deletions answers without a call.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.clock import SECOND_MS
from connector.installation import Installation
from connector.intake.forgotten_records import held_records, let_go
from connector.intake.missing import as_deleted
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.observation import RecordKey
from connector.platforms.errors import PlatformError, RetryLater
from connector.platforms.protocol import Cursor, Listed
from connector.store.cursors import cursors_of, put_cursor

ARCHIVED = "archived:"
"""The feed that remembers when the archived records of a side were last listed, and the place at which a
listing that is not finished goes on."""

PAGES_AT_ONCE = 5
"""So many pages are listed with one look at the side: a bin that is full after a purge delays no changes."""


def find_archived(installation: Installation, side: str) -> set[str]:
    """List the archived records of a side if it is time, and note those that are known here as deleted.
    Returns the leads concerned. An object that the platform refuses is passed over, with an event.
    Where there is no call left, the listing goes on later: changes, which hand-offs need, are looked for all
    the same."""
    started_ms = installation.clock.now_ms()
    every_ms = int(installation.feeds[side].archived_seconds * SECOND_MS)
    if not every_ms:
        return set()
    with installation.database.read() as conn:
        last = cursors_of(conn, side).get(ARCHIVED, Cursor(started_ms - every_ms))
    if 0 <= started_ms - last.stamp_ms < every_ms:  # a later one: our clock has been put back since
        return set()
    leads: set[str] = set()
    roles = installation.policy.mapping.sides[side].objects
    # people first: what is refused or away behind them keeps nobody's deletion from being seen
    objects = sorted(installation.feeds[side].objects, key=lambda name: roles[name].role != "person")
    left = _left(objects, last.record_id)
    for _ in range(PAGES_AT_ONCE):
        if not left:
            break
        name, after = left.pop(0)
        asked_ms = installation.clock.now_ms()
        try:
            page = installation.platforms[side].archived(name, after, Lane.UPDATE)
        except RetryLater as later:
            installation.on_event("archived_later", {"side": side, "reason": str(later)})
            left.insert(0, (name, after))
            pause_ms = int(later.after_seconds * SECOND_MS)
            _go_on(installation, side, started_ms - every_ms + pause_ms, left)
            return leads
        except PlatformError as refused:
            installation.on_event("archived_refused", {"side": side, "object": name, "reason": str(refused)})
            continue
        leads |= _note(installation, side, name, page.records, asked_ms)
        if page.after is not None:
            left.insert(0, (name, page.after))
    _go_on(installation, side, started_ms - every_ms if left else started_ms, left)
    return leads


def _left(objects: Sequence[str], place: str) -> list[tuple[str, str | None]]:
    """What is still to be listed: objects, the first of them from a place on."""
    name, _, after = place.partition(" ")
    if name not in objects:
        return [(each, None) for each in objects]
    return [(name, after or None), *((each, None) for each in objects[objects.index(name) + 1 :])]


def _go_on(
    installation: Installation, side: str, listed_ms: int, left: Sequence[tuple[str, str | None]]
) -> None:
    """The listing goes on, or begins again, an interval after that moment."""
    place = f"{left[0][0]} {left[0][1] or ''}" if left else ""
    with installation.database.begin() as conn:
        put_cursor(conn, side, ARCHIVED, Cursor(listed_ms, place), installation.clock.now_ms())


def _note(
    installation: Installation, side: str, name: str, records: Sequence[Listed], asked_ms: int
) -> set[str]:
    if not records:
        return set()
    keys = [RecordKey(side, name, each.record_id) for each in records]
    with installation.database.read() as conn:
        # the stored stamp stays: a record that is restored need not get a newer one
        gone = as_deleted(conn, keys, asked_ms)
        held = set(held_records(conn, side, name)).intersection(keys)
    if not gone and not held:
        return set()
    with installation.database.begin() as conn:
        let_go(conn, held, asked_ms)
        return take_in(conn, installation, gone, asked_ms).leads
