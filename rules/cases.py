"""Cases: tests of the rules, written in YAML beside them, and run here. Pure: the day stands in each case.

A lead begins in the case's stage and goes as far as the rules take it; who comes in from outside (sales, a
deadline) is not played. Reads no files: the texts come in as sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from mappings.moments import ms_from_datetime, normal_date, normal_datetime
from mappings.normalise import normalise
from mappings.problems import ConfigError, ConfigErrors, Path, did_you_mean
from mappings.source import Document, Source, parse
from mappings.stages import LINE, Stage
from mappings.validation import validate
from mappings.values import FieldType, Unreadable, Value
from rules.case_document import Case
from rules.evaluate import Rules
from rules.facts import Activity, LeadFacts, Rejection, Verdict
from rules.moves import BEFORE_MQL, next_move
from rules.routing import Route
from rules.scope import STAGE_NAMES, Scope

_AGO: Final = re.compile(r"([0-9]{1,5}) (minute|hour|day|week|month|year)s? ago")
_UNIT_MS: Final = {
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 7 * 86_400_000,
    "month": 30 * 86_400_000,
    "year": 365 * 86_400_000,
}
_NOON_MS: Final = 12 * 3_600_000
_BEYOND_RULES: Final = frozenset(str(stage) for stage in LINE[len(BEFORE_MQL) + 1 :])
_NUMBERS: Final = ("score", "fit", "engagement")


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the rules take a lead: the stage, the verdict there, the route if it is ready for sales, and
    the names of all rules that fired on the way."""

    stage: Stage
    verdict: Verdict
    route: Route | None
    fired: tuple[str, ...]
    fast_track: str | None
    disqualified: str | None


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """An expectation that was not met, at its place. `fired` are the rules that fired, with their points."""

    case: str
    error: ConfigError
    expected: str
    found: str
    fired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseReport:
    """What came of all cases: how many there are, the failures, and what is wrong with the cases."""

    count: int
    failures: tuple[CaseFailure, ...]
    errors: tuple[ConfigError, ...]


def run_cases(
    sources: Sequence[Source], rules: Rules, scope: Scope, default_country: str | None = None
) -> CaseReport:
    """Run the cases of rules documents. `rules` were compiled from the same sources; `scope` has the names
    that a case may use, `default_country` is where phone numbers are read in."""
    errors: list[ConfigError] = []
    failures: list[CaseFailure] = []
    documents: list[Document] = []
    for source in sources:
        try:
            documents.append(parse(source))
        except ConfigErrors as found:
            errors.extend(found.errors)
    names = {name for document in documents for name in _rule_names(document.data)}
    seen: dict[str, int] = {}
    count = 0
    for document in documents:
        written = document.data.get("cases") if isinstance(document.data, dict) else None
        for number in range(len(written)) if isinstance(written, list) else ():
            count += 1
            path: Path = ("cases", number)
            try:
                case = validate(Case, document, path)
            except ConfigErrors as found:
                errors.extend(found.errors)
                continue
            if case.case in seen:
                errors.append(document.error((*path, "case"), f'two cases are called "{case.case}"'))
            seen[case.case] = number
            reading = _Reading(document, path, scope, default_country)
            facts, now_ms = reading.facts(case)
            reading.check_expected(case, rules, names)
            errors.extend(reading.errors)
            if not reading.errors:
                failures.extend(_compare(document, path, case, go_as_far(rules, facts, now_ms)))
    return CaseReport(count, tuple(failures), tuple(errors))


def go_as_far(rules: Rules, facts: LeadFacts, now_ms: int) -> Reached:
    """Let the rules move a lead until nothing moves any more, as far as MQL."""
    fired: dict[str, None] = {}
    fast_track: str | None = None
    disqualified: str | None = None
    for _ in STAGE_NAMES:
        verdict = rules.evaluate(facts, now_ms)
        fired.update(dict.fromkeys(rule.rule for rule in verdict.fired))
        fast_track = fast_track or verdict.fast_track
        move = next_move(facts.stage, verdict)
        if move is None:
            break
        disqualified = move.reason or disqualified
        facts = replace(facts, stage=move.target, stage_since_ms=now_ms)
    route = rules.route(facts, now_ms) if facts.stage is Stage.MQL else None
    return Reached(facts.stage, verdict, route, tuple(fired), fast_track, disqualified)


