"""Lead check: whether each lead has its record on a side that shows what was agreed; and if not, why.

Why is told by what is known: what waits, what was refused, what a person must decide. What nobody knows is
asked of `decide`, as settling does: a difference about which something would be done was forgotten by
somebody. Its record is read again, and the lead looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from connector.agreement import Difference, differences, shows
from connector.gather import gather
from connector.installation import Installation
from connector.intake.findings import Named, about
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.lead import Baseline, LeadState
from connector.lead_input import LeadInput, lead_facts
from connector.observation import Observation, RecordKey
from connector.plan import Plan
from connector.primaries import choose_primaries
from connector.refusals import NEW_RECORD, WHOLE_RECORD
from connector.settle import decide
from connector.store import brakes, outbox
from connector.store import leads as lead_store
from connector.store.baselines import baselines_of, put_baselines
from connector.taking_part import closed_sides, outside
from mappings.merge import same
from mappings.object_mapping import ObjectMapping

_AGAIN = ("unplanned", "unexplained")
"""Causes for which the record is read again."""


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of a lead; whether something is under way for it anyway; and the sides that are
    `closed`, since none of its records there takes part."""

    lead: lead_store.Lead
    given: LeadInput
    primaries: Mapping[str, Observation]
    several: frozenset[str]
    under_way: bool
    closed: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Odd:
    """What is wrong with a lead on this side; `key` None: it lacks a record there."""

    known: _Known
    key: RecordKey | None
    cause: str
    differing: tuple[Difference, ...] = ()

    def named(self, cause: str, *, repaired: bool = False) -> Named:
        natives = [each.native for each in self.differing]
        return about(cause, lead_id=self.known.lead.id, record=self.key, fields=natives, repaired=repaired)


