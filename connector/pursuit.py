"""Pursuit: what the CRM's facts (conversions, opportunities) say about the stage. Pure; no I/O.

Facts are legal from every stage and never taken back by leadloop.
"""

from __future__ import annotations

from dataclasses import replace

from connector.walk import Walk
from mappings.stages import Outcome, Stage


def by_fact(walk: Walk) -> bool:
    """Make the next move that the facts of the CRM ask for. True when one was made."""
    state = walk.state
    open_now = walk.crm.current_opportunity(state)
    if open_now is not None:
        outcome: Outcome = "won" if open_now.won else "lost"
        if open_now.closed and state.stage is Stage.CLOSED and state.outcome == outcome:
            return False
        if open_now.closed and state.stage is Stage.OPPORTUNITY:
            reason = (open_now.lost_reason or "not given") if outcome == "lost" else None
            at_ms, by = open_now.stamp_ms, open_now.by
            return walk.move(Stage.CLOSED, "fact", at_ms, actor=by, reason=reason, outcome=outcome)
        if state.stage is Stage.OPPORTUNITY:
            return False
        return walk.move(Stage.OPPORTUNITY, "fact", open_now.created_ms, actor=open_now.by)
    if state.stage is Stage.OPPORTUNITY:
        return walk.move(Stage.QUALIFIED, "fact", walk.now_ms, reason="opportunity withdrawn")
    conversion = walk.crm.current_conversion(state)
    if conversion is None:
        return False
    walk.state = replace(state, consumed=(*state.consumed, conversion.record_id))
    if state.stage is Stage.QUALIFIED:
        return False
    return walk.move(Stage.QUALIFIED, "fact", conversion.stamp_ms, actor=conversion.by)