def read_moment(text: str, now_ms: int) -> int:
    """Epoch milliseconds of '3 days ago', 'today', 'yesterday', a date (its midnight) or a date with a time.

    Raises Unreadable."""
    words = text.strip().lower()
    if words in ("today", "now"):
        return now_ms
    if words == "yesterday":
        return now_ms - _UNIT_MS["day"]
    ago = _AGO.fullmatch(words)
    if ago is not None:
        return now_ms - int(ago[1]) * _UNIT_MS[ago[2]]
    return _moment(text)


def read_value(kind: str, written: Any, country: str | None = None) -> Value:
    """The canonical value of what somebody wrote for a field of this type. Raises Unreadable."""
    if isinstance(written, list):
        if kind != "multi_select":
            raise Unreadable(f"a {kind} is one value, not a list")
        written = tuple(written)
    elif isinstance(written, bool) and kind != "boolean":
        raise Unreadable(f"a {kind} is not {str(written).lower()}; put it in quotes")
    elif isinstance(written, int | float) and kind not in ("number", "money", "boolean", "date", "datetime"):
        raise Unreadable(f"a {kind} is a text, not the number {written}; put it in quotes")
    return normalise(cast(FieldType, kind), written, country)


def _moment(text: str) -> int:
    normal = normal_datetime(text)
    if normal is None:
        raise Unreadable("there is no date")
    return ms_from_datetime(normal)


