"""Budget: how many calls leadloop may still make to one platform, and how fast.

Our own calls are counted in the database, over the platform's own day; answers tell what the whole account
has left. A ceiling in percent of the quota leaves room for the customer's other integrations; a reserve
inside it is for hand-offs, and for the polling that they need. Per-second limits are paced, never retried.
"""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime
from threading import Lock
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.clock import DAY_MS, SECOND_MS, Clock
from connector.lane import Lane
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import Allowance, Usage
from connector.store.calls import count_calls, used
from connector.store.database import Database

Kind = Literal["read", "search", "write", "metadata"]


class Budget:
    """Admits calls to one side. Safe to share between the threads of a process."""

    def __init__(self, side: str, database: Database, clock: Clock, allowance: Allowance) -> None:
        self.side = side
        self.calls: Counter[Kind] = Counter()
        self._database = database
        self._clock = clock
        self._allowance = allowance
        self._lock = Lock()
        self._burst: deque[int] = deque()
        self._searches: deque[int] = deque()
        self._used = 0
        self._used_as_of_ms = -DAY_MS
        self._usage = Usage()
        self.time_zone = "UTC"

    def admit(self, lane: Lane, kind: Kind) -> None:
        """Wait for a place within the per-second limits, and count one call. Raises RetryLater when the day's
        share of this lane is used up."""
        allowance = self._allowance
        with self._lock:
            now_ms = self._clock.now_ms()
            self._check_day(lane, now_ms)
            self._pace(self._burst, self._burst_calls(), int(allowance.burst_seconds * SECOND_MS))
            if kind == "search" and allowance.searches_per_second is not None:
                self._pace(self._searches, allowance.searches_per_second, SECOND_MS)
            now_ms = self._clock.now_ms()
            self.calls[kind] += 1
            self._used += 1
            with self._database.begin() as conn:
                count_calls(conn, self.side, int(lane), now_ms)

    def answered(self, usage: Usage) -> None:
        """Remember what an answer told of the whole account's limits."""
        with self._lock:
            old = self._usage
            self._usage = Usage(
                day_used=usage.day_used if usage.day_used is not None else old.day_used,
                day_limit=usage.day_limit if usage.day_limit is not None else old.day_limit,
                burst_left=usage.burst_left,
                burst_limit=usage.burst_limit if usage.burst_limit is not None else old.burst_limit,
            )

    def total(self) -> int:
        """Calls admitted since this process started."""
        return sum(self.calls.values())

    def _day_start_ms(self, now_ms: int) -> int:
        """Since when calls count: the account's midnight, or the last 24 hours."""
        if not self._allowance.account_day:
            return now_ms - DAY_MS
        try:
            zone = ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return now_ms - DAY_MS  # a zone that this machine does not know: the longer count is the safe one
        local = datetime.fromtimestamp(now_ms / SECOND_MS, zone)
        return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * SECOND_MS)

    def _burst_calls(self) -> int:
        """What fits into the burst window: a little under the limit that answers tell, else the allowance."""
        told = self._usage.burst_limit
        return self._allowance.burst_calls if told is None else max(1, told * 97 // 100)

    def _check_day(self, lane: Lane, now_ms: int) -> None:
        if now_ms - self._used_as_of_ms >= 30 * SECOND_MS:
            with self._database.read() as conn:
                self._used = used(conn, self.side, self._day_start_ms(now_ms))
            self._used_as_of_ms = now_ms
        ceiling = self._allowance.ceiling(lane, self._usage.day_limit)
        if self._used >= ceiling:
            raise RetryLater(
                f"{self.side}: leadloop's share of the day's calls is used up ({self._used} of {ceiling})",
                900.0,
            )
        usage = self._usage
        if usage.day_used is not None and usage.day_limit is not None and usage.day_used >= usage.day_limit:
            raise RetryLater(f"{self.side}: the account has no calls left today", 900.0)

    def _pace(self, recent: deque[int], calls: int, window_ms: int) -> None:
        """Wait until fewer than `calls` were made within the last `window_ms`, and take the place."""
        while True:
            now_ms = self._clock.now_ms()
            while recent and recent[0] <= now_ms - window_ms:
                recent.popleft()
            if len(recent) < calls:
                recent.append(now_ms)
                return
            self._clock.sleep((recent[0] + window_ms - now_ms + 1) / SECOND_MS)
