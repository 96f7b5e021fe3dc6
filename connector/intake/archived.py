"""Archived: deletions that no feed of changes shows are looked for now and then, as the side's feed says.

A platform whose `changes` tells of deletions answers without a call.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.clock import SECOND_MS
from connector.installation import Installation
from connector.intake.forgetting import held_records, let_go
from connector.intake.missing import as_deleted
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.observation import RecordKey
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import Cursor, Listed
from connector.store.cursors import cursors_of, put_cursor

ARCHIVED = "archived:"
"""The feed that remembers when the archived records of a side were last listed."""


def find_archived(installation: Installation, side: str) -> set[str]:
    """List the archived records of a side if it is time, and note those that are known here as deleted.
    Returns the leads concerned. Raises Refused; what was noted stays. Where there is no call left for it, it
    is done later: changes, which hand-offs need, are looked for all the same."""
    started_ms = installation.clock.now_ms()
    every_ms = int(installation.feeds[side].archived_seconds * SECOND_MS)
    if not every_ms:
        return set()
    with installation.database.read() as conn:
        last = cursors_of(conn, side).get(ARCHIVED)
    if last is not None and started_ms - last.stamp_ms < every_ms:
        return set()
    leads: set[str] = set()
    for name in installation.feeds[side].objects:
        after: str | None = None
        while True:
            asked_ms = installation.clock.now_ms()
            try:
                page = installation.platforms[side].archived(name, after, Lane.UPDATE)
            except RetryLater as later:
                installation.on_event("archived_later", {"side": side, "reason": str(later)})
                _look_again(installation, side, started_ms - every_ms + int(later.after_seconds * SECOND_MS))
                return leads
            leads |= _note(installation, side, name, page.records, asked_ms)
            after = page.after
            if after is None:
                break
    _look_again(installation, side, started_ms)
    return leads


def _look_again(installation: Installation, side: str, listed_ms: int) -> None:
    """The next listing is due an interval after that moment."""
    with installation.database.begin() as conn:
        put_cursor(conn, side, ARCHIVED, Cursor(listed_ms), installation.clock.now_ms())


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
