"""Call window: at most so many calls within any stretch of so many seconds. Pure.

A server counts a call at some moment between our sending it and its answer. So a call keeps its place from
before it is sent until a whole stretch after its answer: whatever the way takes, no stretch can hold more
calls than there are places. A call whose answer nobody saw gives its place back by time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SLACK_MS = 20
"""Clocks are slewed, and whether a stretch includes its last moment is the server's secret."""

UNANSWERED_MS = 60_000
"""How long a call may be under way before it is taken for one whose process died."""


@dataclass(slots=True)
class CallWindow:
    """`places` are the moments at which each place that is taken is free again. Until `closed_until_ms` there
    is none: the platform said that calls came too fast."""

    places: list[int] = field(default_factory=list)
    closed_until_ms: int = 0

    def wait_ms(self, now_ms: int, most: int, length_ms: int) -> int:
        """How long until a place of `most` may be free; 0 when one is."""
        self.places = [free_ms for free_ms in self.places if free_ms > now_ms]
        free_at_ms = self.closed_until_ms
        if len(self.places) >= most:
            nth_ms = sorted(self.places)[len(self.places) - most]
            # a call under way may have its answer at any moment, and is then worth another look
            free_at_ms = max(free_at_ms, min(nth_ms, now_ms + length_ms + SLACK_MS))
        return max(0, free_at_ms - now_ms)

    def take(self, now_ms: int, length_ms: int) -> int:
        """Take a place for a call that is about to be sent; returns what to give it back by."""
        until_ms = now_ms + UNANSWERED_MS + length_ms + SLACK_MS
        self.places.append(until_ms)
        return until_ms

    def give_back(self, until_ms: int, answered_ms: int, length_ms: int) -> None:
        """The call that took the place has its answer: the place is free a whole stretch later."""
        if until_ms in self.places:  # else it has been given back by time
            self.places.remove(until_ms)
            self.places.append(answered_ms + length_ms + SLACK_MS)

    def close(self, until_ms: int) -> None:
        """No call before then."""
        self.closed_until_ms = max(self.closed_until_ms, until_ms)
