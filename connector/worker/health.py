"""Health: whether leads are being moved, as far as the database and Redis can tell. Changes nothing.

A side that is due for a look and does not get one means that no worker or no clock is at work, whatever the
state of this process. Meant for a container's health check and for monitoring, not for restarting on.
"""

from __future__ import annotations

from collections.abc import Collection

from connector.clock import MINUTE_MS
from connector.intake.timetable import next_poll_ms
from connector.store.database import Database
from connector.worker.poll_lease import LEASE_MS

LATE_MS = LEASE_MS + 5 * MINUTE_MS
"""After a worker died while polling, its side is taken over once the lease has ended."""


def overdue_sides(database: Database, sides: Collection[str], now_ms: int) -> list[str]:
    """A sentence for each side that nobody has looked at for too long. Raises StoreError."""
    with database.read() as conn:
        due_ms = {side: next_poll_ms(conn, side) for side in sorted(sides)}
    sentences = []
    for side, at_ms in due_ms.items():
        if not at_ms:
            sentences.append(f"{side} has never been looked at: start a worker and a clock.")
        elif now_ms - at_ms > LATE_MS:
            minutes = (now_ms - at_ms) // MINUTE_MS
            sentences.append(
                f"{side} should have been looked at {minutes} minutes ago: see that a worker and a clock run."
            )
    return sentences
