"""Reconcile: a lead's state, what the platforms show, the mapping and the rules become a plan.

The one place where they meet, and a pure function: no clock, no store, no network, no logging; time and pool
turns are arguments. It is level-triggered: what to do follows from what is true now, never from the kind of
event that told of it, so that lost, doubled and reordered events cost latency and nothing else. After its
plan was delivered, reconciling again gives an empty plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.agree import Agreement, agree
from connector.claims import CrmFacts, moment_ms, read_claims, read_facts
from connector.clock import DAY_MS, MINUTE_MS
from connector.desired import Desired, Refusal, writes_every
from connector.lane import Lane
from connector.lead import Baseline, LeadState, Published
from connector.observation import Observation, Raw, RecordKey
from connector.plan import NewActivity, Plan, RecordRole, StageMove, WantedHold
from connector.record_view import RecordView, look
from connector.stage_moves import StageWalk, stage_rank
from mappings.mapping import Mapping as LeadMapping
from mappings.mapping import ObjectMapping
from mappings.stages import Stage
from mappings.values import OwnerDirectory
from rules.evaluate import Rules
from rules.expressions import Condition
from rules.facts import Activity, LeadFacts, Rejection, Verdict

MIN_CHANGE = 5
"""A score is published by itself only when it differs this much from the published one."""

CONFIRM_AFTER_MS = 15 * MINUTE_MS
"""How long a write may stay without an echo before the record is read by its id."""

_STAGE_NAMES = frozenset(stage.value for stage in Stage)
_HANDOFF_TARGETS = {Stage.MQL.value, Stage.DISTRIBUTED.value}


@dataclass(frozen=True, slots=True)
class LeadInput:
    """All that is known of one lead.

    `linked_sides` have a record of it, perhaps one that was created a moment ago and not read yet.
    `refusals` are the values that a platform refused, by record and native field; `turns` the positions of
    the routing pools; `braked` the kinds of change that the brake has stopped."""

    state: LeadState
    observations: Sequence[Observation]
    baselines: Mapping[RecordKey, Baseline]
    linked_sides: frozenset[str] = frozenset()
    activities: Sequence[Activity] = ()
    refusals: Mapping[RecordKey, Mapping[str, Refusal]] = field(default_factory=dict)
    turns: Mapping[str, int] = field(default_factory=dict)
    braked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides: the mapping, the rules, when a lead is created on which side, since when leadloop is
    live here, the owners, and the user ids that our own writes carry, by side."""

    mapping: LeadMapping
    rules: Rules
    create_when: Mapping[str, Condition]
    directory: OwnerDirectory
    live_since_ms: int = 0
    own_users: Mapping[str, str] = field(default_factory=dict)


def reconcile(lead: LeadInput, policy: Policy, now_ms: int) -> Plan:
    """Decide everything about one lead at `now_ms`. Raises EndlessMoves when the rules move it in circles."""
    mapping = policy.mapping
    primaries, roles, primary_holds = choose_primaries(lead.observations, mapping)
    views = [
        look(item, lead.baselines.get(item.key), _described(item, mapping), policy.own_users.get(item.side))
        for item in primaries
    ]
    agreement = agree(lead.state, views, mapping, policy.directory)
    facts = read_facts(lead.observations, views, mapping, policy.directory)
    activities = _new_activities(views)
    state = replace(
        lead.state,
        values=agreement.values,
        differences=agreement.differences,
        unreadable=agreement.unreadable,
        held=agreement.held,
        cut_sides=_cut_sides(lead, roles, mapping),
    )
    state = replace(state, held_stages=_still_held(state, views))
    started: list[StageMove] = []
    if not state.started:
        state, first = _start(state, views, facts, policy, now_ms)
        started.append(first)
    elif state.resting and (activities or any(view.changed for view in views)):
        state = replace(state, resting=False)
    sides = lead.linked_sides | {view.side for view in views}
    known = [*lead.activities, *(Activity(item.kind, item.at_ms, item.attributes) for item in activities)]
    walk = StageWalk(
        state=state,
        mapping=mapping,
        rules=policy.rules,
        now_ms=now_ms,
        facts_of=lambda now: _facts_of(now, known, sides),
        crm=facts,
        claims=[] if started else read_claims(views, mapping, policy.directory, now_ms),
        braked=lead.braked,
        pool_turns=dict(lead.turns),
    )
    walk.walk()
    moves = (*started, *walk.moves)
    state = _forget_cleared_verdict(walk.state, views)
    state, desired = _publish_and_write(state, walk.verdict, views, lead, policy, moves, now_ms)
    for view in views:
        if now_ms >= _confirm_at_ms(view, now_ms + 1):
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
        pool_turns={name: turn for name, turn in walk.pool_turns.items() if turn != lead.turns.get(name)},
        brake_kinds=_brake_kinds(walk.moves, desired, agreement, lead.state),
        due_at_ms=_due_at_ms(state, walk, views, now_ms),
    )


