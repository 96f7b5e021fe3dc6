"""API calls in the last 24 hours, counted in hours, against the org's daily limit.

Source: facts/salesforce.md 2, 14. This file must not know what a call does.
"""

from __future__ import annotations

from collections import deque

from connector.clock import HOUR_MS, Clock

_WINDOW_HOURS = 24


class Quota:
    """The rolling count of calls. `used` and `daily_limit` are in calls."""

    def __init__(self, clock: Clock, daily_limit: int) -> None:
        self.daily_limit = daily_limit
        self._clock = clock
        self._hours: deque[list[int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        """Calls in the last 24 hours."""
        now_hour = self._clock.now_ms() // HOUR_MS
        while self._hours and self._hours[0][0] <= now_hour - _WINDOW_HOURS:
            self._used -= self._hours.popleft()[1]
        return self._used

    def count(self, calls: int = 1) -> None:
        """Note that calls were made now."""
        hour = self._clock.now_ms() // HOUR_MS
        if not self._hours or self._hours[-1][0] != hour:
            self._hours.append([hour, 0])
        self._hours[-1][1] += calls
        self._used += calls

    @property
    def used_up(self) -> bool:
        return self.used >= self.daily_limit
