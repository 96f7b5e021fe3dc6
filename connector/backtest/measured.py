"""Measured: rules on leads whose end is known: precision and recall of each rule and of the gate. Pure.

Memory does not grow with the leads, unless they are listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connector.backtest.causes import scoring
from connector.report.confidence import wilson
from mappings.stages import Stage
from rules.cases import go_as_far
from rules.evaluate import Rules
from rules.facts import LeadFacts

STEP: Final = 5
"""Between two thresholds that are tried; more where that would be too many."""

LEVELS_AT_MOST: Final = 40


@dataclass(slots=True)
class Hits:
    """So many leads, and how many of them are good."""

    leads: int = 0
    good: int = 0

    def add(self, good: bool) -> None:
        """One more."""
        self.leads += 1
        self.good += good


@dataclass(frozen=True, slots=True)
class Mql:
    """A lead that the rules would hand over."""

    line: int
    name: str | None
    score: int
    fired: tuple[str, ...]
    fast_track: str | None
    good: bool


@dataclass(slots=True)
class Measured:
    """What was counted. `seen` are the fields that any lead has a value of; `unknown` counts leads without an
    outcome."""

    rules: Rules
    barred: Collection[str] = ()
    listed: bool = False
    every: Hits = field(default_factory=Hits)
    mqls: Hits = field(default_factory=Hits)
    fast: Hits = field(default_factory=Hits)
    fired: dict[str, Hits] = field(default_factory=dict)
    scores: dict[int, Hits] = field(default_factory=dict)
    unknown: int = 0
    seen: set[str] = field(default_factory=set)
    errors: dict[str, int] = field(default_factory=dict)
    listing: list[Mql] = field(default_factory=list)

    def add(self, facts: LeadFacts, now_ms: int, line: int, name: str | None, good: bool | None) -> None:
        """One lead and its outcome."""
        if good is None:
            self.unknown += 1
            return
        known = {key: value for key, value in facts.values.items() if key not in self.barred}
        self.seen.update(key for key, value in known.items() if value is not None)
        reached = go_as_far(self.rules, replace(facts, values=known), now_ms)
        verdict = reached.verdict
        for error in verdict.errors:
            self.errors[error] = self.errors.get(error, 0) + 1
        self.every.add(good)
        for rule in dict.fromkeys(reached.fired):
            self.fired.setdefault(rule, Hits()).add(good)
        mql = reached.stage is Stage.MQL
        if reached.stage in (Stage.NURTURE, Stage.MQL):
            if reached.fast_track is not None:
                self.fast.add(good)
            else:
                self.scores.setdefault(verdict.score, Hits()).add(good)
        if not mql:
            return
        self.mqls.add(good)
        if self.listed:
            fired = scoring(verdict)
            self.listing.append(Mql(line, name, verdict.score, fired, reached.fast_track, good))

    def to_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        base = wilson(self.every.good, self.every.leads)
        return {
            "leads": self.every.leads,
            "good": self.every.good,
            "base_rate": base.to_json(),
            "without_outcome": self.unknown,
            **self._figures(self.mqls),
            "fast_track": self._figures(self.fast),
            "by_rule": [
                {"rule": name, **self._figures(hits)}
                for name, hits in sorted(
                    self.fired.items(), key=lambda item: (-_precision(item[1]), -item[1].leads, item[0])
                )
            ],
            "thresholds": [{"score": level, **self._figures(hits)} for level, hits in self._thresholds()],
            "errors": self.errors,
        }

    def _figures(self, hits: Hits) -> dict[str, Any]:
        """Precision, recall and lift of whatever picks these leads."""
        precision, base = wilson(hits.good, hits.leads), wilson(self.every.good, self.every.leads)
        lift = precision.share / base.share if precision.share is not None and base.share else None
        return {
            "mqls": hits.leads,
            "right": hits.good,
            "precision": precision.to_json(),
            "recall": wilson(hits.good, self.every.good).to_json(),
            "lift": None if lift is None else round(lift, 2),
        }

    def _thresholds(self) -> Iterable[tuple[int, Hits]]:
        """What a gate that asked for a score alone would let through, at round scores, and the fast track."""
        if not self.scores:
            return []
        low, high = min(self.scores), max(self.scores)
        step = STEP
        while (high - low) // step > LEVELS_AT_MOST:
            step += STEP
        levels = [level for level in range(low - low % step, high + 1, step) if level > low]
        return [(level, self._above(level)) for level in levels]

    def _above(self, level: int) -> Hits:
        hits = replace(self.fast)
        for score, found in self.scores.items():
            if score >= level:
                hits.leads += found.leads
                hits.good += found.good
        return hits


COLUMNS: Final = ("line", "lead", "score", "fast_track", "rules", "good")
"""What is told of each MQL."""


def one_by_one(mqls: Sequence[Mql]) -> list[dict[str, Any]]:
    """The MQLs in the order of the file."""
    return [
        {
            "line": one.line,
            "lead": one.name,
            "score": one.score,
            "fast_track": one.fast_track,
            "rules": list(one.fired),
            "good": one.good,
        }
        for one in mqls
    ]


def _precision(hits: Hits) -> float:
    return hits.good / hits.leads if hits.leads else 0.0
