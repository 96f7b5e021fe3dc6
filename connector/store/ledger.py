"""The ledger: every stage move ever made, in order. Rows are added; the database refuses anything else.

Holds nothing that names the lead but its id here: of what rules saw, only fields that are not personal. The
actor is a user of a platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, func, or_, select

from connector.store.rows import chunks, from_json, to_json
from connector.store.schema import lead_aliases, ledger


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One move. `origin` is None for a lead's first stage. `happened_ms` is when it happened in the world,
    `recorded_ms` when leadloop wrote it down. `rules` are the rules that fired, as JSON-able values, with
    their points; `configuration` the version of the documents that decided."""

    lead_id: str
    cycle: int
    origin: str | None
    target: str
    skipped: tuple[str, ...]
    happened_ms: int
    recorded_ms: int
    cause: str
    actor: str | None
    rules: Sequence[Any]
    reason: str | None
    outcome: str | None
    configuration: str


_COLUMNS = tuple(column for column in ledger.c if column.name != "id")


def append(conn: Connection, rows: Iterable[LedgerRow]) -> list[int]:
    """Write moves down, in this order; returns the number that each was given."""
    new = [
        {
            "lead_id": row.lead_id,
            "cycle": row.cycle,
            "origin": row.origin,
            "target": row.target,
            "skipped": to_json(row.skipped),
            "happened_ms": row.happened_ms,
            "recorded_ms": row.recorded_ms,
            "cause": row.cause,
            "actor": row.actor,
            "rules": to_json(row.rules),
            "reason": row.reason,
            "outcome": row.outcome,
            "configuration": row.configuration,
        }
        for row in rows
    ]
    if not new:
        return []
    numbered = ledger.insert().returning(ledger.c.id, sort_by_parameter_order=True)
    return list(conn.scalars(numbered, new))


def of_lead(conn: Connection, lead_id: str) -> list[LedgerRow]:
    """The lead's history in the order of recording, with that of the leads that were united into it."""
    retired = select(lead_aliases.c.alias).where(lead_aliases.c.lead_id == lead_id)
    rows = conn.execute(
        select(*_COLUMNS)
        .where(or_(ledger.c.lead_id == lead_id, ledger.c.lead_id.in_(retired)))
        .order_by(ledger.c.recorded_ms, ledger.c.id)
    )
    return [_row(row) for row in rows]


def of_leads(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[LedgerRow]]:
    """Lead id to its history, as `of_lead`; every id asked for is a key."""
    found: dict[str, list[LedgerRow]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        aliases = conn.execute(
            select(lead_aliases.c.alias, lead_aliases.c.lead_id).where(lead_aliases.c.lead_id.in_(chunk))
        )
        owner = {row.alias: row.lead_id for row in aliases}
        for part in chunks([*chunk, *owner]):
            rows = conn.execute(
                select(*_COLUMNS)
                .where(ledger.c.lead_id.in_(part))
                .order_by(ledger.c.recorded_ms, ledger.c.id)
            )
            for row in rows:
                moved = _row(row)
                found[owner.get(moved.lead_id, moved.lead_id)].append(moved)
    return found


def last_recorded_ms(conn: Connection) -> int | None:
    """When the last move was written down; None while there is none."""
    last_ms: int | None = conn.scalar(select(func.max(ledger.c.recorded_ms)))
    return last_ms


Group = Literal["reason", "target", "cause", "outcome", "configuration"]


def _row(values: Sequence[Any]) -> LedgerRow:
    (lead_id, cycle, origin, target, skipped, happened_ms, recorded_ms, cause, actor, rules, *rest) = values
    return LedgerRow(
        lead_id,
        cycle,
        origin,
        target,
        tuple(from_json(skipped)),
        happened_ms,
        recorded_ms,
        cause,
        actor,
        from_json(rules),
        *rest,
    )
