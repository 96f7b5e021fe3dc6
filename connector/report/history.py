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
from connector.report.context import DIMENSIONS, MoveContext, ReportFields, context_of
from connector.report.journey import Counts, Increment, Journey, Passage, end, follow, spread
from connector.store import leads as lead_store
from connector.store import ledger, rollups
from connector.store.database import Database
from connector.store.rows import from_json, to_json
from connector.store.schema import storable_text
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
    counts: Counter[Increment] = Counter()
    walk = _Walk(conn, _into(counts))
    by_lead: dict[str, list[rollups.StoredMove]] = {}
    for number, (row, about) in zip(numbers, moves, strict=True):
        by_lead.setdefault(row.lead_id, []).append(rollups.StoredMove(number, _passage(row, about)))
    # of a lead that begins here nothing else is stored
    begun = {lead_id: new for lead_id, new in by_lead.items() if new[0].passage.origin is None}
    histories = {**begun, **rollups.histories(conn, by_lead.keys() - begun.keys())}
    for lead_id, history in histories.items():
        new_moves = {move.move_id for move in by_lead[lead_id]}
        walk.lead(history, new_moves.__contains__)
    rollups.add(conn, spread(counts))


def unite(conn: Connection, gone_id: str, row: ledger.LedgerRow | None, about: MoveContext) -> None:
    """Count that one lead became part of another, with the row that this adds to the ledger, if any. What
    was pursued further goes on, so one MQL stays one."""
    if row is not None:
        write_down(conn, [(row, about)])
    counts: Counter[Increment] = Counter()
    take = _into(counts)
    gone = _Walk(conn, take).journey(gone_id)
    taken_over = row is not None and gone is not None and gone.stage == row.target
    if gone is not None and not taken_over:
        take(end(gone))
    rollups.add(conn, spread(counts))


def ensure_counted(database: Database, fields: ReportFields, told: Callable[[], None] = lambda: None) -> None:
    """Count the ledger of a database that was begun by an earlier leadloop, once; `told` is called first.
    Raises StoreError."""
    if is_counted(database):
        return
    told()
    with database.begin() as conn:
        rebuild(conn, fields)


def is_counted(database: Database) -> bool:
    """Whether the whole ledger is in the counters. Raises StoreError."""
    with database.read() as conn:
        return bool(get_value(conn, COUNTED) == VERSION)


def rebuild(conn: Connection, fields: ReportFields) -> int:
    """Count the whole ledger anew, within this transaction and in bounded memory; returns how many moves.
    Moves from before there were counters are counted by what their lead shows now."""
    rollups.hold_all(conn)
    rollups.clear(conn)
    _supply_contexts(conn, fields)
    counts: Counter[Increment] = Counter()
    walk = _Walk(conn, _into(counts))
    moves, after = 0, ""
    while ids := rollups.leads_in_ledger(conn, after, LEADS_AT_ONCE):
        after = ids[-1]
        moves += walk.leads(ids)
        if len(counts) >= COUNTERS_AT_ONCE:
            rollups.add(conn, spread(counts))
            counts.clear()
    rollups.add(conn, spread(counts))
    put_value(conn, COUNTED, VERSION)
    return moves


def rules_of(conn: Connection, first_day: int, last_day: int, only: tuple[str, str]) -> list[rollups.Counted]:
    """The counters of rules and gates for the MQLs of some days and one value of a dimension. They are not
    kept (every rule with every campaign would be more than the ledger), and counted from the ledger here."""
    dimension, value = only
    place = DIMENSIONS.index(dimension)
    counts: Counter[Increment] = Counter()

    def take(more: Counts) -> None:
        for one, number in more:
            if one.rules and one.values[place] == value and first_day <= one.day <= last_day:
                counts[one] += number

    walk = _Walk(conn, take)
    done: set[str] = set()
    for made in rollups.leads_made_mql(conn, first_day, last_day, dimension, value):
        # what became of an MQL may stand with the lead that it is part of now
        others = [one for found in rollups.lived_on_in(conn, made).values() for one in found]
        walk.leads([lead_id for lead_id in dict.fromkeys((*made, *others)) if lead_id not in done])
        done.update(made, others)
    rows = [(key, number) for key, number in spread(counts).items() if key.dimension == "rule"]
    return [rollups.Counted(*key[2:], number) for key, number in rows]


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

    def lead(self, history: Iterable[rollups.StoredMove], counted: Callable[[int], bool]) -> Journey | None:
        """The journey at the end; what the moves add whose number is `counted` is handed on."""
        journey: Journey | None = None
        for move in history:
            merged = move.passage.merged_with
            joined = None if merged is None else self.journey(merged)
            journey, more = follow(journey, move.passage, joined)
            if counted(move.move_id):
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


def _passage(row: ledger.LedgerRow, about: MoveContext) -> Passage:
    """A row as it reads once it is stored."""
    source, campaign, segment, owner = (storable_text(value) for value in about[:4])
    stored = MoveContext(source, campaign, segment, owner, about.touches)
    return Passage(
        row.cycle,
        row.origin,
        row.target,
        row.skipped,
        row.happened_ms,
        row.cause,
        row.actor,
        from_json(to_json(row.rules)) if row.rules else (),
        None if row.reason is None else storable_text(row.reason),
        row.outcome,
        stored,
    )


def _into(counts: Counter[Increment]) -> Callable[[Counts], None]:
    def take(more: Counts) -> None:
        for one, number in more:
            counts[one] += number

    return take
