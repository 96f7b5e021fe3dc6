"""Causes: why one set of rules hands a lead over at a moment and another does not. Pure.

Both are asked about the same lead at the same moment. What differs is named: a fast track, a
disqualification, the rules that give more or fewer points, the threshold. No rule is left out and tried
without: each changed MQL costs one evaluation more, however many rules there are.
"""

from __future__ import annotations

from collections import Counter
from itertools import repeat
from typing import Final

from rules.evaluate import Rules
from rules.facts import LeadFacts, Verdict
from rules.fired import CAP_OF
from rules.gates import GateRule, judge

GATE: Final = "mql gate"
EARLIER_GATE: Final = "an earlier gate"
COOLING_OFF: Final = "cooling-off and new engagement"
PAST: Final = "its past under these rules"


def why(had: Verdict, had_by: Rules, lacks_by: Rules, facts: LeadFacts, at_ms: int) -> tuple[str, ...]:
    """What makes the lead an MQL by the rules `had_by`, whose verdict is `had`, and none by `lacks_by`."""
    lacks = lacks_by.evaluate(facts, at_ms)
    if lacks.disqualify is not None:
        return (lacks.disqualify[0],)
    if lacks.fast_track is not None or lacks.gates["mql"].passed:
        # told the same, they would hand it over as well: it is the way there that differs
        open_way = all(lacks.gates[name].passed for name in ("qualification", "nurture"))
        return (PAST,) if open_way else (EARLIER_GATE,)
    if had.fast_track is not None and not had.gates["mql"].passed:
        return (had.fast_track,)
    return _by_points(had, lacks, _mql(had_by), _mql(lacks_by)) or (
        (COOLING_OFF,) if _held_back(lacks) and not _held_back(had) else (GATE,)
    )


def scoring(verdict: Verdict) -> tuple[str, ...]:
    """The names of the rules that fired and speak for or against a lead, each once."""
    return tuple(
        dict.fromkeys(
            one.rule for one in verdict.fired if one.part != "disqualify" and not one.rule.startswith(CAP_OF)
        )
    )


def _by_points(had: Verdict, lacks: Verdict, had_gate: GateRule, lacks_gate: GateRule) -> tuple[str, ...]:
    """The rules whose points differ and the threshold, as far as each matters."""
    found: list[str] = []
    if not _passes(had_gate, lacks.fit, lacks.engagement):
        found += _differing(had, lacks, had_gate)
    if not _passes(lacks_gate, had.fit, had.engagement):
        found.append(GATE)
    return tuple(found)


def _differing(had: Verdict, lacks: Verdict, gate: GateRule) -> list[str]:
    """Rules that give more points to one than to the other: those that make the most of it, as many as are
    enough to pass the gate."""
    points: Counter[tuple[str, str]] = Counter()
    for verdict, sign in ((had, 1), (lacks, -1)):
        for one in verdict.fired:
            if one.part in ("fit", "engagement") and not one.rule.startswith(CAP_OF):
                points[one.rule, one.part] += sign * one.points
    sums = {"fit": lacks.fit, "engagement": lacks.engagement}
    found: list[str] = []
    for (rule, part), more in sorted(points.items(), key=lambda item: (-item[1], item[0])):
        if more <= 0 or _passes(gate, sums["fit"], sums["engagement"]):
            break
        sums[part] += more
        found.append(rule)
    return found


def _passes(gate: GateRule, fit: int, engagement: int) -> bool:
    """Whether the points alone would pass a gate; its conditions are taken to hold."""
    return judge(gate, repeat(()), fit, engagement, fit + engagement, reached=False).passed


def _held_back(verdict: Verdict) -> bool:
    missing = verdict.gates["mql"].missing
    return any(words.startswith(("the end of the cooling-off", "new engagement")) for words in missing)


def _mql(rules: Rules) -> GateRule:
    return next(gate for gate in rules.gates if gate.name == "mql")
