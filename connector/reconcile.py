"""Reconcile: a lead's state, what the platforms show, the mapping and the rules become a plan.

The one place where they meet, and a pure function: no clock, no store, no network, no logging; time and pool
turns are arguments. It is level-triggered: what to do follows from what is true now, never from the kind of
event that told of it, so that lost, doubled and reordered events cost latency and nothing else. After its
plan was delivered, reconciling again gives an empty plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.accounts import AccountMatch, AccountName, match_account
from connector.agree import agree
from connector.brake import brake_hold
from connector.claims import read_claims, read_facts
from connector.clock import DAY_MS
from connector.desired import Desired, writes_every
from connector.first_stage import start
from connector.lane import Lane
from connector.lead import Baseline, LeadState, Published
from connector.observation import Observation, RecordKey
from connector.plan import Plan, StageMove, WantedHold
from connector.primaries import choose_primaries, cut_sides, described, inherited
from connector.pursuit import follow_deal
from connector.record_view import CONFIRM_AFTER_MS, RecordView, look
from connector.refusals import Refusal
from connector.rejecting import asked_ms, default_reason_ms
from connector.score_move import score_move
from connector.shown import crm_shows
from connector.signals import born_ms, new_activities, recorded_activities
from connector.stage_moves import move_on, stage_rank
from connector.taking_part import Filters, closed_sides, outside
from connector.walk import Walk
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Stage
from mappings.values import OwnerDirectory
from rules.evaluate import Rules
from rules.expressions import Condition
from rules.facts import Activity, LeadFacts, Rejection, Verdict
from rules.pools import PoolState

MIN_CHANGE = 5
"""A score is published by itself only when it differs this much from the published one."""

_STAGE_NAMES = frozenset(stage.value for stage in Stage)
_HANDOFF_TARGETS = {Stage.MQL.value, Stage.DISTRIBUTED.value}


@dataclass(frozen=True, slots=True)
class LeadInput:
    """All that is known of one lead.

    `linked_sides` have a record of it, perhaps one that was created a moment ago and not read yet.
    `refusals` are the values that a platform refused, by record and native field; `turns` the states of the
    routing pools, by key; `braked` the kinds of change that the brake has stopped. `sides_in_doubt` have a
    record that may be this lead's or another's; `foreign_ids` are lead ids that are not known here, by the
    record that carries one. `activity_records` may be activities that are not among the `counted` keys yet.
    `looked_ms` tells, by side and object, up to when everything there has been seen. `accounts` are those
    that it could belong to, by what they are known by."""

    state: LeadState
    observations: Sequence[Observation]
    baselines: Mapping[RecordKey, Baseline]
    linked_sides: frozenset[str] = frozenset()
    activities: Sequence[Activity] = ()
    refusals: Mapping[RecordKey, Mapping[str, Refusal]] = field(default_factory=dict)
    turns: Mapping[str, PoolState] = field(default_factory=dict)
    braked: frozenset[str] = frozenset()
    sides_in_doubt: frozenset[str] = frozenset()
    foreign_ids: Mapping[RecordKey, str] = field(default_factory=dict)
    activity_records: Sequence[Observation] = ()
    counted: frozenset[str] = frozenset()
    looked_ms: Mapping[tuple[str, str], int] = field(default_factory=dict)
    accounts: Mapping[AccountName, Sequence[Observation]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides: the mapping, the rules, when a lead is created on which side, since when leadloop is
    live here, the owners, and the user ids that our own writes carry, by side. `readable` are the native
    fields that each (side, object) is read with since `readable_since_ms`."""

    mapping: LeadMapping
    rules: Rules
    create_when: Mapping[str, Condition]
    directory: OwnerDirectory
    live_since_ms: int = 0
    own_users: Mapping[str, str] = field(default_factory=dict)
    filters: Filters = field(default_factory=dict)
    readable: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    readable_since_ms: int = 0

    def lacks_fields(self, item: Observation) -> bool:
        """Whether a record was last read before some field was mapped, or could be seen, as it is now."""
        if item.read_started_ms >= self.readable_since_ms:
            return False
        return not self.readable.get((item.side, item.object), frozenset()) <= item.fields.keys()


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
    agreement = agree(lead.state, views, mapping, policy.directory)
    stale = lead.state.verdict_to_clear
    facts = read_facts(lead.observations, views, mapping, policy.directory, stale)
    counts = new_activities(views, policy.live_since_ms)
    recorded, ahead_ms = recorded_activities(
        lead.activity_records, mapping, lead.counted, policy.live_since_ms, now_ms
    )
    activities = (*counts, *recorded)
    known = [*lead.activities, *(Activity(item.kind, item.at_ms, item.attributes) for item in activities)]
    state = replace(
        lead.state,
        values=agreement.values,
        differences=agreement.differences,
        unreadable=agreement.unreadable,
        left_alone=agreement.left_alone,
        held=agreement.held,
        cut_sides=cut_sides(lead.state.cut_sides, lead.observations, roles, mapping),
    )
    state = replace(state, held_stages=_still_held(state, views))
    state = _forget_cleared_verdict(state, views)
    started: list[StageMove] = []
    if not state.started:
        state, first = start(state, views, facts, mapping, policy.rules, policy.live_since_ms, now_ms)
        started.append(first)
    elif state.resting and (counts or any(_wakes(view, lead, policy) for view in views)):
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
        claims=[] if started else read_claims(views, mapping, policy.directory, now_ms, stale),
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
    state, desired = _publish_and_write(
        judged, walk.verdict, views, lead, policy, moves, now_ms, crossed=crossed
    )
    for view in views:
        if now_ms >= _confirm_at_ms(view, now_ms + 1) or policy.lacks_fields(view.observation):
            desired.confirm(view)
    holds = (*primary_holds, *_conflicts(state), *walk.holds, *desired.holds)
    return Plan(
        lead_id=state.lead_id,
        state=replace(state, unspelled=desired.unspelled),
        moves=moves,
        writes=tuple(desired.writes),
        holds=_distinct(holds),
        activities=activities,
        baselines={
            view.key: view.baseline for view in views if view.baseline != lead.baselines.get(view.key)
        },
        roles=roles,
        pool_states=walk.pool_states if walk.pool_states is not lead.turns else {},
        brake_kinds=_brake_kinds(walk, desired),
        score_move=score_move(lead.state.published, state.published),
        deadline_changes=tuple(walk.deadline_changes),
        due_at_ms=_due_at_ms(state, walk, views, desired, ahead_ms, now_ms),
    )


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


