"""Unite: two leads turn out to be one person. What the one that stays remembers. Pure; no I/O.

The stage furthest in pursuit wins, so that nobody in sales loses a lead to a merge; what both know is kept.
The survivor starts without a baseline: its fields are met as at a first contact. Only what its records last
showed about the stage is remembered, so that a word of sales from the moment of the merge is heard, and what
they counted, so that nothing counts twice.
"""

from __future__ import annotations

from dataclasses import replace

from connector.lead import LeadState
from mappings.stages import Stage

_IN_PURSUIT = (
    Stage.DISQUALIFIED,
    Stage.INQUIRY,
    Stage.QUALIFICATION,
    Stage.NURTURE,
    Stage.CLOSED,
    Stage.MQL,
    Stage.DISTRIBUTED,
    Stage.ACCEPTED,
    Stage.QUALIFIED,
    Stage.OPPORTUNITY,
)
"""From the least to the furthest in pursuit: a closed lead is pursued no more, a nurtured one not yet."""


def unite(survivor: LeadState, other: LeadState) -> LeadState:
    """The survivor's state after the other lead has become part of it; the id stays the survivor's."""
    ahead, behind = (
        (other, survivor)
        if _IN_PURSUIT.index(other.stage) > _IN_PURSUIT.index(survivor.stage)
        else (survivor, other)
    )
    values = {**behind.values, **{name: value for name, value in ahead.values.items() if value is not None}}
    cycle = max(survivor.cycle, other.cycle)
    rejections = sorted({*survivor.rejections, *other.rejections}, key=lambda item: item.at_ms)
    return replace(
        ahead,
        lead_id=survivor.lead_id,
        origin=survivor.origin,
        created_ms=min(survivor.created_ms, other.created_ms),
        cycle=cycle,
        started=survivor.started or other.started,
        resting=survivor.resting and other.resting,
        create_at_rest=survivor.create_at_rest or other.create_at_rest,
        values=values,
        differences={},
        unreadable={},
        left_alone=(),
        held={},
        held_stages={},
        rejections=tuple(rejections),
        had_by={**behind.had_by, **ahead.had_by},
        deal=ahead.deal or behind.deal,
        pursued={**behind.pursued, **ahead.pursued},
        consumed=tuple(dict.fromkeys((*survivor.consumed, *other.consumed))),
        deadline=None if ahead.deadline is None else replace(ahead.deadline, cycle=cycle),
        gates_passed=ahead.gates_passed if ahead.cycle == cycle else None,
        overruled=tuple(dict.fromkeys((*survivor.overruled, *other.overruled))),
        aliases=tuple(dict.fromkeys((*survivor.aliases, *other.aliases, other.lead_id))),
        cut_sides=tuple(sorted(set(survivor.cut_sides) & set(other.cut_sides))),
    )
