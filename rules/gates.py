"""Gates: whether a lead may go on to qualification, nurture or mql, and what it still lacks, in words.

Pure. The conditions of a gate were judged by generated code, which says in words what is missing; here the
thresholds are added, with the margin that keeps a lead at the threshold from moving to and fro.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from mappings.stages import LINE, Stage
from rules.facts import Gate, LeadFacts
from rules.nodes import Node
from rules.rejection import Comeback

GATE_NAMES: Final = ("qualification", "nurture", "mql")

_PURSUED: Final = frozenset(LINE[LINE.index(Stage.MQL) :])
_PASSED: Final = Gate(True)
_MQL: Final = frozenset({"mql"})

_Need = tuple[int, int, int, set[str]]
"""What a lead lacks: points of fit, engagement and score, and conditions in words."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """A gate as compiled, or one of the ways through a gate. `conditions` must all hold; thresholds are
    points, None where there is none. With `choices`, one of them must hold too. For a lead that has passed it
    the gate stays open until it falls below a threshold less `margin`."""

    name: str
    conditions: tuple[Node, ...] = field(default=(), repr=False)
    fit: int | None = None
    engagement: int | None = None
    score: int | None = None
    margin: int = 0
    choices: tuple[GateRule, ...] = ()

    def levels(self, what: str, *, reached: bool) -> tuple[int, ...]:
        """The numbers of points of 'fit', 'engagement' or 'score' at which this gate may open or close, for a
        lead that has passed it (`reached`) or not."""
        threshold: int | None = getattr(self, what)
        own = () if threshold is None else (threshold - self.margin * reached,)
        return (*own, *(at for choice in self.choices for at in choice.levels(what, reached=reached)))


def judge(
    gate: GateRule,
    missing: Iterator[Sequence[str]],
    fit: int,
    engagement: int,
    score: int,
    *,
    reached: bool,
    held: Sequence[str] = (),
) -> Gate:
    """The gate's answer. `missing` gives, for the gate and then for each of its choices, the conditions that
    do not hold, in words; `held` is what the lead lacks besides."""
    margin = gate.margin if reached else 0
    lacking = [*_short(gate, fit, engagement, score, margin), *next(missing)]
    ways = [[*_short(way, fit, engagement, score, margin), *next(missing)] for way in gate.choices]
    if ways and all(ways):
        told = _shortest(gate.choices, ways, (fit + margin, engagement + margin, score + margin))
        lacking.append(", or ".join(map(" and ".join, told)))
    lacking.extend(held)
    return Gate(False, tuple(lacking)) if lacking else _PASSED


def _short(gate: GateRule, fit: int, engagement: int, score: int, margin: int) -> list[str]:
    """The points that a lead lacks, in words."""
    lacking: list[str] = []
    if gate.fit is not None and fit < gate.fit - margin:
        lacking.append(_points(gate.fit - margin - fit, "fit "))
    if gate.engagement is not None and engagement < gate.engagement - margin:
        lacking.append(_points(gate.engagement - margin - engagement, "engagement "))
    if gate.score is not None and score < gate.score - margin:
        lacking.append(_points(gate.score - margin - score, ""))
    return lacking


def _shortest(
    ways: Sequence[GateRule], told: Sequence[list[str]], points: tuple[int, int, int]
) -> list[list[str]]:
    """What is told of each way, without the ways on which a lead lacks all that it lacks on another one, or
    the same. `points`: the fit, the engagement and the score that count for the thresholds."""
    fit, engagement, score = points
    needs: list[_Need] = []
    for way, lacking in zip(ways, told, strict=True):
        more_fit = 0 if way.fit is None or way.fit <= fit else way.fit - fit
        more = 0 if way.engagement is None or way.engagement <= engagement else way.engagement - engagement
        more_score = 0 if way.score is None or way.score <= score else way.score - score
        conditions = set(lacking[(more_fit > 0) + (more > 0) + (more_score > 0) :])
        needs.append((more_fit, more, more_score, conditions))
    return [
        lacking
        for place, (need, lacking) in enumerate(zip(needs, told, strict=True))
        if not any(
            _no_more(other, need) and (where < place or not _no_more(need, other))
            for where, other in enumerate(needs)
            if where != place
        )
    ]


def _no_more(this: _Need, than: _Need) -> bool:
    return this[0] <= than[0] and this[1] <= than[1] and this[2] <= than[2] and this[3] <= than[3]


def gates_reached(facts: LeadFacts) -> frozenset[str]:
    """The gates of which the margin applies: those that the lead had passed, and `mql` for who came there by
    any way (a fast track, a person's word)."""
    return facts.gates_passed | _MQL if is_pursued(facts.stage) else facts.gates_passed


def is_pursued(stage: Stage) -> bool:
    """Whether the lead is an MQL or further along the line."""
    return stage in _PURSUED


def has_engaged(comeback: Comeback, newest_ms: int, score: int) -> bool:
    """Whether the lead has done something new since it was rejected, or since its cycle began.

    `newest_ms` is when its last engagement was. A score above that of the rejection counts as new engagement.
    """
    raised = comeback.score_then is not None and score > comeback.score_then
    return raised or newest_ms > comeback.since_ms


def held_back(comeback: Comeback, now_ms: int, *, engaged: bool) -> tuple[str, ...]:
    """What a lead lacks because of its past: the end of the cooling-off, and new engagement."""
    lacking: list[str] = []
    whose = f" after the rejection ({comeback.reason})" if comeback.reason else " in this cycle"
    if comeback.cooling_until_ms is not None and now_ms < comeback.cooling_until_ms:
        lacking.append(f"the end of the cooling-off on {_day(comeback.cooling_until_ms)}")
    if not engaged:
        lacking.append(f"new engagement{whose}")
    return tuple(lacking)


def _points(number: int, which: str) -> str:
    return f"{number} more {which}point{'' if number == 1 else 's'}"


def _day(moment_ms: int) -> str:
    try:
        return datetime.fromtimestamp(moment_ms / 1000, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "a day beyond the calendar"
