"""Rate: how many deliveries a second are taken. One second's worth may come at once."""

from __future__ import annotations


class Rate:
    """A bucket that fills by `a_second` tokens a second, up to that many. For one thread."""

    def __init__(self, a_second: int) -> None:
        self._a_second = a_second
        self._left = float(a_second)
        self._as_of_ms: int | None = None

    def admits(self, now_ms: int) -> bool:
        """Take a token, if there is one."""
        if self._as_of_ms is not None:
            passed_ms = max(0, now_ms - self._as_of_ms)
            self._left = min(self._a_second, self._left + passed_ms * self._a_second / 1_000)
        self._as_of_ms = now_ms
        if self._left < 1:
            return False
        self._left -= 1
        return True
