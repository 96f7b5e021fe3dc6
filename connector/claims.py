"""Claims and CrmFacts: what the records say about the stage, read from their stage-deciding fields.

A native stage field is not the stage. A side makes a claim only when such a field changed against that side's
own baseline and the current stage is not among those the new value stands for. Facts (conversions and
opportunities) are read as they are now, whoever told of them. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from connector.lead import LeadState
from connector.moments import moment_ms
from connector.observation import Observation, RecordKey
from connector.record_view import RecordView
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Outcome, Stage, is_person
from mappings.values import OwnerDirectory, Unreadable
from rules.rejection import plain

REASON_NEEDED = "reason needed"
"""What stands in the rejection reason on the CRM record while a salesperson is asked for one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody set a field that speaks about the stage. `compatible` are the stages the new value already
    stands for: in those it says nothing new. `verdict`: it was said in the verdict field. `rank`: of several
    at once the lowest counts. `read_only`: leadloop does not write there."""

    meaning: Stage | Literal["rejected"]
    compatible: frozenset[Stage]
    cause: Literal["sales", "marketing"]
    where: str
    side: str
    native: str
    at_ms: int
    actor: str | None
    reason: str | None = None
    comment: str | None = None
    verdict: bool = False
    rank: int = 0
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One opportunity of the lead. `stage` is what it means while it is open. `rank`: of several sides' that
    count, those of the lowest decide."""

    record_id: str
    closed: bool
    won: bool
    created_ms: int
    stamp_ms: int
    by: str | None
    lost_reason: str | None
    from_conversion: bool
    stage: Stage = Stage.OPPORTUNITY
    amount: int | float | None = None
    rank: int = 0

    @property
    def outcome(self) -> Outcome | None:
        """Won or lost; None while it is open."""
        return None if not self.closed else "won" if self.won else "lost"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A Lead record that sales converted."""

    record_id: str
    stamp_ms: int
    by: str | None


@dataclass(frozen=True, slots=True)
class CrmFacts:
    """What is true in the CRM now, beside the claims of people. `verdict_stands`: a record shows a verdict, a
    reason or a comment, whatever became of it."""

    opportunities: tuple[Opportunity, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    reason_given: str | None = None
    comment_given: str | None = None
    rejection_taken_back: bool = False
    verdict_stands: bool = False
    last_writer: str | None = None

    def counting(self, state: LeadState) -> list[Opportunity]:
        """Opportunities of the lead's conversion, or created in the current cycle, not of an earlier one; and
        those that counted before and are back."""
        return [
            item
            for item in self.opportunities
            if item.record_id not in state.consumed
            and (
                item.from_conversion
                or item.created_ms >= state.cycle_since_ms
                or item.record_id in state.pursued
            )
        ]

    def back(self, state: LeadState) -> frozenset[str]:
        """Opportunities of an earlier cycle that count again: closed then and opened again since, or open
        then and won since. What else happens to them belongs to the past."""
        return frozenset(
            item.record_id
            for item in self.opportunities
            if item.record_id in state.consumed
            and (closed_ms := state.pursued.get(item.record_id)) is not None
            and (not item.closed if closed_ms else item.won)
        )

    def current_opportunity(self, state: LeadState) -> Opportunity | None:
        """The newest open one, else the one closed last, whatever was edited since; of the CRM where it has
        any that counts."""
        counting = self.counting(state)
        if not counting:
            return None
        first = min(item.rank for item in counting)
        counting = [item for item in counting if item.rank == first]
        open_ones = [item for item in counting if not item.closed]
        if open_ones:
            return max(open_ones, key=lambda item: (item.created_ms, item.record_id))
        return max(
            counting, key=lambda item: (state.pursued.get(item.record_id) or item.stamp_ms, item.record_id)
        )

    def current_conversion(self, state: LeadState) -> Conversion | None:
        """A conversion that has not been reckoned with yet."""
        return next((item for item in self.conversions if item.record_id not in state.consumed), None)

    def spent(self, state: LeadState) -> tuple[str, ...]:
        """The facts that belong to the cycle that ends now."""
        facts = [*(o.record_id for o in self.counting(state)), *(c.record_id for c in self.conversions)]
        return tuple(item for item in facts if item not in state.consumed)


def read_claims(
    views: Sequence[RecordView],
    mapping: LeadMapping,
    directory: OwnerDirectory,
    now_ms: int,
    stale: bool = False,
) -> list[Claim]:
    """The claims of the primary records, the CRM's before the MAP's. `stale`: the reason that stands on the
    CRM record belongs to an earlier rejection, unless somebody has just changed it."""
    claims: list[Claim] = []
    for view in views:
        crm = mapping.sides[view.side].kind == "crm"
        reason, comment = _reason(view, directory, stale)
        actor = _writer(view.observation, directory)
        for stage_field in view.mapping.stage_fields:
            if not stage_field.claims or stage_field.native not in view.changed:
                continue
            value = view.fields[stage_field.native]
            meant = stage_field.values.get(str(value)) if value is not None else None
            if meant is None or meant.means is None:
                continue
            claim = Claim(
                meaning=meant.means,
                compatible=meant.stages,
                cause="sales" if crm else "marketing",
                where=f"{view.side} {view.mapping.object}.{stage_field.native} = {value!r}",
                side=view.side,
                native=stage_field.native,
                at_ms=min(view.observation.stamp_ms, now_ms),
                actor=actor,
                reason=reason,
                comment=comment,
                rank=0 if crm else 2,
            )
            claims.append(claim)
        if crm and (taken := _taken_over(view, directory, now_ms)) is not None:
            claims.append(taken)
        verdict = view.mapping.verdict
        if crm and verdict is not None and verdict.field in view.changed:
            value = view.fields[verdict.field]
            try:
                said = verdict.read(value)
            except Unreadable:
                said = None
            if said is not None:
                rejected = said == "rejected"
                claim = Claim(
                    meaning="rejected" if rejected else Stage.ACCEPTED,
                    compatible=(
                        frozenset({Stage.NURTURE, Stage.DISQUALIFIED})
                        if rejected
                        else frozenset({Stage.ACCEPTED, Stage.QUALIFIED, Stage.OPPORTUNITY, Stage.CLOSED})
                    ),
                    cause="sales",
                    where=f"{view.side} {view.mapping.object}.{verdict.field} = {value!r}",
                    side=view.side,
                    native=verdict.field,
                    at_ms=min(view.observation.stamp_ms, now_ms),
                    actor=actor,
                    reason=reason,
                    comment=comment,
                    verdict=True,
                )
                claims.append(claim)
    return sorted(claims, key=lambda claim: claim.rank)


def _taken_over(view: RecordView, directory: OwnerDirectory, now_ms: int) -> Claim | None:
    """Acceptance by ownership, where the mapping says so: a person has become the owner of the record."""
    owner = view.mapping.pair("owner")
    if view.mapping.accepted_by_owner is None or owner is None or owner.native not in view.changed:
        return None
    raw = view.fields[owner.native]
    name = directory.email_of(view.side, str(raw)) if raw is not None else None
    writer = _writer(view.observation, directory)
    if not is_person(name) or (view.mapping.accepted_by_owner == "taken" and name != writer):
        return None
    return Claim(
        meaning=Stage.ACCEPTED,
        # an owner says something only while a lead waits for its answer
        compatible=frozenset(Stage) - {Stage.DISTRIBUTED},
        cause="sales",
        where=f"{view.side} {view.mapping.object}.{owner.native} = {raw!r}",
        side=view.side,
        native=owner.native,
        at_ms=min(view.observation.stamp_ms, now_ms),
        actor=name if view.mapping.accepted_by_owner == "given" else writer,
    )


def read_facts(
    observations: Sequence[Observation],
    views: Sequence[RecordView],
    mapping: LeadMapping,
    directory: OwnerDirectory,
    stale: bool = False,
) -> CrmFacts:
    """Conversions and opportunities among the lead's records, and the reason a salesperson has given
    (`stale` as in `read_claims`). An opportunity is the lead's by a conversion, by a contact's role in it, or
    because it names the lead's record itself."""
    conversions: list[Conversion] = []
    converted_into: set[str] = set()
    in_a_role: set[str] = set()
    own: set[RecordKey] = set()
    raw_opportunities: list[Observation] = []
    for item in observations:
        side = mapping.sides.get(item.side)
        described = side.objects.get(item.object) if side is not None else None
        if described is None or side is None:
            continue
        if described.role == "person" and (not item.deleted or item.merged_into):
            own.add(item.key)
        if described.role == "person" and item.converted and not item.deleted:
            conversions.append(Conversion(item.record_id, item.stamp_ms, _writer(item, directory)))
            converted_into.update(key.record_id for key in item.points_at())
        elif described.role == "opportunity_contact" and not item.deleted:
            in_a_role.update(key.record_id for key in item.points_at())
        elif described.role == "opportunity" and not item.deleted:
            raw_opportunities.append(item)
    opportunities = [
        _opportunity(item, mapping, directory, item.record_id in converted_into)
        for item in raw_opportunities
        if item.record_id in converted_into
        or item.record_id in in_a_role
        or not own.isdisjoint(item.points_at())
    ]
    reason: str | None = None
    comment: str | None = None
    writer: str | None = None
    for view in views:
        if mapping.sides[view.side].kind == "crm":
            reason, comment = _reason(view, directory, stale)
            writer = _writer(view.observation, directory)
    return CrmFacts(
        opportunities=tuple(opportunities),
        conversions=tuple(conversions),
        reason_given=reason,
        comment_given=comment,
        rejection_taken_back=_taken_back(views, mapping),
        verdict_stands=any(_shows_verdict(view) for view in views if mapping.sides[view.side].kind == "crm"),
        last_writer=writer,
    )


