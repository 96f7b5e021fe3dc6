"""Pause: why and for how long nobody calls a side, and who finds out whether that is over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from connector.platforms.errors import RetryLater, is_unsure

LONGEST_MS = DAY_MS + HOUR_MS
"""No pause is longer: an account's day, in which clocks may be put back for the winter."""

SKEW_MS = 5 * MINUTE_MS
"""What is further away than a pause may last, and by more than this, was set by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nobody calls the side until then; None: until a call shows that it is over. Meanwhile one call may go
    every `every_ms`, the next at `probe_ms`, to find that out; 0: none. Where it is not known what is amiss
    (`asked` is not None), each kind of call finds out by itself: what fails for searches alone must not keep
    writes away. `asked`: when those that have asked may ask again."""

    reason: str
    since_ms: int
    until_ms: int | None
    probe_ms: int = 0
    every_ms: int = 0
    asked: Mapping[str, int] | None = None

    def is_over(self, now_ms: int) -> bool:
        """Whether everybody may call again."""
        return self.until_ms is not None and self.until_ms <= now_ms

    def again_ms(self, kind: str) -> int:
        """When a call of this kind may go again."""
        if not self.every_ms:
            return self.since_ms if self.until_ms is None else self.until_ms
        probe_ms = self.probe_ms if self.asked is None else self.asked.get(kind, self.probe_ms)
        return probe_ms if self.until_ms is None else min(probe_ms, self.until_ms)

    def next_probe_ms(self, now_ms: int) -> int | None:
        """When it is asked next whether it is over; None: it is not."""
        if not self.every_ms:
            return None
        ahead = [at_ms for at_ms in (self.probe_ms, *(self.asked or {}).values()) if at_ms > now_ms]
        return min(ahead, default=now_ms)

    def probed(self, kind: str, next_ms: int) -> Pause:
        """A call of this kind goes to find out, and the next one at that moment."""
        if self.asked is None:
            return replace(self, probe_ms=next_ms)
        return replace(self, asked={**self.asked, kind: next_ms})


def pause_for(
    later: RetryLater, kind: str, known: Pause | None, day_end_ms: int | None, now_ms: int
) -> Pause:
    """What the answer to a call of this kind asks for. `known`: the pause that is in force, which an unsure
    answer goes on with if it is unsure as well, and never replaces. `day_end_ms`: when calls begin anew."""
    after_ms = int(later.after_seconds * SECOND_MS)
    if is_unsure(later):
        if known is not None and known.asked is None:
            return known
        asked = {**(known.asked or {} if known is not None else {}), kind: now_ms + after_ms}
        since_ms = known.since_ms if known is not None else now_ms
        return Pause(later.reason, since_ms, None, since_ms, after_ms, asked)
    until_ms = None if later.until_seconds is None else now_ms + int(later.until_seconds * SECOND_MS)
    if later.concerns == "day" and until_ms is None:
        until_ms = day_end_ms
    elif later.concerns not in ("day", "side"):  # too many calls, for longer than a moment
        until_ms = now_ms + after_ms
    since_ms = known.since_ms if known is not None and known.reason == later.reason else now_ms
    if until_ms is not None and until_ms <= now_ms + after_ms:
        return Pause(later.reason, since_ms, until_ms)
    return Pause(later.reason, since_ms, until_ms, now_ms + after_ms, after_ms)


def left_alone(pause: Pause | None, kind: str, now_ms: int) -> RetryLater | None:
    """Why no call of this kind may go now, if so."""
    if pause is None:
        return None
    again_ms = pause.again_ms(kind)
    put_back = again_ms - now_ms > (pause.every_ms or LONGEST_MS) + SKEW_MS
    if now_ms >= again_ms or put_back:
        return None
    until_seconds = None if pause.until_ms is None else (pause.until_ms - now_ms) / SECOND_MS
    after_seconds = max(1.0, (again_ms - now_ms) / SECOND_MS)
    return RetryLater(pause.reason, after_seconds, concerns="side", until_seconds=until_seconds)