# which records speak ------------------------------------------------------------------------------------


def choose_primaries(
    observations: Sequence[Observation], mapping: LeadMapping
) -> tuple[list[Observation], dict[RecordKey, RecordRole], list[WantedHold]]:
    """One primary record a side, in the order of the mapping's sides, and the role of every record.

    A converted Lead is the past of its Contact. Otherwise the object with the lower precedence wins; several
    open records of one object follow the mapping's `primary:` order, or are a hold."""
    roles: dict[RecordKey, RecordRole] = {}
    people: dict[str, list[tuple[int, Observation]]] = {}
    for item in observations:
        side = mapping.sides.get(item.side)
        described = side.objects.get(item.object) if side is not None else None
        if described is None:
            continue
        if described.role != "person":
            roles[item.key] = described.role
        elif item.deleted or item.merged_into or item.converted:
            roles[item.key] = "past"
        else:
            people.setdefault(item.side, []).append((described.precedence, item))
    primaries: list[Observation] = []
    holds: list[WantedHold] = []
    for side_name, side in mapping.sides.items():
        found = people.get(side_name)
        if not found:
            continue
        best = min(precedence for precedence, _ in found)
        rivals = sorted((item for precedence, item in found if precedence == best), key=lambda i: i.record_id)
        order = side.objects[rivals[0].object].primary
        for _, item in found:
            roles[item.key] = "secondary"
        if len(rivals) > 1 and order == "hold":
            names = ", ".join(item.record_id for item in rivals)
            holds.append(
                WantedHold(
                    kind="several_records",
                    subject=side_name,
                    message=f"Several open records of this person on {side_name}: {names}.",
                    remedy="Merge them there, or set `primary:` in the mapping to oldest or newest.",
                    details={"candidates": [item.record_id for item in rivals]},
                )
            )
            continue
        chosen = rivals[-1] if order == "newest" else rivals[0]
        roles[chosen.key] = "primary"
        primaries.append(chosen)
    return primaries, roles, holds


def _described(item: Observation, mapping: LeadMapping) -> ObjectMapping:
    return mapping.sides[item.side].objects[item.object]


def _cut_sides(
    lead: LeadInput, roles: Mapping[RecordKey, RecordRole], mapping: LeadMapping
) -> tuple[str, ...]:
    """Sides on which the person's record was deleted: they get no new one. A converted or merged record is
    no deletion, and a record that came back ends the cut."""
    alive = {key.side for key, role in roles.items() if role in ("primary", "secondary")}
    gone = {
        item.side
        for item in lead.observations
        if item.deleted and not item.merged_into and _described(item, mapping).role == "person"
    }
    return tuple(sorted((set(lead.state.cut_sides) | gone) - alive))


# the beginning ------------------------------------------------------------------------------------------


def _start(
    state: LeadState, views: Sequence[RecordView], facts: CrmFacts, policy: Policy, now_ms: int
) -> tuple[LeadState, StageMove]:
    """The lead's first stage. A lead that existed before leadloop went live is `imported`: it rests, without
    gates and routing, until there is new activity. A new one begins as an inquiry, unless a native field says
    that somebody has already taken it further."""
    born = [
        _native_moment_ms(view.fields.get(view.mapping.created)) for view in views if view.mapping.created
    ]
    born_ms = min((at_ms for at_ms in born if at_ms is not None), default=None)
    imported = born_ms is not None and born_ms < policy.live_since_ms
    stage = Stage.INQUIRY
    crm_first = sorted(views, key=lambda view: policy.mapping.sides[view.side].kind != "crm")
    for view in crm_first:
        said = _stage_said(view)
        if said is not None:
            stage = said
            break
    if facts.current_opportunity(state) is not None or facts.current_conversion(state) is not None:
        stage = max(stage, Stage.QUALIFICATION, key=stage_rank)
    since_ms = born_ms if born_ms is not None else now_ms
    state = replace(
        state,
        started=True,
        resting=imported,
        stage=stage,
        stage_since_ms=since_ms,
        cycle_since_ms=since_ms,
        owner=_known_owner(state, stage),
    )
    move = StageMove(
        origin=None,
        target=stage.value,
        cycle=state.cycle,
        happened_ms=since_ms,
        cause="imported" if imported else "created",
        actor=state.origin,
    )
    return state, move


