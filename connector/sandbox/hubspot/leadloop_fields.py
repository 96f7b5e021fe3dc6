"""leadloop's own contact properties, as the install guide has an admin create them (design, section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mappings.stages import Stage

if TYPE_CHECKING:
    from connector.sandbox.hubspot.portal import HubSpotPortal

_TYPES = {
    "leadloop_stage_since": "datetime",
    "leadloop_cycle": "number",
    "leadloop_score": "number",
    "leadloop_fit": "number",
    "leadloop_engagement": "number",
    "leadloop_grade": "string",
    "leadloop_score_reasons": "string",
    "leadloop_owner": "string",
    "leadloop_response_due": "datetime",
    "leadloop_rejection_reason": "string",
    "leadloop_rejection_comment": "string",
    "leadloop_rejected_by": "string",
    "leadloop_rejected_at": "datetime",
    "leadloop_nurture_track": "string",
    "leadloop_closed_reason": "string",
    "leadloop_amount": "number",
}
_OPTIONS = {
    "leadloop_stage": tuple(stage.value for stage in Stage),
    "leadloop_response_state": ("running", "due soon", "met", "breached"),
    "leadloop_verdict": ("accepted", "rejected"),
    "leadloop_outcome": ("won", "lost"),
}


def add_leadloop_fields(portal: HubSpotPortal) -> None:
    """Create them. The rejection reason takes any text here: reasons are the customer's own."""
    portal.add_property("contacts", "leadloop_id", unique=True, label="Leadloop id")
    for name, type_name in _TYPES.items():
        portal.add_property("contacts", name, type_name)
    for name, options in _OPTIONS.items():
        portal.add_property("contacts", name, "enumeration", options=options)
