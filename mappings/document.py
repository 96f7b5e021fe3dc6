"""The mapping documents as RevOps write them: pydantic models of the YAML, one to one. No behaviour.

Two kinds of file: one that says what a lead is (`fields:`), and one for each side (`side:`). Short forms
(`email: Email`) are unfolded before validation. What needs more than one file is checked in
`mappings/compile.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from mappings.stages import Stage
from mappings.validation import Strict
from mappings.values import FieldType

Scalar = str | int | float | bool

LEADLOOP_FIELDS: Final[dict[str, FieldType]] = {
    "lead_id": "text",
    "stage": "picklist",
    "stage_since": "datetime",
    "cycle": "number",
    "score": "number",
    "fit": "number",
    "engagement": "number",
    "grade": "text",
    "score_reasons": "text",
    "owner": "text",
    "response_due": "datetime",
    "response_state": "picklist",
    "verdict": "picklist",
    "rejection_reason": "picklist",
    "rejection_comment": "text",
    "rejected_by": "text",
    "rejected_at": "datetime",
    "nurture_track": "text",
    "outcome": "picklist",
    "closed_reason": "text",
    "amount": "money",
}
"""What leadloop writes on a person's record, by its name under `leadloop:` (DESIGN, section 9). The owner in
the hand-off is a text, not the platform's owner."""

OPPORTUNITY_FIELDS: Final[dict[str, FieldType]] = {
    "name": "text",
    "stage_name": "picklist",
    "is_closed": "boolean",
    "is_won": "boolean",
    "amount": "money",
    "currency": "text",
    "created": "datetime",
    "close_date": "date",
    "lost_reason": "picklist",
    "owner": "owner",
}
"""What can be known of an opportunity, by its name under `fields:` of an object in that role."""

CONTACT_ROLE_FIELDS: Final[dict[str, FieldType]] = {
    "role": "picklist",
    "is_primary": "boolean",
    "created": "datetime",
}
"""What can be known of a contact's part in an opportunity."""

ACCOUNT_FIELDS: Final[dict[str, FieldType]] = {"name": "text", "website": "url", "owner": "owner"}
"""What can be known of an account, a company."""

SALES_LEAD_FIELDS: Final[dict[str, FieldType]] = {"name": "text", "owner": "owner"}
"""What can be known of a sales lead, a record for sales' work on a person."""

ROLE_FIELDS: Final[dict[str, dict[str, FieldType]]] = {
    "account": ACCOUNT_FIELDS,
    "opportunity": OPPORTUNITY_FIELDS,
    "opportunity_contact": CONTACT_ROLE_FIELDS,
    "sales_lead": SALES_LEAD_FIELDS,
}


def _unfold_pair(value: Any) -> Any:
    """`email: Email` is short for `email: {field: Email}`."""
    return {"field": value} if isinstance(value, str) else value


def _unfold_stage(value: Any) -> Any:
    """`Open: [inquiry]` is short for `Open: {stages: [inquiry]}`."""
    return {"stages": value} if isinstance(value, list) or value == "any" else value


def _unfold_any(value: Any) -> Any:
    """`stages: any` is short for all of them."""
    return [stage.value for stage in Stage] if value == "any" else value


def _verdicts() -> dict[str, Literal["accepted", "rejected"]]:
    return {"accepted": "accepted", "rejected": "rejected"}


class FieldDocument(Strict):
    """One canonical field."""

    type: FieldType
    policy: str
    otherwise: str | None = Field(default=None, alias="else")
    first_contact: str = "fill"
    blank: Literal["keep", "erase"] = "keep"
    group: str | None = None
    identity: bool = False
    personal: bool = False
    values: list[str] | None = None


class LeadDocument(Strict):
    """What a lead is."""

    fields: dict[str, FieldDocument]
    illegal_moves: Literal["revert", "accept", "hold"] = "revert"
    default_country: str | None = None


class PairDocument(Strict):
    """A canonical field's native one."""

    field: str
    direction: Literal["both", "read", "write"] = "both"
    write_as: str | None = None
    table: dict[str, Scalar] | None = None
    unmapped: Literal["pass", "refuse"] = "pass"
    max_length: int | None = Field(default=None, gt=0)
    too_long: Literal["refuse", "truncate"] = "refuse"