class LeadCheck:
    """The leads as one side shows them. `repair`: whether what is wrong is put right."""

    def __init__(self, installation: Installation, side: str, *, repair: bool) -> None:
        self._installation = installation
        self._side = side
        self._repair = repair
        self._mapping = installation.policy.mapping
        self._directory = installation.policy.directory

    def check(self, lead_ids: Sequence[str]) -> list[Named]:
        """Check these leads. Raises RetryLater, Refused when a read does not come."""
        odd = self._look(lead_ids)
        suspects = [each for each in odd if each.cause in _AGAIN]
        found = [each.named(each.cause) for each in odd if each.cause not in _AGAIN]
        if not suspects:
            return found
        if not self._repair:
            return found + [each.named(each.cause) for each in suspects]
        self._read_again([each.known for each in suspects])
        later = {(each.known.lead.id, each.cause): each for each in odd if each.cause in _AGAIN}
        again = self._look([each.known.lead.id for each in suspects], asked=True)
        still = {each.known.lead.id: each for each in again if each.cause in _AGAIN}
        for each in later.values():
            now = still.get(each.known.lead.id)
            if now is None:  # the platform says what was agreed: the database did not
                found.append(each.named("altered", repaired=True))
            elif now.cause == "unexplained":
                found.append(now.named("unexplained"))
            elif self._learn_again(now):
                found.append(now.named("altered", repaired=True))
            else:
                found.append(now.named("unplanned", repaired=True))
        with self._installation.database.begin() as conn:
            ids = {each.known.lead.id for each in suspects}
            lead_store.mark_dirty(conn, ids, self._installation.clock.now_ms())
        return found

    # looking --------------------------------------------------------------------------------------------

    def _look(self, lead_ids: Sequence[str], *, asked: bool = False) -> list[_Odd]:
        """What is odd about these leads. `asked`: that a lead is to be decided again does not excuse it."""
        with self._installation.database.read() as conn:
            known = self._gather(conn, lead_ids, asked=asked)
        odd: list[_Odd] = []
        for each in known:
            record = each.primaries.get(self._side)
            if record is None:
                cause = self._why_missing(each)
                if cause is not None:
                    odd.append(_Odd(each, None, cause))
                continue
            target = self._target(record)
            found = differences(
                each.given.state, record.fields, target, self._mapping.fields, self._directory
            )
            if found:
                odd.extend(self._why_different(each, record, target, found))
        return odd

    def _gather(self, conn: Connection, lead_ids: Sequence[str], *, asked: bool) -> list[_Known]:
        now_ms = self._installation.clock.now_ms()
        leads = lead_store.read_leads(conn, lead_ids)
        inputs = gather(conn, leads, self._mapping)
        rows = outbox.of_leads(conn, [lead.id for lead in leads])
        stopped = frozenset(
            kind
            for kind, brake in brakes.brakes_of(conn, self._installation.configuration).items()
            if brake.released_ms is None
        )
        found: list[_Known] = []
        for lead in leads:
            given = replace(inputs[lead.id], braked=stopped)
            filters = self._installation.policy.filters
            apart = outside(given.observations, filters, self._mapping, self._directory)
            chosen, _, holds = choose_primaries(given.observations, self._mapping, apart)
            due = lead.due_at_ms is not None and lead.due_at_ms <= now_ms
            dirty = lead.dirty_since_ms is not None and not asked
            found.append(
                _Known(
                    lead,
                    given,
                    {record.side: record for record in chosen},
                    frozenset(hold.subject for hold in holds),
                    dirty or due or bool(rows[lead.id]),
                    closed_sides(apart, given.observations, self._mapping),
                )
            )
        return found

    def _target(self, record: Observation) -> ObjectMapping:
        return self._mapping.sides[record.side].objects[record.object]

    def _decide(self, known: _Known) -> Plan:
        return decide(self._installation, known.given, self._installation.clock.now_ms())

    # why ------------------------------------------------------------------------------------------------

    def _why_missing(self, known: _Known) -> str | None:
        """Why a lead has no record on the side."""
        given, state = known.given, known.given.state
        target = self._mapping.sides[self._side].object_for_create
        braked = "creates" in given.braked
        if self._side in known.closed or (known.closed and not known.primaries):
            return "filtered"  # nothing of the lead takes part there, or anywhere: then it stands still
        if known.under_way or self._side in given.linked_sides:
            return "pending"
        if self._side in known.several or self._side in given.sides_in_doubt:
            return "held"
        if self._side in state.cut_sides:
            return "deleted"
        if target is None or target.create is None:
            return "filtered"
        if state.resting:
            return "resting"
        condition = self._installation.policy.create_when.get(self._side)
        sides = given.linked_sides | frozenset(known.primaries)
        facts = lead_facts(state, given.activities, sides)
        if condition is None or condition(facts, self._installation.clock.now_ms()) is not True:
            return "filtered"
        if given.refusals.get(RecordKey(self._side, target.object, NEW_RECORD + known.lead.id)):
            return "quarantined"
        return "held" if braked else "unplanned"

    def _why_different(
        self, known: _Known, record: Observation, target: ObjectMapping, found: Sequence[Difference]
    ) -> list[_Odd]:
        """The differences of a record, by cause."""
        if known.under_way:
            return [_Odd(known, record.key, "pending", tuple(found))]
        plan = self._decide(known)
        by_cause: dict[str, list[Difference]] = {}
        for each in found:
            by_cause.setdefault(self._why(known, record, target, plan, each), []).append(each)
        return [_Odd(known, record.key, cause, tuple(some)) for cause, some in by_cause.items()]

    def _why(
        self,
        known: _Known,
        record: Observation,
        target: ObjectMapping,
        plan: Plan,
        different: Difference,
    ) -> str:
        native, name, where = different.native, different.name, f"{self._side}.{different.name}"
        state, key = plan.state, record.key
        refusals = known.given.refusals.get(key, {})
        baseline = known.given.baselines.get(key, Baseline())
        planned = any(
            native in write.fields or native in write.then
            for write in plan.writes
            if write.record_id == key.record_id and write.side == key.side
        )
        moved = different.kind == "field" and not same(
            state.values.get(name), known.given.state.values.get(name)
        )
        pair = next((pair for pair in (*target.pairs, *target.outputs) if pair.native == native), None)
        rule = self._mapping.fields.get(name)
        reasons = {
            "held": key in known.given.foreign_ids,
            "unplanned": planned or moved or bool(plan.moves),
            "pending": native in baseline.awaiting,
            "quarantined": native in refusals or WHOLE_RECORD in refusals,
        }
        for cause, applies in reasons.items():
            if applies:
                return cause
        if name in state.held or f"{self._side}.{native}" in state.held_stages:
            return "held"
        if different.kind == "stage" and state.awaited_reason is not None:
            return "held"
        left_alone = state.differences.get(name, {})
        if self._side in left_alone:
            erased = different.shown is None and rule is not None and rule.blank != "erase"
            return "blank" if erased else "first_contact"
        if where in state.unreadable or name in state.left_alone:
            return "unreadable"
        if where in state.unspelled:
            return "unspelled"
        if native in baseline.spelled:
            return "own_spelling"
        if any(native in hold.subject or native in hold.message for hold in plan.holds):
            return "held"
        if pair is not None and different.kind == "field" and not pair.writes:
            return "read_only"
        if rule is not None and different.kind == "field":
            if different.agreed is None and rule.blank != "erase":
                return "blank"
            if rule.policy == "opt_out" and different.agreed is not True:
                return "blank"
        if left_alone:  # because of what another side shows
            return "blank" if set(left_alone.values()) == {None} else "first_contact"
        return "unexplained"

    # putting right --------------------------------------------------------------------------------------

    def _read_again(self, leads: Sequence[_Known]) -> None:
        """See what the leads' records show, on every side: it may not be what the store says they showed."""
        installation = self._installation
        wanted: dict[tuple[str, str], dict[str, None]] = {}
        for known in leads:
            for record in known.primaries.values():
                wanted.setdefault((record.side, record.object), {})[record.record_id] = None
        for (side, name), ids in sorted(wanted.items()):
            natives = installation.feeds[side].objects.get(name)
            if natives is None:
                continue  # its platform has no such object any more
            asked_ms = installation.clock.now_ms()
            reading = installation.platforms[side].read(name, list(ids), natives, Lane.BACKFILL)
            with installation.database.begin() as conn:
                take_in(conn, installation, reading.found, asked_ms)

    def _learn_again(self, odd: _Odd) -> bool:
        """Forget agreed values that no side shows and nobody sends, so that the lead learns them from its
        records as at a first contact. False when there are none: then leadloop's word stands, or that of who
        has changed a record since, which the next pass hears."""
        names = {
            each.name
            for each in odd.differing
            if each.kind == "field"
            and not self._is_shown(odd.known, each.name)
            and not self._has_changed(odd.known, each.name)
        }
        if not names:
            return False
        now_ms = self._installation.clock.now_ms()
        natives = {
            record.key: {pair.native for pair in self._target(record).pairs if pair.canonical in names}
            for record in odd.known.primaries.values()
        }
        with self._installation.database.begin() as conn:
            lead_store.mark_dirty(conn, [odd.known.lead.id], now_ms)  # and locks it
            for lead in lead_store.read_leads(conn, [odd.known.lead.id]):
                state = _without(LeadState.from_json(lead.state), names)
                lead_store.put_state(conn, lead.id, lead.stage, lead.cycle, state.to_json())
            kept = []
            for key, blob in baselines_of(conn, [odd.known.lead.id]).items():
                if key in natives:
                    baseline = Baseline.from_json(blob)
                    others = baseline.shown.keys() - natives[key]
                    learnt = replace(baseline.only(others), made=False)
                    kept.append((key, odd.known.lead.id, learnt.to_json()))
            put_baselines(conn, kept)
        return True

    def _has_changed(self, known: _Known, name: str) -> bool:
        """Whether some record of the lead shows something else in this field than when the lead was last
        decided."""
        for record in known.primaries.values():
            pair = self._target(record).pair(name)
            baseline = known.given.baselines.get(record.key, Baseline())
            if (
                pair is not None
                and pair.native in record.fields
                and pair.native in baseline.shown
                and pair.native not in baseline.awaiting
                and record.fields[pair.native] != baseline.shown[pair.native]
            ):
                return True
        return False

    def _is_shown(self, known: _Known, name: str) -> bool:
        """Whether some record of the lead shows what was agreed."""
        state = known.given.state
        country = state.values.get("country")
        for record in known.primaries.values():
            pair = self._target(record).pair(name)
            if (
                pair is not None
                and pair.native in record.fields
                and shows(
                    pair,
                    record.fields[pair.native],
                    state.values.get(name),
                    self._directory,
                    country if isinstance(country, str) else None,
                )
            ):
                return True
        return False


def _without(state: LeadState, names: set[str]) -> LeadState:
    """The state as if nothing had ever been agreed about these fields."""
    return replace(
        state,
        values={name: value for name, value in state.values.items() if name not in names},
        differences={name: value for name, value in state.differences.items() if name not in names},
        held={name: told for name, told in state.held.items() if name not in names},
        left_alone=tuple(name for name in state.left_alone if name not in names),
    )
