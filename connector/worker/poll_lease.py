"""Poll lease: one worker at a time looks at a side, and only when its time has come.

The lease and the moment of the next look are both in the database, so that any number of wake-ups in any
number of workers make one look. Does not look itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from connector.clock import MINUTE_MS, Clock
from connector.intake.timetable import hasten, next_poll_ms, plan_next
from connector.store.database import Database
from connector.store.errors import LeaseLost
from connector.store.leases import drop_lease, take_lease
from connector.store.settings_values import put_value, values_under
from connector.worker.wakeups import poll_of

LEASE_MS = 5 * MINUTE_MS
"""Renewed with every page. Outlives an HTTP timeout; when a worker dies, its side waits this long."""


_LOOKED = "last_poll_ms:"


def last_polls_ms(conn: Connection, sides: Iterable[str]) -> dict[str, int]:
    """When each side was last looked at with success, by whichever worker; others are left out."""
    known = values_under(conn, _LOOKED)
    return {side: int(known[_LOOKED + side]) for side in sides if _LOOKED + side in known}


def poll_soon(database: Database, clock: Clock, side: str, token: str) -> None:
    """Let the next look at a side be now. One that is under way is left alone: the one after it comes soon
    enough. Raises StoreError."""
    with database.begin() as conn:
        if take_lease(conn, poll_of(side), token, clock.now_ms(), LEASE_MS):
            hasten(conn, side)
            drop_lease(conn, poll_of(side), token)


class PollLease:
    """One worker's turn at looking at a side. `token` names the turn."""

    def __init__(self, database: Database, clock: Clock, side: str, token: str) -> None:
        self._database = database
        self._clock = clock
        self._side = side
        self._token = token
        self._due_ms = 0

    def begin(self) -> bool:
        """Take the lease, if nobody has it and the side's time has come. Raises StoreError."""
        now_ms = self._clock.now_ms()
        with self._database.begin() as conn:
            # the lease first: what the last holder wrote when it gave it back is seen then
            if not take_lease(conn, poll_of(self._side), self._token, now_ms, LEASE_MS):
                return False
            self._due_ms = next_poll_ms(conn, self._side)
            if next_poll_ms(conn, self._side, now_ms) > now_ms:
                drop_lease(conn, poll_of(self._side), self._token)
                return False
        return True

    def renew(self) -> None:
        """Hold it for longer. Raises LeaseLost when somebody else has it, or has had it, StoreError."""
        with self._database.begin() as conn:
            if not self._still_ours(conn):
                raise LeaseLost([poll_of(self._side)])

    def end(self, seconds: Mapping[str, float], patience_seconds: float, looked: bool) -> None:
        """Give it back, and plan the next look by the objects' intervals in `seconds`, but not before the
        platform's patience is over. `looked`: whether this one was answered. What somebody else has taken
        over stays as it is. Raises StoreError."""
        with self._database.begin() as conn:
            if self._still_ours(conn):
                now_ms = self._clock.now_ms()
                plan_next(conn, self._side, seconds, now_ms, patience_seconds)
                if looked:
                    put_value(conn, _LOOKED + self._side, now_ms)
            drop_lease(conn, poll_of(self._side), self._token)

    def _still_ours(self, conn: Connection) -> bool:
        now_ms = self._clock.now_ms()
        taken = take_lease(conn, poll_of(self._side), self._token, now_ms, LEASE_MS)
        # a lease that is free again tells nothing of who had it in between; the look that was finished does
        return taken and next_poll_ms(conn, self._side) == self._due_ms
