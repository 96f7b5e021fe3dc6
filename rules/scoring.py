"""Scoring: what a rule gives, what a group of rules gives at most, and the letter for a number of points.

Pure arithmetic that generated code and `rules/evaluate.py` call. Points of a rule are whole numbers, so that
what is shown adds up to the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import floor, inf
from typing import Final, Literal

from rules.fading import Fading, Shape, amount_of
from rules.nodes import Node
from rules.wake import DAY_MS

PUBLISH_STEP: Final = 5
"""Points by which a score must differ from the published one to be published by itself."""

Part = Literal["fit", "engagement"]


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """A scoring rule as compiled: once if `condition` holds, or, with `on`, for each activity of that kind
    for which it holds (None: each).

    `once`: for all activities together, from the latest; `per_day`: for so many of a day (UTC) at most.
    `fades` says how the points of an activity fade within `span_ms`.
    """

    name: str
    part: Part
    points: int
    condition: Node | None = field(repr=False)
    on: str | None = None
    fades: Shape | None = None
    span_ms: int = 0
    once: bool = False
    per_day: int | None = None
    at_most: int | None = None
    group: str | None = None

    @property
    def highest(self) -> float:
        """The most points that the rule can add."""
        if self.points < 0:
            return 0
        if self.on is None or self.once:
            return self.points
        return inf if self.at_most is None else self.at_most

    @property
    def weight(self) -> int:
        """How much the rule matters among the reasons of a score, whatever it gives at the moment."""
        return self.at_most or abs(self.points)

    @property
    def by_moment(self) -> bool:
        """Whether the moments of its activities matter one by one, so that their sum is not enough."""
        return self.once or self.per_day is not None or self.fades in ("linear", "expires")


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Rules of one part that give at most `at_most` and at least `at_least` points together."""

    name: str
    part: Part
    at_most: int | None = None
    at_least: int | None = None

    def bounded(self, points: int) -> int:
        """What the group gives when its rules add up to `points`."""
        if self.at_most is not None and points > self.at_most:
            return self.at_most
        if self.at_least is not None and points < self.at_least:
            return self.at_least
        return points


@dataclass(frozen=True, slots=True)
class Grades:
    """The letters for the fit, the engagement or the score, and where each begins, the best first."""

    of: Literal["fit", "engagement", "score"]
    letters: tuple[tuple[str, int], ...]

    def letter(self, points: int) -> str | None:
        """The letter for so many points; None below the last one."""
        return next((letter for letter, begins in self.letters if points >= begins), None)


def highest(rules: Iterable[ScoreRule], groups: Iterable[GroupRule], part: Part) -> float:
    """The most points of `part` that all rules can give together, each within its cap and its group's."""
    caps = {group.name: inf if group.at_most is None else group.at_most for group in groups}
    most: dict[str | None, float] = {}
    for rule in rules:
        if rule.part == part:
            most[rule.group] = most.get(rule.group, 0) + rule.highest
    return sum(min(points, inf if name is None else caps.get(name, inf)) for name, points in most.items())


def settle(rule: ScoreRule, amount: float, group: int | None, fading: list[Fading]) -> int:
    """The whole points of a rule: its points for each unit of `amount`, up to its cap.

    What fades is added to `fading`. Half points round away from zero, as people do.
    """
    whole = _whole(rule, amount)
    if rule.fades is not None and whole:
        fading.append(Fading(abs(rule.points) * amount, whole, rule.fades, rule.span_ms, group))
    return whole


def settle_moments(
    rule: ScoreRule, moments: list[int], now_ms: int, group: int | None, fading: list[Fading]
) -> tuple[int, int]:
    """The whole points of a rule for which moments matter, and how many of its activities count now."""
    counted = sorted(moments)
    if rule.per_day is not None:
        counted = first_of_each_day(counted, rule.per_day)
    if rule.once:
        del counted[:-1]
    if rule.fades in ("linear", "expires"):
        counted = [at_ms for at_ms in counted if now_ms < at_ms + rule.span_ms]
    amount = amount_of(rule.fades, rule.span_ms, counted, now_ms)
    whole = _whole(rule, amount)
    if rule.fades is not None and whole:
        exact = abs(rule.points) * amount
        shown = () if rule.fades == "half_life" else tuple(counted)
        fading.append(Fading(exact, whole, rule.fades, rule.span_ms, group, abs(rule.points), shown))
    return whole, len(counted)


def first_of_each_day(moments: Sequence[int], per_day: int) -> list[int]:
    """Of the sorted moments the first `per_day` of every day (UTC): what comes later that day changes
    nothing."""
    kept: list[int] = []
    day = count = -1
    for at_ms in moments:
        if at_ms // DAY_MS != day or not kept:
            day, count = at_ms // DAY_MS, 0
        if count < per_day:
            kept.append(at_ms)
            count += 1
    return kept


def _whole(rule: ScoreRule, amount: float) -> int:
    exact = abs(rule.points) * amount
    whole = floor(min(exact, 1e9 if rule.at_most is None else rule.at_most) + 0.5)
    return whole if rule.points > 0 else -whole