def _known_owner(state: LeadState, stage: Stage) -> str | None:
    owner = state.values.get("owner")
    handed_over = stage in (Stage.DISTRIBUTED, Stage.ACCEPTED, Stage.QUALIFIED, Stage.OPPORTUNITY)
    return owner if handed_over and isinstance(owner, str) else None


def _stage_said(view: RecordView) -> Stage | None:
    """The stage a record shows at first sight: its leadloop stage field if it has one already, else what its
    native fields mean where they cannot stand for an inquiry."""
    for pair in view.mapping.outputs:
        if pair.canonical == "stage":
            shown = view.fields.get(pair.native)
            if isinstance(shown, str) and shown in _STAGE_NAMES:
                return Stage(shown)
    for stage_field in view.mapping.stage_fields:
        if not stage_field.claims:
            continue
        meant = stage_field.values.get(str(view.fields.get(stage_field.native)))
        if meant is None or Stage.INQUIRY in meant.stages:
            continue
        if isinstance(meant.means, Stage):
            return meant.means
        return Stage.NURTURE if Stage.NURTURE in meant.stages else min(meant.stages, key=stage_rank)
    return None


# rules' view of the lead --------------------------------------------------------------------------------


def _facts_of(state: LeadState, activities: Sequence[Activity], sides: frozenset[str]) -> LeadFacts:
    return LeadFacts(
        values=state.values,
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
        cycle_since_ms=state.cycle_since_ms,
        published_score=state.published.score if state.published.at_ms else None,
    )


def _new_activities(views: Sequence[RecordView]) -> tuple[NewActivity, ...]:
    """Counters that rose since the baseline. First sight and decreases only re-baseline."""
    found: list[NewActivity] = []
    for view in views:
        for counter in view.mapping.counters:
            if counter.counter not in view.changed:
                continue
            count, earlier = _count(view.fields[counter.counter]), _count(view.before[counter.counter])
            if count is None or count <= (earlier or 0):
                continue
            at_ms = _native_moment_ms(view.fields.get(counter.at)) if counter.at else None
            detail = view.fields.get(counter.detail) if counter.detail else None
            found.append(
                NewActivity(
                    key=f"{view.key}:{counter.counter}:{count}",
                    kind=counter.activity,
                    at_ms=at_ms if at_ms is not None else view.observation.stamp_ms,
                    attributes={"detail": detail} if detail is not None else {},
                )
            )
    return tuple(found)


def _count(raw: Raw) -> int | None:
    if raw is None:
        return 0
    try:
        return int(float(raw))
    except (ValueError, OverflowError):
        return None


def _native_moment_ms(raw: Raw) -> int | None:
    """A platform's date property: ISO text, or epoch milliseconds as text."""
    if isinstance(raw, str) and raw.isdigit():
        return int(raw)
    return moment_ms(raw)


# publishing and writing ---------------------------------------------------------------------------------


