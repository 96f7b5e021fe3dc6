"""CaseReading: the lead that somebody made up becomes facts, and what is wrong with it is noted.

Dates may be said as people say them ("3 days ago"). Pure: the day stands in each case.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from mappings.moments import ms_from_datetime, normal_date, normal_datetime
from mappings.normalise import normalise
from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from mappings.stages import LINE, Stage
from mappings.values import FieldType, Unreadable, Value
from rules.case_document import Case
from rules.evaluate import Rules
from rules.facts import Activity, LeadFacts, Rejection
from rules.fired import CAP_OF
from rules.moves import BEFORE_MQL
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
_COUNTED: Final = ("number", "money", "date", "datetime")
_BEYOND_RULES: Final = frozenset(str(stage) for stage in LINE[len(BEFORE_MQL) + 1 :])


@dataclass(frozen=True, slots=True)
class Names:
    """What a case may expect: names of rules (and of what bounds a group), and for each other key of `expect`
    what it names in words, with all there are."""

    rules: Collection[str]
    of_expectations: Mapping[str, tuple[str, Collection[str]]]


def names_of(rules: Rules, documents: Collection[Any]) -> Names:
    """The names in compiled rules and in the documents that they come from."""
    tracks = [reason.track for reason in rules.reasons.values() if reason.track]
    grades = () if rules.grades is None else [letter for letter, _ in rules.grades.letters]
    fast = [
        track["rule"]
        for data in documents
        if isinstance(data, dict)
        for track in data.get("fast_track") or ()
    ]
    return Names(
        rules={
            *(name for data in documents for name in _rule_names(data)),
            *(CAP_OF + group.name for group in rules.groups),
        },
        of_expectations={
            "stage": ("stage", STAGE_NAMES),
            "grade": ("grade", grades),
            "fast_track": ("fast track", fast),
            "track": ("track", {*tracks, *rules.nurture.tracks}),
            "route": ("route", [route.name for route in rules.routes]),
            "pool": ("pool", {pool.name for pool in rules.pools()}),
            "deadline": (
                "deadline",
                {each.name for there in rules.deadlines.values() for each in there.deadlines},
            ),
            "owner": ("owner", {owner.owner for owner in rules.named_owners}),
            "disqualified": (
                "disqualification with the reason",
                {exclusion.reason for exclusion in rules.exclusions},
            ),
        },
    )


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
    what = f"{'an' if kind[0] in 'eo' else 'a'} {kind}"
    if isinstance(written, list):
        if kind != "multi_select":
            raise Unreadable(f"{what} is one value, not a list")
        written = tuple(written)
    elif isinstance(written, bool) and kind != "boolean":
        quoted = "" if kind in _COUNTED else "; put it in quotes"
        raise Unreadable(f"{what} is not {str(written).lower()}{quoted}")
    elif isinstance(written, int | float) and kind not in (*_COUNTED, "boolean"):
        raise Unreadable(f"{what} is a text, not the number {written}; put it in quotes")
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


class CaseReading:
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
            outcome=case.outcome,
            closed_reason=case.closed_reason,
            deal_amount=case.deal_amount,
            cycle_since_ms=max((item.at_ms for item in rejections), default=None),
        )
        return facts, now_ms

    def check_expected(self, case: Case, names: Names) -> None:
        """Whether what is expected exists, and can come out."""
        expect = case.expect
        if expect.stage in _BEYOND_RULES and expect.stage != case.stage:
            message = f"the rules take a lead as far as mql, not to {expect.stage}"
            self._error(("expect", "stage"), message, "for who gets it, expect a route")
        for key, (what, known) in names.of_expectations.items():
            given = getattr(expect, key)
            if given is not None and not (key == "owner" and given in self._own_owners(case)):
                self._known(("expect", key), what, given, known)
        if expect.due is not None:
            self._at(("expect", "due"), expect.due, 0)
        for key in ("fired", "not_fired"):
            for place, name in enumerate(getattr(expect, key)):
                self._known(("expect", key, place), "rule", name, names.rules)

    def _own_owners(self, case: Case) -> list[object]:
        """The owners that the case itself names."""
        fields = [name for name, kind in self.scope.fields.items() if kind == "owner"]
        return [case.previous_owner, *(case.lead.get(name) for name in fields)]

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
        if known is None:
            return dict(given)
        read: dict[str, Value] = {}
        for name, written in given.items():
            path: Path = ("activities", place, "attributes", name)
            if name not in known:
                message = f'the activity "{kind}" has no attribute "{name}"'
                self._error(path, message, did_you_mean(name, list(known)), key=True)
                continue
            try:
                read[name] = read_value(known[name], written, self.country)
            except Unreadable as why:
                message, _, hint = str(why).partition("; ")
                self._error(path, message, hint)
        return read
