"""Fading: how the points of activities become fewer with time, and when that next changes anything.

Three shapes: `half_life` (half is left after each span), `linear` (evenly down to nothing within the span)
and `expires` (all of it until the span is over, then nothing). Pure arithmetic; no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from math import ceil, exp2, fsum, log2
from typing import Final, Literal, NamedTuple, Protocol

Shape = Literal["half_life", "linear", "expires"]

_MOST_STEPS: Final = 2000


class Bounded(Protocol):
    """A group of rules that bounds what they give together."""

    def bounded(self, points: int) -> int:
        """What the group gives when its rules add up to `points`."""


class Fading(NamedTuple):
    """The points of one rule that fade.

    `exact` is their sum before the rule's cap, `whole` what they give now (negative where the rule takes
    points). `group` is the place of the rule's group. For shapes other than half_life: the points of one
    activity, and the sorted moments of those that count.
    """

    exact: float
    whole: int
    shape: Shape
    span_ms: int
    group: int | None = None
    points: int = 0
    moments: tuple[int, ...] = ()

    def below_ms(self, whole: int, now_ms: int) -> int:
        """The moment at which the points round to less than `whole`, which they do not now."""
        least = whole - 0.5
        if self.shape == "half_life":
            return now_ms + max(1, ceil(self.span_ms * log2(self.exact / least)) + 1)
        if self.shape == "expires":
            left = ceil(least / self.points) - 1  # so many activities give less
            return self.moments[len(self.moments) - left - 1] + self.span_ms
        return max(now_ms + 1, self._linear_below_ms(least / self.points))

    def _linear_below_ms(self, amount: float) -> int:
        """When the activities, each 1 at first and 0 after the span, are worth less than `amount`."""
        begun_ms = self.moments[0]
        ages = sum(at_ms - begun_ms for at_ms in self.moments)
        left = len(self.moments)
        for at_ms in self.moments:
            moment_ms = begun_ms + (ages + self.span_ms * (left - amount)) / left
            if moment_ms <= at_ms + self.span_ms:
                return ceil(moment_ms) + 1
            ages -= at_ms - begun_ms  # this one is worth nothing by then
            left -= 1
        return self.moments[-1] + self.span_ms


def amount_of(shape: Shape | None, span_ms: int, moments: Sequence[int], now_ms: int) -> float:
    """What activities at these moments are worth now, one that has not faded being 1. For linear and expires
    the moments are of those whose span is not over."""
    if shape == "half_life":
        return fsum(exp2((at_ms - now_ms) / span_ms) for at_ms in moments)
    if shape == "linear":
        return fsum(1 - (now_ms - at_ms) / span_ms for at_ms in moments)
    return len(moments)


def next_fading_ms(
    fading: Sequence[Fading],
    engagement: int,
    levels: Iterable[int],
    now_ms: int,
    groups: Sequence[Bounded] = (),
    sums: Sequence[int] = (),
) -> int | None:
    """The next moment at which fading takes the engagement across one of the levels, or None.

    A level is crossed when `engagement >= level` changes. `sums` are what the rules of each of the `groups`
    add up to now, before the group bounds it.
    """
    levels = tuple(levels)
    below = max((level for level in levels if level <= engagement), default=None)
    above = min((level for level in levels if level > engagement), default=None)
    falls = sum(item.whole for item in fading if item.whole > 0)
    rises = -sum(item.whole for item in fading if item.whole < 0)
    if (below is None or engagement - falls >= below) and (above is None or engagement + rises < above):
        return None
    if len(fading) == 1 and fading[0].group is None and falls and below is not None:
        return fading[0].below_ms(fading[0].whole - (engagement - below), now_ms)
    steps = [(item.below_ms(abs(item.whole), now_ms), place) for place, item in enumerate(fading)]
    left = [abs(item.whole) for item in fading]
    added = list(sums)
    heapify(steps)
    moment_ms = now_ms
    for _ in range(_MOST_STEPS):
        if not steps:
            return None
        moment_ms, place = heappop(steps)
        item = fading[place]
        change = -1 if item.whole > 0 else 1
        if item.group is None:
            engagement += change
        else:
            group, before = groups[item.group], added[item.group]
            added[item.group] = before + change
            engagement += group.bounded(before + change) - group.bounded(before)
        left[place] -= 1
        if left[place]:
            heappush(steps, (item.below_ms(left[place], now_ms), place))
        if steps and steps[0][0] == moment_ms:
            continue  # what changes at one moment changes together
        if (below is not None and engagement < below) or (above is not None and engagement >= above):
            break
    return moment_ms
