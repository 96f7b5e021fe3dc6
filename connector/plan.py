"""Plan: everything that one reconcile decided about one lead. Frozen, plain data that prints and diffs.

Nothing here does anything. The committer stores a plan, delivery sends its writes, `leadloop plan` prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.lane import Lane
from connector.lead import Baseline, LeadState
from connector.observation import Raw, RecordKey
from connector.score_move import ScoreMove
from mappings.values import Value
from rules.pools import PoolState

RecordRole = Literal["primary", "secondary", "past", "outside", "opportunity", "opportunity_contact"]
DeadlineWhat = Literal["started", "reminded", "met", "breached", "ended"]
LeadCause = Literal["rules", "marketing", "sales", "clock", "fact", "imported", "created"]


@dataclass(frozen=True, slots=True)
class StageMove:
    """One row for the ledger: from, to, the stages passed over, when in the world, and who or what did it.
    `rules` are the rules that fired, with points, as `rules` reports them; `warnings` what the rules say
    against the move without blocking it."""

    origin: str | None
    target: str
    cycle: int
    happened_ms: int
    cause: LeadCause
    actor: str | None = None
    skipped: tuple[str, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    reason: str | None = None
    outcome: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One record to create or update. `expected` are the values it replaces: the write is void when a newer
    observation differs. `then` is a second step, sent only after this one is confirmed (HubSpot's lifecycle
    stage must be cleared before it is set to an earlier one). `group` are the native fields of the
    hand-off (stage, owner, status, deadline, reason), which are sent and refused together."""

    side: str
    object: str
    record_id: str | None
    lane: Lane
    fields: Mapping[str, Raw]
    expected: Mapping[str, Raw] = field(default_factory=dict)
    then: Mapping[str, Raw] = field(default_factory=dict)
    group: tuple[str, ...] = ()

    @property
    def confirms(self) -> bool:
        """True when nothing is sent: the record is only read, since our last write has left no trace."""
        return not self.fields and self.record_id is not None

    @property
    def op(self) -> Literal["create", "update"]:
        return "create" if self.record_id is None else "update"


@dataclass(frozen=True, slots=True)
class WantedHold:
    """Something a person must look at. `subject` makes it unique within its kind, for example the side and
    the field; `remedy` says what to do."""

    kind: str
    subject: str
    message: str
    remedy: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeadlineChange:
    """Something that happened to a deadline of the lead: it started, its owner was reminded, it was met or
    breached, or it ended without either because the lead went elsewhere."""

    deadline: str
    cycle: int
    stage: str
    what: DeadlineWhat
    at_ms: int
    due_ms: int
    owner: str | None


@dataclass(frozen=True, slots=True)
class NewActivity:
    """An activity derived from what a record showed. `key` makes it count once for its lead."""

    key: str
    kind: str
    at_ms: int
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to store and send for one lead. An empty plan (`is_empty`) changes nothing on any platform and
    moves no stage; its `state` and `baselines` may still record what was seen. `pool_states` has every
    routing pool that was asked for an owner, by key, as it is after the pick. `undated` are native fields
    that were changed on several sides, of which nobody could say which change came last: their history
    might."""

    lead_id: str
    state: LeadState
    moves: tuple[StageMove, ...] = ()
    writes: tuple[PlannedWrite, ...] = ()
    holds: tuple[WantedHold, ...] = ()
    activities: tuple[NewActivity, ...] = ()
    baselines: Mapping[RecordKey, Baseline] = field(default_factory=dict)
    roles: Mapping[RecordKey, RecordRole] = field(default_factory=dict)
    pool_states: Mapping[str, PoolState] = field(default_factory=dict)
    brake_kinds: tuple[str, ...] = ()
    score_move: ScoreMove | None = None
    deadline_changes: tuple[DeadlineChange, ...] = ()
    due_at_ms: int | None = None
    undated: tuple[tuple[RecordKey, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.moves and all(write.confirms for write in self.writes)
