"""Cases: tests of the rules, written in YAML beside them, and run here. Pure: the day stands in each case.

A lead begins in the case's stage and goes as far as the rules take it; who comes in from outside (sales, a
deadline) is not played. Reads no files: the texts come in as sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mappings.moments import normal_datetime
from mappings.problems import ConfigError, ConfigErrors, Path
from mappings.source import Document, Source, parse_all
from mappings.stages import Stage
from mappings.validation import validate
from rules.case_document import Case
from rules.case_reading import CaseReading, names_of, read_moment
from rules.deadlines import moments_of
from rules.evaluate import Rules
from rules.facts import LeadFacts, Verdict
from rules.moves import lacking, next_move
from rules.routing import Assignment, Standing, assign
from rules.scope import STAGE_NAMES, Scope

_NUMBERS: Final = ("score", "fit", "engagement")


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the rules take a lead: the stage, the verdict there, who gets it if it is ready for sales (from
    pools that have given nobody a lead yet), and the names of all rules that fired on the way. `facts` are
    the lead's in the end."""

    stage: Stage
    verdict: Verdict
    assigned: Assignment | None
    fired: tuple[str, ...]
    fast_track: str | None
    disqualified: str | None
    facts: LeadFacts


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
    failures: list[CaseFailure] = []
    documents, errors = parse_all(sources)
    names = names_of(rules, [document.data for document in documents])
    seen: dict[str, str] = {}
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
            line, _ = document.place((*path, "case"))
            here = f"{document.source.name}:{line}"
            if (first := seen.setdefault(case.case, here)) != here:
                message = f'the case "{case.case}" is here twice (first in {first})'
                errors.append(document.error((*path, "case"), message))
            reading = CaseReading(document, path, scope, default_country)
            facts, now_ms = reading.facts(case)
            reading.check_expected(case, names)
            errors.extend(reading.errors)
            if not reading.errors:
                reached = go_as_far(rules, facts, now_ms, case.previous_owner)
                failures.extend(_compare(document, path, case, reached))
                failures.extend(_compare_deadline(document, path, case, reached, rules, now_ms))
    return CaseReport(count, tuple(failures), tuple(errors))


def go_as_far(rules: Rules, facts: LeadFacts, now_ms: int, previous_owner: str | None = None) -> Reached:
    """Let the rules move a lead until nothing moves any more, as far as MQL. `previous_owner` had it in an
    earlier cycle."""
    fired: dict[str, None] = {}
    fast_track: str | None = None
    disqualified: str | None = None
    for _ in STAGE_NAMES:
        verdict = rules.evaluate(facts, now_ms)
        fired.update(dict.fromkeys(rule.rule for rule in verdict.fired))
        move = next_move(facts.stage, verdict)
        if move is None:
            break
        if move.target is Stage.MQL:
            fast_track = verdict.fast_track
        if move.target is Stage.DISQUALIFIED:
            disqualified = move.reason
        if facts.stage is Stage.CLOSED:  # a new pursuit begins
            facts = replace(facts, cycle=facts.cycle + 1, cycle_since_ms=now_ms)
        facts = replace(facts, stage=move.target, stage_since_ms=now_ms)
    assigned: Assignment | None = None
    if facts.stage is Stage.MQL:
        standing = Standing(facts.values, previous_owner)
        assigned = assign(rules.matches(facts, now_ms), standing, {}, now_ms)
    return Reached(facts.stage, verdict, assigned, tuple(fired), fast_track, disqualified, facts)


def _compare(document: Document, path: Path, case: Case, found: Reached) -> Iterator[CaseFailure]:
    """Everything that did not come out as expected."""
    expect, verdict, assigned = case.expect, found.verdict, found.assigned
    route, pool = (None, None) if assigned is None else (assigned.route, assigned.pool)
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
    lacks = _lacks_next(found)
    for place, part in enumerate(expect.missing):
        if not any(_names(told, part) for told in lacks):
            yield failed(("missing", place), f'"{part}" to be missing', ", ".join(lacks) or "nothing missing")
    for name, came in (
        ("grade", verdict.grade),
        ("fast_track", found.fast_track),
        ("track", verdict.track),
        ("disqualified", found.disqualified),
        ("route", None if route is None else route.name),
        ("owner", None if assigned is None else assigned.owner),
        ("pool", None if pool is None else pool.name),
    ):
        wanted = getattr(expect, name)
        if name in expect.model_fields_set and wanted != came:
            yield failed((name,), f"{name.replace('_', ' ')} {wanted or 'none'}", came or "none")


def _compare_deadline(
    document: Document, path: Path, case: Case, found: Reached, rules: Rules, now_ms: int
) -> Iterator[CaseFailure]:
    """The deadline that the lead is under in the end, and when it is due. A lead that somebody gets has been
    handed over now."""
    expect, facts = case.expect, found.facts
    if not {"deadline", "due"} & expect.model_fields_set:
        return
    owner = None if found.assigned is None else found.assigned.owner
    if owner is not None:
        facts = replace(facts, stage=Stage.DISTRIBUTED, stage_since_ms=now_ms)
    deadline, _ = rules.deadline(facts, now_ms)
    due = "none"
    if deadline is not None:
        due_ms = moments_of(deadline, facts.stage_since_ms, rules.absence_of(owner)).due_ms
        due = str(normal_datetime(due_ms))
    name = "none" if deadline is None else deadline.name
    wanted_due = "none" if expect.due is None else str(normal_datetime(read_moment(expect.due, now_ms)))
    for key, wanted, came in (("deadline", expect.deadline or "none", name), ("due", wanted_due, due)):
        if key in expect.model_fields_set and wanted != came:
            message = f"{case.case}: expected {key} {wanted}, found {came}"
            yield CaseFailure(case.case, document.error((*path, "expect", key), message), wanted, came, ())


def _lacks(wanted: str, found: Reached) -> str:
    """What the lead lacks for the stage that was expected, in words."""
    if found.disqualified is not None:
        return f"disqualified: {found.disqualified}"
    missing = lacking(found.stage, found.verdict, Stage(wanted))
    return f"lacks {', '.join(missing)}" if missing else ""


def _lacks_next(found: Reached) -> tuple[str, ...]:
    """What the lead lacks at the gate in front of it; from nurture on that is `mql`."""
    gate = {Stage.INQUIRY: "qualification", Stage.QUALIFICATION: "nurture"}.get(found.stage, "mql")
    return found.verdict.gates[gate].missing


def _names(told: str, part: str) -> bool:
    """Whether `part` stands in what is told, as whole words: 5 points are not 15."""
    return re.search(rf"(?<!\w){re.escape(' '.join(part.split()))}(?!\w)", told, re.IGNORECASE) is not None
