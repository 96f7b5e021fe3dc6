"""Journey: one lead's way through the stages, and what each move adds to the counters. Pure; no I/O.

Follows the moves of a lead in the order of the ledger. What becomes of an MQL is counted on the day it was
made, with the source, campaign, segment and owner of that day, and for every rule that helped; what becomes
of a lead in a stage on the day it came there; the rest on the day it happens. The same function counts a new
move in the transaction that writes it and counts a whole ledger anew, so that both give the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from connector.clock import DAY_MS
from connector.report.context import DIMENSIONS, LENGTH, MoveContext, gives_up
from connector.report.spans import bucket_of
from mappings.stages import LINE, Stage
from rules.fired import CAP_OF

_RANK: Final = {stage.value: place for place, stage in enumerate(LINE)}
_MQL: Final = _RANK[Stage.MQL]
_MERGE: Final = "merge with "

BY_HAND: Final = "made by hand"
"""Stands for the rule or gate where a person made the MQL."""


class Key(NamedTuple):
    """What is counted: a figure of a day (days since 1970, UTC) and a value of a dimension.

    `cycle` is 1 for a lead's first pursuit and 2 for all later ones. `bucket` belongs to a length of time, or
    is a number of touches."""

    dimension: str
    day: int
    value: str
    figure: str
    stage: str
    cycle: int
    how: str
    reason: str
    bucket: int


class Increment(NamedTuple):
    """What a move adds, before it is told apart by dimension (`spread`). `values` are those of DIMENSIONS;
    `rules` the rules and gates that it counts for as well, as (part, name); `whole`: for all leads together
    alone."""

    day: int
    cycle: int
    figure: str
    stage: str
    how: str
    reason: str
    bucket: int
    values: tuple[str, ...]
    rules: tuple[tuple[str, str], ...] = ()
    whole: bool = False


class Passage(NamedTuple):
    """A row of the ledger as the counters need it."""

    cycle: int
    origin: str | None
    target: str
    skipped: Sequence[str]
    happened_ms: int
    cause: str
    actor: str | None
    rules: Sequence[Any]
    reason: str | None
    outcome: str | None
    context: MoveContext

    @property
    def merged_with(self) -> str | None:
        """The lead that became part of this one with this row."""
        actor = self.actor or ""
        return actor.removeprefix(_MERGE) if self.cause == "fact" and actor.startswith(_MERGE) else None


@dataclass(frozen=True, slots=True)
class _Visit:
    """A stay in a stage: since when, in which cycle, and what the lead was counted by."""

    at_ms: int
    cycle: int
    context: MoveContext


@dataclass(frozen=True, slots=True)
class _Mql:
    """The MQL of the current cycle: the rules that helped as (part, name), what sales has said, with the
    reason where the lead was given back, and how the opportunity ended, where it did."""

    at_ms: int
    cycle: int
    context: MoveContext
    rules: tuple[tuple[str, str], ...]
    verdict: str | None = None
    reason: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """Where a lead stands: what its next move is counted against."""

    stage: str
    cycle: int
    visit: _Visit | None = None
    mql: _Mql | None = None
    seen: frozenset[str] = frozenset()
    gates: tuple[str, ...] = ()


Counts = list[tuple[Increment, int]]
"""What is added, and how often."""


def follow(journey: Journey | None, row: Passage, joined: Journey | None = None) -> tuple[Journey, Counts]:
    """The journey after a move, and what the move adds to the counters. `joined` is the journey of the lead
    that became part of this one with this move."""
    if row.merged_with is not None:
        return _merge(journey, row, joined)
    counts: Counts = []
    if journey is None:
        if row.cause == "imported":
            counts += _count(row.happened_ms, row.context, row.cycle, "imported", row.target)
            return Journey(row.target, row.cycle, seen=frozenset({row.target})), counts
        journey = Journey("", row.cycle)
    else:
        counts += _leave(journey, row)
    mql, more = _judge(journey, row)
    counts += more
    if row.cycle != journey.cycle:
        mql, journey = None, Journey(journey.stage, row.cycle)
    return _enter(replace(journey, mql=mql), row, counts)


def end(journey: Journey) -> Counts:
    """What it adds that a lead became part of another one, which goes on by itself."""
    counts: Counts = []
    visit, mql = journey.visit, journey.mql
    if visit is not None and journey.stage not in (Stage.CLOSED, Stage.DISQUALIFIED):
        counts += _count(visit.at_ms, visit.context, visit.cycle, "left", journey.stage, "merged")
    if mql is not None and mql.verdict is None:
        counts += _outcome(mql, "merged")
    return counts


# the parts of a move ------------------------------------------------------------------------------------


def _merge(journey: Journey | None, row: Passage, joined: Journey | None) -> tuple[Journey, Counts]:
    """The pursuit that is further goes on in the lead that stays; the other one ends."""
    if joined is not None and joined.stage == row.target:
        return replace(joined, cycle=row.cycle), [] if journey is None else end(journey)
    counts = [] if journey is None else end(journey)
    return Journey(row.target, row.cycle, seen=frozenset({row.target})), counts


def _leave(journey: Journey, row: Passage) -> Counts:
    """How the stay in the stage ended, and how long it took."""
    visit, stage = journey.visit, journey.stage
    how = _how(stage, row)
    counts: Counts = []
    if how == "rejected":
        at_ms, target = row.happened_ms, row.target
        counts += _count(at_ms, row.context, journey.cycle, "rejected", stage, target, row.reason)
    if visit is None:
        return counts
    counts += _count(visit.at_ms, visit.context, visit.cycle, "left", stage, how)
    bucket = bucket_of(row.happened_ms - visit.at_ms)
    if stage == Stage.DISTRIBUTED and how in ("onward", "rejected"):
        answer = "accepted" if how == "onward" else how
        counts += _count(row.happened_ms, row.context, visit.cycle, "response", stage, answer, bucket=bucket)
    elif how == "onward":
        # the ways of the many leads that never reach sales would be too many for every campaign
        whole = _RANK[stage] < _MQL
        counts += _count(row.happened_ms, row.context, visit.cycle, "span", stage, bucket=bucket, whole=whole)
    return counts


def _how(stage: str, row: Passage) -> str:
    if stage in (Stage.CLOSED, Stage.DISQUALIFIED):
        return "reopened"
    if not gives_up(stage, row.target):
        return "onward"
    return {"sales": "rejected", "clock": "lapsed"}.get(row.cause, "withdrawn")


def _judge(journey: Journey, row: Passage) -> tuple[_Mql | None, Counts]:
    """What the move says of the MQL of this cycle: accepted, given back, won, lost."""
    mql = journey.mql
    if mql is None:
        return None, []
    counts: Counts = []
    rank = _RANK.get(row.target, -1)
    if mql.result == "lost" and journey.stage == Stage.CLOSED and row.cycle == journey.cycle:
        counts += _outcome(mql, "lost", number=-1)  # opened again; what was won once stays won
        mql = replace(mql, result=None)
    if (
        mql.verdict != "accepted"
        and rank > _RANK[Stage.DISTRIBUTED]
        and not gives_up(journey.stage, row.target)
    ):
        if mql.verdict is not None:  # given back in this cycle, and taken up all the same
            counts += _outcome(mql, mql.verdict, mql.reason, number=-1)
        if mql.verdict != "dropped":
            counts += _outcome(mql, "accepted")
            counts += _span(mql, row, "to_accepted")
        mql = replace(mql, verdict="accepted", reason=None)
    elif gives_up(journey.stage, row.target) and rank < _MQL and journey.stage != Stage.CLOSED:
        how = _how(journey.stage, row)
        if mql.verdict == "accepted" and mql.result is None:
            counts += _outcome(mql, "dropped", row.reason)
            mql = replace(mql, verdict="dropped", reason=row.reason)
        elif mql.verdict is None:
            reason = row.reason if how != "withdrawn" else None
            counts += _outcome(mql, how, reason)
            mql = replace(mql, verdict=how, reason=reason)
    if row.target == Stage.CLOSED and row.outcome is not None and mql.result is None:
        counts += _outcome(mql, row.outcome)
        if row.outcome == "won":
            counts += _span(mql, row, "to_won")
        mql = replace(mql, result=row.outcome)
    return mql, counts


def _enter(journey: Journey, row: Passage, counts: Counts) -> tuple[Journey, Counts]:
    stage, cycle, context = row.target, row.cycle, row.context
    for passed in row.skipped:
        counts += _count(row.happened_ms, context, cycle, "skipped", passed)
    figure = "again" if stage in journey.seen else "entered"
    counts += _count(row.happened_ms, context, cycle, figure, stage, row.outcome or "")
    gates = journey.gates
    if row.cause == "rules" and row.actor and _RANK.get(stage, -1) <= _MQL and stage != Stage.DISQUALIFIED:
        gates = (*gates, row.actor)
    mql = journey.mql
    if stage == Stage.MQL and mql is None:
        mql = _Mql(row.happened_ms, cycle, context, _helped(row, gates))
        counts += _outcome(mql, "made")
        if context.touches is not None:
            touches = min(context.touches, 1_000)
            counts += _count(row.happened_ms, context, cycle, "touches", stage, bucket=touches)
    visit = _Visit(row.happened_ms, cycle, context)
    return Journey(stage, cycle, visit, mql, journey.seen | {stage}, gates), counts


def _helped(row: Passage, gates: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The rules that gave the MQL points, the fast track that it took, and the gates that it came through."""
    found: dict[tuple[str, str], None] = {}
    for fired in row.rules:
        name, part = str(fired.get("rule", "")), fired.get("part")
        if part == "fast_track":
            if name == row.actor:
                found["fast_track", name[:LENGTH]] = None
        elif part in ("fit", "engagement") and fired.get("points", 0) > 0 and not name.startswith(CAP_OF):
            found[part, name[:LENGTH]] = None
    for gate in gates:
        if ("fast_track", gate[:LENGTH]) not in found:
            found["gate", gate[:LENGTH]] = None
    if row.cause != "rules":
        found["hand", BY_HAND] = None
    return tuple(found)


