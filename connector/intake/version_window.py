"""Version window: the stored versions of one object in the order of ids, some of them in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable

from connector.installation import Installation
from connector.platforms.protocol import id_order
from connector.store.versions import Version, versions_after

AT_ONCE = 4_000
"""Versions of the store held in memory at a time, with their values."""


class VersionWindow:
    """The versions of one object as they are stored, in the order of ids, from `after` on."""

    def __init__(self, installation: Installation, side: str, name: str, after: str | None) -> None:
        self._database = installation.database
        self._side = side
        self._name = name
        self._reached = after
        self._rows: list[Version] = []
        self._at = 0
        self._ended = False

    def up_to(self, record_id: str | None) -> Iterable[Version]:
        """The next versions, up to this id; None: all that are left."""
        limit = None if record_id is None else id_order(record_id)
        while True:
            if self._at >= len(self._rows) and not self._fill():
                return
            row = self._rows[self._at]
            if limit is not None and id_order(row.record_id) > limit:
                return
            self._at += 1
            yield row

    def _fill(self) -> bool:
        if self._ended:
            return False
        with self._database.read() as conn:
            self._rows = versions_after(conn, self._side, self._name, self._reached, AT_ONCE)
        self._at = 0
        self._ended = len(self._rows) < AT_ONCE
        if self._rows:
            self._reached = self._rows[-1].record_id
        return bool(self._rows)
