"""What the rules are told about a lead, and what they answer. Plain, frozen data that prints as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mappings.stages import Stage
from mappings.values import Value
from rules.fired import Fired

REASONS_LENGTH = 255
"""Characters of the text that says why a score is what it is: longer text fields shrink query pages."""


class Activity(NamedTuple):
    """Something that a lead did: `kind` (form_submission, page_view …), when, and what is known of it.

    What is dated in the future counts once its time has come.
    """

    kind: str
    at_ms: int
    attributes: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Sales handed the lead back: the reason, when, in which cycle, and the score it had then, if known."""

    reason: str
    at_ms: int
    cycle: int
    score: int | None = None


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """Everything that decides about one lead. Moments are epoch milliseconds, UTC.

    `values` are canonical values; None is blank, as is a field that is absent. `sides` names the sides where
    the lead exists, `origin` the one where it was first seen. `gates_passed` are the gates that the lead had
    passed when it was last judged in this cycle, so that their margins apply. `cycle_since_ms` is when the
    current cycle began (None: unknown); what happened before it earns no second fast track.
    `published_score` is the score that the platforms show (None: none yet); it decides when a score that
    fades is worth looking at again. `outcome`, `closed_reason` and `deal_amount` are those of its last
    opportunity.
    """

    values: Mapping[str, Value]
    stage: Stage
    cycle: int
    stage_since_ms: int
    created_ms: int
    activities: Sequence[Activity] = ()
    rejections: Sequence[Rejection] = ()
    sides: frozenset[str] = field(default_factory=frozenset)
    origin: str = ""
    gates_passed: frozenset[str] = frozenset()
    cycle_since_ms: int | None = None
    published_score: int | None = None
    outcome: str | None = None
    closed_reason: str | None = None
    deal_amount: int | float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a lead may pass; if not, what is missing, in words."""

    passed: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recycled:
    """The rule that takes a closed lead back, why, and since or from when (epoch milliseconds, UTC)."""

    rule: str
    reason: str
    at_ms: int
    due: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a lead at one moment.

    `grade` is the letter for the points, where there are grades. `gates` has qualification, nurture and mql.
    `track` is the nurture track while the lead is in nurture. `touches` are the activities that count as
    touches, where a minimum of them is wanted; `warnings` tell of what blocks nothing. `fast_track` names the
    exception that makes it sales-ready, `disqualify` the rule that rules it out and the reason.
    `cooling_until_ms` is the end of a cooling-off that is still running. `next_change_ms` is the next moment
    at which time alone can change anything of this. `errors` tells what could not be used: a rule that failed
    counts as unknown. `recycled` is what takes a closed lead back to nurture. `ranks` orders the scoring
    rules by what they can matter.
    """

    fit: int
    engagement: int
    score: int
    fired: Sequence[Fired]
    gates: Mapping[str, Gate]
    fast_track: str | None
    disqualify: tuple[str, str] | None
    cooling_until_ms: int | None
    next_change_ms: int | None
    errors: tuple[str, ...] = ()
    grade: str | None = None
    track: str | None = None
    touches: int | None = None
    warnings: tuple[str, ...] = ()
    recycled: Recycled | None = None
    ranks: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def reasons(self) -> str:
        """Why the score is what it is: the names of the rules, those that matter most (by `ranks`) first, in
        at most REASONS_LENGTH characters. No numbers, so that it changes only when a rule comes or goes."""
        ranks = self.ranks
        ranked = sorted((ranks[rule.rule], rule) for rule in self.fired if rule.points and rule.rule in ranks)
        text = ""
        for _, rule in ranked:
            name = rule.rule if rule.points > 0 else f"less for {rule.rule}"
            longer = f"{text}, {name}" if text else name
            if len(longer) > REASONS_LENGTH - 2:
                return f"{text} …" if text else f"{name[: REASONS_LENGTH - 2]} …"
            text = longer
        return text

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            "fit": self.fit,
            "engagement": self.engagement,
            "score": self.score,
            "grade": self.grade,
            "fired": [fired.to_json() for fired in self.fired],
            "gates": {
                name: {"passed": gate.passed, "missing": list(gate.missing)}
                for name, gate in self.gates.items()
            },
            "fast_track": self.fast_track,
            "disqualify": None if self.disqualify is None else list(self.disqualify),
            "track": self.track,
            "touches": self.touches,
            "warnings": list(self.warnings),
            "recycled": None
            if self.recycled is None
            else {"rule": self.recycled.rule, "reason": self.recycled.reason, "at_ms": self.recycled.at_ms},
            "cooling_until_ms": self.cooling_until_ms,
            "next_change_ms": self.next_change_ms,
            "reasons": self.reasons,
            "errors": list(self.errors),
        }
