"""Side limits: what all workers share about the limits of one side's platform, as plain data. Pure.

Stored as one blob for each side, read and written with each call, so that whoever calls next goes by what the
others have taken and were told. `clock_ms` is the time of the windows: that of the worker whose clock is
furthest ahead, since places that one worker frees early by its clock would be too many for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Self

import orjson

from connector.account_day import day_end_ms, day_start_ms, zone_of
from connector.call_window import CallWindow
from connector.clock import DAY_MS
from connector.pause import Pause


@dataclass(frozen=True, slots=True)
class Told:
    """What the platform's answers told of the whole account, at `at_ms`; None where they told nothing."""

    at_ms: int = 0
    day_used: int | None = None
    day_limit: int | None = None
    burst_limit: int | None = None

    def and_then(self, newer: Told) -> Told:
        """Both, where the newer one goes before."""
        if newer.day_used is None and newer.day_limit is None:
            at_ms, day_used, day_limit = self.at_ms, self.day_used, self.day_limit
        else:
            at_ms, day_used, day_limit = newer.at_ms, newer.day_used, newer.day_limit
        burst = newer.burst_limit if newer.burst_limit is not None else self.burst_limit
        return Told(at_ms, day_used, day_limit, burst)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the worker that called last goes by: calls a day until answers tell more, our share of them in
    percent, the part of it for hand-offs alone, whether the day is the account's (else the last 24 hours) and
    its time zone; how many calls a day looking for changes takes, and how many records a call writes."""

    day_limit: int
    quota_percent: int
    reserve_percent: int
    account_day: bool = False
    time_zone: str = "UTC"
    polls_a_day: int = 0
    records_a_write: int = 100

    def ceiling(self, lane: int, day_limit: int | None = None) -> int:
        """How many calls a day this lane may bring leadloop's own count to."""
        ceiling = (day_limit or self.day_limit) * self.quota_percent // 100
        for _ in range(lane):  # each lane leaves the same part of its share to those above it
            ceiling = ceiling * (100 - self.reserve_percent) // 100
        return ceiling

    def day_start_ms(self, now_ms: int) -> int:
        """Since when calls count."""
        zone = self._zone()
        return now_ms - DAY_MS if zone is None else day_start_ms(now_ms, zone)

    def day_end_ms(self, now_ms: int) -> int | None:
        """When they begin anew; None: never, they count for 24 hours."""
        zone = self._zone()
        return None if zone is None else day_end_ms(now_ms, zone)

    def _zone(self) -> tzinfo | None:
        # a zone that this machine does not know: the longer count is the safe one
        return zone_of(self.time_zone) if self.account_day else None


@dataclass(slots=True)
class SideLimits:
    """One side's. `calls` were ever admitted. `doubted`: the last answer was that of a side that is away, and
    the first such one: it may have been the doing of its request."""

    clock_ms: int = 0
    calls: int = 0
    burst: CallWindow = field(default_factory=CallWindow)
    searches: CallWindow = field(default_factory=CallWindow)
    told: Told = field(default_factory=Told)
    pause: Pause | None = None
    terms: Terms | None = None
    doubted: bool = False

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, blob: bytes) -> Self:
        """What `to_json` made."""
        stored: Mapping[str, Any] = orjson.loads(blob)
        return cls(
            stored["clock_ms"],
            stored["calls"],
            CallWindow(**stored["burst"]),
            CallWindow(**stored["searches"]),
            Told(**stored["told"]),
            Pause(**stored["pause"]) if stored["pause"] is not None else None,
            Terms(**stored["terms"]) if stored["terms"] is not None else None,
            stored.get("doubted", False),
        )
