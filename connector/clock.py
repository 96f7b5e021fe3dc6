"""Clocks: the only place where leadloop learns what time it is.

Every moment in leadloop is an integer of milliseconds since the Unix epoch, UTC, in names that end in
`_ms`. Durations carry their own unit in the name (`lease_seconds`). Nothing else may call `time.time`,
`datetime.now` or `time.sleep`, so that a test, the demo and the sandbox can share one injected clock.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Wait for `seconds` of this clock's time, or until `wake` is set, whichever comes first."""
        ...


class SystemClock:
    """The real time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        if seconds <= 0:
            return
        if wake is None:
            time.sleep(seconds)
        else:
            wake.wait(seconds)


class FastClock:
    """Real time, run `speed` times as fast from `start_ms` on: days pass in seconds (the demo)."""

    def __init__(self, start_ms: int, speed: float) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.start_ms = start_ms
        self.speed = speed
        self._began = time.monotonic()

    def now_ms(self) -> int:
        return self.start_ms + int((time.monotonic() - self._began) * 1_000 * self.speed)

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        SystemClock().sleep(seconds / self.speed, wake)


class ManualClock:
    """Time that moves only when told to: `advance`, or somebody's `sleep`, which returns at once."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        with self._lock:
            return self._now_ms

    def advance(self, seconds: float) -> None:
        """Move the time forward by `seconds`."""
        with self._lock:
            self._now_ms += round(seconds * 1_000)

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        if wake is None or not wake.is_set():
            self.advance(max(0.0, seconds))