# counting -----------------------------------------------------------------------------------------------


def spread(counts: Mapping[Increment, int]) -> dict[Key, int]:
    """The counters that these increments raise: of the whole, of each dimension, of each rule."""
    found: dict[Key, int] = {}
    for one, number in counts.items():
        day, cycle, figure, stage, how, reason, bucket, values, rules, whole = one
        key = Key("all", day, "", figure, stage, cycle, how, reason, bucket)
        found[key] = found.get(key, 0) + number
        for dimension, value in () if whole else zip(DIMENSIONS, values, strict=True):
            key = Key(dimension, day, value, figure, stage, cycle, how, reason, bucket)
            found[key] = found.get(key, 0) + number
        for part, name in rules:
            key = Key("rule", day, name, figure, part, cycle, how, reason, bucket)
            found[key] = found.get(key, 0) + number
    return found


def _outcome(mql: _Mql, how: str, reason: str | None = None, number: int = 1) -> Counts:
    """One more of this outcome, on the day of the MQL, for it and for every rule that helped."""
    [(one, _)] = _count(mql.at_ms, mql.context, mql.cycle, "mql", Stage.MQL.value, how, reason)
    return [(one._replace(rules=mql.rules), number)]


def _span(mql: _Mql, row: Passage, which: str) -> Counts:
    bucket = bucket_of(row.happened_ms - mql.at_ms)
    return _count(row.happened_ms, row.context, mql.cycle, "span", Stage.MQL.value, which, bucket=bucket)


def _count(
    at_ms: int,
    context: MoveContext,
    cycle: int,
    figure: str,
    stage: str,
    how: str = "",
    reason: str | None = None,
    bucket: int = 0,
    *,
    whole: bool = False,
) -> Counts:
    """One of a figure."""
    day, why = at_ms // DAY_MS, "" if reason is None else reason[:LENGTH]
    turn = 1 if cycle == 1 else 2
    return [(Increment(day, turn, figure, stage, how, why, bucket, context[:4], (), whole), 1)]
