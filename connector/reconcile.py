"""Reconcile: a lead's state, what the platforms show, the mapping and the rules become a plan.

The one place where they meet, and a pure function: no clock, no store, no network, no logging; time and pool
turns are arguments. It is level-triggered: what to do follows from what is true now, never from the kind of
event that told of it, so that lost, doubled and reordered events cost latency and nothing else. After its
plan was delivered, reconciling again gives an empty plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.accounts import match_account
from connector.agree import agree
from connector.claims import Claim, read_claims, read_facts
from connector.clock import DAY_MS
from connector.desired import Desired
from connector.first_stage import start
from connector.lead import LeadState
from connector.lead_input import LeadInput, Policy, lead_facts
from connector.plan import Plan, StageMove, WantedHold
from connector.primaries import absorbed, choose_primaries, cut_sides, described, inherited
from connector.publishing import MIN_CHANGE, publish_and_write
from connector.pursuit import follow_deal
from connector.record_view import CONFIRM_AFTER_MS, RecordView, look
from connector.rejecting import asked_ms, default_reason_ms
from connector.sales_leads import in_hand, unknown_stages, with_rejection, work_claims
from connector.score_move import score_move
from connector.secondaries import look_at_secondaries, new_baselines, with_opt_outs
from connector.shown import crm_shows
from connector.signals import born_ms, new_activities, recorded_activities
from connector.stage_moves import move_on, stage_rank
from connector.taking_part import closed_sides, outside
from connector.walk import Walk
from mappings.stages import Stage
from rules.facts import Activity


def reconcile(lead: LeadInput, policy: Policy, now_ms: int) -> Plan:
    """Decide everything about one lead at `now_ms`. Raises EndlessMoves when the rules move it in circles."""
    mapping = policy.mapping
    apart = outside(lead.observations, policy.filters, mapping, policy.directory)
    primaries, roles, primary_holds = choose_primaries(lead.observations, mapping, apart)
    if apart:
        closed = closed_sides(apart, lead.observations, mapping)
        if not primaries and closed:
            return Plan(lead_id=lead.state.lead_id, state=lead.state, roles=roles)
        lead = _without(lead, closed)
    views = [
        look(
            item,
            lead.baselines.get(item.key) or inherited(item, lead.observations, lead.baselines, mapping),
            described(item, mapping),
            policy.own_users.get(item.side),
        )
        for item in primaries
    ]
    further = look_at_secondaries(lead, roles, policy)
    agreement = agree(lead.state, views, mapping, policy.directory, lead.histories)
    stale = lead.state.verdict_to_clear
    work = in_hand(lead.state, lead.observations, lead.baselines, mapping)
    facts = read_facts(lead.observations, views, mapping, policy.directory, stale)
    facts = with_rejection(facts, work, policy.directory)
    counting = [*views, *further]
    merged = {view.key: absorbed(view.observation, lead.observations, lead.baselines) for view in counting}
    counts = new_activities(counting, policy.live_since_ms, lead.counted, merged)
    recorded, ahead_ms = recorded_activities(
        lead.activity_records, mapping, lead.counted, policy.live_since_ms, now_ms
    )
    activities = (*counts, *recorded)
    known = [*lead.activities, *(Activity(item.kind, item.at_ms, item.attributes) for item in activities)]
    state = replace(
        lead.state,
        values=with_opt_outs(agreement.values, further, mapping, policy.directory),
        differences=agreement.differences,
        unreadable=agreement.unreadable,
        left_alone=agreement.left_alone,
        held=agreement.held,
        decided=agreement.decided,
        held_stages=_still_held(lead.state, views),
        cut_sides=cut_sides(lead.state.cut_sides, lead.observations, roles, mapping),
    )
    state = _forget_cleared_verdict(state, views)
    started: list[StageMove] = []
    if not state.started:
        state, first = start(state, views, facts, mapping, policy.rules, policy.live_since_ms, now_ms, work)
        started.append(first)
    elif state.resting and (counts or any(_wakes(view, lead, policy) for view in [*views, *work])):
        state = replace(state, resting=False)
    if state.resting and any(item.at_ms >= policy.live_since_ms for item in known):
        state = replace(state, resting=False)
    state = follow_deal(state, facts)
    sides = lead.linked_sides | {view.side for view in views}
    account = match_account(state.values, lead.accounts, mapping, policy.directory)
    walk = Walk(
        state=state,
        mapping=mapping,
        rules=policy.rules,
        now_ms=now_ms,
        facts_of=lambda now: lead_facts(now, known, sides, account),
        crm=facts,
        shows=crm_shows(views, lead.refusals, mapping, policy.directory, lead.looked_ms),
        claims=[] if started else _claims(lead, views, work, policy, now_ms),
        directory=policy.directory,
        braked=lead.braked,
        own_users=policy.own_users,
        pool_states=lead.turns,
        account=account,
    )
    move_on(walk)
    moves = (*started, *walk.moves)
    passed = tuple(name for name, gate in walk.verdict.gates.items() if gate.passed)
    judged = replace(walk.state, nurture_track=walk.verdict.track, gates_passed=passed)
    crossed = walk.state.gates_passed not in (None, passed)
    state, desired = publish_and_write(
        judged, walk.verdict, views, lead, policy, moves, now_ms, crossed=crossed
    )
    for view in views:
        if now_ms >= _confirm_at_ms(view, now_ms + 1) or policy.lacks_fields(view.observation):
            desired.confirm(view)
    holds = (*primary_holds, *_conflicts(state), *unknown_stages(work), *walk.holds, *desired.holds)
    return Plan(
        lead_id=state.lead_id,
        state=replace(state, unspelled=desired.unspelled),
        moves=moves,
        writes=tuple(desired.writes),
        holds=_distinct(holds),
        activities=activities,
        baselines={
            view.key: view.baseline
            for view in [*views, *work]
            if view.baseline != lead.baselines.get(view.key)
        }
        | new_baselines(further, lead.baselines),
        roles=roles,
        pool_states=walk.pool_states if walk.pool_states is not lead.turns else {},
        brake_kinds=_brake_kinds(walk, desired),
        score_move=score_move(lead.state.published, state.published),
        deadline_changes=tuple(walk.deadline_changes),
        due_at_ms=_due_at_ms(state, walk, views, desired, ahead_ms, now_ms),
        undated=agreement.undated,
    )


def _claims(
    lead: LeadInput, views: Sequence[RecordView], work: Sequence[RecordView], policy: Policy, now_ms: int
) -> list[Claim]:
    """What people say of the stage: in the CRM, in records of sales' work elsewhere, in marketing."""
    said = read_claims(views, policy.mapping, policy.directory, now_ms, lead.state.verdict_to_clear)
    held, live_ms = lead.state.held_stages, policy.live_since_ms
    said += work_claims(work, policy.directory, live_ms, now_ms, held)
    return sorted(said, key=lambda claim: claim.rank)