def _opportunity(
    item: Observation, mapping: LeadMapping, directory: OwnerDirectory, from_conversion: bool
) -> Opportunity:
    target = mapping.sides[item.side].objects[item.object]
    values = target.read(item.fields, directory).values
    lost_reason, amount = values.get("lost_reason"), values.get("amount")
    native_stage = values.get("stage_name")
    return Opportunity(
        record_id=item.record_id,
        closed=values.get("is_closed") is True,
        won=values.get("is_won") is True,
        created_ms=moment_ms(values.get("created")) or item.stamp_ms,
        stamp_ms=item.stamp_ms,
        by=_writer(item, directory),
        lost_reason=lost_reason if isinstance(lost_reason, str) else None,
        from_conversion=from_conversion,
        stage=target.stages.get(str(native_stage), Stage.OPPORTUNITY),
        amount=amount if isinstance(amount, int | float) else None,
        rank=0 if mapping.sides[item.side].kind == "crm" else 1,
    )


def _reason(view: RecordView, directory: OwnerDirectory, stale: bool) -> tuple[str | None, str | None]:
    verdict = view.mapping.verdict
    if verdict is None:
        return None, None
    reason: str | None = None
    if verdict.reason is not None and not (stale and verdict.reason.native not in view.changed):
        try:
            value = verdict.reason.read(view.fields.get(verdict.reason.native), directory)
        except Unreadable:
            value = None
        asked = isinstance(value, str) and plain(value) == REASON_NEEDED
        reason = value if isinstance(value, str) and not asked else None
    comment = view.fields.get(verdict.comment) if verdict.comment else None
    if stale and verdict.comment not in view.changed:
        comment = None
    return reason, comment if isinstance(comment, str) else None


