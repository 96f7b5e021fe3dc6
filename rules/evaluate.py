"""Evaluate: what the rules say of a lead at a moment. `Rules` is a loaded rules document, compiled.

Pure and deterministic: the moment is an argument. Never raises on what a lead holds: a rule that fails
counts as unknown and is listed in `Verdict.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from mappings.stages import Stage
from rules.deadlines import ALWAYS_THERE, Absence, Deadline, Deadlines
from rules.facts import Gate, LeadFacts, Recycled, Verdict
from rules.fading import next_fading_ms
from rules.fired import FiredRules
from rules.fuse import BEFORE_ALL_MS, Choose, Decide, ExclusionRule, Judged
from rules.gates import GateRule, gates_reached, has_engaged, held_back, is_pursued, judge
from rules.history import last_activity
from rules.levels import Levels
from rules.nurture import NurtureRules, count_touches, too_few, track_after_rejection
from rules.office_hours import OfficeHours
from rules.pools import Pool
from rules.recycling import Recycling
from rules.rejection import Comeback, Reason, find_comeback
from rules.routing import Match, NamedOwner, Route, pools_of
from rules.scoring import PUBLISH_STEP, Grades, GroupRule
from rules.wake import Wake


@dataclass(frozen=True, slots=True)
class Rules:
    """A loaded rules document. Made by `rules.load.load_rules`.

    `version` is a hash of the documents. `reasons` has every rejection reason, the default one included.
    After `reason_grace_minutes` a missing reason is asked for; after `reason_default_minutes` more,
    `default_reason` applies. `levels` has the numbers of points of 'engagement' or 'score' at which something
    changes, for a lead that has passed the gates named beside; only gates `with_margin` are.
    """

    version: str
    reasons: Mapping[str, Reason]
    default_reason: str
    reason_grace_minutes: int
    reason_default_minutes: int
    gates: tuple[GateRule, ...]
    exclusions: tuple[ExclusionRule, ...]
    hours: Mapping[str, OfficeHours]
    deadlines: Deadlines
    absences: Mapping[str, Absence]
    routes: tuple[Route, ...]
    named_owners: tuple[NamedOwner, ...]
    groups: tuple[GroupRule, ...]
    grades: Grades | None
    nurture: NurtureRules
    recycling: Recycling
    ranks: Mapping[str, int] = field(repr=False)
    with_margin: frozenset[str]
    levels: Mapping[tuple[str, frozenset[str]], Levels] = field(repr=False)
    engages_by_activity: bool = field(repr=False)
    decide: Decide = field(repr=False, compare=False)
    applies: tuple[Choose, ...] = field(repr=False, compare=False)

    def evaluate(self, facts: LeadFacts, now_ms: int) -> Verdict:
        """Everything that the rules say of this lead at `now_ms`."""
        wake = Wake(now_ms)
        errors: list[str] = []
        comeback = find_comeback(facts, self.reasons, self.default_reason)
        since_ms = BEFORE_ALL_MS if comeback is None else comeback.since_ms
        judged = self.decide(facts, now_ms, wake, errors, since_ms)
        fit, engagement = judged.fit, judged.engagement
        score = fit + engagement
        reached = gates_reached(facts)
        engaged = True
        held: tuple[str, ...] = ()
        cooling_ms: int | None = None
        if comeback is not None:
            engaged = has_engaged(comeback, self._newest_ms(facts, judged, wake), score)
            held = () if is_pursued(facts.stage) else held_back(comeback, now_ms, engaged=engaged)
            if comeback.cooling_until_ms is not None and comeback.cooling_until_ms > now_ms:
                cooling_ms = comeback.cooling_until_ms
                wake.at(cooling_ms)
        fired, fast, exclusion = judged.fired, judged.track_by_activity, judged.exclusion
        if judged.track_by_condition is not None and not held:
            fast = min(filter(None, (fast, judged.track_by_condition)), key=itemgetter(0))
        if fast is not None:
            fired.append(fast[1])
        if exclusion is not None:
            fired.append(exclusion[1])
        gates: dict[str, Gate] = {}
        missing = iter(judged.missing)
        for gate in self.gates:
            name = gate.name
            lacks = held if name == "mql" else ()
            gates[name] = judge(gate, missing, fit, engagement, score, reached=name in reached, held=lacks)
        track: str | None = None
        if facts.stage is Stage.NURTURE:
            track = self._track(facts, comeback, wake, errors, judged, engaged=engaged)
        recycled: Recycled | None = None
        if facts.stage is Stage.CLOSED:
            recycled = self.recycling.of(facts, wake, errors, fit, engagement, judged.grade)
        touches: int | None = None
        warnings: tuple[str, ...] = ()
        if minimum := self.nurture.minimum_touches:
            touches = count_touches(self.nurture.kinds, facts, wake)
            ready = fast is not None or gates["mql"].passed or is_pursued(facts.stage)
            if touches < minimum and ready:
                warnings = (too_few(touches, minimum),)
        if judged.fading:
            levels = self._levels(facts, reached, comeback, fit, engagement)
            fading_ms = next_fading_ms(judged.fading, engagement, levels, now_ms, self.groups, judged.sums)
            if fading_ms is not None:
                wake.at(fading_ms)
        return Verdict(
            fit,
            engagement,
            score,
            FiredRules(fired, judged.values),
            gates,
            None if fast is None else fast[1][0],
            None if exclusion is None else (exclusion[1][0], self.exclusions[exclusion[0]].reason),
            cooling_ms,
            wake.next_change_ms,
            tuple(dict.fromkeys(errors)) if errors else (),
            judged.grade,
            track,
            touches,
            warnings,
            recycled,
            self.ranks,
        )

    def matches(self, facts: LeadFacts, now_ms: int) -> list[Match]:
        """The routes that apply to a lead that is ready for sales, in their order, each with the row of its
        territory. A territory without a row for the lead is none."""
        wake = Wake(now_ms)
        errors: list[str] = []
        judged = self.decide(facts, now_ms, wake, errors, BEFORE_ALL_MS)
        points = judged.fit, judged.engagement, judged.grade
        found: list[Match] = []
        for route, applies in zip(self.routes, self.applies, strict=True):
            if applies(facts, now_ms, wake, errors, *points) < 0:
                continue
            if route.territory is None:
                found.append(Match(route))
                continue
            place = route.territory.choose(facts, now_ms, wake, errors, *points)
            if place >= 0:
                found.append(Match(route, route.territory.rows[place]))
        return found

    def pools(self) -> Iterator[Pool]:
        """Every pool that some route can lead to."""
        return pools_of(self.routes)

    def absence_of(self, owner: str | None) -> Absence:
        """When somebody who gets leads is not there, as the pools say."""
        return ALWAYS_THERE if owner is None else self.absences.get(owner, ALWAYS_THERE)

    def deadline(self, facts: LeadFacts, now_ms: int) -> tuple[Deadline | None, int | None]:
        """The deadline that applies to a lead in its stage, and when by time alone it could be another."""
        there = self.deadlines.get(facts.stage)
        if there is None:
            return None, None
        wake = Wake(now_ms)
        errors: list[str] = []
        judged = self.decide(facts, now_ms, wake, errors, BEFORE_ALL_MS)
        wake = Wake(now_ms)  # what the scores wait for, the verdict has said
        place = there.choose(facts, now_ms, wake, errors, judged.fit, judged.engagement, judged.grade)
        return None if place < 0 else there.deadlines[place], wake.next_change_ms

    def _newest_ms(self, facts: LeadFacts, judged: Judged, wake: Wake) -> int:
        """When the last engagement was."""
        if self.engages_by_activity:
            return judged.newest_ms
        # no activity earns points here: then every one counts
        newest_ms = last_activity(None, facts, {}, wake.now_ms, wake)
        return BEFORE_ALL_MS if newest_ms is None else newest_ms

    def _track(
        self,
        facts: LeadFacts,
        comeback: Comeback | None,
        wake: Wake,
        errors: list[str],
        judged: Judged,
        *,
        engaged: bool,
    ) -> str | None:
        now_ms = wake.now_ms
        rejected = track_after_rejection(
            comeback, self.reasons, self.default_reason, engaged=engaged, now_ms=now_ms
        )
        if rejected is not None or self.nurture.choose is None:
            return rejected
        points = judged.fit, judged.engagement, judged.grade
        place = self.nurture.choose(facts, now_ms, wake, errors, *points)
        return None if place < 0 else self.nurture.tracks[place]

    def _levels(
        self, facts: LeadFacts, reached: frozenset[str], comeback: Comeback | None, fit: int, engagement: int
    ) -> Iterator[int]:
        """The numbers of engagement points at which anything changes: a gate, a grade, whether the lead has
        engaged anew, or the wish to publish."""
        reached, published = reached & self.with_margin, facts.published_score
        levels, totals = self.levels["engagement", reached], self.levels["score", reached]
        if levels is None or totals is None:
            yield from (engagement, engagement + 1)
        else:
            yield from levels
            yield from (level - fit for level in totals)
        shown = fit + engagement if published is None else published
        yield shown + PUBLISH_STEP - fit
        yield shown - PUBLISH_STEP + 1 - fit
        if comeback is not None and comeback.score_then is not None:
            yield comeback.score_then + 1 - fit
