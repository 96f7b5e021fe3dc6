"""Walk: a lead on its way from stage to stage within one reconcile, and the one place where it is moved.

What moves it (facts of the CRM, people, rules, routes, deadlines) is decided in `connector.stage_moves` and
the modules that it calls in order; each of them asks the walk to `move`. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connector.accounts import AccountMatch
from connector.claims import Claim, CrmFacts
from connector.lead import LeadState
from connector.plan import DeadlineChange, LeadCause, StageMove, WantedHold
from connector.shown import CrmShows
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Allowed, Cause, Move, Outcome, Stage, check_move, is_person
from mappings.values import OwnerDirectory
from rules.evaluate import Rules
from rules.facts import LeadFacts, Verdict
from rules.pools import PoolState

PURSUED: Final = (Stage.MQL, Stage.DISTRIBUTED, Stage.ACCEPTED, Stage.QUALIFIED)
"""The stages from which sales can give a lead back to marketing."""


@dataclass(slots=True)
class Walk:
    """The lead as it is after the moves made so far, and what they leave. `wakes` are moments at which time
    alone changes something; `watched` counts the moves that the deadline watch has seen."""

    state: LeadState
    mapping: LeadMapping
    rules: Rules
    now_ms: int
    facts_of: Callable[[LeadState], LeadFacts]
    crm: CrmFacts
    shows: CrmShows
    claims: list[Claim]
    directory: OwnerDirectory
    braked: frozenset[str] = frozenset()
    own_users: Mapping[str, str] = field(default_factory=dict)
    pool_states: Mapping[str, PoolState] = field(default_factory=dict)
    account: AccountMatch | None = None
    verdict: Verdict = field(init=False)
    moves: list[StageMove] = field(default_factory=list)
    holds: list[WantedHold] = field(default_factory=list)
    deadline_changes: list[DeadlineChange] = field(default_factory=list)
    wakes: list[int] = field(default_factory=list)
    watched: int = 0
    escalated: bool = False

    def __post_init__(self) -> None:
        self.evaluate()

    def evaluate(self) -> None:
        """Ask the rules anew about the lead as it is now."""
        self.verdict = self.rules.evaluate(self.facts_of(self.state), self.now_ms)

    def outrank(self, by: Claim | None = None) -> None:
        """What a fact or this claim says counts more than what is said at the same time by who ranks lower;
        what sales says is not outdone by a fact."""
        most = 1 if by is None else min(by.rank, 1)
        self.claims = [claim for claim in self.claims if claim.rank <= most]

    def owner(self) -> str | None:
        """Who has the lead: the owner on its records, else the one of the hand-off."""
        owner = self.state.values.get("owner")
        return owner if isinstance(owner, str) else self.state.owner

    def move(
        self,
        target: Stage,
        cause: Cause,
        at_ms: int,
        *,
        actor: str | None = None,
        reason: str | None = None,
        outcome: Outcome | None = None,
        rules: Sequence[Mapping[str, Any]] = (),
        warnings: tuple[str, ...] = (),
    ) -> bool:
        """Make a move if it is legal; else hold the lead with the reason. True when it was made."""
        move = Move(
            origin=self.state.stage,
            target=target,
            cause=cause,
            gate=cause == "rules",
            owner=self.owner() if target is not Stage.DISTRIBUTED else self.state.owner,
            reason=reason,
            outcome=outcome,
        )
        answer = check_move(move)
        if not isinstance(answer, Allowed):
            self.holds.append(
                WantedHold(
                    kind="illegal_move",
                    subject=f"{cause}:{target.value}",
                    message=answer.message,
                    remedy="Look at the lead with `leadloop explain`; the stage was left as it is.",
                )
            )
            return False
        skipped = tuple(stage.value for stage in answer.skipped)
        return self.put(
            target, cause, at_ms, actor, reason, outcome, skipped, answer.new_cycle, rules, warnings
        )

    def put(
        self,
        target: Stage,
        cause: LeadCause,
        at_ms: int,
        actor: str | None,
        reason: str | None,
        outcome: Outcome | None,
        skipped: tuple[str, ...],
        new_cycle: bool,
        rules: Sequence[Mapping[str, Any]] = (),
        warnings: tuple[str, ...] = (),
    ) -> bool:
        """Put the lead into a stage, legal or not, and note the move. Always True."""
        state = self.state
        cycle = state.cycle + 1 if new_cycle else state.cycle
        self.moves.append(
            StageMove(
                origin=state.stage.value,
                target=target.value,
                cycle=cycle,
                happened_ms=at_ms,
                cause=cause,
                actor=actor,
                skipped=skipped,
                rules=tuple(rules),
                reason=reason,
                outcome=outcome,
                warnings=warnings,
            )
        )
        taken_up = state.stage in (Stage.NURTURE, Stage.DISQUALIFIED) and target in (
            *PURSUED,
            Stage.OPPORTUNITY,
        )
        given_up = new_cycle or target is Stage.MQL
        self.state = replace(
            state,
            stage=target,
            outcome=outcome,
            cycle=cycle,
            stage_since_ms=at_ms,
            cycle_since_ms=at_ms if new_cycle else state.cycle_since_ms,
            gates_passed=None if new_cycle else state.gates_passed,
            let_pass=() if new_cycle else state.let_pass,
            owner=None if given_up else self._owner_after(target),
            had_by=self._had_by() if given_up else state.had_by,
            consumed=(*state.consumed, *self.crm.spent(state)) if new_cycle else state.consumed,
            verdict_to_clear=state.verdict_to_clear
            or (taken_up and (bool(state.rejections) or (cause != "sales" and self.crm.verdict_stands))),
            resting=state.resting and cause in ("imported", "created"),
        )
        return True

    def _owner_after(self, target: Stage) -> str | None:
        """Who has the lead after a move: once sales works on it, the person who owns the record."""
        owner = self.state.values.get("owner")
        working = target in (Stage.ACCEPTED, Stage.QUALIFIED, Stage.OPPORTUNITY)
        return owner if working and isinstance(owner, str) and is_person(owner) else self.state.owner

    def _had_by(self) -> dict[str, int]:
        """Who had the lead, and in which cycle last, once its owner gives it up; the latest stands last."""
        had_by = dict(self.state.had_by)
        for owner in (self.state.owner, self.state.current_owner):
            if owner is not None and is_person(owner):
                had_by.pop(owner, None)
                had_by[owner] = self.state.cycle
        return had_by
