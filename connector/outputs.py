"""Outputs: the values of the leadloop fields, which leadloop alone writes, and which belong to the hand-off.

Pure; no I/O.
"""

from __future__ import annotations

from datetime import UTC, datetime

from connector.lead import Deal, LeadState
from mappings.object_mapping import ObjectMapping
from mappings.stages import Stage
from mappings.values import Value

DEADLINE_OUTPUTS = ("response_due", "response_state")
"""The leadloop fields that show a deadline."""

_HANDOFF_OUTPUTS = {
    "stage", "stage_since", "cycle", "owner", "response_due", "response_state",
    "rejection_reason", "rejection_comment", "rejected_by", "rejected_at", "verdict",
}  # fmt: skip


def output_values(state: LeadState) -> dict[str, Value]:
    """The leadloop fields of a lead (design, section 9), by the names a mapping uses."""
    last = state.rejections[-1] if state.rejections else None
    score, deal, deadline = state.published, state.deal or Deal(""), state.deadline
    return {
        "lead_id": state.lead_id,
        "stage": state.stage.value,
        "stage_since": iso_datetime(state.stage_since_ms),
        "cycle": state.cycle,
        "score": score.score,
        "fit": score.fit,
        "engagement": score.engagement,
        "grade": score.grade,
        "score_reasons": score.reasons or None,
        "owner": state.current_owner,
        "response_due": iso_datetime(deadline.due_ms) if deadline else None,
        "response_state": deadline.state if deadline else None,
        "rejection_reason": last.reason if last else None,
        "rejection_comment": last.comment if last else None,
        "rejected_by": last.by if last else None,
        "rejected_at": iso_datetime(last.at_ms) if last else None,
        "verdict": _verdict(state),
        "nurture_track": state.nurture_track,
        "outcome": deal.outcome,
        "closed_reason": deal.reason,
        "amount": deal.amount,
    }


def _verdict(state: LeadState) -> str | None:
    """Sales' last word, as marketing's platform shows it."""
    if state.stage in (Stage.ACCEPTED, Stage.QUALIFIED, Stage.OPPORTUNITY, Stage.CLOSED):
        return "accepted"
    if state.rejections and state.stage in (Stage.NURTURE, Stage.DISQUALIFIED):
        return "rejected"
    return None


def iso_datetime(at_ms: int) -> str:
    """Epoch milliseconds as the canonical datetime, whole seconds, UTC."""
    return datetime.fromtimestamp(at_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def handoff_natives(target: ObjectMapping) -> frozenset[str]:
    """The native fields of the hand-off on one object, native stage fields and the owner among them."""
    outputs = {pair.native for pair in target.outputs if pair.canonical in _HANDOFF_OUTPUTS}
    owner = {pair.native for pair in target.pairs if pair.canonical == "owner"}
    return frozenset(outputs | owner | {stage_field.native for stage_field in target.stage_fields})
