"""Rollups: the report's counters, and what was true of a lead at each of its moves. Queries only.

Counters are added to, never set, so that workers at once and days that are counted twice cannot lose one.
What is counted is decided in `connector.report.journey`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
)

from connector.clock import DAY_MS
from connector.report.context import MoveContext
from connector.report.journey import Key, Passage
from connector.store.rows import chunks, execute_many, from_json, insert_into, insert_new, is_sqlite
from connector.store.schema import lead_aliases, ledger, move_contexts, rollups

_COLUMNS = (*Key._fields, "number")


class Counted(NamedTuple):
    """A figure over a period, for one value of a dimension."""

    value: str
    figure: str
    stage: str
    cycle: int
    how: str
    reason: str
    bucket: int
    number: int


class StoredMove(NamedTuple):
    """A row of the ledger by its number."""

    move_id: int
    passage: Passage


def add(conn: Connection, counts: Mapping[Key, int]) -> None:
    """Add to the counters; in key order, so that two writers on PostgreSQL lock them in the same order. Their
    texts have been stored before, in the ledger and with the contexts."""
    rows = sorted((*key, number) for key, number in counts.items() if number)
    if not rows:
        return
    statement = insert_into(conn, rollups)
    total = rollups.c.number + statement.excluded["number"]
    upsert = statement.on_conflict_do_update(index_elements=list(Key._fields), set_={"number": total})
    execute_many(conn, "rollups.add", upsert, _COLUMNS, rows)


def put_contexts(conn: Connection, found: Iterable[tuple[int, MoveContext]]) -> None:
    """Store what was true at these moves; what is stored already stays."""
    insert_new(conn, move_contexts, [{"move_id": move_id, **about._asdict()} for move_id, about in found])


def histories(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[StoredMove]]:
    """Lead id to its own moves in the order of the ledger, without those of leads that became part of it."""
    found: dict[str, list[StoredMove]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        for row in conn.execute(_HISTORY, {"ids": chunk}):
            known = row.source is not None
            about = MoveContext(row.source, row.campaign, row.segment, row.owner, row.touches)
            found[row.lead_id].append(
                StoredMove(
                    row.id,
                    Passage(
                        row.cycle,
                        row.origin,
                        row.target,
                        from_json(row.skipped),
                        row.happened_ms,
                        row.cause,
                        row.actor,
                        from_json(row.rules),
                        row.reason,
                        row.outcome,
                        about if known else MoveContext(),
                    ),
                )
            )
    return found


_HISTORY = (
    select(
        ledger.c.id,
        ledger.c.lead_id,
        ledger.c.cycle,
        ledger.c.origin,
        ledger.c.target,
        ledger.c.skipped,
        ledger.c.happened_ms,
        ledger.c.cause,
        ledger.c.actor,
        ledger.c.rules,
        ledger.c.reason,
        ledger.c.outcome,
        move_contexts.c.source,
        move_contexts.c.campaign,
        move_contexts.c.segment,
        move_contexts.c.owner,
        move_contexts.c.touches,
    )
    .select_from(ledger.outerjoin(move_contexts, move_contexts.c.move_id == ledger.c.id))
    .where(ledger.c.lead_id.in_(bindparam("ids", expanding=True)))
    .order_by(ledger.c.lead_id, ledger.c.id)
)


def without_context(conn: Connection, after: str, limit: int) -> dict[str, list[int]]:
    """The next leads with moves whose context is not known, and those moves."""
    missing = (
        select(ledger.c.lead_id, ledger.c.id)
        .select_from(ledger.outerjoin(move_contexts, move_contexts.c.move_id == ledger.c.id))
        .where(ledger.c.lead_id > after, move_contexts.c.move_id.is_(None))
    )
    ids = conn.scalars(
        missing.with_only_columns(ledger.c.lead_id)
        .group_by(ledger.c.lead_id)
        .order_by(ledger.c.lead_id)
        .limit(limit)
    ).all()
    found: dict[str, list[int]] = {lead_id: [] for lead_id in ids}
    if ids:
        for lead_id, move_id in conn.execute(missing.where(ledger.c.lead_id <= ids[-1])):
            found[lead_id].append(move_id)
    return found


def leads_in_ledger(conn: Connection, after: str, limit: int) -> list[str]:
    """The next ids of leads with moves, those that are retired or forgotten included."""
    statement = select(ledger.c.lead_id).where(ledger.c.lead_id > after).group_by(ledger.c.lead_id)
    return list(conn.scalars(statement.order_by(ledger.c.lead_id).limit(limit)))


def leads_made_mql(
    conn: Connection, first_day: int, last_day: int, dimension: str, value: str
) -> Iterator[list[str]]:
    """The leads that became an MQL on these days and were counted by this value then, a few at a time."""
    since_ms, until_ms = first_day * DAY_MS, (last_day + 1) * DAY_MS
    statement = (
        select(ledger.c.lead_id)
        .join(move_contexts, move_contexts.c.move_id == ledger.c.id)
        .where(
            ledger.c.target == "mql",
            ledger.c.recorded_ms >= since_ms,
            ledger.c.happened_ms.between(since_ms, until_ms - 1),
            move_contexts.c[dimension] == value,
        )
        .distinct()
    )
    yield from chunks(conn.execute(statement).scalars())


def lived_on_in(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[str]]:
    """Retired id to the lead it lives on in and all others that became part of that."""
    found: dict[str, list[str]] = {}
    for chunk in chunks(lead_ids):
        same = lead_aliases.alias("same")
        rows = conn.execute(
            select(lead_aliases.c.alias, lead_aliases.c.lead_id, same.c.alias)
            .join(same, same.c.lead_id == lead_aliases.c.lead_id)
            .where(lead_aliases.c.alias.in_(chunk))
        )
        for alias, survivor, other in rows:
            found.setdefault(alias, [survivor])
            if other != alias:
                found[alias].append(other)
    return found


def hold_all(conn: Connection) -> None:
    """Let nobody else count until this transaction ends. SQLite has one writer at a time anyway."""
    if not is_sqlite(conn):
        conn.execute(text("LOCK TABLE rollups IN EXCLUSIVE MODE"))


def clear(conn: Connection) -> None:
    """Drop every counter."""
    conn.execute(delete(rollups))


def totals(
    conn: Connection,
    dimension: str,
    first_day: int,
    last_day: int,
    value: str | None = None,
) -> Iterator[Counted]:
    """The counters of a dimension (of one value of it) over whole days, both ends included, added up."""
    columns = [rollups.c[name] for name in Counted._fields[:-1]]
    statement = (
        select(*columns, func.sum(rollups.c.number))
        .where(rollups.c.dimension == dimension, rollups.c.day.between(first_day, last_day))
        .group_by(*columns)
        .order_by(*columns)
    )
    if value is not None:
        statement = statement.where(rollups.c.value == value)
    yield from _counted(conn, statement)


def by_value(
    conn: Connection, dimension: str, first_day: int, last_day: int, figures: Mapping[str, Sequence[str]]
) -> Iterator[Counted]:
    """The counters of some figures, in some stages of each (none: in all), for every value of a dimension,
    over all cycles (told as 0)."""
    names = [name for name in Counted._fields[:-1] if name != "cycle"]
    columns = {name: rollups.c[name] for name in names}
    wanted = [
        and_(rollups.c.figure == figure, rollups.c.stage.in_(stages))
        if stages
        else rollups.c.figure == figure
        for figure, stages in figures.items()
    ]
    told: list[ColumnElement[Any]] = [columns.get(name, literal_column("0")) for name in Counted._fields[:-1]]
    statement = (
        select(*told, func.sum(rollups.c.number))
        .where(rollups.c.dimension == dimension, rollups.c.day.between(first_day, last_day), or_(*wanted))
        .group_by(*columns.values())
        .order_by(*columns.values())
    )
    yield from _counted(conn, statement)


def _counted(conn: Connection, statement: Select[Any]) -> Iterator[Counted]:
    for row in conn.execute(statement):
        found = Counted._make(tuple(row))
        yield found._replace(number=int(found.number))  # PostgreSQL adds up to a Decimal


def by_day(
    conn: Connection, dimension: str, first_day: int, last_day: int, value: str, figure: str
) -> Iterator[tuple[int, str, int]]:
    """Day, `how` and number of one figure, in the order of the days."""
    statement = (
        select(rollups.c.day, rollups.c.how, func.sum(rollups.c.number))
        .where(
            rollups.c.dimension == dimension,
            rollups.c.day.between(first_day, last_day),
            rollups.c.value == value,
            rollups.c.figure == figure,
        )
        .group_by(rollups.c.day, rollups.c.how)
        .order_by(rollups.c.day, rollups.c.how)
    )
    for day, how, number in conn.execute(statement):
        yield day, how, int(number)


def values_of(conn: Connection, dimension: str) -> list[str]:
    """Every value that has been counted in a dimension."""
    statement = select(rollups.c.value).where(rollups.c.dimension == dimension).distinct()
    return sorted(conn.scalars(statement))


def all_counts(conn: Connection) -> dict[Key, int]:
    """Every counter that is not 0: for tests and checks of small databases."""
    rows = conn.execute(select(*(rollups.c[name] for name in _COLUMNS)).where(rollups.c.number != 0))
    return {Key(*row[:-1]): row[-1] for row in rows}