def _without(lead: LeadInput, closed: frozenset[str]) -> LeadInput:
    """The lead without what is said on sides that are closed to it. A record is there, so none is made."""
    return replace(
        lead,
        observations=[item for item in lead.observations if item.side not in closed],
        activity_records=[item for item in lead.activity_records if item.side not in closed],
        linked_sides=lead.linked_sides | closed,
    )


def _wakes(view: RecordView, lead: LeadInput, policy: Policy) -> bool:
    """Whether somebody has done something to a resting lead: changed a field, or entered the person anew."""
    entered = view.key not in lead.baselines and born_ms(view) >= max(policy.live_since_ms, 1)
    return bool(view.changed) or entered


def _forget_cleared_verdict(state: LeadState, views: Sequence[RecordView]) -> LeadState:
    """Stop clearing the verdict fields once they are blank, or a person has written into them since."""
    if state.verdict_to_revert:
        fields = [(view, view.mapping.verdict.field) for view in views if view.mapping.verdict is not None]
        stands = any(view.fields.get(name) is not None and name not in view.changed for view, name in fields)
        state = replace(state, verdict_to_revert=stands)
    if not state.verdict_to_clear:
        return state
    for view in views:
        verdict = view.mapping.verdict
        if verdict is None:
            continue
        if any(
            view.fields.get(native) is not None and native not in view.changed for native in verdict.natives
        ):
            return state
    return replace(state, verdict_to_clear=False)