def _writer(item: Observation, directory: OwnerDirectory) -> str | None:
    """Who changed the record last, as an e-mail address where the directory knows the user."""
    if item.modified_by is None:
        return None
    return directory.email_of(item.side, item.modified_by) or item.modified_by


def _shows_verdict(view: RecordView) -> bool:
    verdict = view.mapping.verdict
    return verdict is not None and any(view.fields.get(name) is not None for name in verdict.natives)


def says_accepted(view: RecordView) -> bool:
    """Whether the record's verdict field says that sales has accepted the lead."""
    verdict = view.mapping.verdict
    try:
        return verdict is not None and verdict.read(view.fields.get(verdict.field)) == "accepted"
    except Unreadable:
        return False


def _taken_back(views: Sequence[RecordView], mapping: LeadMapping) -> bool:
    """True when no CRM record says "rejected" any more: neither its stage field nor its verdict field."""
    for view in views:
        if mapping.sides[view.side].kind != "crm":
            continue
        for stage_field in view.mapping.stage_fields:
            meant = stage_field.values.get(str(view.fields.get(stage_field.native)))
            if meant is not None and meant.means == "rejected":
                return False
        verdict = view.mapping.verdict
        standing = view.fields.get(verdict.field) if verdict is not None else None
        if verdict is not None and standing is not None and verdict.values.get(str(standing)) == "rejected":
            return False
    return True