AnyPair = Annotated[PairDocument, BeforeValidator(_unfold_pair, json_schema_input_type=str | PairDocument)]


class StageValueDocument(Strict):
    """What one native stage value stands for."""

    stages: Annotated[
        list[str], BeforeValidator(_unfold_any, json_schema_input_type=list[str] | Literal["any"])
    ]
    means: str | None = None
    never_write: bool = False
    outcome: Literal["won", "lost"] | None = None


AnyStageValue = Annotated[
    StageValueDocument,
    BeforeValidator(_unfold_stage, json_schema_input_type=list[str] | Literal["any"] | StageValueDocument),
]


class StageFieldDocument(Strict):
    """A native field that says something about the stage."""

    field: str
    claims: bool = True
    values: dict[str, AnyStageValue]
    write: dict[str, str | None] = Field(default_factory=dict)
    blank: list[str] = Field(default_factory=list)
    backward: Literal["free", "clear_first"] = "free"
    never_from: list[str] = Field(default_factory=list)


class VerdictDocument(Strict):
    """Where sales gives its verdict."""

    field: str
    values: dict[str, Literal["accepted", "rejected"]] = Field(default_factory=_verdicts)
    reason: AnyPair | None = None
    comment: str | None = None


class CounterDocument(Strict):
    """A native number whose increase is an activity."""

    counter: str
    activity: str
    at: str | None = None
    detail: str | None = None


def _unfold_kind(value: Any) -> Any:
    """`activity: call` is short for `activity: {kind: call}`."""
    return {"kind": value} if isinstance(value, str) else value


def _unfold_list(value: Any) -> Any:
    """`at: StartDateTime` is short for `at: [StartDateTime]`."""
    return [value] if isinstance(value, str | int | float | bool) else value


class ActivityKindDocument(Strict):
    """Which kind of activity a record is: always `kind`, or by the value of a field."""

    kind: str | None = None
    field: str | None = None
    table: dict[str, str] = Field(default_factory=dict)


class AttributeDocument(Strict):
    """What rules may ask of an activity, and the native field that has it."""

    field: str
    type: FieldType = "text"


Names = Annotated[list[str], BeforeValidator(_unfold_list, json_schema_input_type=str | list[str])]
Wanted = Annotated[list[Scalar], BeforeValidator(_unfold_list, json_schema_input_type=Scalar | list[Scalar])]
AnyKind = Annotated[
    ActivityKindDocument, BeforeValidator(_unfold_kind, json_schema_input_type=str | ActivityKindDocument)
]
AnyAttribute = Annotated[
    AttributeDocument, BeforeValidator(_unfold_pair, json_schema_input_type=str | AttributeDocument)
]


class CreateDocument(Strict):
    """When a lead that this side lacks is created there."""

    when: str
    defaults: dict[str, Scalar] = Field(default_factory=dict)


class ObjectDocument(Strict):
    """One object of a side."""

    role: Literal["person", "opportunity", "opportunity_contact", "account", "sales_lead", "activity"]
    precedence: int = 1
    primary: Literal["oldest", "newest", "hold"] = "hold"
    created: str | None = None
    account: str | None = None
    also_known_by: dict[str, str] = Field(default_factory=dict)
    fields: dict[str, AnyPair] = Field(default_factory=dict)
    stage: list[StageFieldDocument] = Field(default_factory=list)
    verdict: VerdictDocument | None = None
    reason: AnyPair | None = None
    leadloop: dict[str, AnyPair] = Field(default_factory=dict)
    activities: list[CounterDocument] = Field(default_factory=list)
    create: CreateDocument | None = None
    of: Names = Field(default_factory=list)
    activity: AnyKind | None = None
    when: dict[str, Wanted] = Field(default_factory=dict)
    at: Names = Field(default_factory=list)
    per: str | None = None
    attributes: dict[str, AnyAttribute] = Field(default_factory=dict)
    history: bool = False
    filter: str | None = None
    accepted_by_owner: Literal["taken", "given"] | None = None
    stages: dict[str, Literal["qualified", "opportunity"]] = Field(default_factory=dict)


class SideDocument(Strict):
    """One side."""

    side: str
    platform: str
    kind: Literal["crm", "map"]
    objects: dict[str, ObjectDocument]
