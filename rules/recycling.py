"""Recycling: which leads whose opportunity is closed come back to nurture, and when. Pure.

The first rule that applies decides; the lead comes back when that rule's time after the close is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rules.facts import LeadFacts, Recycled
from rules.fuse import Choose
from rules.wake import DAY_MS, Wake


@dataclass(frozen=True, slots=True)
class RecycleRule:
    """Takes a closed lead back `after_days` for `reason`, which the ledger keeps."""

    name: str
    after_days: int
    reason: str


@dataclass(frozen=True, slots=True)
class Recycling:
    """The rules in their order, chosen by `choose`."""

    rules: Sequence[RecycleRule] = ()
    choose: Choose | None = field(default=None, repr=False, compare=False)

    def of(
        self, facts: LeadFacts, wake: Wake, errors: list[str], fit: int, engagement: int, grade: str | None
    ) -> Recycled | None:
        """What takes this closed lead back, or None."""
        if self.choose is None:
            return None
        place = self.choose(facts, wake.now_ms, wake, errors, fit, engagement, grade)
        if place < 0:
            return None
        rule = self.rules[place]
        at_ms = facts.stage_since_ms + rule.after_days * DAY_MS
        wake.at(at_ms)
        return Recycled(rule.name, rule.reason, at_ms, at_ms <= wake.now_ms)
