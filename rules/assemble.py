"""Assemble: valid rules documents become one set of compiled rules, after the checks across them.

Finds what no single rule can show: two rules of one name, a route that nothing reaches, a threshold that no
lead can reach, a reason that does not exist. Knows nothing of files or lead fields.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import Final

from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from rules import document as models
from rules import rejection_document as rejection_models
from rules import score_document as score_models
from rules.assemble_routes import RouteAssembly, twice
from rules.compile_deadlines import DeadlineTable
from rules.evaluate import Rules
from rules.fading import Shape
from rules.fuse import ExclusionRule, TrackRule, fuse_decision, fuse_routes
from rules.gates import GATE_NAMES, GateRule
from rules.levels import find_levels
from rules.nodes import Node
from rules.nurture import NurtureRules
from rules.reach import Place, check_groups, check_reach
from rules.recycle_document import Recycle
from rules.recycling import RecycleRule, Recycling
from rules.rejection import Reason
from rules.routing import pools_of
from rules.scoring import Grades, GroupRule, Part, ScoreRule
from rules.wake import DAY_MS
from rules.words import conjuncts

_IMPLICIT_COOLING_DAYS: Final = 30
_SHAPES: Final[dict[str, Shape]] = {
    "half_life_days": "half_life",
    "linear_days": "linear",
    "expires_days": "expires",
}


class Assembly:
    """Collects the rules of the documents. Use: `add` each, `check`, then `rules`."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._errors: list[ConfigError] = []
        self._names: dict[str, Place] = {}
        self._scores: list[tuple[ScoreRule, Place]] = []
        self._groups: dict[str, tuple[GroupRule, Place]] = {}
        self._grades: tuple[Grades, Place] | None = None
        self._recycle: list[tuple[RecycleRule, Node | None, Place]] = []
        self._nurture_tracks: list[tuple[str, Node | None, Place]] = []
        self._nurture: tuple[models.Nurture, Place] | None = None
        self._tracks: list[TrackRule] = []
        self._exclusions: list[ExclusionRule] = []
        self._gates: dict[str, tuple[GateRule, Place]] = {}
        self._routing = RouteAssembly()
        self._deadlines = DeadlineTable()
        self._rejection: tuple[rejection_models.Rejection, Place] | None = None
        self._named_reasons: list[tuple[str, Place]] = []
        self._watched: list[Node] = []

    def add(self, document: Document, model: models.RulesDocument, nodes: Mapping[Path, Node]) -> None:
        """Take in a valid document with its compiled conditions."""
        self._add_scores(document, model.score, nodes)
        self._add_grades(document, model.grades)
        for place, track in enumerate(model.fast_track):
            path = ("fast_track", place)
            self._name(track.rule, document, path)
            self._tracks.append(TrackRule(track.rule, track.on, nodes.get((*path, "when"))))
        for place, exclusion in enumerate(model.disqualify):
            path = ("disqualify", place)
            self._name(exclusion.rule, document, path)
            self._named_reasons.append((exclusion.reason, (document, (*path, "reason"))))
            condition = nodes.get((*path, "when"))
            if condition is not None:
                self._watched.append(condition)
                self._exclusions.append(ExclusionRule(exclusion.rule, condition, exclusion.reason))
        self._add_gates(document, model.gates, nodes)
        self._routing.add(document, model, nodes)
        self._watched.extend(self._deadlines.add(document, model.deadlines, nodes))
        self._add_nurture(document, model.nurture, nodes)
        self._add_recycling(document, model.recycle, nodes)
        if model.rejection is not None:
            if self._rejection is not None:
                self._twice("rejection", document, ("rejection",), self._rejection[1])
            else:
                self._rejection = model.rejection, (document, ("rejection",))

    def check(
        self, documents: Sequence[Document], owner_fields: Collection[str], *, whole: bool
    ) -> list[ConfigError]:
        """What is wrong across the documents. `owner_fields` are the lead fields that hold owners. Not
        `whole`: some could not be read, so what seems to be missing may stand there."""
        if whole:
            self._check_gates(documents)
            self._check_reasons()
        self._errors.extend(self._routing.check(owner_fields, whole=whole))
        self._check_tracks()
        recycling = [(rule.name, condition, place) for rule, condition, place in self._recycle]
        self._check_order("rule", recycling, complete=False)
        routing = self._routing
        self._errors.extend(self._deadlines.check(routing.hours, routing.owners, whole=whole))
        return self._errors

    def rules(self) -> Rules:
        """The compiled rules; only after `check` found nothing."""
        rejection = rejection_models.Rejection() if self._rejection is None else self._rejection[0]
        gates = tuple(self._gates[name][0] if name in self._gates else GateRule(name) for name in GATE_NAMES)
        scoring = [rule for rule, _ in self._scores if rule.on is not None or rule.condition is not None]
        with_margin = frozenset(gate.name for gate in gates if gate.margin)
        groups = tuple(self._group(name, scoring) for name in self._groups)
        grades = None if self._grades is None else self._grades[0]
        routes = self._routing.routes()
        ranked = sorted(scoring, key=lambda rule: (rule.points < 0, -rule.weight))
        return Rules(
            version=self._version,
            reasons=self._reasons(rejection),
            default_reason=rejection.default_reason,
            reason_grace_minutes=rejection.grace_minutes,
            reason_default_minutes=rejection.default_after_minutes,
            gates=gates,
            exclusions=tuple(self._exclusions),
            hours=self._routing.hours,
            deadlines=self._deadlines.compiled(self._routing.hours),
            absences=self._routing.absences(pools_of(route for route, _ in routes)),
            routes=tuple(route for route, _ in routes),
            named_owners=(*self._routing.named, *self._deadlines.named()),
            groups=groups,
            grades=grades,
            nurture=self._nurture_rules(),
            recycling=self._recycling(),
            ranks={rule.name: place for place, rule in enumerate(ranked)},
            with_margin=with_margin,
            levels={
                (what, reached): find_levels(
                    what,
                    self._watched,
                    chain(
                        chain.from_iterable(
                            gate.levels(what, reached=gate.name in reached) for gate in gates
                        ),
                        () if grades is None or grades.of != what else (at for _, at in grades.letters),
                    ),
                )
                for what in ("engagement", "score")
                for many in range(len(with_margin) + 1)
                for reached in map(frozenset, combinations(with_margin, many))
            },
            engages_by_activity=any(rule.on is not None and rule.points > 0 for rule in scoring),
            decide=fuse_decision(scoring, self._tracks, self._exclusions, gates, groups, grades),
            applies=tuple(fuse_routes([(route.name, condition)]) for route, condition in routes),
        )

    def _add_scores(self, document: Document, score: score_models.Score, nodes: Mapping[Path, Node]) -> None:
        for place, fit in enumerate(score.fit):
            path: Path = ("score", "fit", place)
            self._name(fit.rule, document, path)
            condition = nodes.get((*path, "when"))
            rule = ScoreRule(fit.rule, "fit", fit.points, condition, group=fit.group)
            self._scores.append((rule, (document, path)))
        for place, given in enumerate(score.engagement):
            path = ("score", "engagement", place)
            self._name(given.rule, document, path)
            key = next((key for key in score_models.FADES if getattr(given, key) is not None), None)
            rule = ScoreRule(
                name=given.rule,
                part="engagement",
                points=given.points,
                condition=nodes.get((*path, "when")),
                on=given.on,
                fades=None if key is None else _SHAPES[key],
                span_ms=0 if key is None else max(1, round(getattr(given, key) * DAY_MS)),
                once=given.once,
                per_day=given.per_day,
                at_most=given.at_most,
                group=given.group,
            )
            self._scores.append((rule, (document, path)))
        for name, group in score.groups.items():
            path = ("score", "groups", name)
            if name in self._groups:
                self._twice(f'group "{name}"', document, path, self._groups[name][1])
            else:
                compiled = GroupRule(name, "engagement", group.at_most, group.at_least)
                self._groups[name] = compiled, (document, path)

    def _group(self, name: str, rules: Sequence[ScoreRule]) -> GroupRule:
        """The group, of the part that its rules are of."""
        part: Part = next((rule.part for rule in rules if rule.group == name), "engagement")
        return replace(self._groups[name][0], part=part)

    def _add_grades(self, document: Document, grades: score_models.Grades | None) -> None:
        if grades is None:
            return
        if self._grades is not None:
            self._twice("grades table", document, ("grades",), self._grades[1])
            return
        for what in ("fit", "engagement", "score"):
            letters: dict[str, int] | None = getattr(grades, what)
            if letters is not None:
                self._grades = Grades(what, tuple(letters.items())), (document, ("grades",))

    def _add_nurture(
        self, document: Document, nurture: models.Nurture | None, nodes: Mapping[Path, Node]
    ) -> None:
        if nurture is None:
            return
        if self._nurture is not None:
            self._twice("nurture part", document, ("nurture",), self._nurture[1])
            return
        self._nurture = nurture, (document, ("nurture",))
        if nurture.touches is not None and not nurture.minimum_touches:
            message = "touches are only counted for minimum_touches, and there is none"
            hint = "write minimum_touches: 3, or leave touches out"
            self._errors.append(document.error(("nurture", "touches"), message, hint))
        for place, track in enumerate(nurture.tracks):
            path: Path = ("nurture", "tracks", place)
            first = next((at for known, _, at in self._nurture_tracks if known == track.track), None)
            if first is not None:
                self._twice(f'track "{track.track}"', document, (*path, "track"), first)
            condition = nodes.get((*path, "when"))
            if condition is None and track.when is not None:
                continue  # its condition is wrong, and told so
            if condition is not None:
                self._watched.append(condition)
            self._nurture_tracks.append((track.track, condition, (document, path)))

    def _add_recycling(
        self, document: Document, recycle: Sequence[Recycle], nodes: Mapping[Path, Node]
    ) -> None:
        for place, rule in enumerate(recycle):
            path: Path = ("recycle", place)
            self._name(rule.rule, document, path)
            condition = nodes.get((*path, "when"))
            if condition is None and rule.when is not None:
                continue  # its condition is wrong, and told so
            compiled = RecycleRule(rule.rule, rule.after_days, rule.reason or rule.rule)
            self._recycle.append((compiled, condition, (document, path)))

    def _recycling(self) -> Recycling:
        conditions = [(rule.name, condition) for rule, condition, _ in self._recycle]
        rules = [rule for rule, _, _ in self._recycle]
        return Recycling(tuple(rules), fuse_routes(conditions) if conditions else None)

    def _nurture_rules(self) -> NurtureRules:
        given = models.Nurture() if self._nurture is None else self._nurture[0]
        tracks = [(name, condition) for name, condition, _ in self._nurture_tracks]
        return NurtureRules(
            tracks=tuple(name for name, _ in tracks),
            kinds=None if given.touches is None else frozenset(given.touches),
            minimum_touches=given.minimum_touches,
            choose=fuse_routes(tracks) if tracks else None,
        )

    def _add_gates(self, document: Document, gates: models.Gates, nodes: Mapping[Path, Node]) -> None:
        for name in GATE_NAMES:
            gate: models.Gate | None = getattr(gates, name)
            if gate is None:
                continue
            path: Path = ("gates", name)
            if name in self._gates:
                self._twice(f"gate {name}", document, path, self._gates[name][1])
                continue
            self._check_ways(document, (*path, "any"), gate.any or ())
            choices = tuple(
                self._gate(name, choice, gate.margin, nodes.get((*path, "any", way, "when")))
                for way, choice in enumerate(gate.any or ())
            )
            rule = self._gate(name, gate, gate.margin, nodes.get((*path, "when")), choices)
            self._gates[name] = rule, (document, path)

    def _check_ways(self, document: Document, path: Path, ways: Sequence[models.Choice]) -> None:
        seen: dict[models.Choice, int] = {}
        for place, way in enumerate(ways):
            same = way if way.when is None else way.model_copy(update={"when": " ".join(way.when.split())})
            first = seen.setdefault(same, place)
            if first != place:
                self._twice("way through the gate", document, (*path, place), (document, (*path, first)))

    def _gate(
        self,
        name: str,
        given: models.Gate | models.Choice,
        margin: int,
        condition: Node | None,
        choices: tuple[GateRule, ...] = (),
    ) -> GateRule:
        if condition is not None:
            self._watched.append(condition)
        parts = () if condition is None else conjuncts(condition)
        return GateRule(name, parts, given.fit, given.engagement, given.score, margin, choices)

    def _name(self, name: str, document: Document, path: Path) -> None:
        if name in self._names:
            self._twice(f'rule "{name}"', document, (*path, "rule"), self._names[name])
        else:
            self._names[name] = document, path

    def _twice(self, what: str, document: Document, path: Path, first: Place) -> None:
        self._errors.append(twice(what, document, path, first))

    def _check_gates(self, documents: Sequence[Document]) -> None:
        if "mql" not in self._gates:
            self._errors.append(
                documents[0].error(("gates",), 'the gate "mql" is missing', "write gates: {mql: {score: 50}}")
            )
        groups = list(self._groups.values())
        found = list(check_groups(self._scores, groups))
        if not found:
            rules = [rule for rule, _ in self._scores]
            caps = [group for group, _ in groups]
            found = list(check_reach(rules, caps, self._gates.values(), self._grades))
        self._errors.extend(found)

    def _check_reasons(self) -> None:
        rejection = rejection_models.Rejection() if self._rejection is None else self._rejection[0]
        known = self._reasons(rejection)
        for reason, (document, path) in self._named_reasons:
            if reason not in known:
                self._errors.append(
                    document.error(path, f'unknown rejection reason "{reason}"', did_you_mean(reason, known))
                )

    def _check_tracks(self) -> None:
        self._check_order("track", self._nurture_tracks)

    def _check_order(
        self, what: str, given: Sequence[tuple[str, Node | None, Place]], *, complete: bool = True
    ) -> None:
        """The first that applies is taken, so only the last one may apply to all; where the list must be
        `complete`, it has to."""
        open_to_all: str | None = None
        for name, condition, (document, path) in given:
            if open_to_all is not None:
                message = f'no lead comes to this {what}: "{open_to_all}" before it takes all'
                self._errors.append(document.error(path, message, "move it up"))
            elif condition is None:
                open_to_all = name
        if complete and given and open_to_all is None and not self._errors:
            _, _, (document, path) = given[-1]
            message = f"the last {what} must take every lead that no other took"
            self._errors.append(document.error(path, message, "leave out its when:"))

    def _reasons(self, rejection: rejection_models.Rejection) -> dict[str, Reason]:
        reasons = {
            name: Reason(name, reason.then, reason.cooling_off_days, reason.track)
            for name, reason in rejection.reasons.items()
        }
        default = Reason(rejection.default_reason, "nurture", _IMPLICIT_COOLING_DAYS)
        reasons.setdefault(rejection.default_reason, default)
        return reasons
