"""StoryClock: time that runs fast while something happens and leaps over the days in between.

The sandbox, leadloop and the people of the demo share one. Whoever sleeps wakes up when a leap has passed the
end of the sleep.
"""

from __future__ import annotations

import threading

from connector.clock import SECOND_MS, FastClock

LOOK_SECONDS = 0.02
"""Real seconds after which a sleeper looks whether time has leapt."""


class StoryClock:
    """A FastClock from `start_ms` on, `speed` times as fast as real time, that `advance` moves forward."""

    def __init__(self, start_ms: int, speed: float) -> None:
        self._running = FastClock(start_ms, speed)
        self._leapt_ms = 0
        self._lock = threading.Lock()

    @property
    def speed(self) -> float:
        """Seconds of this clock in a real one."""
        return self._running.speed

    def now_ms(self) -> int:
        """See `Clock`."""
        return self._running.now_ms() + self._leapt_ms

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        """See `Clock`."""
        until_ms = self.now_ms() + seconds * SECOND_MS
        while (left_ms := until_ms - self.now_ms()) > 0:
            if wake is not None and wake.is_set():
                return
            self._running.sleep(min(left_ms / SECOND_MS, LOOK_SECONDS * self.speed), wake)

    def advance(self, seconds: float) -> None:
        """Leap forward by `seconds` of this clock. Raises ValueError when that is less than none."""
        if seconds < 0:
            raise ValueError(f"time does not go back ({seconds} seconds)")
        with self._lock:
            self._leapt_ms += round(seconds * SECOND_MS)
