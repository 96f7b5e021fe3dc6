"""Scoring: what a rule gives, how points fade by half-life, and when fading next changes anything.

Pure arithmetic that generated code and `rules/evaluate.py` call. Points of a rule are whole numbers, so that
what is shown adds up to the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import ceil, floor, log2
from typing import Final, Literal

from rules.nodes import Node

PUBLISH_STEP: Final = 5
"""Points by which a score must differ from the published one to be published by itself."""

_MOST_STEPS: Final = 500

Fading = tuple[float, int, int]
"""Points that fade: their exact sum without a cap, the whole points that they give now, half-life in ms."""


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """A scoring rule as compiled: once if `condition` holds, or, with `on`, for each activity of that kind
    for which it holds (None: each)."""

    name: str
    part: Literal["fit", "engagement"]
    points: int
    condition: Node | None = field(repr=False)
    on: str | None = None
    half_life_ms: int | None = None
    at_most: int | None = None

    @property
    def highest(self) -> float:
        """The most points that the rule can add."""
        if self.points < 0:
            return 0
        if self.on is None:
            return self.points
        return float("inf") if self.at_most is None else self.at_most

    @property
    def weight(self) -> int:
        """How much the rule matters among the reasons of a score, whatever it gives at the moment."""
        return self.at_most or abs(self.points)


def settle(
    points: int, amount: float, at_most: int | None, half_life: int | None, fading: list[Fading]
) -> int:
    """The whole points of a rule: `points` for each unit of `amount`, up to `at_most`.

    What fades is added to `fading`. Half points round away from zero, as people do.
    """
    exact = abs(points) * amount
    whole = floor(min(exact, at_most) + 0.5) if at_most is not None else floor(min(exact, 1e9) + 0.5)
    whole = whole if points > 0 else -whole
    if half_life is not None and whole:
        fading.append((exact, whole, half_life))
    return whole


def next_fading_ms(
    fading: Sequence[Fading], engagement: int, levels: Iterable[int], now_ms: int
) -> int | None:
    """The next moment at which fading takes the engagement across one of the levels, or None.

    A level is crossed when `engagement >= level` changes.
    """
    levels = tuple(levels)
    below = max((level for level in levels if level <= engagement), default=None)
    above = min((level for level in levels if level > engagement), default=None)
    falls = sum(whole for _, whole, _ in fading if whole > 0)
    rises = -sum(whole for _, whole, _ in fading if whole < 0)
    if (below is None or engagement - falls >= below) and (above is None or engagement + rises < above):
        return None
    if len(fading) == 1 and falls and below is not None:
        exact, whole, life = fading[0]
        return now_ms + _fades_after_ms(exact, whole - (engagement - below), life)
    steps = [
        (_fades_after_ms(exact, abs(whole), life), index) for index, (exact, whole, life) in enumerate(fading)
    ]
    left = [abs(whole) for _, whole, _ in fading]
    heapify(steps)
    after_ms = 0
    for _ in range(_MOST_STEPS):
        if not steps:
            return None
        after_ms, index = heappop(steps)
        exact, whole, life = fading[index]
        engagement += -1 if whole > 0 else 1
        left[index] -= 1
        if left[index]:
            heappush(steps, (_fades_after_ms(exact, left[index], life), index))
        if (below is not None and engagement < below) or (above is not None and engagement >= above):
            break
    return now_ms + after_ms


def _fades_after_ms(exact: float, whole: int, half_life: int) -> int:
    """After how many milliseconds points that are `exact` now round to less than `whole`."""
    return max(1, ceil(half_life * log2(exact / (whole - 0.5))) + 1)
