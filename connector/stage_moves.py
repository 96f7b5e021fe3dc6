"""StageMoves: from what is true now to the stage the lead must be in, one legal move after another.

Claims rank: facts of the CRM, the verdict of a salesperson, the marketing-automation platform, rules. Each
turn of the walk makes the first move that applies; the walk ends when none does, and a bound makes a loop an
error instead of a hang. Pure; no I/O.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector.brake import brake_hold
from connector.claims import Claim
from connector.deadline_watch import watch
from connector.handing_over import hand_over
from connector.pursuit import by_fact
from connector.rejecting import REJECTABLE, ask_for_reason, by_reason, reject, unknown_reason
from connector.walk import Walk
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import LINE, Allowed, Move, Stage, check_move
from rules.moves import next_move

MOVES_AT_MOST = 24


class EndlessMoves(RuntimeError):
    """The walk did not come to rest: two rules move one lead to and fro. Says which moves were made."""


def move_on(walk: Walk) -> None:
    """Move until nothing more moves. Raises EndlessMoves past the bound."""
    for _ in range(MOVES_AT_MOST):
        if not _step(walk):
            ask_for_reason(walk)
            if (unknown := unknown_reason(walk.state, walk.rules)) is not None:
                walk.holds.append(unknown)
            return
        walk.evaluate()
    made = " → ".join(move.target for move in walk.moves)
    raise EndlessMoves(f"lead {walk.state.lead_id}: {MOVES_AT_MOST} moves at once ({made})")


def _step(walk: Walk) -> bool:
    if by_fact(walk):
        walk.outrank()
        return True
    return _by_claim(walk) or by_reason(walk) or _by_rules(walk) or hand_over(walk) or watch(walk)


# claims of people ---------------------------------------------------------------------------------------


def _by_claim(walk: Walk) -> bool:
    while walk.claims:
        claim = walk.claims.pop(0)
        if walk.state.stage in claim.compatible:
            continue
        if claim.meaning == "rejected":
            moved = _reject(walk, claim)
        else:
            moved = _claim_stage(walk, claim, claim.meaning)
        if moved:
            walk.outrank(claim)
            return True
    return False


def _claim_stage(walk: Walk, claim: Claim, target: Stage) -> bool:
    # who sets a status that gives a lead up, or earns it back, has said with it why
    needs_reason = target in (Stage.NURTURE, Stage.DISQUALIFIED)
    reason = (claim.reason or claim.where) if needs_reason else None
    move = Move(
        origin=walk.state.stage,
        target=target,
        cause=claim.cause,
        owner=walk.owner(),
        reason=reason,
    )
    if isinstance(check_move(move), Allowed):
        overruled = walk.state.overruled
        if walk.state.stage is Stage.DISQUALIFIED and walk.verdict.disqualify:
            overruled = (*overruled, walk.verdict.disqualify[0])
        walk.state = replace(walk.state, overruled=overruled, resting=False)
        return walk.move(target, claim.cause, claim.at_ms, actor=claim.actor, reason=reason)
    return _illegal(walk, claim, target)


def _illegal(walk: Walk, claim: Claim, target: Stage) -> bool:
    told = f"{claim.where}: {walk.state.stage.value} → {target.value} is no legal move for {claim.cause}"
    if walk.mapping.illegal_moves == "accept":
        return walk.put(target, claim.cause, claim.at_ms, claim.actor, claim.reason, None, (), False)
    if walk.mapping.illegal_moves == "hold" or claim.read_only:
        held = {**walk.state.held_stages, f"{claim.side}.{claim.native}": told}
        walk.state = replace(walk.state, held_stages=held)
    elif claim.verdict:
        walk.state = replace(walk.state, verdict_to_revert=True)
    return False


def _reject(walk: Walk, claim: Claim) -> bool:
    if walk.state.stage in REJECTABLE:
        return reject(walk, claim)
    return _illegal(walk, claim, Stage.NURTURE)


# rules --------------------------------------------------------------------------------------------------


def _by_rules(walk: Walk) -> bool:
    state, verdict = walk.state, walk.verdict
    if state.resting or state.awaited_reason is not None:
        return False  # sales has said no, and is only asked why
    move = next_move(state.stage, verdict, state.overruled)
    if move is None:
        return False
    backward = {Stage.DISQUALIFIED: "disqualifying this lead", Stage.NURTURE: "recycling this lead"}
    if "regressions" in walk.braked and stage_rank(move.target) < stage_rank(state.stage):
        walk.holds.append(brake_hold("regressions", backward[move.target]))
        return False
    if move.target is Stage.MQL and "mql" in walk.braked:
        walk.holds.append(brake_hold("mql", "making this lead an MQL"))
        return False
    fired = tuple(_without_the_person(item.to_json(), walk.mapping) for item in verdict.fired)
    return walk.move(move.target, "rules", walk.now_ms, actor=move.actor, reason=move.reason, rules=fired)


def _without_the_person(fired: dict[str, Any], mapping: LeadMapping) -> dict[str, Any]:
    """A rule that fired, as the ledger keeps it for ever: without the values that name the person."""
    personal = {name for name in fired["saw"] if (rule := mapping.fields.get(name)) and rule.personal}
    return {**fired, "saw": {name: value for name, value in fired["saw"].items() if name not in personal}}


def stage_rank(stage: Stage) -> int:
    """How far along the line a stage is; disqualified counts as the very beginning."""
    return LINE.index(stage) if stage in LINE else -1
