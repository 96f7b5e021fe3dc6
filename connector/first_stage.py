"""FirstStage: where a lead stands when leadloop first meets it. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.claims import CrmFacts
from connector.clock import SECOND_MS
from connector.lead import LeadState
from connector.moments import native_moment_ms
from connector.plan import StageMove
from connector.record_view import RecordView
from connector.stage_moves import stage_rank
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Stage

_STAGE_NAMES = frozenset(stage.value for stage in Stage)


def start(
    state: LeadState,
    views: Sequence[RecordView],
    facts: CrmFacts,
    mapping: LeadMapping,
    live_since_ms: int,
    now_ms: int,
) -> tuple[LeadState, StageMove]:
    """The lead's first stage. A lead that existed before leadloop went live is `imported`: it rests, without
    gates and routing, until there is new activity. A new one begins as an inquiry, unless a native field says
    that somebody has already taken it further."""
    born = [native_moment_ms(view.fields.get(view.mapping.created)) for view in views if view.mapping.created]
    born_ms = min((at_ms for at_ms in born if at_ms is not None), default=None)
    # platforms tell a record's birth in whole seconds
    imported = born_ms is not None and born_ms < live_since_ms - live_since_ms % SECOND_MS
    stage = Stage.INQUIRY
    crm_first = sorted(views, key=lambda view: mapping.sides[view.side].kind != "crm")
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
