"""Fuse: all conditions of the rules become two Python functions, one that decides and one that routes.

Writes the statements around the conditions (`rules/generate.py` writes the conditions). Each lead value is
read, checked and folded once; each rule stands in a `try` of its own, which costs nothing unless it fails,
so that a rule that fails is unknown and never stops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from mappings.values import Value
from rules.facts import LeadFacts
from rules.fading import Fading
from rules.fired import CAP_OF, Found
from rules.gates import GateRule
from rules.generate import Generator
from rules.nodes import Node
from rules.scoring import Grades, GroupRule, ScoreRule, settle, settle_moments
from rules.wake import Wake
from rules.words import lacking

BEFORE_ALL_MS: Final = -(1 << 62)
"""A moment before every other one."""


@dataclass(frozen=True, slots=True)
class TrackRule:
    """A fast track as compiled."""

    name: str
    on: str | None
    condition: Node | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExclusionRule:
    """A disqualification as compiled."""

    name: str
    condition: Node = field(repr=False)
    reason: str


class Judged(NamedTuple):
    """What the fused function found. `tracks`: the first fast track by an activity since the given moment,
    and the first by a condition alone. `newest_ms`: the last activity that earned points. `missing`: for
    each gate, and for each way through it, the conditions that do not hold, in words. `sums`: what the rules
    of each group add up to, before the group bounds it. `values` are the lead's, as the rules saw them;
    `grade` is the letter for its points, if any."""

    fit: int
    engagement: int
    fired: list[Found]
    fading: list[Fading]
    newest_ms: int
    track_by_activity: tuple[int, Found] | None
    track_by_condition: tuple[int, Found] | None
    exclusion: tuple[int, Found] | None
    missing: tuple[list[str], ...]
    sums: tuple[int, ...]
    values: Mapping[str, Value]
    grade: str | None


Decide = Callable[[LeadFacts, int, Wake, list[str], int], Judged]
"""(facts, now_ms, wake, errors, moment since which activities count for fast tracks)."""

Choose = Callable[[LeadFacts, int, Wake, list[str], int, int, str | None], int]
"""(facts, now_ms, wake, errors, fit, engagement, grade) -> the place of the first route that applies, or
-1."""


def fuse_decision(
    scores: Sequence[ScoreRule],
    tracks: Sequence[TrackRule],
    exclusions: Sequence[ExclusionRule],
    gates: Sequence[GateRule],
    groups: Sequence[GroupRule] = (),
    grades: Grades | None = None,
) -> Decide:
    """One function for everything that `Judged` holds."""
    writer = _Writer([group.name for group in groups])
    for rule in scores:
        if rule.on is None:
            writer.score(rule)
    kinds = dict.fromkeys([*(rule.on for rule in scores), *(track.on for track in tracks)])
    for kind in filter(None, kinds):
        writer.activities(
            kind,
            [rule for rule in scores if rule.on == kind],
            [(place, track) for place, track in enumerate(tracks) if track.on == kind],
        )
    for place, track in enumerate(tracks):
        if track.on is None and track.condition is not None:
            writer.first("plain", place, track.name, "fast_track", track.condition)
    for place, group in enumerate(groups):
        writer.group(place, group)
    writer.lines.append("score = fit + engagement")
    if grades is not None:
        writer.code.namespace.add(letter=grades.letter)
        writer.lines.append(f"grade = letter({grades.of})")
    for place, exclusion in enumerate(exclusions):
        writer.first("excluded", place, exclusion.name, "disqualify", exclusion.condition)
    judged = [each for gate in gates for each in (gate, *gate.choices)]
    for place, gate in enumerate(judged):
        writer.gate(place, gate)
    missing = "".join(f"missing{place}, " for place in range(len(judged)))
    sums = "".join(f"group{place}, " for place in range(len(groups)))
    writer.lines.append(
        f"return Judged(fit, engagement, fired, fading, newest, fast, plain, excluded, ({missing}), "
        f"({sums}), {writer.code.lead_values()}, grade)"
    )
    decide: Decide = writer.function(
        "decide",
        "facts, now, wake, errors, since",
        [
            "fit = engagement = 0",
            "fired = []",
            "fading = []",
            f"newest = {BEFORE_ALL_MS}",
            "fast = plain = excluded = grade = None",
            *(f"group{place} = 0" for place in range(len(groups))),
        ],
    )
    return decide


def fuse_routes(conditions: Sequence[tuple[str, Node | None]]) -> Choose:
    """One function that finds the first route (name, condition) that applies."""
    writer = _Writer()
    for place, (name, condition) in enumerate(conditions):
        if condition is None:
            writer.lines.append(f"return {place}")
            break
        writer.attempt(name, [f"if {writer.code.true(condition)}:", f"    return {place}"])
    writer.lines.append("return -1")
    choose: Choose = writer.function(
        "choose", "facts, now, wake, errors, fit, engagement, grade", ["score = fit + engagement"]
    )
    return choose


def _failed(rule: str, error: Exception) -> str:
    return f'rule "{rule}" failed ({type(error).__name__}): it counts as unknown'


class _Writer:
    """Writes the body of a function, statement by statement."""

    def __init__(self, groups: Sequence[str] = ()) -> None:
        self.code = Generator()
        self.lines: list[str] = []
        self.groups = {name: place for place, name in enumerate(groups)}
        self.code.namespace.add(Judged=Judged, failed=_failed, settle=settle, settle_moments=settle_moments)

    def function(self, name: str, parameters: str, begin: list[str]) -> Any:
        return self.code.namespace.compile(name, parameters, [*self.code.begin_lead(), *begin, *self.lines])

    def attempt(self, name: str, lines: list[str], otherwise: str | None = None) -> None:
        self.lines += self._attempt(name, lines, otherwise)

    def score(self, rule: ScoreRule) -> None:
        """A rule that gives its points once."""
        if rule.condition is not None:
            fired = self._fired(rule.name, rule.part, str(rule.points), rule.condition)
            self.attempt(
                rule.name,
                [
                    f"if {self.code.true(rule.condition)}:",
                    f"    fired.append({fired})",
                    f"    {self._sum(rule)} += {rule.points}",
                ],
            )

    def activities(
        self, kind: str, rules: Sequence[ScoreRule], tracks: Sequence[tuple[int, TrackRule]]
    ) -> None:
        """All rules on one kind of activity, in one loop."""
        self.code.needs_kinds = True
        loop: list[str] = []
        for number, rule in enumerate(rules):
            if rule.by_moment:
                then = [f"moments{number}.append(at)"]
            else:
                unit = f"0.5 ** ((now - at) / {rule.span_ms})" if rule.fades is not None else "1.0"
                then = [f"amount{number} += {unit}", f"times{number} += 1"]
            if rule.points > 0:
                then.append("if at > newest: newest = at")
            loop += self._attempt(rule.name, self._if(rule.condition, then))
        for place, track in tracks:
            found = f"fast = ({place}, {self._fired(track.name, 'fast_track', '0', track.condition)})"
            loop += self._attempt(
                track.name,
                [
                    f"if at > since and (fast is None or fast[0] > {place}):",
                    *(f"    {line}" for line in self._if(track.condition, [found])),
                ],
            )
        self.lines += [
            f"activities = by_kind.get({self.code.constant(kind)})",
            "if activities is not None:",
            *(
                f"    moments{number} = []" if rule.by_moment else f"    amount{number} = times{number} = 0"
                for number, rule in enumerate(rules)
            ),
            "    for activity in activities:",
            "        at = activity.at_ms",
            "        if at > now:",
            "            wake_at(at)",
            "            continue",
            *(f"        {line}" for line in self.code.begin_activity()),
            *(f"        {line}" for line in loop),
        ]
        for number, rule in enumerate(rules):
            self._settled(kind, number, rule)

    def _settled(self, kind: str, number: int, rule: ScoreRule) -> None:
        """The points of a rule on activities, once all of them were seen."""
        compiled = f"rule{len(self.lines)}"
        self.code.namespace.add(**{compiled: rule})
        group = None if rule.group is None else self.groups[rule.group]
        if rule.by_moment:
            condition = f"moments{number}"
            call = (
                f"points, times{number} = settle_moments({compiled}, moments{number}, now, {group}, fading)"
            )
        else:
            condition = f"times{number}"
            call = f"points = settle({compiled}, amount{number}, {group}, fading)"
        saw = f"{{{self.code.constant(kind)}: times{number}}}"
        self.lines += [
            f"    if {condition}:",
            f"        {call}",
            "        if points:",
            f"            {self._sum(rule)} += points",
            f"            fired.append({self._fired(rule.name, rule.part, 'points', None, saw)})",
        ]

    def group(self, place: int, group: GroupRule) -> None:
        """What a group gives, which is bounded; what it holds back is told as a rule of its own."""
        name = f"group{place}"
        beyond = [
            (sign, bound)
            for sign, bound in ((">", group.at_most), ("<", group.at_least))
            if bound is not None
        ]
        saw = f"{{{self.code.constant(group.name)}: {name}}}"
        self.lines.append(f"{group.part} += {name}")
        for sign, bound in beyond:
            cap = self._fired(f"{CAP_OF}{group.name}", group.part, f"{bound} - {name}", None, saw)
            self.lines += [
                f"if {name} {sign} {bound}:",
                f"    fired.append({cap})",
                f"    {group.part} += {bound} - {name}",
            ]

    def _sum(self, rule: ScoreRule) -> str:
        """The variable that a rule's points are added to."""
        return rule.part if rule.group is None else f"group{self.groups[rule.group]}"

    def first(self, variable: str, place: int, name: str, part: str, condition: Node) -> None:
        """The first of several rules that holds."""
        self.attempt(
            name,
            [
                f"if {variable} is None and {self.code.true(condition)}:",
                f"    {variable} = ({place}, {self._fired(name, part, '0', condition)})",
            ],
        )

    def gate(self, place: int, gate: GateRule) -> None:
        """Which of a gate's conditions do not hold."""
        self.lines.append(f"missing{place} = []")
        for condition in gate.conditions:
            lack = f"missing{place}.append({self.code.constant(lacking(condition))})"
            self.attempt(f"{gate.name} gate", [f"if not {self.code.true(condition)}: {lack}"], lack)

    def _attempt(self, name: str, lines: list[str], otherwise: str | None = None) -> list[str]:
        return [
            "try:",
            *(f"    {line}" for line in lines),
            "except Exception as error:",
            f"    errors.append(failed({self.code.constant(name)}, error))",
            *([] if otherwise is None else [f"    {otherwise}"]),
        ]

    def _if(self, condition: Node | None, then: list[str]) -> list[str]:
        if condition is None:
            return then
        return [f"if {self.code.true(condition)}:", *(f"    {line}" for line in then)]

    def _fired(
        self, name: str, part: str, points: str, condition: Node | None, saw: str | None = None
    ) -> str:
        fields = None if condition is None else self.code.saw_fields(condition)
        if fields is not None and points.lstrip("-").isdigit():  # known now: nothing is left to make then
            return self.code.constant((name, part, int(points), fields))
        if saw is None:
            saw = "{}" if condition is None else self.code.saw(condition)
        return f"({self.code.constant(name)}, {self.code.constant(part)}, {points}, {saw})"
