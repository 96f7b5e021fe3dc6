"""Gates: whether a lead may go on to qualification, nurture or mql, and what it still lacks, in words.

Pure. The conditions of a gate were judged by generated code, which says in words what is missing; here the
thresholds are added, with the margin that keeps a lead at the threshold from moving to and fro.
"""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class GateRule:
    """A gate as compiled. `conditions` must all hold; thresholds are points, None where there is none.
    A lead that has passed it stays worthy until it falls below a threshold less `margin`."""

    name: str
    conditions: tuple[Node, ...] = field(default=(), repr=False)
    fit: int | None = None
    engagement: int | None = None
    score: int | None = None
    margin: int = 0

    def levels(self, what: str) -> tuple[int, ...]:
        """The numbers of points of 'fit', 'engagement' or 'score' at which this gate may open or close."""
        threshold: int | None = getattr(self, what)
        return () if threshold is None else (threshold, threshold - self.margin)


def judge(
    gate: GateRule, missing: Sequence[str], fit: int, engagement: int, score: int, *, reached: bool
) -> Gate:
    """The gate's answer. `missing` are its conditions that do not hold, in words."""
    margin = gate.margin if reached else 0
    lacking: list[str] = []
    if gate.fit is not None and fit < gate.fit - margin:
        lacking.append(_points(gate.fit - margin - fit, "fit "))
    if gate.engagement is not None and engagement < gate.engagement - margin:
        lacking.append(_points(gate.engagement - margin - engagement, "engagement "))
    if gate.score is not None and score < gate.score - margin:
        lacking.append(_points(gate.score - margin - score, ""))
    lacking.extend(missing)
    return Gate(False, tuple(lacking)) if lacking else _PASSED


def has_reached(facts: LeadFacts) -> bool:
    """Whether the lead has come to MQL in this cycle, so that margins apply."""
    return facts.gate_reached or facts.stage in _PURSUED


def held_back(comeback: Comeback, newest_ms: int, score: int, now_ms: int) -> tuple[str, ...]:
    """What a lead lacks because of its past: the end of the cooling-off, and new engagement.

    `newest_ms` is when its last engagement was. A score above that of the rejection counts as new engagement.
    """
    lacking: list[str] = []
    whose = f" after the rejection ({comeback.reason})" if comeback.reason else " in this cycle"
    if comeback.cooling_until_ms is not None and now_ms < comeback.cooling_until_ms:
        lacking.append(f"the end of the cooling-off on {_day(comeback.cooling_until_ms)}")
    raised = comeback.score_then is not None and score > comeback.score_then
    if newest_ms <= comeback.since_ms and not raised:
        lacking.append(f"new engagement{whose}")
    return tuple(lacking)


def _points(number: int, which: str) -> str:
    return f"{number} more {which}point{'' if number == 1 else 's'}"


def _day(moment_ms: int) -> str:
    try:
        return datetime.fromtimestamp(moment_ms / 1000, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "a day beyond the calendar"