def _today(text: str) -> int:
    """A date is its noon, so that what happens on that day has mostly happened."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
        return ms_from_datetime(str(normal_date(text))) + _NOON_MS
    return _moment(text)


def _rule_names(data: Any) -> Iterator[str]:
    """The names of all rules of a document."""
    if isinstance(data, dict):
        if isinstance(data.get("rule"), str):
            yield data["rule"]
        for key, value in data.items():
            if key != "cases":
                yield from _rule_names(value)
    elif isinstance(data, list):
        for item in data:
            yield from _rule_names(item)


class _Reading:
    """Reads one case into facts, and notes everything that is wrong with it."""

    def __init__(self, document: Document, path: Path, scope: Scope, country: str | None) -> None:
        self.document, self.path, self.scope, self.country = document, path, scope, country
        self.errors: list[ConfigError] = []

    def facts(self, case: Case) -> tuple[LeadFacts, int]:
        """The facts, and the moment at which they are judged."""
        try:
            now_ms = _today(case.today)
        except Unreadable:
            self._error(("today",), f'"{case.today}" is no day', "write it as 2026-01-15")
            now_ms = 0
        values = {name: self._value(name, written) for name, written in case.lead.items()}
        activities = tuple(
            Activity(
                self._known(("activities", place, "kind"), "activity", item.kind, self.scope.activities),
                self._at(("activities", place, "at"), item.at, now_ms),
                self._attributes(place, item.kind, item.attributes),
            )
            for place, item in enumerate(case.activities)
        )
        rejections = tuple(
            Rejection(
                self._known(("rejections", place, "reason"), "reason", item.reason, self.scope.reasons),
                self._at(("rejections", place, "at"), item.at, now_ms),
                item.cycle,
                item.score,
            )
            for place, item in enumerate(case.rejections)
        )
        if case.origin:
            self._known(("origin",), "side", case.origin, self.scope.sides)
        for place, side in enumerate(case.exists_on):
            self._known(("exists_on", place), "side", side, self.scope.sides)
        stage = self._known(("stage",), "stage", case.stage, STAGE_NAMES)
        since_ms = self._at(("stage_since",), case.stage_since, now_ms)
        facts = LeadFacts(
            values=values,
            stage=Stage(stage) if stage in STAGE_NAMES else Stage.INQUIRY,
            cycle=case.cycle,
            stage_since_ms=since_ms,
            created_ms=self._at(("created",), case.created, now_ms),
            activities=activities,
            rejections=rejections,
            sides=frozenset(case.exists_on),
            origin=case.origin,
            cycle_since_ms=max((item.at_ms for item in rejections), default=None),
        )
        return facts, now_ms

    def check_expected(self, case: Case, rules: Rules, names: set[str]) -> None:
        """Whether what is expected exists, and can come out."""
        expect = case.expect
        if expect.stage in _BEYOND_RULES and expect.stage != case.stage:
            message = f"the rules take a lead as far as mql, not to {expect.stage}"
            self._error(("expect", "stage"), message, "for who gets it, expect a route")
        tracks = {reason.track for reason in rules.reasons.values() if reason.track} | set(
            rules.nurture.tracks
        )
        for key, what, known in (
            ("stage", "stage", STAGE_NAMES),
            ("fast_track", "rule", names),
            ("track", "track", tracks),
            ("route", "route", [route.name for route in rules.routes]),
            ("disqualified", "reason", rules.reasons),
        ):
            given = getattr(expect, key)
            if given is not None:
                self._known(("expect", key), what, given, known)
        for key in ("fired", "not_fired"):
            for place, name in enumerate(getattr(expect, key)):
                self._known(("expect", key, place), "rule", name, names)

    def _error(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.errors.append(self.document.error((*self.path, *path), message, hint, key=key))

    def _known(self, path: Path, what: str, name: str, known: Any) -> str:
        if known is not None and name not in known:
            self._error(path, f'there is no {what} "{name}"', did_you_mean(name, list(known)))
        return name

    def _at(self, path: Path, text: str, now_ms: int) -> int:
        try:
            return read_moment(text, now_ms)
        except Unreadable:
            self._error(path, f'"{text}" is no moment', 'write "3 days ago", or a date such as 2026-01-15')
            return now_ms

    def _value(self, name: str, written: Any) -> Value:
        kind = self.scope.fields.get(name)
        if kind is None:
            hint = did_you_mean(name, self.scope.fields)
            self._error(("lead", name), f'unknown field "{name}"', hint, key=True)
            return None
        try:
            value = read_value(kind, written, self.country)
        except Unreadable as why:
            message, _, hint = str(why).partition("; ")
            self._error(("lead", name), message, hint)
            return None
        choices = self.scope.choices.get(name)
        for item in value if isinstance(value, tuple) else (value,):
            if choices is not None and item is not None and item not in choices:
                hint = did_you_mean(str(item), choices)
                self._error(("lead", name), f'"{item}" is not one of the values of this field', hint)
        return value

    def _attributes(self, place: int, kind: str, given: dict[str, Any]) -> dict[str, Value]:
        known = None if self.scope.activities is None else self.scope.activities.get(kind)
        for name in given if known is not None else ():
            if name not in (known or ()):
                self._error(
                    ("activities", place, "attributes", name),
                    f'the activity "{kind}" has no attribute "{name}"',
                    did_you_mean(name, list(known or ())),
                    key=True,
                )
        return dict(given)


def _compare(document: Document, path: Path, case: Case, found: Reached) -> Iterator[CaseFailure]:
    """Everything that did not come out as expected."""
    expect, verdict = case.expect, found.verdict
    told = tuple(f"{rule.rule} {rule.points:+}" if rule.points else rule.rule for rule in verdict.fired)

    def failed(key: Path, wanted: str, came: str, why: str = "") -> CaseFailure:
        message = f"{case.case}: expected {wanted}, found {came}{f' ({why})' if why else ''}"
        return CaseFailure(case.case, document.error((*path, "expect", *key), message), wanted, came, told)

    if expect.stage is not None and expect.stage != found.stage:
        yield failed(("stage",), f"stage {expect.stage}", str(found.stage), _lacks(expect.stage, found))
    for name in _NUMBERS:
        bounds, number = getattr(expect, name), getattr(verdict, name)
        if bounds is not None and not bounds.hold(number):
            yield failed((name,), f"{name} {bounds}", str(number))
    for name, number in (("fired", True), ("not_fired", False)):
        for place, rule in enumerate(getattr(expect, name)):
            if (rule in found.fired) is not number:
                words = ("to fire", "it did not") if number else ("not to fire", "it did")
                yield failed((name, place), f'"{rule}" {words[0]}', words[1])
    for name, came in (
        ("grade", verdict.grade),
        ("fast_track", found.fast_track),
        ("track", verdict.track),
        ("disqualified", found.disqualified),
        ("route", None if found.route is None else found.route.name),
    ):
        wanted = getattr(expect, name)
        if name in expect.model_fields_set and wanted != came:
            yield failed((name,), f"{name.replace('_', ' ')} {wanted or 'none'}", came or "none")


def _lacks(wanted: str, found: Reached) -> str:
    """What the lead lacks for the stage that was expected, in words."""
    if found.disqualified is not None:
        return f"disqualified: {found.disqualified}"
    missing = [word for gate in _gates_to(wanted) for word in found.verdict.gates[gate].missing]
    return f"lacks {', '.join(dict.fromkeys(missing))}" if missing else ""


def _gates_to(wanted: str) -> tuple[str, ...]:
    line = [str(stage) for stage in LINE]
    gates = ("qualification", "nurture", "mql")
    return tuple(gate for gate in gates if wanted in line and line.index(gate) <= line.index(wanted))
