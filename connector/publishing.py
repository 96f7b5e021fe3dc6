"""Publishing: when a score is worth a write, and which writes bring a lead's state to its records.

Pure. It decides nothing about the lead: its state comes settled. What one record should say is the matter of
`connector.desired`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.accounts import match_account
from connector.brake import brake_hold
from connector.clock import DAY_MS
from connector.desired import Desired, writes_every
from connector.lane import Lane
from connector.lead import LeadState, Published
from connector.lead_input import LeadInput, Policy, lead_facts
from connector.plan import StageMove, WantedHold
from connector.record_view import RecordView
from mappings.stages import Stage
from rules.facts import Verdict

MIN_CHANGE = 5
"""A score is published by itself only when it differs this much from the published one."""

_HANDOFF_TARGETS = {Stage.MQL.value, Stage.DISTRIBUTED.value}


def publish_and_write(
    state: LeadState,
    verdict: Verdict,
    views: Sequence[RecordView],
    lead: LeadInput,
    policy: Policy,
    moves: Sequence[StageMove],
    now_ms: int,
    *,
    crossed: bool,
) -> tuple[LeadState, Desired]:
    """The writes, with the score published as sparingly as can be: with a move, with other writes, or when
    it is far from the published one and a day has passed. A change of grade does not wait, nor does
    that of a gate (`crossed`)."""
    fresh = Published(
        verdict.fit,
        verdict.engagement,
        verdict.score,
        verdict.reasons,
        now_ms,
        verdict.grade,
        {item.rule: item.points for item in verdict.fired if item.points},
    )
    old = state.published
    differs = (fresh.fit, fresh.engagement, fresh.score, fresh.reasons, fresh.grade) != (
        old.fit, old.engagement, old.score, old.reasons, old.grade,
    )  # fmt: skip
    overdue = abs(fresh.score - old.score) >= MIN_CHANGE and now_ms - old.at_ms >= DAY_MS
    if differs and (moves or overdue or crossed or fresh.grade != old.grade):
        state = replace(state, published=fresh)
    desired = _write(state, views, lead, policy, moves, now_ms)
    if differs and state.published is old and writes_every(views, desired.writes):
        state = replace(state, published=fresh)
        desired = _write(state, views, lead, policy, moves, now_ms)
    return state, desired


def _write(
    state: LeadState,
    views: Sequence[RecordView],
    lead: LeadInput,
    policy: Policy,
    moves: Sequence[StageMove],
    now_ms: int,
) -> Desired:
    handed = any(move.target in _HANDOFF_TARGETS or move.cause == "sales" for move in moves)
    desired = Desired(
        state=state,
        mapping=policy.mapping,
        directory=policy.directory,
        now_ms=now_ms,
        lane=Lane.BACKFILL if state.resting else Lane.HANDOFF if handed else Lane.UPDATE,
        refusals=lead.refusals,
        braked=lead.braked,
    )
    for view in views:
        if view.key in lead.foreign_ids:
            desired.holds.append(_foreign_id_hold(view, lead.foreign_ids[view.key]))
        else:
            desired.update(view)
    present = lead.linked_sides | {view.side for view in views}
    without = present.union(state.cut_sides, lead.sides_in_doubt)
    for side_name, side in policy.mapping.sides.items():
        target = side.object_for_create
        if side_name in without or target is None or target.create is None:
            continue
        condition = policy.create_when.get(side_name)
        account = match_account(state.values, lead.accounts, policy.mapping, policy.directory)
        facts = lead_facts(state, lead.activities, present, account)
        asleep = state.resting and not state.create_at_rest
        if condition is None or asleep or condition(facts, now_ms) is not True:
            continue
        taken = desired.taken(target)
        if taken is not state.values:
            without_refused = lead_facts(replace(state, values=taken), lead.activities, present, account)
            if condition(without_refused, now_ms) is not True:
                desired.refuse_create(target)
                continue
        if "creates" in lead.braked:
            desired.holds.append(brake_hold("creates", f"creating a record on {side_name}"))
            continue
        desired.create(target, target.create.defaults)
    return desired


def _foreign_id_hold(view: RecordView, foreign_id: str) -> WantedHold:
    native = next(pair.native for pair in view.mapping.outputs if pair.canonical == "lead_id")
    return WantedHold(
        kind="foreign_id",
        subject=str(view.key),
        message=f"{view.key} carries the lead id {foreign_id}, which is not known here: another leadloop "
        "works on this account, or has. The record is read, and not written.",
        remedy=f"If another one works on it, stop one of the two. Then empty {native} on the record: this "
        "leadloop writes its own id there.",
        details={"record": list(view.key), "lead_id": foreign_id},
    )
