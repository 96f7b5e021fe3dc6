"""History: the ledger and the report's counters, written in one transaction, and counted anew from it.

The one door through which moves enter the ledger. A lead is decided by one worker at a time, so its moves are
counted one after another; counters are added to, so workers do not disturb each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from connector.lead import LeadState
from connector.report.context import MoveContext, ReportFields, context_of
from connector.report.journey import Counts, Journey, Key, end, follow
from connector.store import leads as lead_store
from connector.store import ledger, rollups
from connector.store.database import Database
from connector.store.settings_values import get_value, put_value

VERSION: Final = 1
"""Raised when the counters mean something else than before: then they are counted anew."""

COUNTED: Final = "report:counted"
LEADS_AT_ONCE: Final = 1_000
COUNTERS_AT_ONCE: Final = 50_000


def write_down(conn: Connection, moves: Sequence[tuple[ledger.LedgerRow, MoveContext]]) -> None:
    """Add moves to the ledger, in this order, and to the counters."""
    if not moves:
        return
    numbers = ledger.append(conn, [row for row, _ in moves])
    rollups.put_contexts(conn, zip(numbers, (about for _, about in moves), strict=True))
    new = set(numbers)
    counts: Counter[Key] = Counter()
    walk = _Walk(conn, _into(counts))
    for stored in rollups.histories(conn, dict.fromkeys(row.lead_id for row, _ in moves)).values():
        walk.lead(stored, lambda move: move.move_id in new)
    rollups.add(conn, counts)


def unite(conn: Connection, gone_id: str, row: ledger.LedgerRow | None, about: MoveContext) -> None:
    """Count that one lead became part of another, with the row that this adds to the ledger, if any. What
    was pursued further goes on, so one MQL stays one."""
    if row is not None:
        write_down(conn, [(row, about)])
    counts: Counter[Key] = Counter()
    take = _into(counts)
    gone = _Walk(conn, take).journey(gone_id)
    taken_over = row is not None and gone is not None and gone.stage == row.target
    if gone is not None and not taken_over:
        take(end(gone))
    rollups.add(conn, counts)


def ensure_counted(database: Database, fields: ReportFields, told: Callable[[], None] = lambda: None) -> None:
    """Count the ledger of a database that was begun by an earlier leadloop, once; `told` is called first.
    Raises StoreError."""
    with database.read() as conn:
        if get_value(conn, COUNTED) == VERSION:
            return
    told()
    with database.begin() as conn:
        rebuild(conn, fields)


def rebuild(conn: Connection, fields: ReportFields) -> int:
    """Count the whole ledger anew, within this transaction and in bounded memory; returns how many moves.
    Moves from before there were counters are counted by what their lead shows now."""
    rollups.hold_all(conn)
    rollups.clear(conn)
    _supply_contexts(conn, fields)
    counts: Counter[Key] = Counter()
    walk = _Walk(conn, _into(counts))
    moves, after = 0, ""
    while ids := rollups.leads_in_ledger(conn, after, LEADS_AT_ONCE):
        after = ids[-1]
        moves += walk.leads(ids)
        if len(counts) >= COUNTERS_AT_ONCE:
            rollups.add(conn, counts)
            counts.clear()
    rollups.add(conn, counts)
    put_value(conn, COUNTED, VERSION)
    return moves


def rules_of(conn: Connection, first_day: int, last_day: int, only: tuple[str, str]) -> list[rollups.Counted]:
    """The counters of rules and gates for the MQLs of some days and one value of a dimension. They are not
    kept (every rule with every campaign would be more than the ledger), and counted from the ledger here."""
    dimension, value = only
    counts: Counter[Key] = Counter()

    def take(more: Counts) -> None:
        # one move says something of one MQL at most
        if any(key.dimension == dimension and key.value == value and key.figure == "mql" for key, _ in more):
            for key, number in more:
                if key.dimension == "rule" and first_day <= key.day <= last_day:
                    counts[key] += number

    walk = _Walk(conn, take)
    done: set[str] = set()
    for made in rollups.leads_made_mql(conn, first_day, last_day, dimension, value):
        # what became of an MQL may stand with the lead that it is part of now
        others = [one for found in rollups.lived_on_in(conn, made).values() for one in found]
        walk.leads([lead_id for lead_id in dict.fromkeys((*made, *others)) if lead_id not in done])
        done.update(made, others)
    return [rollups.Counted(*key[2:], number) for key, number in counts.items()]


@dataclass(frozen=True, slots=True)
class _Walk:
    """Follows leads through their moves, and hands on what each counted move adds."""

    conn: Connection
    take: Callable[[Counts], None]

    def leads(self, ids: Sequence[str]) -> int:
        """Count these leads with all their moves; returns how many moves."""
        moves = 0
        lived_on = rollups.lived_on_in(self.conn, ids)
        for lead_id, history in rollups.histories(self.conn, ids).items():
            moves += len(history)
            journey = self.lead(history, lambda _: True)
            others = lived_on.get(lead_id)
            if journey is not None and others and not _taken_over(self.conn, lead_id, journey, others):
                self.take(end(journey))
        return moves

    def lead(
        self, history: Iterable[rollups.StoredMove], counted: Callable[[rollups.StoredMove], bool]
    ) -> Journey | None:
        """The journey at the end; what the moves add that are `counted` is handed on."""
        journey: Journey | None = None
        for move in history:
            merged = move.passage.merged_with
            joined = None if merged is None else self.journey(merged)
            journey, more = follow(journey, move.passage, joined)
            if counted(move):
                self.take(more)
        return journey

    def journey(self, lead_id: str) -> Journey | None:
        """Where a lead stands, counting nothing; None for one without a move."""
        return self.lead(rollups.histories(self.conn, [lead_id])[lead_id], lambda _: False)


def _taken_over(conn: Connection, lead_id: str, journey: Journey, others: Sequence[str]) -> bool:
    """Whether the lead that this one became part of went on where it stood."""
    for history in rollups.histories(conn, others).values():
        for move in history:
            if move.passage.merged_with == lead_id:
                return move.passage.target == journey.stage
    return False


def _supply_contexts(conn: Connection, fields: ReportFields) -> None:
    """Give the moves from before there were counters the context that their lead has now, and keep it."""
    after = ""
    while lacking := rollups.without_context(conn, after, LEADS_AT_ONCE):
        after = max(lacking)
        aliases = lead_store.resolve_aliases(conn, lacking)
        leads = {
            lead.id: context_of(LeadState.from_json(lead.state), fields)
            for lead in lead_store.read_leads(conn, [aliases.get(lead_id, lead_id) for lead_id in lacking])
        }
        for lead_id, moves in lacking.items():
            about = leads.get(aliases.get(lead_id, lead_id), MoveContext())
            rollups.put_contexts(conn, [(move_id, about) for move_id in moves])


def _into(counts: Counter[Key]) -> Callable[[Counts], None]:
    def take(more: Counts) -> None:
        for key, number in more:
            counts[key] += number

    return take
