"""Desired values: what each primary record must show, and the writes that bring it there.

Level-triggered: the desired value of every field follows from the lead as it is now, and a write is planned
only where the record shows something that means otherwise, unless that is the record's own spelling of what
was sent, a refusal that stands, or an oscillation. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.brake import brake_hold
from connector.claims import REASON_NEEDED
from connector.handing_over import owner_unknown
from connector.lane import Lane
from connector.lead import LeadState
from connector.observation import Raw, RecordKey
from connector.outputs import DEADLINE_OUTPUTS, handoff_natives, output_values
from connector.plan import PlannedWrite, WantedHold
from connector.record_view import RecordView
from connector.refusals import (
    NEW_RECORD,
    WHOLE_RECORD,
    Refusal,
    is_refused,
    refusal_holds,
    refused_create_holds,
)
from connector.stuck import Stuck, not_taken, oscillation
from mappings.mapping import Mapping as LeadMapping
from mappings.merge import same
from mappings.object_mapping import ObjectMapping, Pair, Verdict
from mappings.stage_fields import StageField
from mappings.stages import Stage, is_person
from mappings.values import NoSpelling, OwnerDirectory, Unreadable, Value


@dataclass(slots=True)
class Desired:
    """Collects the writes and holds of one lead. `again_at_ms` are the moments at which what is held back for
    a day may be tried again."""

    state: LeadState
    mapping: LeadMapping
    directory: OwnerDirectory
    now_ms: int
    lane: Lane
    refusals: Mapping[RecordKey, Mapping[str, Refusal]]
    braked: frozenset[str] = frozenset()
    writes: list[PlannedWrite] = field(default_factory=list)
    holds: list[WantedHold] = field(default_factory=list)
    unspelled: dict[str, str] = field(default_factory=dict)
    blanked: int = 0
    owners_changed: int = 0
    again_at_ms: list[int] = field(default_factory=list)

    def update(self, view: RecordView) -> None:
        """Plan the write that brings one existing record to what it must show."""
        self._check_owner(view.mapping)
        fields: dict[str, Raw] = {}
        then: dict[str, Raw] = {}
        barred: list[Pair] = []
        for pair, value in self._wanted_pairs(view.mapping):
            if pair.native not in view.fields:
                continue
            wanted = self._spell(view.mapping, pair, value)
            if isinstance(wanted, _NotSpelled):
                barred.append(pair)
                continue
            if self._refused(view, pair.native, wanted):
                barred.append(pair)
            if self._shows(view, pair, wanted, value):
                continue
            if wanted is None:
                if "blanks" in self.braked:
                    self.holds.append(brake_hold("blanks", f"blanking {pair.native} on {view.side}"))
                    continue
                self.blanked += 1
            elif pair.canonical == "owner" and self._changes_owner(view, pair, value):
                if "owner_changes" in self.braked:
                    self.holds.append(brake_hold("owner_changes", f"a change of owner on {view.side}"))
                    continue
                self.owners_changed += 1
            fields[pair.native] = wanted
        self._keep_groups_whole(view.mapping, fields, barred)
        for pair, value in self._wanted_outputs(view.mapping):
            if pair.native not in view.fields:
                continue
            wanted = self._spell(view.mapping, pair, value)
            if isinstance(wanted, _NotSpelled) or self._shows(view, pair, wanted, value):
                continue
            if self._resists(view, pair.native, (wanted,)):
                continue
            fields[pair.native] = wanted
        fields.update(self._verdict_step(view))
        for stage_field in view.mapping.stage_fields:
            first, second = self._stage_step(view, stage_field)
            fields.update(first)
            then.update(second)
        fields = self._without_stuck(view, fields, then)
        refusals = self.refusals.get(view.key, {})
        self.holds.extend(refusal_holds(view.key, refusals, view.mapping))
        if not fields or is_refused(refusals, WHOLE_RECORD, fields):
            return
        handoff = handoff_natives(view.mapping)
        self.writes.append(
            PlannedWrite(
                side=view.side,
                object=view.mapping.object,
                record_id=view.observation.record_id,
                lane=self.lane,
                fields=fields,
                expected={native: view.fields[native] for native in fields},
                then=then,
                group=tuple(native for native in fields if native in handoff),
            )
        )

    def confirm(self, view: RecordView) -> None:
        """Plan a read of a record that has not shown up since we wrote to it: a platform that silently
        refused everything has moved no stamp, and no poll would ever tell."""
        if any(write.record_id == view.observation.record_id for write in self.writes):
            return
        self.writes.append(
            PlannedWrite(
                side=view.side,
                object=view.mapping.object,
                record_id=view.observation.record_id,
                lane=self.lane,
                fields={},
            )
        )

    def create(self, target: ObjectMapping, defaults: Mapping[str, Value]) -> None:
        """Plan a record on a side that has none."""
        self._check_owner(target)
        fields: dict[str, Raw] = {}
        for pair in target.pairs:
            value = self.state.values.get(pair.canonical)
            if value is None:
                value = defaults.get(pair.canonical)
            if value is None or not pair.writes:
                continue
            if value is False and self.mapping.fields[pair.canonical].policy == "opt_out":
                continue
            wanted = self._spell(target, pair, value)
            if not isinstance(wanted, _NotSpelled) and wanted is not None:
                fields[pair.native] = wanted
        for pair, value in self._wanted_outputs(target):
            if value is not None:
                wanted = self._spell(target, pair, value)
                if not isinstance(wanted, _NotSpelled) and wanted is not None:
                    fields[pair.native] = wanted
        for stage_field in target.stage_fields:
            spelled = stage_field.spelling(self.state.stage, self.state.outcome)
            if spelled is not None:
                fields[stage_field.native] = spelled
        key = _new_record(target, self.state.lead_id)
        refusals = self._refusals_of_create(target)
        self.holds.extend(refusal_holds(key, refusals, target))
        fields = {native: raw for native, raw in fields.items() if not is_refused(refusals, native, raw)}
        if is_refused(refusals, WHOLE_RECORD, fields):
            return
        self.writes.append(
            PlannedWrite(
                side=target.side, object=target.object, record_id=None, lane=self.lane, fields=fields
            )
        )

    def taken(self, target: ObjectMapping) -> Mapping[str, Value]:
        """The lead's values without those that the side has refused of a new record: whether one is wanted
        without them is asked again. An address that was deleted there for privacy must not come back as a
        record without an address."""
        refusals = self._refusals_of_create(target)
        if not refusals:
            return self.state.values
        refused = {
            pair.canonical
            for pair in target.pairs
            if pair.writes
            and (value := self.state.values.get(pair.canonical)) is not None
            and not isinstance(wanted := self._spell(target, pair, value), _NotSpelled)
            and is_refused(refusals, pair.native, wanted)
        }
        return {name: value for name, value in self.state.values.items() if name not in refused}

    def refuse_create(self, target: ObjectMapping) -> None:
        """No record is made of what the side takes of the lead: a person is told."""
        key = _new_record(target, self.state.lead_id)
        self.holds.extend(refused_create_holds(key, self._refusals_of_create(target)))

    def _refusals_of_create(self, target: ObjectMapping) -> Mapping[str, Refusal]:
        return self.refusals.get(_new_record(target, self.state.lead_id), {})

    def _changes_owner(self, view: RecordView, pair: Pair, value: Value) -> bool:
        """Whether somebody loses a record to somebody else, other than by the hand-off."""
        return view.fields[pair.native] is not None and value != self.state.owner

    def _keep_groups_whole(
        self, target: ObjectMapping, fields: dict[str, Raw], barred: Sequence[Pair]
    ) -> None:
        """Take out the fields of a group of which one cannot be written: half an old and half a new address
        helps nobody. (A new record has nothing old: it gets what it can.)"""
        for stopped in barred:
            group = self.mapping.fields[stopped.canonical].group
            if group is None:
                continue
            for pair in target.pairs:
                if pair.native in fields and self.mapping.fields[pair.canonical].group == group:
                    del fields[pair.native]
                    self.unspelled[f"{target.side}.{pair.canonical}"] = (
                        f"it waits for {stopped.canonical}, which {target.side} does not take: "
                        f"the fields of the group {group} are written together"
                    )

    # the values -----------------------------------------------------------------------------------------

    def _wanted_pairs(self, target: ObjectMapping) -> list[tuple[Pair, Value]]:
        values = self.state.values
        left_alone = {*self.state.differences, *self.state.left_alone}
        wanted: list[tuple[Pair, Value]] = []
        for pair in target.pairs:
            name = pair.canonical
            if not pair.writes or name not in values or name in left_alone:
                continue
            value, rule = values[name], self.mapping.fields[name]
            if value is None and rule.blank != "erase":
                continue
            if rule.policy == "opt_out" and value is not True:
                continue  # nobody is opted in, not even where the record says nothing
            wanted.append((pair, value))
        return wanted

    def _wanted_outputs(self, target: ObjectMapping) -> list[tuple[Pair, Value]]:
        outputs = output_values(self.state)
        return [(pair, outputs[pair.canonical]) for pair in target.outputs if pair.canonical in outputs]

    def _verdict_step(self, view: RecordView) -> dict[str, Raw]:
        """What leadloop itself puts into the verdict fields, which belong to sales: the question for a
        reason, blanks once a rejected lead is handed over again, and where a verdict was no legal move."""
        verdict = view.mapping.verdict
        if verdict is None or self.mapping.sides[view.side].kind != "crm":
            return {}
        reason = verdict.reason.native if verdict.reason is not None else None
        waiting = self.state.awaited_reason
        wanted: dict[str, Raw] = {}
        if waiting is not None and waiting.asked and reason is not None:
            wanted[reason] = REASON_NEEDED
        elif reason is not None and view.fields.get(reason) == REASON_NEEDED:
            wanted[reason] = None  # the question is answered, or no question any more
        wanted.update(self._said_elsewhere(view, verdict))
        if self.state.verdict_to_clear:
            wanted = dict.fromkeys(verdict.natives)
        elif self.state.verdict_to_revert:
            wanted[verdict.field] = None
        return {
            native: raw
            for native, raw in wanted.items()
            if native in view.fields
            and view.fields[native] != raw
            and not self._refused(view, native, raw)
            and view.baseline.spelled.get(native) != (raw, view.fields[native])
        }

    def _said_elsewhere(self, view: RecordView, verdict: Verdict) -> dict[str, Raw]:
        """The reason of a rejection that sales gave on another side, where the CRM's record says nothing."""
        last = self.state.rejections[-1] if self.state.rejections else None
        given_back = self.state.stage in (Stage.NURTURE, Stage.DISQUALIFIED)
        if last is None or last.side is None or not given_back or self.state.awaited_reason is not None:
            return {}
        found: dict[str, Raw] = {}
        if verdict.reason is not None and view.fields.get(verdict.reason.native) in (None, REASON_NEEDED):
            spelled = self._spell(view.mapping, verdict.reason, last.reason)
            if not isinstance(spelled, _NotSpelled):
                found[verdict.reason.native] = spelled
        if verdict.comment is not None and view.fields.get(verdict.comment) is None and last.comment:
            found[verdict.comment] = last.comment
        return found

    def _spell(self, target: ObjectMapping, pair: Pair, value: Value) -> Raw | _NotSpelled:
        if value is None:
            return None
        try:
            return pair.write(value, self.directory, self._country())
        except NoSpelling as error:
            self.unspelled[f"{target.side}.{pair.canonical}"] = str(error)
            return _NOT_SPELLED

    def _check_owner(self, target: ObjectMapping) -> None:
        """Hold a lead whose owner a platform does not know. A queue has no spelling in marketing automation:
        that is no fault."""
        owner = self.state.current_owner
        pair = target.pair("owner")
        if owner is None or pair is None or not pair.writes:
            return
        crm = self.mapping.sides[target.side].kind == "crm"
        if (crm or is_person(owner)) and self.directory.native_of(target.side, owner) is None:
            self.holds.append(owner_unknown(owner, target.side))

    def _shows(self, view: RecordView, pair: Pair, wanted: Raw, value: Value) -> bool:
        """True when the record already shows this value, in its own spelling or in one that means the same,
        or has refused it."""
        shown = view.fields[pair.native]
        if pair.canonical == "lead_id" and shown in self.state.aliases:
            return True  # the id of a lead that became part of this one; another record may hold the new one
        if shown == wanted or view.baseline.spelled.get(pair.native) == (wanted, shown):
            return True
        if self._refused(view, pair.native, wanted):
            return True
        try:
            return same(pair.read(shown, self.directory, self._country()), value)
        except Unreadable:
            return False

    def _refused(self, view: RecordView, native: str, wanted: Raw) -> bool:
        """True when the platform refused this very value for this field of this record."""
        # asked for every field of every record, and there is hardly ever anything to look through
        return bool(self.refusals) and is_refused(self.refusals.get(view.key, {}), native, wanted)

    def _country(self) -> str | None:
        """Where phone numbers and states are read and written."""
        country = self.state.values.get("country")
        return country if isinstance(country, str) else None

    # the native stage fields ----------------------------------------------------------------------------

    def _stage_step(self, view: RecordView, stage_field: StageField) -> tuple[dict[str, Raw], dict[str, Raw]]:
        """What to send for a native stage field that is incompatible with the stage: at once, and second."""
        native = stage_field.native
        if native not in view.fields:
            return {}, {}
        if f"{view.side}.{native}" in self.state.held_stages:
            return {}, {}
        if self.state.awaited_reason is not None and self.mapping.sides[view.side].kind == "crm":
            return {}, {}  # sales has said no; what it set stands while it is asked why
        shown = view.fields[native]
        standing = None if shown is None else str(shown)
        if stage_field.compatible(standing, self.state.stage):
            return {}, {}
        wanted = stage_field.spelling(self.state.stage, self.state.outcome)
        if wanted is None or wanted == shown:
            return {}, {}
        if not stage_field.may_leave(standing) and not _forward(stage_field, standing, wanted):
            return {}, {}
        clear_first = stage_field.needs_clear(standing, wanted)
        steps = (None, wanted) if clear_first else (wanted,)
        if any(self._refused(view, native, raw) for raw in steps) or self._resists(view, native, steps):
            return {}, {}
        if clear_first:
            return {native: None}, {native: wanted}
        return {native: wanted}, {}

    def _resists(self, view: RecordView, native: str, steps: Sequence[Raw]) -> bool:
        return self._held_back(not_taken(view, native, steps, self.now_ms))

    def _without_stuck(
        self, view: RecordView, fields: dict[str, Raw], then: dict[str, Raw]
    ) -> dict[str, Raw]:
        """Leave out fields that leadloop and somebody else keep setting to and fro. A deadline that runs, is
        due soon, and runs anew for the next owner ends by itself."""
        kept: dict[str, Raw] = {}
        ticking = {pair.native for pair in view.mapping.outputs if pair.canonical in DEADLINE_OUTPUTS}
        for native, wanted in fields.items():
            sends = view.baseline.history.get(native)
            if native in ticking and sends and view.fields[native] == sends[-1][1]:
                kept[native] = wanted
            elif self._held_back(oscillation(view, native, then.get(native, wanted), self.now_ms)):
                then.pop(native, None)
            else:
                kept[native] = wanted
        return kept

    def _held_back(self, stuck: Stuck | None) -> bool:
        if stuck is None:
            return False
        self.again_at_ms.append(stuck.again_at_ms)
        self.holds.append(stuck.hold)
        return True


def _new_record(target: ObjectMapping, lead_id: str) -> RecordKey:
    """Under what is remembered that a side refused to make a lead's record."""
    return RecordKey(target.side, target.object, NEW_RECORD + lead_id)


def _forward(stage_field: StageField, standing: str | None, wanted: str) -> bool:
    """True where both values are known and the wanted one is further along, as `customer` after
    `opportunity`: a value that leadloop never takes back may still be followed by the next one."""
    here, there = stage_field.rank(standing), stage_field.rank(wanted)
    return here is not None and there is not None and there > here


class _NotSpelled:
    """Marks a value that has no spelling on a side; None is a real value here (blank)."""


_NOT_SPELLED = _NotSpelled()


def writes_every(views: Sequence[RecordView], writes: Sequence[PlannedWrite]) -> bool:
    """True when every existing primary record is written anyway, so that one more field costs no call."""
    written = {(write.side, write.object, write.record_id) for write in writes}
    return bool(views) and all(
        (view.side, view.mapping.object, view.observation.record_id) in written for view in views
    )
