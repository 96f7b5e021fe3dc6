"""Tally: the replayed lives of all leads, counted. Pure.

Memory grows with the MQLs that change, not with the leads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from connector.backtest.alike import Alike
from connector.backtest.causes import scoring, why
from connector.backtest.history import Ending, History, Pursuit
from connector.backtest.known import KnownValues
from connector.backtest.replay import Handed, Life, facts_at
from connector.backtest.verdicts import Aim, is_good
from connector.report.confidence import Share, wilson
from rules.evaluate import Rules


@dataclass(frozen=True, slots=True)
class Changed:
    """An MQL that one set of rules makes and the other does not. `good` and `ending` tell what really became
    of that pursuit, where it was handed over in fact; `later`: the same lead is an MQL in a later pursuit."""

    lead_id: str
    name: str | None
    kind: Literal["gained", "lost"]
    cycle: int
    at_ms: int
    score: int
    fired: tuple[str, ...]
    because: tuple[str, ...]
    pattern: int
    handed_in_fact: bool
    good: bool | None
    ending: Ending | None
    reason: str | None
    later: bool = False


@dataclass(slots=True)
class Answers:
    """Some MQLs: how many there are, and what sales said of those that were handed over in fact."""

    count: int = 0
    good: int = 0
    bad: int = 0

    def add(self, good: bool | None) -> None:
        """One more."""
        self.count += 1
        self.good += good is True
        self.bad += good is False

    @property
    def share(self) -> Share:
        """The good ones of those that were answered."""
        return wilson(self.good, self.good + self.bad)


@dataclass(slots=True)
class RuleTally:
    """One rule: the MQLs for which it fired by the rules in force, and by the other ones; the MQLs that are
    gained and lost because of it."""

    before: Answers = field(default_factory=Answers)
    after: Answers = field(default_factory=Answers)
    gained: int = 0
    lost: int = 0


@dataclass(slots=True)
class Tally:
    """Everything that was counted. `before` and `after` are the MQLs by the rules in force and by the other
    ones, `kept` those that both make; `recorded` those that the ledger has by rules, of which `found_again`
    are made by the rules in force in the replay too; `never_made` are made by them in the replay alone.
    `too_late` are kept MQLs that come only after sales had answered: nobody knows what it would have said."""

    in_force: Rules
    other: Rules
    aim: Aim
    since_ms: int | None
    until_ms: int
    suspects: Collection[str] = ()
    leads: int = 0
    without_history: int = 0
    resting: int = 0
    unfinished: int = 0
    never_said: int = 0
    first_ms: int | None = None
    recorded: int = 0
    found_again: int = 0
    never_made: int = 0
    by_hand: int = 0
    sooner_ms: list[int] = field(default_factory=list)
    too_late: int = 0
    before: Answers = field(default_factory=Answers)
    after: Answers = field(default_factory=Answers)
    kept: Answers = field(default_factory=Answers)
    changed: list[Changed] = field(default_factory=list)
    rules: dict[str, RuleTally] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    filled: dict[str, dict[bool, list[int]]] = field(default_factory=dict)
    alike: Alike = field(default_factory=Alike)

    @property
    def begins_ms(self) -> int:
        """The beginning of the period."""
        return self.since_ms if self.since_ms is not None else self.first_ms or self.until_ms

    def add(self, history: History, known: KnownValues, before: Life, after: Life, name: str | None) -> None:
        """One lead, replayed under both sets of rules."""
        self.leads += 1
        if history.begins_ms is None:
            self.resting += 1
            return
        if before.unfinished or after.unfinished:
            self.unfinished += 1
            return
        self.first_ms = min(self.first_ms or history.begins_ms, history.begins_ms)
        self.never_said += len(after.never_said)
        for pursuit in history.pursuits:
            self._answered(history, known, pursuit)
            self._recorded(pursuit, before.handed.get(pursuit.number))
        for pursuit, old, new in _pairs(history, before, after):
            at_ms = min(one.at_ms for one in (old, new) if one is not None)
            if self._within(at_ms):
                self._compare(history, pursuit, old, new, name)
        self._mark_later(history, before, after)

    def _within(self, at_ms: int) -> bool:
        return at_ms < self.until_ms and (self.since_ms is None or at_ms >= self.since_ms)

    def _recorded(self, pursuit: Pursuit, old: Handed | None) -> None:
        """How well the replay of the rules in force meets what was recorded."""
        if pursuit.handed_ms is None and old is not None and self._within(old.at_ms):
            self.never_made += 1
        if pursuit.handed_ms is None or not self._within(pursuit.handed_ms):
            return
        if pursuit.by_hand:
            self.by_hand += 1
            return
        self.recorded += 1
        self.found_again += old is not None

    def _answered(self, history: History, known: KnownValues, pursuit: Pursuit) -> None:
        """What sales answered to a hand-over teaches what the others are like, whenever it was."""
        good = is_good(pursuit, self.aim)
        if pursuit.handed_ms is None or good is None:
            return
        facts = facts_at(history, known, pursuit.handed_ms)
        verdict = self.other.evaluate(facts, pursuit.handed_ms)
        self.alike.add(self.alike.pattern(scoring(verdict)), good=good)
        for suspect in self.suspects:
            counts = self.filled.setdefault(suspect, {True: [0, 0], False: [0, 0]})[good]
            counts[0] += history.values.get(suspect) is not None
            counts[1] += 1

    def _compare(
        self, history: History, pursuit: Pursuit, old: Handed | None, new: Handed | None, name: str | None
    ) -> None:
        good: bool | None = None
        if old is not None:
            good = _known_answer(pursuit, old, self.aim)
            self.before.add(good)
            for rule in scoring(old.verdict):
                self._rule(rule).before.add(good)
        if new is not None:
            good = _known_answer(pursuit, new, self.aim)
            self.after.add(good)
            for rule in scoring(new.verdict):
                self._rule(rule).after.add(good)
            self.errors.update(new.verdict.errors)
        if old is not None and new is not None:
            self.kept.add(good)
            self.sooner_ms.append(old.at_ms - new.at_ms)
            self.too_late += _is_too_late(pursuit, new)
        elif new is not None:
            because = why(new.verdict, self.other, self.in_force, new.facts, new.at_ms)
            self._change("gained", history, pursuit, new, because, good, name)
        elif old is not None:
            because = why(old.verdict, self.in_force, self.other, old.facts, old.at_ms)
            self._change("lost", history, pursuit, old, because, good, name)

    def _change(
        self,
        kind: Literal["gained", "lost"],
        history: History,
        pursuit: Pursuit,
        handed: Handed,
        because: tuple[str, ...],
        good: bool | None,
        name: str | None,
    ) -> None:
        for rule in because:
            tally = self._rule(rule)
            tally.gained += kind == "gained"
            tally.lost += kind == "lost"
        fired = scoring(handed.verdict)
        if kind == "lost":  # alike by the other rules, as the answered ones are
            verdict = self.other.evaluate(handed.facts, handed.at_ms)
            pattern = self.alike.pattern(scoring(verdict))
        else:
            pattern = self.alike.pattern(fired)
        self.changed.append(
            Changed(
                lead_id=history.lead_id,
                name=name,
                kind=kind,
                cycle=pursuit.number + 1,
                at_ms=handed.at_ms,
                score=handed.verdict.score,
                fired=fired,
                because=because,
                pattern=pattern,
                handed_in_fact=pursuit.handed_ms is not None,
                good=good,
                ending=pursuit.ending,
                reason=pursuit.reason,
            )
        )

    def _mark_later(self, history: History, before: Life, after: Life) -> None:
        """Which of this lead's lost MQLs come in a later pursuit after all."""
        for place in range(len(self.changed) - 1, -1, -1):
            one = self.changed[place]
            if one.lead_id != history.lead_id:
                return
            others = (after if one.kind == "lost" else before).handed
            if any(number + 1 > one.cycle for number in others):
                self.changed[place] = replace(one, later=True)

    def _rule(self, name: str) -> RuleTally:
        return self.rules.setdefault(name, RuleTally())

    def suspicious(self) -> Mapping[str, tuple[Share, Share]]:
        """Fields that the rules read and that are filled in far more often for good leads than for bad ones:
        somebody may have filled them in afterwards. Field to the shares among good and bad ones."""
        found: dict[str, tuple[Share, Share]] = {}
        for name, counts in sorted(self.filled.items()):
            good, bad = wilson(*counts[True]), wilson(*counts[False])
            if good.too_few or bad.too_few:
                continue
            if good.low > bad.high and (good.share or 0) - (bad.share or 0) >= 0.15:
                found[name] = (good, bad)
        return found


