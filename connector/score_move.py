"""ScoreMove: a published score that became another one, and the rules that made the difference. Pure data.

Only what the platforms came to show is a move; a score that is computed and not published leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.lead import Published


@dataclass(frozen=True, slots=True)
class RuleChange:
    """The points that a rule gave at the last publication, and those it gives now. None: it did not fire."""

    rule: str
    was: int | None
    now: int | None


@dataclass(frozen=True, slots=True)
class ScoreMove:
    """From one published score to the next. `was` is None when none was published before."""

    was: Published | None
    now: Published
    rules: tuple[RuleChange, ...]


def score_move(old: Published, new: Published) -> ScoreMove | None:
    """The move between two publications; None where no number and no grade differs."""
    first = not old.at_ms
    if not new.at_ms or (not first and _shown(old) == _shown(new)):
        return None
    return ScoreMove(None if first else old, new, _changes(old.points, new.points))


def _shown(published: Published) -> tuple[int, int, int, str | None]:
    return published.fit, published.engagement, published.score, published.grade


def _changes(old: Mapping[str, int], new: Mapping[str, int]) -> tuple[RuleChange, ...]:
    """The rules whose points differ, those that make the most difference first."""
    changed = [
        RuleChange(rule, old.get(rule), new.get(rule))
        for rule in {**new, **old}
        if old.get(rule) != new.get(rule)
    ]
    return tuple(sorted(changed, key=lambda each: -abs((each.now or 0) - (each.was or 0))))
