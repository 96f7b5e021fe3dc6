"""Sales leads: records that a platform has for sales' work on a person, and what they say. Pure; no I/O.

Of several that name a person the newest that was made in the current cycle counts; the others belong to the
past. Its stage is sales' word, as a status of the CRM is, and its reason a rejection's. leadloop reads them
and never writes them: what cannot be put right there is held for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.claims import Claim, CrmFacts
from connector.clock import SECOND_MS
from connector.lead import Baseline, LeadState
from connector.moments import native_moment_ms
from connector.observation import Observation, RecordKey
from connector.plan import WantedHold
from connector.record_view import RecordView, look
from mappings.mapping import Mapping as LeadMapping
from mappings.values import OwnerDirectory, Unreadable

SALES_LEAD: Final = "sales_lead"
"""The role of such an object."""


def in_hand(
    state: LeadState,
    observations: Sequence[Observation],
    baselines: Mapping[RecordKey, Baseline],
    mapping: LeadMapping,
) -> list[RecordView]:
    """The one record a side that counts now, compared with what it last showed."""
    newest: dict[str, tuple[int, str, Observation]] = {}
    since_ms = state.cycle_since_ms - state.cycle_since_ms % SECOND_MS  # platforms tell births in seconds
    for item in observations:
        side = mapping.sides.get(item.side)
        target = side.objects.get(item.object) if side is not None else None
        if target is None or target.role != SALES_LEAD or item.deleted or item.merged_into:
            continue
        born_ms = native_moment_ms(item.fields.get(target.created or "")) or item.stamp_ms
        if born_ms >= since_ms:
            newest[item.side] = max(
                newest.get(item.side, (0, "", item)), (born_ms, item.record_id, item), key=lambda one: one[:2]
            )
    return [
        look(item, baselines.get(item.key), mapping.sides[item.side].objects[item.object], None)
        for _, _, item in newest.values()
    ]


def work_claims(
    views: Sequence[RecordView],
    directory: OwnerDirectory,
    live_since_ms: int,
    now_ms: int,
    held: Mapping[str, str],
) -> list[Claim]:
    """What the records say whose stage somebody has set: changed, or made in that stage since leadloop went
    live. What was `held` as no legal move is said again, until it is one or goes with the stage."""
    claims: list[Claim] = []
    for view in views:
        born_ms = native_moment_ms(view.fields.get(view.mapping.created or "")) or 0
        for stage_field in view.mapping.stage_fields:
            native = stage_field.native
            was_held = f"{view.side}.{native}" in held
            is_new = native in view.fresh and born_ms >= live_since_ms
            value = view.fields.get(native)
            meant = stage_field.values.get(str(value)) if value is not None else None
            if meant is None or meant.means is None or not (native in view.changed or is_new or was_held):
                continue
            claims.append(
                Claim(
                    meaning=meant.means,
                    compatible=meant.stages,
                    cause="sales",
                    where=f"{view.side} {view.mapping.object}.{native} = {value!r}",
                    side=view.side,
                    native=native,
                    at_ms=now_ms if was_held else min(view.observation.stamp_ms, now_ms),
                    actor=owner_of(view, directory),
                    reason=reason_of(view, directory),
                    rank=1,
                    read_only=True,
                )
            )
    return claims


def with_rejection(facts: CrmFacts, views: Sequence[RecordView], directory: OwnerDirectory) -> CrmFacts:
    """The facts with what these records say of a rejection: while one says so, it was not taken back."""
    for view in views:
        if says_rejected(view):
            return replace(
                facts,
                rejection_taken_back=False,
                reason_given=facts.reason_given or reason_of(view, directory),
                last_writer=owner_of(view, directory) if facts.rejection_taken_back else facts.last_writer,
            )
    return facts


def says_rejected(view: RecordView) -> bool:
    """Whether the record stands in a stage that means a rejection."""
    return any(
        meant is not None and meant.means == "rejected"
        for stage_field in view.mapping.stage_fields
        for meant in [stage_field.values.get(str(view.fields.get(stage_field.native)))]
    )


def unknown_stages(views: Sequence[RecordView]) -> list[WantedHold]:
    """Records in a stage of which the mapping says nothing."""
    return [
        WantedHold(
            kind="stage_unknown",
            subject=f"{view.key} {stage_field.native}",
            message=f"{view.key} is in the stage {value!r}, of which the mapping says nothing: what sales "
            "does there is not seen.",
            remedy=f"Add it under stage: values: of {view.mapping.object} in the mapping of {view.side}; "
            "`leadloop check --live` knows the stages of the account.",
            details={"record": list(view.key), "stage": value},
        )
        for view in views
        for stage_field in view.mapping.stage_fields
        if (value := view.fields.get(stage_field.native)) is not None and str(value) not in stage_field.values
    ]


def reason_of(view: RecordView, directory: OwnerDirectory) -> str | None:
    """Why sales gave the person back, as the record says it."""
    pair = view.mapping.reason
    try:
        said = None if pair is None else pair.read(view.fields.get(pair.native), directory)
    except Unreadable:
        return None
    return said if isinstance(said, str) else None


def owner_of(view: RecordView, directory: OwnerDirectory) -> str | None:
    """Who works on it: the platform does not tell who changed it last."""
    pair = view.mapping.pair("owner")
    try:
        owner = None if pair is None else pair.read(view.fields.get(pair.native), directory)
    except Unreadable:
        return None
    return owner if isinstance(owner, str) else None
