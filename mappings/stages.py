"""Stages: the nine canonical stages, `disqualified` beside them, and the graph of their legal moves.

The graph is a table of data (`EDGES`); `check_move` only looks moves up in it. Pure: what a move is caused
by, its gate, owner, reason and outcome come in as arguments. The first stage of a lead that existed before
leadloop (a ledger entry `imported`) is not a move and does not go through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Cause = Literal["rules", "marketing", "sales", "clock", "fact"]
Outcome = Literal["won", "lost"]
Need = Literal["gate", "owner", "person", "reason", "outcome"]

QUEUE_PREFIX: Final = "queue:"
"""An owner that starts with this is a queue, not a person."""


class Stage(StrEnum):
    """Where a lead stands. The values are the names used everywhere: YAML, database, metrics, reports."""

    INQUIRY = "inquiry"
    QUALIFICATION = "qualification"
    NURTURE = "nurture"
    MQL = "mql"
    DISTRIBUTED = "distributed"
    ACCEPTED = "accepted"
    QUALIFIED = "qualified"
    OPPORTUNITY = "opportunity"
    CLOSED = "closed"
    DISQUALIFIED = "disqualified"


LINE: Final[tuple[Stage, ...]] = tuple(stage for stage in Stage if stage is not Stage.DISQUALIFIED)
"""The nine stages in order."""

_POSITION: Final = {stage: position for position, stage in enumerate(LINE)}
_BEFORE_OPPORTUNITY: Final = LINE[: _POSITION[Stage.OPPORTUNITY]]


@dataclass(frozen=True, slots=True)
class Edge:
    """Moves that share a cause and its needs. `needs` are checked in their order; each needs what its name
    says: `gate` a passed gate or a named fast track, `owner` anybody (a queue too), `person` an owner who is
    a person, `reason` a reason, `outcome` won or lost, and a reason when lost."""

    origins: tuple[Stage, ...]
    targets: tuple[Stage, ...]
    causes: tuple[Cause, ...]
    needs: tuple[Need, ...] = ()
    new_cycle: bool = False
    forward_only: bool = False


_EARLY = (Stage.INQUIRY, Stage.QUALIFICATION, Stage.NURTURE)
_PURSUED = (Stage.MQL, Stage.DISTRIBUTED, Stage.ACCEPTED, Stage.QUALIFIED)

EDGES: Final[tuple[Edge, ...]] = (
    # forward along the line, up to mql: a rule needs its gate, a person's word needs nothing more
    Edge(_EARLY, (*_EARLY[1:], Stage.MQL), ("rules",), ("gate",), forward_only=True),
    Edge(_EARLY, (*_EARLY[1:], Stage.MQL), ("marketing",), forward_only=True),
    Edge((Stage.MQL,), (Stage.DISTRIBUTED,), ("rules",), ("owner",)),
    # sales works the lead; who qualifies a lead without a word has accepted it (recorded as skipped)
    Edge((Stage.DISTRIBUTED,), (Stage.ACCEPTED, Stage.QUALIFIED), ("sales",), ("person",)),
    Edge((Stage.ACCEPTED,), (Stage.QUALIFIED,), ("sales",), ("person",)),
    # sales gives it back, or lets its deadline pass
    Edge(_PURSUED, (Stage.NURTURE,), ("sales", "clock"), ("reason",), new_cycle=True),
    Edge((Stage.DISTRIBUTED,), (Stage.MQL,), ("clock",), ("reason",)),
    Edge((Stage.DISTRIBUTED, Stage.ACCEPTED), (Stage.MQL,), ("sales",), ("reason",)),
    # facts of the CRM: legal from every stage
    Edge(tuple(Stage), (Stage.QUALIFIED, Stage.OPPORTUNITY), ("fact",)),
    Edge((Stage.OPPORTUNITY,), (Stage.CLOSED,), ("fact",), ("outcome",)),
    # after the end
    Edge((Stage.CLOSED,), (Stage.NURTURE,), ("rules", "clock", "sales"), ("reason",), new_cycle=True),
    Edge(_BEFORE_OPPORTUNITY, (Stage.DISQUALIFIED,), ("rules", "sales", "marketing"), ("reason",)),
    Edge(
        (Stage.DISQUALIFIED,),
        (Stage.NURTURE,),
        ("rules", "sales", "marketing"),
        ("reason",),
        new_cycle=True,
    ),
)


def _index(edges: tuple[Edge, ...]) -> dict[tuple[Stage, Stage, Cause], Edge]:
    """Every single move of the table. Two edges for one move would be a mistake in the table."""
    found: dict[tuple[Stage, Stage, Cause], Edge] = {}
    for edge in edges:
        for origin in edge.origins:
            for target in edge.targets:
                if origin is target or (edge.forward_only and _POSITION[target] < _POSITION[origin]):
                    continue
                for cause in edge.causes:
                    if (origin, target, cause) in found:
                        raise ValueError(f"two edges for {origin} → {target} by {cause}")
                    found[origin, target, cause] = edge
    return found


_BY_MOVE: Final = _index(EDGES)


@dataclass(frozen=True, slots=True)
class Move:
    """A wish to go from one stage to another, with all that its edge may need. `gate`: its gate was passed or
    a named fast track taken. `owner`: e-mail of a person, or 'queue:<Name>'. `outcome`: of an opportunity."""

    origin: Stage
    target: Stage
    cause: Cause
    gate: bool = False
    owner: str | None = None
    reason: str | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The move is legal. `new_cycle`: a new pursuit of the lead begins. `skipped`: the stages passed over."""

    new_cycle: bool
    skipped: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Illegal:
    """The move is not legal; `message` says why and what would be, in one sentence."""

    message: str


