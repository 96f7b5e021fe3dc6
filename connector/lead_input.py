"""What is known of one lead, and what decides about it: all that reconciling it is given.

Plain data, and what the rules are told of it. Nothing here reads, decides or writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.accounts import AccountMatch, AccountName
from connector.lead import Baseline, LeadState
from connector.observation import Observation, PastValue, RecordKey
from connector.refusals import Refusal
from connector.taking_part import Filters
from mappings.mapping import Mapping as LeadMapping
from mappings.values import OwnerDirectory
from rules.evaluate import Rules
from rules.expressions import Condition
from rules.facts import Activity, LeadFacts, Rejection
from rules.pools import PoolState


@dataclass(frozen=True, slots=True)
class LeadInput:
    """All that is known of one lead.

    `linked_sides` have a record of it, perhaps one that was created a moment ago and not read yet.
    `refusals` are the values that a platform refused, by record and native field; `turns` the states of the
    routing pools, by key; `braked` the kinds of change that the brake has stopped. `sides_in_doubt` have a
    record that may be this lead's or another's; `foreign_ids` are lead ids that are not known here, by the
    record that carries one. `activity_records` may be activities that are not among the `counted` keys yet.
    `looked_ms` tells, by side and object, up to when everything there has been seen. `accounts` are those
    that it could belong to, by what they are known by. `histories` are what the platforms have told of native
    fields that were changed on several sides; nothing where they were asked and do not know."""

    state: LeadState
    observations: Sequence[Observation]
    baselines: Mapping[RecordKey, Baseline]
    linked_sides: frozenset[str] = frozenset()
    activities: Sequence[Activity] = ()
    refusals: Mapping[RecordKey, Mapping[str, Refusal]] = field(default_factory=dict)
    turns: Mapping[str, PoolState] = field(default_factory=dict)
    braked: frozenset[str] = frozenset()
    sides_in_doubt: frozenset[str] = frozenset()
    foreign_ids: Mapping[RecordKey, str] = field(default_factory=dict)
    activity_records: Sequence[Observation] = ()
    counted: frozenset[str] = frozenset()
    looked_ms: Mapping[tuple[str, str], int] = field(default_factory=dict)
    accounts: Mapping[AccountName, Sequence[Observation]] = field(default_factory=dict)
    histories: Mapping[tuple[RecordKey, str], Sequence[PastValue]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides: the mapping, the rules, when a lead is created on which side, since when leadloop is
    live here, the owners, and the user ids that our own writes carry, by side. `readable` are the native
    fields that each (side, object) is read with since `readable_since_ms`."""

    mapping: LeadMapping
    rules: Rules
    create_when: Mapping[str, Condition]
    directory: OwnerDirectory
    live_since_ms: int = 0
    own_users: Mapping[str, str] = field(default_factory=dict)
    filters: Filters = field(default_factory=dict)
    readable: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    readable_since_ms: int = 0

    def lacks_fields(self, item: Observation) -> bool:
        """Whether a record was last read before some field was mapped, or could be seen, as it is now."""
        if item.read_started_ms >= self.readable_since_ms:
            return False
        return not self.readable.get((item.side, item.object), frozenset()) <= item.fields.keys()


def lead_facts(
    state: LeadState,
    activities: Sequence[Activity],
    sides: frozenset[str],
    account: AccountMatch | None = None,
) -> LeadFacts:
    """What the rules are told about the lead; `sides` have a record of it, `account` matches it."""
    deal = state.deal
    return LeadFacts(
        values=state.values if account is None else account.among(state.values),
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
        gates_passed=frozenset(state.gates_passed or ()),
        cycle_since_ms=state.cycle_since_ms,
        outcome=None if deal is None else deal.outcome,
        closed_reason=None if deal is None else deal.reason,
        deal_amount=None if deal is None else deal.amount,
        published_score=state.published.score if state.published.at_ms else None,
    )
