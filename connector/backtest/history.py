"""History: what was recorded of one lead, taken apart: what people did, and what became of each pursuit.

A pursuit is what the ledger calls a cycle: from the beginning, or from a return to nurture, to the next one.
Pure: rows of the ledger and the lead's state come in as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from mappings.stages import LINE, Stage
from mappings.values import Value
from rules.facts import Activity

What = Literal["returned", "passed on", "worked", "by hand", "disqualified", "reopened"]
Ending = Literal["rejected", "returned", "won", "lost", "disqualified"]

EARLY: Final = frozenset(LINE[: LINE.index(Stage.MQL)])
PURSUED: Final = frozenset(LINE[LINE.index(Stage.MQL) :])
WORKED: Final = frozenset(LINE[LINE.index(Stage.ACCEPTED) :])


class Row(Protocol):
    """A row of the ledger, as far as it matters here; see `connector.store.ledger`."""

    @property
    def cycle(self) -> int: ...
    @property
    def origin(self) -> str | None: ...
    @property
    def target(self) -> str: ...
    @property
    def skipped(self) -> tuple[str, ...]: ...
    @property
    def happened_ms(self) -> int: ...
    @property
    def recorded_ms(self) -> int: ...
    @property
    def cause(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def outcome(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that people did to a lead, or a fact of the CRM: no rules decided it.

    `answers`: it followed the hand-over by the rules of its pursuit, and would not have happened without one.
    `reason` is that of a rejection by sales; None where it was none."""

    what: What
    at_ms: int
    target: Stage
    pursuit: int
    answers: bool
    reason: str | None = None


@dataclass(slots=True)
class Pursuit:
    """What really became of one pursuit. `handed_ms`: it became an MQL, by rules or by somebody's word
    (`by_hand`). `reached` are the stages from accepted on that it came to; `answered_ms` is when somebody
    first answered."""

    number: int
    begins_ms: int
    handed_ms: int | None = None
    by_hand: bool = False
    reached: set[Stage] = field(default_factory=set)
    ending: Ending | None = None
    reason: str | None = None
    answered_ms: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """One lead. `activities` are in the order in which they happened, `happenings` too. `begins_ms` is when
    leadloop began to judge it; None: never, it rests. `handed_ms` is the first hand-over of all."""

    lead_id: str
    values: Mapping[str, Value]
    activities: Sequence[Activity]
    happenings: Sequence[Happening]
    pursuits: Sequence[Pursuit]
    first_stage: Stage
    begins_ms: int | None
    created_ms: int
    origin: str
    sides: frozenset[str]

    @property
    def handed_ms(self) -> int | None:
        """When it was first handed over."""
        return next((one.handed_ms for one in self.pursuits if one.handed_ms is not None), None)


def read_history(
    lead_id: str,
    values: Mapping[str, Value],
    activities: Sequence[Activity],
    rows: Sequence[Row],
    *,
    created_ms: int,
    origin: str,
    sides: frozenset[str],
    resting: bool,
    live_since_ms: int,
) -> History | None:
    """The history of a lead; None where the ledger has nothing of it."""
    if not rows:
        return None
    first = rows[0]
    reading = _Reading(first.recorded_ms, first.cycle)
    for row in rows[1:]:
        reading.add(row)
    begins_ms: int | None = first.recorded_ms
    if resting:
        begins_ms = None
    elif first.cause == "imported":
        begins_ms = _woken_ms(first, rows, activities, live_since_ms)
    return History(
        lead_id=lead_id,
        values=values,
        activities=activities,
        happenings=reading.happenings,
        pursuits=reading.pursuits,
        first_stage=Stage(first.target),
        begins_ms=begins_ms,
        created_ms=created_ms,
        origin=origin,
        sides=sides,
    )


def _woken_ms(first: Row, rows: Sequence[Row], activities: Sequence[Activity], live_since_ms: int) -> int:
    """When a lead from before leadloop was first judged: its first activity since, or its first move. Nothing
    tells of a changed field, so one that was woken by that counts from its import on."""
    found = [one.at_ms for one in activities if one.at_ms >= live_since_ms]
    found += [row.recorded_ms for row in rows[1:2]]
    return max(first.recorded_ms, min(found, default=first.recorded_ms))


class _Reading:
    """Takes the rows of one lead apart, in their order."""

    def __init__(self, begins_ms: int, cycle: int) -> None:
        self.pursuits = [Pursuit(0, begins_ms)]
        self.happenings: list[Happening] = []
        self._last_ms = begins_ms
        self._cycle = cycle
        self._handed_by_rules = False

    def add(self, row: Row) -> None:
        """Take one more row in."""
        if row.origin is None:
            return  # the beginning of a lead that was united with this one
        target, origin = Stage(row.target), Stage(row.origin)
        # what happened is known when it was recorded at the latest; the order of the ledger is kept
        at_ms = self._last_ms = max(self._last_ms, min(row.happened_ms, row.recorded_ms))
        pursuit = self.pursuits[-1]
        pursuit.reached.update(Stage(name) for name in row.skipped if Stage(name) in WORKED)
        begins = row.cycle > self._cycle
        self._cycle = max(self._cycle, row.cycle)
        if row.cause == "rules" and self._by_rules(target, origin, at_ms):
            return
        what = self._what(target, origin, begins=begins)
        reason = row.reason if row.cause == "sales" and target not in PURSUED - {Stage.MQL} else None
        self.happenings.append(Happening(what, at_ms, target, pursuit.number, self._handed_by_rules, reason))
        self._note(pursuit, what, target, at_ms, row)
        if begins:
            self.pursuits.append(Pursuit(len(self.pursuits), at_ms))
            self._handed_by_rules = False

    def _by_rules(self, target: Stage, origin: Stage, at_ms: int) -> bool:
        """Whether the rules alone did it, so that other rules may do otherwise."""
        if target is Stage.MQL and origin in EARLY:
            if self.pursuits[-1].handed_ms is None:
                self.pursuits[-1].handed_ms = at_ms
            self._handed_by_rules = True
            return True
        if origin in EARLY and (target in EARLY or target is Stage.DISQUALIFIED):
            return True
        return target is Stage.DISTRIBUTED

    @staticmethod
    def _what(target: Stage, origin: Stage, *, begins: bool) -> What:
        if begins or (target in EARLY and origin not in EARLY):
            return "reopened" if origin is Stage.DISQUALIFIED else "returned"
        if target is Stage.DISQUALIFIED:
            return "disqualified"
        if target is Stage.MQL:
            return "passed on" if origin in PURSUED else "by hand"
        return "worked" if target in PURSUED else "by hand"

    @staticmethod
    def _note(pursuit: Pursuit, what: What, target: Stage, at_ms: int, row: Row) -> None:
        """What this means for the pursuit that it happened in."""
        if what == "by hand" and target is Stage.MQL and pursuit.handed_ms is None:
            pursuit.handed_ms, pursuit.by_hand = at_ms, True
        if pursuit.answered_ms is None and (target in WORKED or what in ("returned", "disqualified")):
            pursuit.answered_ms = at_ms
        if target in WORKED:
            pursuit.reached.add(target)
        if target is Stage.CLOSED:
            pursuit.ending = "won" if row.outcome == "won" else "lost"
            pursuit.reason = row.reason
        elif what in ("returned", "disqualified") and pursuit.ending is None:
            said = row.cause == "sales"
            pursuit.ending = "rejected" if said else "disqualified" if what == "disqualified" else "returned"
            pursuit.reason = row.reason
        elif target is Stage.OPPORTUNITY:
            pursuit.ending = pursuit.reason = None  # won or lost no more: the deal is open again