def _publish_and_write(
    state: LeadState,
    verdict: Verdict,
    views: Sequence[RecordView],
    lead: LeadInput,
    policy: Policy,
    moves: Sequence[StageMove],
    now_ms: int,
) -> tuple[LeadState, Desired]:
    """The writes, with the score published as sparingly as can be: with a move, with other writes, or when
    it is far from the published one and a day has passed."""
    fresh = Published(verdict.fit, verdict.engagement, verdict.score, verdict.reasons, now_ms)
    old = state.published
    differs = (fresh.fit, fresh.engagement, fresh.score, fresh.reasons) != (
        old.fit, old.engagement, old.score, old.reasons,
    )  # fmt: skip
    overdue = abs(fresh.score - old.score) >= MIN_CHANGE and now_ms - old.at_ms >= DAY_MS
    if differs and (moves or overdue):
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
        blanks_braked="blanks" in lead.braked,
    )
    for view in views:
        desired.update(view)
    present = {view.side for view in views}
    for side_name, side in policy.mapping.sides.items():
        target = side.object_for_create
        if side_name in present or side_name in state.cut_sides or target is None or target.create is None:
            continue
        condition = policy.create_when.get(side_name)
        facts = _facts_of(state, lead.activities, lead.linked_sides | present)
        if condition is None or state.resting or condition(facts, now_ms) is not True:
            continue
        if "creates" in lead.braked:
            desired.holds.append(
                WantedHold(
                    kind="brake",
                    subject="creates",
                    message=f"The brake stopped creating records on {side_name}: too many at once.",
                    remedy="Look at `leadloop brake`, then `leadloop brake release creates`.",
                )
            )
            continue
        desired.create(target, target.create.defaults)
    return desired


def _forget_cleared_verdict(state: LeadState, views: Sequence[RecordView]) -> LeadState:
    """Stop clearing the verdict fields once they are blank, or a person has written into them since."""
    if not state.verdict_to_clear:
        return state
    for view in views:
        verdict = view.mapping.verdict
        if verdict is None:
            continue
        natives = [verdict.field, verdict.comment, verdict.reason.native if verdict.reason else None]
        if any(
            native and view.fields.get(native) is not None and native not in view.changed
            for native in natives
        ):
            return state
    return replace(state, verdict_to_clear=False)


def _brake_kinds(
    moves: Sequence[StageMove], desired: Desired, agreement: Agreement, before: LeadState
) -> tuple[str, ...]:
    kinds: list[str] = []
    for move in moves:
        if move.target == Stage.MQL.value and move.cause == "rules":
            kinds.append("mql")
        elif move.target == Stage.DISTRIBUTED.value and move.cause == "rules":
            kinds.append("handoff")
        elif (
            move.origin
            and move.cause == "rules"
            and stage_rank(Stage(move.target)) < stage_rank(Stage(move.origin))
        ):
            kinds.append("regressions")
    if "owner" in agreement.changed_by and before.values.get("owner") is not None:
        kinds.append("owner_changes")
    kinds.extend("creates" for write in desired.writes if write.record_id is None)
    kinds.extend("blanks" for _ in range(desired.blanked))
    return tuple(kinds)


def _confirm_at_ms(view: RecordView, never_ms: int) -> int:
    """When a record must be read because our last write to it has not been seen; `never_ms` when it has."""
    awaiting = view.baseline.awaiting
    return max(awaiting.values()) + CONFIRM_AFTER_MS if awaiting else never_ms


def _due_at_ms(state: LeadState, walk: StageWalk, views: Sequence[RecordView], now_ms: int) -> int | None:
    """The next moment at which time alone changes something for this lead."""
    moments = [walk.verdict.next_change_ms, walk.verdict.cooling_until_ms]
    waiting = state.awaited_reason
    if waiting is not None:
        grace_ms = waiting.since_ms + walk.rules.reason_grace_minutes * 60_000
        moments.append(
            grace_ms if not waiting.asked else grace_ms + walk.rules.reason_default_minutes * 60_000
        )
    if abs(walk.verdict.score - state.published.score) >= MIN_CHANGE:
        moments.append(state.published.at_ms + DAY_MS)
    confirm_ms = [_confirm_at_ms(view, 0) for view in views]
    confirm_ms = [moment for moment in confirm_ms if moment > now_ms]
    ahead = [moment for moment in moments if moment is not None and moment > now_ms]
    if state.resting:
        ahead = []
    return min((*ahead, *confirm_ms), default=None)


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
    shown = {f"{view.side}.{native}": native in view.changed for view in views for native in view.fields}
    return {where: told for where, told in state.held_stages.items() if not shown.get(where, True)}


def _distinct(holds: Sequence[WantedHold]) -> tuple[WantedHold, ...]:
    """One hold for each kind and subject."""
    return tuple({(hold.kind, hold.subject): hold for hold in holds}.values())
