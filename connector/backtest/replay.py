"""Replay: one lead's recorded life once more under some rules: when would they have handed it over?

The rules see at each moment what had happened by then, and are asked again whenever they can answer
otherwise: at every activity, at every recorded happening, and when time alone changes something. What people
did is taken as it was, with one exception: what sales said of a lead that these rules would not have handed
over by then was never said. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from connector.backtest.history import EARLY, PURSUED, Happening, History
from connector.backtest.known import KnownValues
from mappings.stages import Stage
from rules.evaluate import Rules
from rules.facts import LeadFacts, Rejection, Verdict
from rules.moves import next_move
from rules.rejection import reason_meant

LOOKS_AT_MOST: Final = 2_000
"""So often the rules are asked about one lead; more is told, and the lead left as it is then."""

_NEVER_PUBLISHED: Final = 10**9
"""A score that is far from any: the rules wake nobody for publishing one."""

_STEPS_AT_MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Handed:
    """The moment at which the rules hand a lead over: what they say of it, and what they were told."""

    pursuit: int
    at_ms: int
    verdict: Verdict
    facts: LeadFacts


@dataclass(slots=True)
class Life:
    """A replayed life: at most one hand-over for each recorded pursuit. `unfinished`: it took too many looks.
    `never_said` are the pursuits in which sales answered what these rules would not have asked."""

    handed: dict[int, Handed] = field(default_factory=dict)
    unfinished: bool = False
    never_said: set[int] = field(default_factory=set)


def replay(history: History, rules: Rules, known: KnownValues, until_ms: int) -> Life:
    """The lead's life under these rules, up to `until_ms`."""
    if history.begins_ms is None or history.begins_ms >= until_ms:
        return Life()
    return _Replay(history, rules, known, history.begins_ms).live(until_ms)


def facts_at(history: History, known: KnownValues, at_ms: int) -> LeadFacts:
    """What rules are told of a lead in nurture at a moment, with nothing of its earlier pursuits."""
    happened = bisect_right(history.activities, at_ms, key=lambda activity: activity.at_ms)
    return LeadFacts(
        values=known.at(at_ms),
        stage=Stage.NURTURE,
        cycle=1,
        stage_since_ms=at_ms,
        created_ms=history.created_ms,
        activities=history.activities[:happened],
        sides=history.sides,
        origin=history.origin,
        published_score=_NEVER_PUBLISHED,
    )