def _brake_kinds(walk: Walk, desired: Desired) -> tuple[str, ...]:
    kinds: list[str] = ["owner_changes"] if walk.escalated else []
    for move in walk.moves:
        if move.target == Stage.MQL.value and move.cause == "rules":
            kinds.append("mql")
        elif move.target == Stage.DISTRIBUTED.value and move.cause == "rules":
            kinds.append("handoff")
        elif (
            move.origin
            and move.cause in ("rules", "clock")
            and stage_rank(Stage(move.target)) < stage_rank(Stage(move.origin))
        ):
            kinds.append("regressions")
    kinds.extend("owner_changes" for _ in range(desired.owners_changed))
    kinds.extend("creates" for write in desired.writes if write.record_id is None)
    kinds.extend("blanks" for _ in range(desired.blanked))
    return tuple(kinds)


def _confirm_at_ms(view: RecordView, never_ms: int) -> int:
    """When a record must be read because our last write to it has not been seen; `never_ms` when it has."""
    # a field that is no longer read (hidden meanwhile) will never tell
    answered = [at_ms for name, at_ms in view.baseline.awaiting.items() if name in view.observation.fields]
    return max(answered) + CONFIRM_AFTER_MS if answered else never_ms


def _due_at_ms(
    state: LeadState,
    walk: Walk,
    views: Sequence[RecordView],
    desired: Desired,
    ahead_ms: int | None,
    now_ms: int,
) -> int | None:
    """The next moment at which time alone changes something for this lead. An activity `ahead_ms` wakes a
    resting one too."""
    moments = [walk.verdict.next_change_ms, walk.verdict.cooling_until_ms, *desired.again_at_ms, *walk.wakes]
    waiting = state.awaited_reason
    if waiting is not None:
        moments.append(default_reason_ms(walk, waiting) if waiting.asked else asked_ms(walk, waiting))
    if abs(walk.verdict.score - state.published.score) >= MIN_CHANGE:
        moments.append(state.published.at_ms + DAY_MS)
    confirm_ms = [_confirm_at_ms(view, 0) for view in views]
    if any(write.record_id is not None and not write.confirms for write in desired.writes):
        confirm_ms.append(now_ms + CONFIRM_AFTER_MS)  # what is sent now may leave no trace at all
    confirm_ms = [moment for moment in confirm_ms if moment > now_ms]
    ahead = [moment for moment in moments if moment is not None and moment > now_ms]
    if state.resting:
        ahead = []
    return min((*ahead, *confirm_ms, *([] if ahead_ms is None else [ahead_ms])), default=None)


def _conflicts(state: LeadState) -> list[WantedHold]:
    return [
        WantedHold(
            kind="conflict",
            subject=name,
            message=message,
            remedy=f"Set {name} on one of the platforms to what it should be.",
            details=dict(state.differences.get(name, {})),
        )
        for name, message in state.held.items()
    ] + [
        WantedHold(
            kind="illegal_move",
            subject=where,
            message=message,
            remedy="Set it back on the record, or move the lead the legal way.",
        )
        for where, message in state.held_stages.items()
    ]


def _still_held(state: LeadState, views: Sequence[RecordView]) -> dict[str, str]:
    """Native stage fields that still show the illegal value they were held for."""
    if not state.held_stages:
        return {}
    shown = {f"{view.side}.{native}": native in view.changed for view in views for native in view.fields}
    return {where: told for where, told in state.held_stages.items() if not shown.get(where, True)}


def _distinct(holds: Sequence[WantedHold]) -> tuple[WantedHold, ...]:
    """One hold for each kind and subject."""
    return tuple({(hold.kind, hold.subject): hold for hold in holds}.values())
