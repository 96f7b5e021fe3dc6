"""Moves: the one move, if any, that the rules make from what they say of a lead. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from mappings.stages import LINE, Stage
from rules.facts import Verdict

BEFORE_MQL: Final = LINE[: LINE.index(Stage.MQL)]
"""The stages in which the rules may move a lead on."""

_BEYOND_RULES: Final = (Stage.DISQUALIFIED, Stage.OPPORTUNITY, Stage.CLOSED)


class RuleMove(NamedTuple):
    """Where the rules move a lead, and the rule or gate that does it; with the `reason` of a
    disqualification, or why a closed lead comes back."""

    target: Stage
    actor: str
    reason: str | None = None


def lacking(stage: Stage, verdict: Verdict, target: Stage = Stage.MQL) -> tuple[str, ...]:
    """What a lead in `stage` lacks to come to `target`, in words: what the gates on its way say.

    Nobody becomes an MQL without the qualification gate; the nurture gate leads to nurture alone."""
    gates = [] if target not in LINE or target is Stage.INQUIRY else [str(target)]
    if stage is Stage.INQUIRY:
        gates.insert(0, str(Stage.QUALIFICATION))
    missing = [word for gate in gates if gate in verdict.gates for word in verdict.gates[gate].missing]
    return tuple(dict.fromkeys(missing))


def next_move(stage: Stage, verdict: Verdict, overruled: Collection[str] = ()) -> RuleMove | None:
    """Where the rules move a lead next, up to MQL or from closed back to nurture; None: nowhere. `overruled`
    are the disqualifications that a person has taken back for this lead."""
    if verdict.disqualify is not None and stage not in _BEYOND_RULES:
        rule, reason = verdict.disqualify
        if rule not in overruled:
            return RuleMove(Stage.DISQUALIFIED, rule, reason)
    if stage is Stage.CLOSED and verdict.recycled is not None and verdict.recycled.due:
        return RuleMove(Stage.NURTURE, verdict.recycled.rule, verdict.recycled.reason)
    if stage not in BEFORE_MQL:
        return None
    if verdict.fast_track is not None:
        return RuleMove(Stage.MQL, verdict.fast_track)
    if stage is not Stage.INQUIRY and verdict.gates["mql"].passed:
        return RuleMove(Stage.MQL, "mql gate")
    if stage is Stage.INQUIRY and verdict.gates["qualification"].passed:
        return RuleMove(Stage.QUALIFICATION, "qualification gate")
    if stage is Stage.QUALIFICATION and verdict.gates["nurture"].passed:
        return RuleMove(Stage.NURTURE, "nurture gate")
    return None