def _pairs(history: History, before: Life, after: Life) -> list[tuple[Pursuit, Handed | None, Handed | None]]:
    """The MQLs of both lives, pursuit by pursuit. A lead that the other rules hand over only after it was
    given back in fact has begun its next pursuit by then; for them it is still the same one."""
    pairs: list[tuple[Pursuit, Handed | None, Handed | None]] = []
    taken: set[int] = set()
    for pursuit in history.pursuits:
        number = pursuit.number
        old = before.handed.get(number)
        new = None if number in taken else after.handed.get(number)
        if old is not None and new is None and number in after.never_said:
            next_number = min((each for each in after.handed if each > number), default=None)
            if next_number is not None and next_number not in before.handed and next_number not in taken:
                new = after.handed[next_number]
                taken.add(next_number)
        if old is not None or new is not None:
            pairs.append((pursuit, old, new))
    return pairs


def _is_too_late(pursuit: Pursuit, handed: Handed) -> bool:
    """Whether sales had answered by then."""
    return pursuit.answered_ms is not None and handed.at_ms > pursuit.answered_ms


def _known_answer(pursuit: Pursuit, handed: Handed, aim: Aim) -> bool | None:
    """Whether it was a good MQL; None where nobody has answered, or had done so before it."""
    offered = pursuit.handed_ms is not None or bool(pursuit.reached)
    return is_good(pursuit, aim) if offered and not _is_too_late(pursuit, handed) else None