def check_move(move: Move) -> Allowed | Illegal:
    """Whether the graph has this move, for this cause, with all it needs."""
    if move.origin is move.target:
        return Illegal(f"the lead is in {move.origin} already")
    edge = _BY_MOVE.get((move.origin, move.target, move.cause))
    if edge is None:
        targets = legal_targets(move.origin, move.cause)
        may = f"may move it to {', '.join(targets)}" if targets else "may not move it at all"
        return Illegal(
            f"{move.origin} → {move.target} is not a move for {move.cause}: "
            f"from {move.origin}, {move.cause} {may}"
        )
    for need in edge.needs:
        lacking = _lacks(need, move)
        if lacking is not None:
            return Illegal(f"{move.origin} → {move.target} by {move.cause} needs {lacking}")
    return Allowed(edge.new_cycle, stages_between(move.origin, move.target))


def legal_targets(origin: Stage, cause: Cause) -> tuple[Stage, ...]:
    """Where this cause may move a lead from `origin`, provided it has what the edge needs."""
    return tuple(stage for stage in Stage if (origin, stage, cause) in _BY_MOVE)


def stages_between(origin: Stage, target: Stage) -> tuple[Stage, ...]:
    """The stages of the line strictly between two stages; none when going back, or from beside the line."""
    if origin not in _POSITION or target not in _POSITION:
        return ()
    return LINE[_POSITION[origin] + 1 : _POSITION[target]]


def is_person(owner: str | None) -> bool:
    """Whether an owner is a person: somebody, and not a queue."""
    return owner is not None and not owner.startswith(QUEUE_PREFIX)


def _lacks(need: Need, move: Move) -> str | None:
    """What the move lacks of this need, or None."""
    if need == "gate" and not move.gate:
        return "a passed gate or a named fast track"
    if need == "owner" and move.owner is None:
        return "an owner"
    if need == "person" and not is_person(move.owner):
        return "an owner who is a person"
    if need == "reason" and not move.reason:
        return "a reason"
    if need == "outcome":
        if move.outcome is None:
            return "an outcome, won or lost"
        if move.outcome == "lost" and not move.reason:
            return "a reason, because it was lost"
    return None
