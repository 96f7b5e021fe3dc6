"""Assemble: valid rules documents become one set of compiled rules, after the checks across them.

Finds what no single rule can show: two rules of one name, a route that nothing reaches, a threshold that no
lead can reach, a reason that does not exist. Knows nothing of files or lead fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from rules import document as models
from rules.evaluate import Rules
from rules.fuse import ExclusionRule, TrackRule, fuse_decision, fuse_routes
from rules.gates import GATE_NAMES, GateRule
from rules.levels import find_levels
from rules.nodes import Node
from rules.rejection import Reason
from rules.routing import Pool, Route
from rules.scoring import ScoreRule
from rules.wake import DAY_MS
from rules.words import conjuncts

_IMPLICIT_COOLING_DAYS: Final = 30

Place = tuple[Document, Path]


class Assembly:
    """Collects the rules of the documents. Use: `add` each, `check`, then `rules`."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._errors: list[ConfigError] = []
        self._names: dict[str, Place] = {}
        self._scores: list[ScoreRule] = []
        self._tracks: list[TrackRule] = []
        self._exclusions: list[ExclusionRule] = []
        self._gates: dict[str, tuple[GateRule, Place]] = {}
        self._routes: list[tuple[Route, Node | None, Place]] = []
        self._rejection: tuple[models.Rejection, Place] | None = None
        self._named_reasons: list[tuple[str, Place]] = []
        self._watched: list[Node] = []

    def add(self, document: Document, model: models.RulesDocument, nodes: Mapping[Path, Node]) -> None:
        """Take in a valid document with its compiled conditions."""
        for place, fit in enumerate(model.score.fit):
            path: Path = ("score", "fit", place)
            self._name(fit.rule, document, path)
            self._scores.append(ScoreRule(fit.rule, "fit", fit.points, nodes.get((*path, "when"))))
        for place, rule in enumerate(model.score.engagement):
            path = ("score", "engagement", place)
            self._name(rule.rule, document, path)
            life = None if rule.half_life_days is None else max(1, round(rule.half_life_days * DAY_MS))
            condition = nodes.get((*path, "when"))
            self._scores.append(
                ScoreRule(rule.rule, "engagement", rule.points, condition, rule.on, life, rule.at_most)
            )
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
        self._add_routes(document, model.routes, nodes)
        if model.rejection is not None:
            if self._rejection is not None:
                self._twice("rejection", document, ("rejection",), self._rejection[1])
            else:
                self._rejection = model.rejection, (document, ("rejection",))

    def check(self, documents: Sequence[Document], *, whole: bool) -> list[ConfigError]:
        """What is wrong across the documents. Not `whole`: some could not be read, so what seems to be
        missing may stand there."""
        if whole:
            self._check_gates(documents)
            self._check_reasons()
        self._check_routes()
        return self._errors

    def rules(self) -> Rules:
        """The compiled rules; only after `check` found nothing."""
        rejection = models.Rejection() if self._rejection is None else self._rejection[0]
        gates = tuple(self._gates[name][0] if name in self._gates else GateRule(name) for name in GATE_NAMES)
        scoring = [rule for rule in self._scores if rule.on is not None or rule.condition is not None]
        ranked = sorted(scoring, key=lambda rule: (rule.points < 0, -rule.weight))
        return Rules(
            version=self._version,
            reasons=self._reasons(rejection),
            default_reason=rejection.default_reason,
            reason_grace_minutes=rejection.grace_minutes,
            reason_default_minutes=rejection.default_after_minutes,
            gates=gates,
            exclusions=tuple(self._exclusions),
            routes=tuple(route for route, _, _ in self._routes),
            ranks={rule.name: place for place, rule in enumerate(ranked)},
            levels={
                what: find_levels(what, self._watched, chain.from_iterable(g.levels(what) for g in gates))
                for what in ("engagement", "score")
            },
            engages_by_activity=any(rule.on is not None and rule.points > 0 for rule in scoring),
            decide=fuse_decision(scoring, self._tracks, self._exclusions, gates),
            choose=fuse_routes([(route.name, condition) for route, condition, _ in self._routes]),
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
            condition = nodes.get((*path, "when"))
            if condition is not None:
                self._watched.append(condition)
            parts = () if condition is None else conjuncts(condition)
            rule = GateRule(name, parts, gate.fit, gate.engagement, gate.score, gate.margin)
            self._gates[name] = rule, (document, path)

    def _add_routes(
        self, document: Document, routes: Sequence[models.Route], nodes: Mapping[Path, Node]
    ) -> None:
        for place, route in enumerate(routes):
            path: Path = ("routes", place)
            first = next((at for known, _, at in self._routes if known.name == route.route), None)
            if first is not None:
                self._twice(f'route "{route.route}"', document, (*path, "route"), first)
            condition = nodes.get((*path, "when"))
            if condition is None and route.when is not None:
                continue  # its condition is wrong, and told so
            pool = None if route.pool is None else Pool(route.route, tuple(route.pool))
            self._routes.append((Route(route.route, route.owner, pool), condition, (document, path)))

    def _name(self, name: str, document: Document, path: Path) -> None:
        if name in self._names:
            self._twice(f'rule "{name}"', document, (*path, "rule"), self._names[name])
        else:
            self._names[name] = document, path

    def _twice(self, what: str, document: Document, path: Path, first: Place) -> None:
        there, where = first
        line, _ = there.place(where)
        self._errors.append(
            document.error(path, f"the {what} is here twice (first in {there.source.name}:{line})")
        )

    def _check_gates(self, documents: Sequence[Document]) -> None:
        if "mql" not in self._gates:
            self._errors.append(
                documents[0].error(("gates",), 'the gate "mql" is missing', "write gates: {mql: {score: 50}}")
            )
        highest = {
            part: sum(rule.highest for rule in self._scores if rule.part == part)
            for part in ("fit", "engagement")
        }
        highest["score"] = highest["fit"] + highest["engagement"]
        for gate, (document, path) in self._gates.values():
            for what, most in highest.items():
                threshold: int | None = getattr(gate, what)
                if threshold is not None and threshold > most:
                    message = f"no lead can reach {threshold}: all its rules together give at most {most:g}"
                    self._errors.append(document.error((*path, what), message))

    def _check_reasons(self) -> None:
        rejection = models.Rejection() if self._rejection is None else self._rejection[0]
        known = self._reasons(rejection)
        for reason, (document, path) in self._named_reasons:
            if reason not in known:
                self._errors.append(
                    document.error(path, f'unknown rejection reason "{reason}"', did_you_mean(reason, known))
                )

    def _check_routes(self) -> None:
        open_to_all: Route | None = None
        for route, condition, (document, path) in self._routes:
            if open_to_all is not None:
                message = f'no lead comes to this route: "{open_to_all.name}" before it takes all'
                self._errors.append(document.error(path, message, "move it up"))
            elif condition is None:
                open_to_all = route
        if self._routes and open_to_all is None and not self._errors:
            _, _, (document, path) = self._routes[-1]
            message = "the last route must take every lead that no other took"
            self._errors.append(document.error(path, message, "leave out its when:"))

    def _reasons(self, rejection: models.Rejection) -> dict[str, Reason]:
        reasons = {
            name: Reason(name, reason.then, reason.cooling_off_days, reason.track)
            for name, reason in rejection.reasons.items()
        }
        default = Reason(rejection.default_reason, "nurture", _IMPLICIT_COOLING_DAYS)
        reasons.setdefault(rejection.default_reason, default)
        return reasons
