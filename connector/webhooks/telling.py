"""Telling: one line in the log a minute for each cause of refusals, however many there are. A stranger can
send what he likes to an open port; he must not be able to fill a disk."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from connector.clock import MINUTE_MS, Clock

log = structlog.get_logger()


class Teller:
    """Logs what a reception tells. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_ms: dict[tuple[object, object], int] = {}
        self._untold: dict[tuple[object, object], int] = {}

    def tell(self, event: str, facts: Mapping[str, object]) -> None:
        """Log a refusal, unless one for the same cause was logged within the last minute."""
        if event != "webhook_refused":
            return
        key, now_ms = (facts["side"], facts["cause"]), self._clock.now_ms()
        if now_ms - self._told_ms.get(key, now_ms - MINUTE_MS) < MINUTE_MS:
            self._untold[key] = self._untold.get(key, 0) + 1
            return
        self._told_ms[key] = now_ms
        log.warning("webhook refused", **facts, since_last=self._untold.pop(key, 0))
