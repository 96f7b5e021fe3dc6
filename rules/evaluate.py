"""Evaluate: what the rules say of a lead at a moment. `Rules` is a loaded rules document, compiled.

Pure and deterministic: the moment is an argument. Never raises on what a lead holds: a rule that fails
counts as unknown and is listed in `Verdict.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from rules.facts import Gate, LeadFacts, Verdict
from rules.fired import FiredRules
from rules.fuse import BEFORE_ALL_MS, Choose, Decide, ExclusionRule, Judged
from rules.gates import GateRule, has_reached, held_back, judge
from rules.history import last_activity
from rules.levels import Levels
from rules.rejection import Comeback, Reason, find_comeback
from rules.routing import Route
from rules.scoring import PUBLISH_STEP, next_fading_ms
from rules.wake import Wake


@dataclass(frozen=True, slots=True)
class Rules:
    """A loaded rules document. Made by `rules.load.load_rules`.

    `version` is a hash of the documents. `reasons` has every rejection reason, the default one included.
    After `reason_grace_minutes` a missing reason is asked for; after `reason_default_minutes` more,
    `default_reason` applies.
    """

    version: str
    reasons: Mapping[str, Reason]
    default_reason: str
    reason_grace_minutes: int
    reason_default_minutes: int
    gates: tuple[GateRule, ...]
    exclusions: tuple[ExclusionRule, ...]
    routes: tuple[Route, ...]
    ranks: Mapping[str, int] = field(repr=False)
    levels: Mapping[str, Levels] = field(repr=False)
    engages_by_activity: bool = field(repr=False)
    decide: Decide = field(repr=False, compare=False)
    choose: Choose = field(repr=False, compare=False)

    def evaluate(self, facts: LeadFacts, now_ms: int) -> Verdict:
        """Everything that the rules say of this lead at `now_ms`."""
        wake = Wake(now_ms)
        errors: list[str] = []
        comeback = find_comeback(facts, self.reasons, self.default_reason)
        since_ms = BEFORE_ALL_MS if comeback is None else comeback.since_ms
        judged = self.decide(facts, now_ms, wake, errors, since_ms)
        fit, engagement = judged.fit, judged.engagement
        score = fit + engagement
        reached = has_reached(facts)
        held: tuple[str, ...] = ()
        cooling_ms: int | None = None
        if comeback is not None:
            held = () if reached else self._held_back(facts, comeback, judged, score, wake)
            if comeback.cooling_until_ms is not None and comeback.cooling_until_ms > now_ms:
                cooling_ms = comeback.cooling_until_ms
                wake.at(cooling_ms)
        if judged.fading:
            levels = self._levels(facts.published_score, fit, engagement)
            fading_ms = next_fading_ms(judged.fading, engagement, levels, now_ms)
            if fading_ms is not None:
                wake.at(fading_ms)
        fired, track, exclusion = judged.fired, judged.track_by_activity, judged.exclusion
        if judged.track_by_condition is not None and not held:
            track = min(filter(None, (track, judged.track_by_condition)), key=itemgetter(0))
        if track is not None:
            fired.append(track[1])
        if exclusion is not None:
            fired.append(exclusion[1])
        gates: dict[str, Gate] = {}
        for gate, missing in zip(self.gates, judged.missing, strict=True):
            lacking = (*missing, *held) if gate.name == "mql" else missing
            gates[gate.name] = judge(gate, lacking, fit, engagement, score, reached=reached)
        return Verdict(
            fit,
            engagement,
            score,
            FiredRules(fired),
            gates,
            None if track is None else track[1][0],
            None if exclusion is None else (exclusion[1][0], self.exclusions[exclusion[0]].reason),
            cooling_ms,
            wake.next_change_ms,
            tuple(dict.fromkeys(errors)) if errors else (),
            self.ranks,
        )

    def route(self, facts: LeadFacts, now_ms: int) -> Route | None:
        """Where a lead that is ready for sales goes: the first route that applies, or None."""
        wake = Wake(now_ms)
        errors: list[str] = []
        judged = self.decide(facts, now_ms, wake, errors, BEFORE_ALL_MS)
        place = self.choose(facts, now_ms, wake, errors, judged.fit, judged.engagement)
        return None if place < 0 else self.routes[place]

    def _held_back(
        self, facts: LeadFacts, comeback: Comeback, judged: Judged, score: int, wake: Wake
    ) -> tuple[str, ...]:
        newest_ms, now_ms = judged.newest_ms, wake.now_ms
        if not self.engages_by_activity:  # no activity earns points here: then every one counts
            newest_ms = last_activity(None, facts, {}, now_ms, wake) or BEFORE_ALL_MS
        return held_back(comeback, newest_ms, score, now_ms)

    def _levels(self, published: int | None, fit: int, engagement: int) -> Iterator[int]:
        """The numbers of engagement points at which anything changes: a gate, or the wish to publish."""
        levels, totals = self.levels["engagement"], self.levels["score"]
        if levels is None or totals is None:
            yield from (engagement, engagement + 1)
        else:
            yield from levels
            yield from (level - fit for level in totals)
        shown = fit + engagement if published is None else published
        yield shown + PUBLISH_STEP - fit
        yield shown - PUBLISH_STEP + 1 - fit
