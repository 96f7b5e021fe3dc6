"""Alike: what became of leads for which nearly the same rules fired. Pure and deterministic.

An MQL that never was has no outcome. The guess: of the leads that were handed over and answered by sales,
take those for which the fewest rules fired otherwise, at least `NEIGHBOURS` of them with all that are as
near, and see how many were good. Who differs in more than `FAR` rules is not like it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from connector.report.confidence import Share, wilson

NEIGHBOURS: Final = 10
FAR: Final = 3
FEW: Final = 5
"""Of fewer than so many leads alike nothing is guessed."""

Like = Literal["good", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Votes:
    """The leads alike: how many were good, of how many. `patterns` are theirs."""

    good: int = 0
    of: int = 0
    patterns: tuple[int, ...] = ()

    @property
    def like(self) -> Like:
        """What most of them were; 'unknown' where there are too few."""
        if self.of < FEW:
            return "unknown"
        return "good" if 2 * self.good >= self.of else "bad"


class Alike:
    """The answered leads, by the rules that fired for them."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}
        self._answered: dict[int, list[int]] = {}  # pattern: good, all
        self._votes: dict[int, Votes] = {}

    def pattern(self, fired: Iterable[str]) -> int:
        """The rules that fired as a number, one bit each."""
        pattern = 0
        for rule in fired:
            pattern |= 1 << self._bits.setdefault(rule, len(self._bits))
        return pattern

    def add(self, pattern: int, *, good: bool) -> None:
        """One answered lead more."""
        counts = self._answered.setdefault(pattern, [0, 0])
        counts[0] += good
        counts[1] += 1
        self._votes.clear()

    def votes(self, pattern: int) -> Votes:
        """The leads alike."""
        found = self._votes.get(pattern)
        if found is None:
            found = self._votes[pattern] = self._nearest(pattern)
        return found

    def expected(self, patterns: Iterable[int]) -> Share:
        """How many of these are good if each is good as often as the leads alike. The whole of the share is
        the number of answered leads that really speak: those that vote often count once (Kish)."""
        sum_of_ratios, guessed = 0.0, 0
        weights: dict[int, float] = {}
        for pattern in patterns:
            votes = self.votes(pattern)
            if votes.like == "unknown":
                continue
            guessed += 1
            sum_of_ratios += votes.good / votes.of
            for near in votes.patterns:
                weights[near] = weights.get(near, 0.0) + 1 / votes.of
        if not guessed:
            return wilson(0, 0)
        squares = sum(self._answered[near][1] * weight * weight for near, weight in weights.items())
        speaking = guessed * guessed / squares
        return wilson(round(speaking * sum_of_ratios / guessed, 2), round(speaking, 2))

    def checked(self) -> Share:
        """How often the guess is right for the answered leads themselves, each left out of its own."""
        right = total = 0
        for pattern, (good, count) in self._answered.items():
            for was_good, number in ((True, good), (False, count - good)):
                if number:
                    like = self._nearest(pattern, without=(was_good,)).like
                    if like != "unknown":
                        total += number
                        right += number if (like == "good") is was_good else 0
        return wilson(right, total)

    def _nearest(self, pattern: int, without: tuple[bool, ...] = ()) -> Votes:
        by_distance: list[list[int]] = [[] for _ in range(FAR + 1)]
        for other in self._answered:
            distance = (pattern ^ other).bit_count()
            if distance <= FAR:
                by_distance[distance].append(other)
        good, of = -sum(without), -len(without)
        near: list[int] = []
        for level in by_distance:
            for other in level:
                good += self._answered[other][0]
                of += self._answered[other][1]
            near += level
            if of >= NEIGHBOURS:
                break
        return Votes(good, of, tuple(near))
