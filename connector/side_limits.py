"""Side limits: what all workers share about the limits of one side's platform, as plain data. Pure.

Stored as one blob for each side, read and written with each call, so that whoever calls next goes by what the
others have taken and were told. `clock_ms` is the time of the windows: that of the worker whose clock is
furthest ahead, since places that one worker frees early by its clock would be too many for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from math import ceil
from typing import Any, Self

import orjson

from connector.account_day import day_end_ms, day_start_ms, zone_of
from connector.call_window import CallWindow
from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from connector.lane import Lane
from connector.pause import Pause

ROLLING_MS = DAY_MS + HOUR_MS
"""How long a call counts where those of the last 24 hours do: they are counted by the hour."""

CALLS_A_LOOK = 20
"""So many calls a look may make at once, also where looks are made seldom."""

LOOK_LASTS_MS = 30 * SECOND_MS
"""Calls of looks that are no further apart belong to one look."""


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

    def ceiling(self, lane: Lane, day_limit: int | None = None) -> int:
        """How many calls a day this lane may bring leadloop's own count to, where no look is to come. Looks
        have the ceiling of hand-offs."""
        ceiling = (day_limit or self.day_limit) * self.quota_percent // 100
        for _ in range(0 if lane is Lane.LOOK else lane):
            # each lane leaves the same part of its share to those above it
            ceiling = ceiling * (100 - self.reserve_percent) // 100
        return ceiling

    def looks_to_come(self, lane: Lane, day_limit: int | None, looked: int, now_ms: int) -> int:
        """How many calls below its ceiling a lane leaves to the looks that the day still needs; `looked` were
        made. At most half of the ceiling: where looks alone would take more, updates go on all the same."""
        if lane not in (Lane.UPDATE, Lane.BACKFILL):
            return 0
        most = self.ceiling(lane, day_limit) // 2
        end_ms = self.day_end_ms(now_ms)
        if end_ms is None:  # those made already drop out as the next ones are made
            return max(0, min(ceil(self.polls_a_day * ROLLING_MS / DAY_MS), most) - looked)
        return ceil(min(self.polls_a_day, most) * (end_ms - now_ms) / DAY_MS)

    def look_every_ms(self, left: int, handed: int, day_limit: int | None, now_ms: int) -> int:
        """How long each call of a look has to last, where `left` calls are left and hand-offs have made
        `handed`; 0: looks go at their own intervals. Once no more is left than what is kept for hand-offs,
        looks take half of that: without looks there is nothing to hand over, and without calls nobody can."""
        reserve = self.ceiling(Lane.HANDOFF, day_limit) - self.ceiling(Lane.UPDATE, day_limit)
        if left > max(reserve - handed, reserve // 2):
            return 0
        end_ms = self.day_end_ms(now_ms)
        lasts_ms = ROLLING_MS if end_ms is None else end_ms - now_ms
        return lasts_ms // max(1, left // 2)

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
    """One side's. `calls` were ever admitted, `looks` and `handoffs` of them in those lanes. `doubted`: the
    last answer was that of a side that is away, and the first such one: it may have been the doing of its
    request. `looks_owed`: calls of looks that had not been waited for when the last one was made, at
    `looked_ms`; see `look_wait_ms`."""

    clock_ms: int = 0
    calls: int = 0
    burst: CallWindow = field(default_factory=CallWindow)
    searches: CallWindow = field(default_factory=CallWindow)
    told: Told = field(default_factory=Told)
    pause: Pause | None = None
    terms: Terms | None = None
    doubted: bool = False
    looks: int = 0
    handoffs: int = 0
    looked_ms: int = 0
    looks_owed: float = 0.0

    def look_wait_ms(self, every_ms: int, now_ms: int) -> int:
        """How long a look has to wait where each of its calls has to last for so long; 0: it may be made. A
        look that has begun goes on, since half a look may show nothing, and is waited for afterwards."""
        owed = self._looks_owed(every_ms, now_ms)
        begun = 0 <= now_ms - self.looked_ms < LOOK_LASTS_MS
        return 0 if owed <= 0 or (begun and owed < CALLS_A_LOOK) else ceil(owed * every_ms)

    def note_look(self, every_ms: int, now_ms: int) -> None:
        """A call of a look is made."""
        self.looks_owed = self._looks_owed(every_ms, now_ms) + 1 if every_ms else 0.0
        self.looked_ms = now_ms
        self.looks += 1

    def _looks_owed(self, every_ms: int, now_ms: int) -> float:
        since_ms = now_ms - self.looked_ms
        if not every_ms or since_ms < -MINUTE_MS:  # our clock has been put back
            return 0.0
        return max(0.0, self.looks_owed - max(0, since_ms) / every_ms)

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
            **{name: stored.get(name, 0) for name in ("looks", "handoffs", "looked_ms", "looks_owed")},
        )
