"""Pursuit: what the CRM's facts (conversions, opportunities) say about the stage. Pure; no I/O.

Facts are legal from every stage and never taken back by leadloop.
"""

from __future__ import annotations

from dataclasses import replace

from connector.claims import CrmFacts
from connector.lead import Deal, LeadState
from connector.walk import Walk
from mappings.stages import Outcome, Stage


def follow_deal(state: LeadState, crm: CrmFacts) -> LeadState:
    """The lead with the opportunity that counts now, else the one that counted last, unless that one was
    withdrawn. One of an earlier cycle may be back: sales has taken the lead up."""
    back = crm.back(state)
    if back:
        state = replace(state, consumed=tuple(item for item in state.consumed if item not in back))
    pursued = {
        item.record_id: (state.pursued.get(item.record_id) or item.stamp_ms) if item.closed else 0
        for item in crm.counting(state)
    }
    if pursued:
        state = replace(state, pursued={**state.pursued, **pursued})
    counts = crm.current_opportunity(state)
    if counts is None:
        deal, there = state.deal, {item.record_id for item in crm.opportunities}
        if deal is not None and deal.outcome is None and deal.record_id not in there:
            return replace(state, deal=None)
        return state
    reason = counts.lost_reason if counts.outcome == "lost" else None
    return replace(state, deal=Deal(counts.record_id, counts.outcome, reason, counts.amount))


def by_fact(walk: Walk) -> bool:
    """Make the next move that the facts of the CRM ask for. True when one was made."""
    state = walk.state
    open_now = walk.crm.current_opportunity(state)
    conversion = walk.crm.current_conversion(state)
    if conversion is not None and open_now is not None:
        # its opportunity says more, also once that is gone
        state = walk.state = replace(state, consumed=(*state.consumed, conversion.record_id))
    if open_now is not None:
        outcome: Outcome = "won" if open_now.won else "lost"
        if open_now.closed and state.stage is Stage.CLOSED and state.outcome == outcome:
            return False
        if open_now.closed and state.stage is Stage.OPPORTUNITY:
            reason = (open_now.lost_reason or "not given") if outcome == "lost" else None
            at_ms, by = open_now.stamp_ms, open_now.by
            return walk.move(Stage.CLOSED, "fact", at_ms, actor=by, reason=reason, outcome=outcome)
        target = Stage.OPPORTUNITY if open_now.closed else open_now.stage
        if state.stage is target:
            return False
        # one that was there before has been reopened, or has moved on
        is_new = open_now.created_ms > state.stage_since_ms
        at_ms = open_now.created_ms if is_new else open_now.stamp_ms
        return walk.move(target, "fact", at_ms, actor=open_now.by)
    if state.stage is Stage.OPPORTUNITY:
        return walk.move(Stage.QUALIFIED, "fact", walk.now_ms, reason="opportunity withdrawn")
    if conversion is None:
        return False
    walk.state = replace(state, consumed=(*state.consumed, conversion.record_id))
    if state.stage is Stage.QUALIFIED:
        return False
    return walk.move(Stage.QUALIFIED, "fact", conversion.stamp_ms, actor=conversion.by)
