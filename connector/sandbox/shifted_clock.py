"""A clock that can be moved forward from outside, on top of one that cannot."""

from __future__ import annotations

import threading

from connector.clock import Clock


class ShiftedClock:
    """The base clock's time plus `offset_ms`, which `advance` lets grow."""

    def __init__(self, base: Clock, offset_ms: int = 0) -> None:
        self._base = base
        self.offset_ms = offset_ms

    def now_ms(self) -> int:
        """See `Clock`."""
        return self._base.now_ms() + self.offset_ms

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        """See `Clock`."""
        self._base.sleep(seconds, wake)

    def advance(self, seconds: float) -> None:
        """Move the time forward by `seconds`."""
        self.offset_ms += round(seconds * 1_000)