class _Replay:
    """The lead as it is while it is lived through."""

    def __init__(self, history: History, rules: Rules, known: KnownValues, begins_ms: int) -> None:
        self.history, self.rules, self.known = history, rules, known
        self.life = Life()
        self.stage = history.first_stage
        self.cycle = 1
        self.since_ms = self.cycle_since_ms = self.now_ms = begins_ms
        self.rejections: list[Rejection] = []
        self.overruled: set[str] = set()
        self.passed: frozenset[str] = frozenset()
        self.pursuit = 0
        self.looks = 0
        self.moments = sorted({one.at_ms for one in history.activities} | known.turns_ms)

    def live(self, until_ms: int) -> Life:
        for happening in self.history.happenings:
            if happening.at_ms >= until_ms or self.life.unfinished:
                break
            self._until(happening.at_ms)
            self.now_ms = max(self.now_ms, happening.at_ms)
            self.pursuit = happening.pursuit
            self._happens(happening)
        self._until(until_ms)
        return self.life

    # what the rules do --------------------------------------------------------------------------------------

    def _until(self, end_ms: int) -> None:
        """Let the rules move the lead from now to the end, which is not looked at itself."""
        while self.stage in EARLY and self.now_ms < end_ms:
            if self.looks >= LOOKS_AT_MOST:
                self.life.unfinished = True
                return
            verdict = self._look()
            if self.stage not in EARLY:
                return
            place = bisect_right(self.moments, self.now_ms)
            next_ms = self.moments[place] if place < len(self.moments) else end_ms
            if verdict.next_change_ms is not None:
                next_ms = min(next_ms, verdict.next_change_ms)
            self.now_ms = next_ms

    def _look(self) -> Verdict:
        """Move as far as the rules go now."""
        facts = self._facts()
        for _ in range(_STEPS_AT_MOST):
            self.looks += 1
            verdict = self.rules.evaluate(facts, self.now_ms)
            move = next_move(self.stage, verdict, self.overruled)
            if move is None:
                break
            if move.target is Stage.MQL:
                self.life.handed.setdefault(
                    self._current(), Handed(self._current(), self.now_ms, verdict, facts)
                )
            self._put(move.target)
            if self.stage not in EARLY:
                break
            facts = self._facts()
        self.passed = frozenset(name for name, gate in verdict.gates.items() if gate.passed)
        return verdict

    def _current(self) -> int:
        """The recorded pursuit that now falls in."""
        pursuits = self.history.pursuits
        return bisect_right(pursuits, self.now_ms, key=lambda one: one.begins_ms) - 1 if pursuits else 0

    def _facts(self) -> LeadFacts:
        history = self.history
        happened = bisect_right(history.activities, self.now_ms, key=lambda activity: activity.at_ms)
        return LeadFacts(
            values=self.known.at(self.now_ms),
            stage=self.stage,
            cycle=self.cycle,
            stage_since_ms=self.since_ms,
            created_ms=history.created_ms,
            activities=history.activities[:happened],
            rejections=tuple(self.rejections),
            sides=history.sides,
            origin=history.origin,
            gates_passed=self.passed,
            cycle_since_ms=self.cycle_since_ms,
            published_score=_NEVER_PUBLISHED,
        )

    def _put(self, stage: Stage, *, new_cycle: bool = False) -> None:
        self.stage, self.since_ms = stage, self.now_ms
        if new_cycle:
            self.cycle += 1
            self.cycle_since_ms = self.now_ms
            self.passed = frozenset()

    # what people do -----------------------------------------------------------------------------------------

    def _happens(self, happening: Happening) -> None:
        if happening.answers and self.stage not in PURSUED:
            self.life.never_said.add(happening.pursuit)
            return
        if happening.what in ("returned", "disqualified", "passed on") and happening.reason is not None:
            self._rejected(happening, happening.reason)
        elif happening.what == "returned":
            if self.stage in PURSUED:
                self._put(happening.target, new_cycle=True)
        elif happening.what == "reopened":
            self._reopened(happening)
        elif happening.what == "by hand":
            if self.stage in EARLY:
                self._put(happening.target)
        elif happening.what != "passed on":
            self._put(happening.target)

    def _rejected(self, happening: Happening, reason: str) -> None:
        """Sales says no, and these rules say what that means."""
        if self.stage is Stage.CLOSED:
            self._put(happening.target, new_cycle=happening.target is Stage.NURTURE)
            return
        if happening.what == "passed on" and self.stage not in PURSUED:
            return
        score = self.rules.evaluate(self._facts(), self.now_ms).score
        self.rejections.append(Rejection(reason, happening.at_ms, self.cycle, score))
        means = reason_meant(reason, self.rules.reasons, self.rules.default_reason)
        if means.then == "disqualify" or self.stage not in PURSUED:
            self._put(Stage.DISQUALIFIED)
        elif means.then != "reroute":
            self._put(Stage.NURTURE, new_cycle=True)

    def _reopened(self, happening: Happening) -> None:
        """Somebody takes a disqualification back; the rule that made it is overruled for this lead."""
        if self.stage is not Stage.DISQUALIFIED:
            return
        verdict = self.rules.evaluate(self._facts(), self.now_ms)
        if verdict.disqualify is not None:
            self.overruled.add(verdict.disqualify[0])
        self._put(happening.target, new_cycle=True)
