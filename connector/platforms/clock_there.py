"""ClockThere: what time it is on a platform, as the Date of its answers tells.

Records are stamped by the platform's clock, and ours may be minutes or hours off: how far a feed was read is
told in the platform's time, or what was stamped in between would be passed over. Deadlines and everything
else that concerns only us stay on our own clock.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from connector.clock import Clock


class ClockThere:
    """One platform's clock, beside ours. Until an answer has told, it is taken to go as ours does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_ms = 0
        """How far it is ahead of ours, less the time that an answer travels and up to a second."""
        self._told_ms: int | None = None

    def heard(self, date: str | None) -> None:
        """Take note of the Date header of an answer that has just come; one that is no date tells nothing."""
        if not date:
            return
        try:
            moment = parsedate_to_datetime(date)
            # the older forms of an HTTP date name no zone, and mean GMT all the same
            there_ms = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
        except (ValueError, OverflowError):
            return
        self._told_ms = there_ms
        # an HTTP date is cut down to the second: too early by less than one, never too late
        self.ahead_ms = there_ms - self._clock.now_ms()

    def at(self, own_ms: int) -> int:
        """What it showed when ours showed `own_ms`; never later than that, and never later than it has told
        last: ours may have been put back in between."""
        there_ms = own_ms + self.ahead_ms
        return there_ms if self._told_ms is None else min(there_ms, self._told_ms)
