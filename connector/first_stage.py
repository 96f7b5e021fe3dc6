"""FirstStage: where a lead stands when leadloop first meets it. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.claims import CrmFacts, says_accepted
from connector.clock import SECOND_MS
from connector.lead import LeadState, PastRejection
from connector.moments import native_moment_ms
from connector.plan import StageMove
from connector.record_view import RecordView
from connector.stage_moves import stage_rank
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Stage
from rules.evaluate import Rules
from rules.rejection import known_reason, reason_meant

_STAGE_NAMES = frozenset(stage.value for stage in Stage)


def start(
    state: LeadState,
    views: Sequence[RecordView],
    facts: CrmFacts,
    mapping: LeadMapping,
    rules: Rules,
    live_since_ms: int,
    now_ms: int,
    work: Sequence[RecordView] = (),
) -> tuple[LeadState, StageMove]:
    """The lead's first stage. A lead that existed before leadloop went live is `imported`: it rests, without
    gates and routing, until there is new activity. A new one begins as an inquiry, unless a native field says
    somebody has already taken it further, or sales has rejected it before leadloop first read it. `work` are
    the records of sales' work on it, which speak after the CRM and before marketing."""
    born = [native_moment_ms(view.fields.get(view.mapping.created)) for view in views if view.mapping.created]
    born_ms = min((at_ms for at_ms in born if at_ms is not None), default=None)
    # a record whose birth is not mapped was there at its last change at the latest
    there_ms = (
        min((view.observation.stamp_ms for view in views), default=None) if born_ms is None else born_ms
    )
    # platforms tell a record's birth in whole seconds
    imported = there_ms is not None and there_ms < live_since_ms - live_since_ms % SECOND_MS
    stage = Stage.INQUIRY
    rejection: PastRejection | None = None
    crm = [view for view in views if mapping.sides[view.side].kind == "crm"]
    for view in [*crm, *work, *(view for view in views if view not in crm)]:
        said = _stage_shown(view)
        if said is None and not imported and (view in crm or view in work):
            rejection = _rejection(view, facts, rules, state.cycle, None if view in crm else view.side)
            if rejection is not None:
                then = reason_meant(rejection.reason, rules.reasons, rules.default_reason)
                said = Stage.DISQUALIFIED if then.then == "disqualify" else Stage.NURTURE
        if said is None:
            said = _stage_meant(view)
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
        rejections=state.rejections if rejection is None else (*state.rejections, rejection),
    )
    move = StageMove(
        origin=None,
        target=stage.value,
        cycle=state.cycle,
        happened_ms=since_ms,
        cause="imported" if imported else "created",
        actor=state.origin,
        reason=rejection.reason if rejection is not None else None,
    )
    return state, move


def _known_owner(state: LeadState, stage: Stage) -> str | None:
    owner = state.values.get("owner")
    handed_over = stage in (Stage.DISTRIBUTED, Stage.ACCEPTED, Stage.QUALIFIED, Stage.OPPORTUNITY)
    return owner if handed_over and isinstance(owner, str) else None


def _rejection(
    view: RecordView, facts: CrmFacts, rules: Rules, cycle: int, side: str | None
) -> PastRejection | None:
    """What sales has said in the CRM, or in a record of its work on another side, before that was first read;
    nobody is asked for a reason then."""
    if facts.rejection_taken_back:
        return None
    given = facts.reason_given
    reason = rules.default_reason if given is None else known_reason(given, rules.reasons) or given
    at_ms = view.observation.stamp_ms
    return PastRejection(reason, facts.comment_given, facts.last_writer, at_ms, cycle, side=side)


def _stage_shown(view: RecordView) -> Stage | None:
    """The stage that a record's leadloop stage field shows, if leadloop has been here before."""
    for pair in view.mapping.outputs:
        if pair.canonical == "stage":
            shown = view.fields.get(pair.native)
            if isinstance(shown, str) and shown in _STAGE_NAMES:
                return Stage(shown)
    return None


def _stage_meant(view: RecordView) -> Stage | None:
    """What a record's native fields, or the verdict of sales on it, mean where they cannot stand for an
    inquiry."""
    for stage_field in view.mapping.stage_fields:
        if not stage_field.claims:
            continue
        meant = stage_field.values.get(str(view.fields.get(stage_field.native)))
        if meant is None or Stage.INQUIRY in meant.stages:
            continue
        if isinstance(meant.means, Stage):
            return meant.means
        return Stage.NURTURE if Stage.NURTURE in meant.stages else min(meant.stages, key=stage_rank)
    return Stage.ACCEPTED if says_accepted(view) else None
