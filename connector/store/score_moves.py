"""Score moves: each published score that became another one, and the rules that made the difference.

Rows are added when a score is published, so there are no more of them than changes that the platforms saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from connector.store.rows import from_json, to_json
from connector.store.schema import score_moves


@dataclass(frozen=True, slots=True)
class ScoreMoveRow:
    """One move. What it came `from_` is None at the first publication. `rules` are JSON-able: a rule with the
    points it gave before and gives now, None where it did not fire."""

    lead_id: str
    at_ms: int
    from_score: int | None
    from_fit: int | None
    from_engagement: int | None
    from_grade: str | None
    to_score: int
    to_fit: int
    to_engagement: int
    to_grade: str | None
    rules: Sequence[Any]
    configuration: str


_COLUMNS = tuple(column for column in score_moves.c if column.name != "id")


def append(conn: Connection, rows: Iterable[ScoreMoveRow]) -> None:
    """Write moves down, in this order."""
    new = [{**asdict(row), "rules": to_json(row.rules)} for row in rows]
    if new:
        conn.execute(score_moves.insert(), new)


def of_lead(conn: Connection, lead_id: str) -> list[ScoreMoveRow]:
    """The lead's score moves in the order of their publication."""
    rows = conn.execute(
        select(*_COLUMNS)
        .where(score_moves.c.lead_id == lead_id)
        .order_by(score_moves.c.at_ms, score_moves.c.id)
    )
    return [ScoreMoveRow(**{**row._mapping, "rules": from_json(row.rules)}) for row in rows]
