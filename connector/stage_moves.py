"""StageMoves: from what is true now to the stage the lead must be in, one legal move after another.

Claims rank: facts of the CRM, the verdict of a salesperson, the marketing-automation platform, rules. Each
turn of the walk makes the first move that applies; the walk ends when none does, and a bound makes a loop an
error instead of a hang. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.brake import brake_hold
from connector.claims import Claim, CrmFacts
from connector.lead import AwaitedReason, LeadState, PastRejection
from connector.plan import LeadCause, StageMove, WantedHold
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import LINE, Allowed, Cause, Move, Outcome, Stage, check_move, is_person
from rules.evaluate import Rules
from rules.facts import LeadFacts, Verdict
from rules.moves import next_move
from rules.routing import pick

MOVES_AT_MOST = 24

_PURSUED = (Stage.MQL, Stage.DISTRIBUTED, Stage.ACCEPTED, Stage.QUALIFIED)


class EndlessMoves(RuntimeError):
    """The walk did not come to rest: two rules move one lead to and fro. Says which moves were made."""


@dataclass(slots=True)
class StageWalk:
    """The working state of one walk: the lead as it is after the moves made so far, and what they leave."""

    state: LeadState
    mapping: LeadMapping
    rules: Rules
    now_ms: int
    facts_of: Callable[[LeadState], LeadFacts]
    crm: CrmFacts
    claims: list[Claim]
    braked: frozenset[str] = frozenset()
    pool_turns: dict[str, int] = field(default_factory=dict)
    verdict: Verdict = field(init=False)
    moves: list[StageMove] = field(default_factory=list)
    holds: list[WantedHold] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._evaluate()

    def walk(self) -> None:
        """Move until nothing more moves. Raises EndlessMoves past the bound."""
        for _ in range(MOVES_AT_MOST):
            if not self._step():
                self._ask_for_reason()
                return
            self._evaluate()
        made = " → ".join(move.target for move in self.moves)
        raise EndlessMoves(f"lead {self.state.lead_id}: {MOVES_AT_MOST} moves at once ({made})")

    def _evaluate(self) -> None:
        self.verdict = self.rules.evaluate(self.facts_of(self.state), self.now_ms)

    def _step(self) -> bool:
        if self._by_fact():
            self._outrank()
            return True
        return self._by_claim() or self._by_reason() or self._by_rules() or self._by_route()

    def _outrank(self) -> None:
        """What the CRM says counts more than what marketing says at the same time."""
        self.claims = [claim for claim in self.claims if claim.cause == "sales"]

    # facts of the CRM -----------------------------------------------------------------------------------

    def _by_fact(self) -> bool:
        state = self.state
        open_now = self.crm.current_opportunity(state)
        if open_now is not None:
            outcome: Outcome = "won" if open_now.won else "lost"
            if open_now.closed and state.stage is Stage.CLOSED and state.outcome == outcome:
                return False
            if open_now.closed and state.stage is Stage.OPPORTUNITY:
                reason = (open_now.lost_reason or "not given") if outcome == "lost" else None
                return self._move(Stage.CLOSED, "fact", open_now.stamp_ms, actor=open_now.by, reason=reason,
                                  outcome=outcome)  # fmt: skip
            if state.stage is Stage.OPPORTUNITY:
                return False
            return self._move(Stage.OPPORTUNITY, "fact", open_now.created_ms, actor=open_now.by)
        if state.stage is Stage.OPPORTUNITY:
            return self._move(Stage.QUALIFIED, "fact", self.now_ms, reason="opportunity withdrawn")
        conversion = self.crm.current_conversion(state)
        if conversion is None:
            return False
        self.state = replace(state, consumed=(*state.consumed, conversion.record_id))
        if state.stage is Stage.QUALIFIED:
            return False
        return self._move(Stage.QUALIFIED, "fact", conversion.stamp_ms, actor=conversion.by)

    # claims of people -----------------------------------------------------------------------------------

    def _by_claim(self) -> bool:
        while self.claims:
            claim = self.claims.pop(0)
            if self.state.stage in claim.compatible:
                continue
            if claim.meaning == "rejected":
                moved = self._reject(claim)
            else:
                moved = self._claim_stage(claim, claim.meaning)
            if moved:
                self._outrank()
                return True
        return False

    def _claim_stage(self, claim: Claim, target: Stage) -> bool:
        # who sets a status that gives a lead up, or earns it back, has said with it why
        needs_reason = target in (Stage.NURTURE, Stage.DISQUALIFIED)
        reason = (claim.reason or claim.where) if needs_reason else None
        move = Move(
            origin=self.state.stage,
            target=target,
            cause=claim.cause,
            owner=self._owner(),
            reason=reason,
        )
        if isinstance(check_move(move), Allowed):
            overruled = self.state.overruled
            if self.state.stage is Stage.DISQUALIFIED and self.verdict.disqualify:
                overruled = (*overruled, self.verdict.disqualify[0])
            self.state = replace(self.state, overruled=overruled, resting=False)
            return self._move(target, claim.cause, claim.at_ms, actor=claim.actor, reason=reason)
        return self._illegal(claim, target)

    def _illegal(self, claim: Claim, target: Stage) -> bool:
        told = f"{claim.where}: {self.state.stage.value} → {target.value} is no legal move for {claim.cause}"
        if self.mapping.illegal_moves == "accept":
            return self._put(target, claim.cause, claim.at_ms, claim.actor, claim.reason, None, (), False)
        if self.mapping.illegal_moves == "hold":
            held = {**self.state.held_stages, f"{claim.side}.{claim.native}": told}
            self.state = replace(self.state, held_stages=held)
        elif claim.verdict:
            self.state = replace(self.state, verdict_to_revert=True)
        return False

    def _owner_after(self, target: Stage) -> str | None:
        """Who has the lead after a move: once sales works on it, the person who owns the record."""
        owner = self.state.values.get("owner")
        working = target in (Stage.ACCEPTED, Stage.QUALIFIED, Stage.OPPORTUNITY)
        return owner if working and isinstance(owner, str) and is_person(owner) else self.state.owner

    def _owner(self) -> str | None:
        owner = self.state.values.get("owner")
        return owner if isinstance(owner, str) else self.state.owner

    # rejections -----------------------------------------------------------------------------------------

    def _reject(self, claim: Claim) -> bool:
        if self.state.stage not in _PURSUED and self.state.stage not in (Stage.INQUIRY, Stage.QUALIFICATION):
            return self._illegal(claim, Stage.NURTURE)
        if claim.reason is None:
            if self.state.awaited_reason is None:
                waiting = AwaitedReason(since_ms=self.now_ms, by=claim.actor, comment=claim.comment)
                self.state = replace(self.state, awaited_reason=waiting)
            return False
        return self._rejected(claim.reason, claim.comment, claim.actor, claim.at_ms)

    def _by_reason(self) -> bool:
        """A rejection that waits for its reason: it came, or the time is over and the default applies."""
        waiting = self.state.awaited_reason
        if waiting is None:
            return False
        if self.state.stage not in _PURSUED and self.state.stage not in (Stage.INQUIRY, Stage.QUALIFICATION):
            self.state = replace(self.state, awaited_reason=None)
            return False
        given = self.crm.reason_given
        if given is not None:
            return self._rejected(
                given, self.crm.comment_given or waiting.comment, waiting.by, waiting.since_ms
            )
        if self.crm.rejection_taken_back:
            self.state = replace(self.state, awaited_reason=None)
            return False
        if self.now_ms >= self._default_reason_ms(waiting):
            return self._rejected(self.rules.default_reason, waiting.comment, waiting.by, waiting.since_ms)
        return False

    def _default_reason_ms(self, waiting: AwaitedReason) -> int:
        return (
            waiting.since_ms + (self.rules.reason_grace_minutes + self.rules.reason_default_minutes) * 60_000
        )

    def _ask_for_reason(self) -> None:
        waiting = self.state.awaited_reason
        if waiting is None:
            return
        if self.now_ms >= waiting.since_ms + self.rules.reason_grace_minutes * 60_000:
            self.state = replace(self.state, awaited_reason=replace(waiting, asked=True))
            self.holds.append(
                WantedHold(
                    kind="reason_missing",
                    subject="rejection",
                    message="Sales rejected this lead without a reason.",
                    remedy="Choose a rejection reason on the CRM record; "
                    f"otherwise {self.rules.default_reason!r} is taken.",
                )
            )

    def _rejected(self, reason: str, comment: str | None, by: str | None, at_ms: int) -> bool:
        consequence = self.rules.reasons.get(reason) or self.rules.reasons[self.rules.default_reason]
        past = PastRejection(reason, comment, by, at_ms, self.state.cycle, self.verdict.score)
        stage = self.state.stage
        target = Stage.NURTURE
        if consequence.then == "disqualify" or stage in (Stage.INQUIRY, Stage.QUALIFICATION):
            target = Stage.DISQUALIFIED
        elif consequence.then == "reroute" and stage is Stage.DISTRIBUTED:
            target = Stage.MQL
        self.state = replace(
            self.state,
            rejections=(*self.state.rejections, past),
            awaited_reason=None,
            verdict_to_clear=target is Stage.MQL,
        )
        return self._move(target, "sales", at_ms, actor=by, reason=reason)

    # rules ----------------------------------------------------------------------------------------------

    def _by_rules(self) -> bool:
        state, verdict = self.state, self.verdict
        if state.resting or state.awaited_reason is not None:
            return False  # sales has said no, and is only asked why
        move = next_move(state.stage, verdict, state.overruled)
        if move is None:
            return False
        if move.target is Stage.DISQUALIFIED and "regressions" in self.braked:
            self.holds.append(brake_hold("regressions", "disqualifying this lead"))
            return False
        if move.target is Stage.MQL and "mql" in self.braked:
            self.holds.append(brake_hold("mql", "making this lead an MQL"))
            return False
        fired = tuple(item.to_json() for item in verdict.fired)
        return self._move(
            move.target, "rules", self.now_ms, actor=move.actor, reason=move.reason, rules=fired
        )

    def _by_route(self) -> bool:
        state = self.state
        if state.stage is not Stage.MQL or state.resting or state.awaited_reason is not None:
            return False
        if "handoff" in self.braked:
            self.holds.append(brake_hold("handoff", "handing this lead over"))
            return False
        route = self.rules.route(self.facts_of(self.state), self.now_ms)
        owner: str | None = None
        if route is not None and route.pool is not None:
            turn = self.pool_turns.get(route.pool.name, 0)
            last = self.state.rejections[-1].by if self.state.rejections else None
            for _ in route.pool.members:
                owner = pick(route.pool, turn)
                turn += 1
                if owner != last and owner != self.state.owner:
                    break
            self.pool_turns[route.pool.name] = turn
        elif route is not None:
            owner = route.owner
        if route is None or owner is None:
            self.holds.append(
                WantedHold(
                    kind="no_owner",
                    subject="routing",
                    message="No route gives this lead an owner.",
                    remedy="Add a last route without a condition, or fill its pool.",
                )
            )
            return False
        self.state = replace(self.state, owner=owner, values={**self.state.values, "owner": owner})
        warnings = self.verdict.warnings
        return self._move(
            Stage.DISTRIBUTED,
            "rules",
            self.now_ms,
            actor=route.name,
            reason="; ".join(warnings) or None,
            warnings=warnings,
        )

    # the move itself ------------------------------------------------------------------------------------

    def _move(
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
        move = Move(
            origin=self.state.stage,
            target=target,
            cause=cause,
            gate=cause == "rules",
            owner=self._owner() if target is not Stage.DISTRIBUTED else self.state.owner,
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
        return self._put(
            target, cause, at_ms, actor, reason, outcome, skipped, answer.new_cycle, rules, warnings
        )

    def _put(
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
            *_PURSUED,
            Stage.OPPORTUNITY,
        )
        self.state = replace(
            state,
            stage=target,
            outcome=outcome,
            cycle=cycle,
            stage_since_ms=at_ms,
            cycle_since_ms=at_ms if new_cycle else state.cycle_since_ms,
            owner=None if new_cycle or target is Stage.MQL else self._owner_after(target),
            consumed=(*state.consumed, *self.crm.spent(state)) if new_cycle else state.consumed,
            verdict_to_clear=state.verdict_to_clear
            or (taken_up and (bool(state.rejections) or (cause != "sales" and self.crm.verdict_stands))),
            resting=state.resting and cause in ("imported", "created"),
        )
        return True


def stage_rank(stage: Stage) -> int:
    """How far along the line a stage is; disqualified counts as the very beginning."""
    return LINE.index(stage) if stage in LINE else -1