# rules' view of the lead --------------------------------------------------------------------------------


def lead_facts(
    state: LeadState,
    activities: Sequence[Activity],
    sides: frozenset[str],
    account: AccountMatch | None = None,
) -> LeadFacts:
    """What the rules are told about the lead; `sides` have a record of it, `account` matches it."""
    deal = state.deal
    return LeadFacts(
        values=state.values if account is None else account.among(state.values),
        stage=state.stage,
        cycle=state.cycle,
        stage_since_ms=state.stage_since_ms,
        created_ms=state.created_ms,
        activities=activities,
        rejections=tuple(
            Rejection(item.reason, item.at_ms, item.cycle, item.score) for item in state.rejections
        ),
        sides=sides,
        origin=state.origin,
        gates_passed=frozenset(state.gates_passed or ()),
        cycle_since_ms=state.cycle_since_ms,
        outcome=None if deal is None else deal.outcome,
        closed_reason=None if deal is None else deal.reason,
        deal_amount=None if deal is None else deal.amount,
        published_score=state.published.score if state.published.at_ms else None,
    )


# publishing and writing ---------------------------------------------------------------------------------


def _publish_and_write(
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
        if "creates" in lead.braked:
            desired.holds.append(brake_hold("creates", f"creating a record on {side_name}"))
            continue
        desired.create(target, target.create.defaults)
    return desired


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


def _still_held(state: LeadState, views: Sequence[RecordView]) -> dict[str, str]:
    """Native stage fields that still show the illegal value they were held for."""
    shown = {f"{view.side}.{native}": native in view.changed for view in views for native in view.fields}
    return {where: told for where, told in state.held_stages.items() if not shown.get(where, True)}


def _distinct(holds: Sequence[WantedHold]) -> tuple[WantedHold, ...]:
    """One hold for each kind and subject."""
    return tuple({(hold.kind, hold.subject): hold for hold in holds}.values())
