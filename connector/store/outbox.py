"""The outbox: writes that are wished for and writes under way, at most one in flight per record.

A wish is replaced by the next plan of its lead; a write in flight is left alone until its answer is known.
Sends nothing, and does not know what a field means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, literal_column, or_, select, update

from connector.observation import Fields
from connector.store.noted_moments import has_ended, is_due
from connector.store.rows import chunks, from_json, lock_name, locked, to_json
from connector.store.schema import leads, outbox


@dataclass(frozen=True, slots=True)
class Row:
    """One write. `record_id` is None for a create. `expected` are the values it expects to replace; `then`
    is what to send after this one is confirmed; `groups` name the field groups in it. `unknown`: it may have
    been carried out already, so re-read before it is sent again. `id` is 0 until it is stored."""

    lead_id: str
    side: str
    object: str
    record_id: str | None
    op: Literal["create", "update"]
    lane: int
    fields: Fields
    expected: Fields = field(default_factory=dict)
    then: Any = None
    groups: Sequence[str] = ()
    planned_generation: int = 0
    state: Literal["pending", "in_flight"] = "pending"
    attempts: int = 0
    not_before_ms: int = 0
    lease_token: str | None = None
    lease_until_ms: int | None = None
    created_ms: int = 0
    unknown: bool = False
    id: int = 0


class Count(NamedTuple):
    """A queue of the outbox."""

    side: str
    state: str
    lane: int


_COLUMNS = (*(column for column in outbox.c if column.name != "id"), outbox.c.id)  # the order of `Row`
# what a new plan changes of a wish that is stored already
_WISH = ("op", "lane", "fields", "expected", "then", "groups", "planned_generation", "attempts")
_KEPT = ("not_before_ms", "created_ms", "unknown")
_REWRITE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in (*_WISH, *_KEPT)})
)

_Target = tuple[str, str, str, str | None]


def replace_pending(conn: Connection, lead_ids: Iterable[str], rows: Sequence[Row]) -> None:
    """These rows are now all that is wished for these leads; rows in flight are untouched.

    A row for the same lead and record as a pending one takes its place in the queue, its attempts,
    `created_ms` and `unknown`, the more urgent lane of the two, and its `not_before_ms`, unless it is itself
    the more urgent. Raises ValueError on two rows for one record."""
    wanted = {_target(row): row for row in rows}
    if len(wanted) != len(rows):
        raise ValueError("two pending writes for one record of one lead")
    waiting: dict[_Target, list[Row]] = {}
    for chunk in chunks(dict.fromkeys(lead_ids)):
        found = conn.execute(
            locked(
                select(*_COLUMNS)
                .where(outbox.c.lead_id.in_(chunk), outbox.c.state == "pending")
                .order_by(outbox.c.id)
            )
        )
        for values in found:
            old = _row(values)
            waiting.setdefault(_target(old), []).append(old)
    kept = {target: _merged(row, waiting[target]) for target, row in wanted.items() if target in waiting}
    keep_ids = {row.id for row in kept.values()}
    gone = [old.id for olds in waiting.values() for old in olds if old.id not in keep_ids]
    for part in chunks(gone):
        conn.execute(delete(outbox).where(outbox.c.id.in_(part)))
    if kept:
        conn.execute(_REWRITE, [_rewriting(row) for row in kept.values()])
    fresh = [_columns_of(row) for target, row in wanted.items() if target not in kept]
    if fresh:
        conn.execute(outbox.insert(), fresh)


def of_leads(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[Row]]:
    """Lead id to its rows, pending and in flight, in the order of the queue; every id asked for is a key."""
    found: dict[str, list[Row]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        rows = conn.execute(
            select(*_COLUMNS).where(outbox.c.lead_id.in_(chunk)).order_by(outbox.c.lane, outbox.c.id)
        )
        for values in rows:
            row = _row(values)
            found[row.lead_id].append(row)
    return found


def creates_in_doubt(conn: Connection, side: str) -> dict[tuple[str, str], Row]:
    """The creates of a side that may have been carried out without an answer, by object and lead."""
    sent = or_(outbox.c.state == "in_flight", outbox.c.unknown)
    rows = conn.execute(select(*_COLUMNS).where(outbox.c.side == side, outbox.c.record_id.is_(None), sent))
    return {(row.object, row.lead_id): row for row in map(_row, rows)}


def claim_writes(
    conn: Connection, side: str, token: str, now_ms: int, lease_ms: int, limit: int
) -> list[Row]:
    """Lease up to `limit` pending rows of a side, most urgent lane first, then oldest first: those whose time
    has come, whose lead is neither dirty nor being decided just now, and whose record has no other write in
    flight."""
    lock_name(conn, f"outbox:{side}")
    other = outbox.alias("other")
    under_way = and_(
        other.c.side == side,
        other.c.object == outbox.c.object,
        # a literal: SQLite chooses a partial index only when it can read its condition in the statement
        other.c.state == literal_column("'in_flight'"),
    )
    update_in_flight = exists().where(under_way, other.c.record_id == outbox.c.record_id)
    create_in_flight = exists().where(
        under_way,
        other.c.record_id.is_(None),
        outbox.c.record_id.is_(None),
        other.c.lead_id == outbox.c.lead_id,
    )
    found = conn.execute(
        locked(
            select(*_COLUMNS)
            .join(leads, leads.c.id == outbox.c.lead_id)
            .where(
                outbox.c.side == side,
                outbox.c.state == "pending",
                is_due(outbox.c.not_before_ms, now_ms),
                leads.c.dirty_since_ms.is_(None),
                or_(leads.c.lease_until_ms.is_(None), has_ended(leads.c.lease_until_ms, now_ms)),
                ~update_in_flight,
                ~create_in_flight,
            )
            .order_by(outbox.c.lane, outbox.c.id)
            .limit(limit),
            skip_locked=True,
            of=outbox,
        )
    )
    # of two pending rows for one record only the first goes now
    claimed: dict[tuple[str, str, str | None], Row] = {}
    for values in found:
        row = _row(values)
        place = (row.object, row.record_id or row.lead_id, None if row.record_id else row.lead_id)
        claimed.setdefault(place, row)
    return _leased(conn, list(claimed.values()), token, now_ms + lease_ms, unknown=None)


def claim_expired(conn: Connection, side: str, token: str, now_ms: int, lease_ms: int) -> list[Row]:
    """Take over every row of a side whose sender has not come back in time. Whether it was carried out is
    unknown: the rows come with `unknown` set, and must be re-read before they are sent again."""
    found = conn.execute(
        locked(
            select(*_COLUMNS)
            .where(
                outbox.c.side == side,
                outbox.c.state == "in_flight",
                has_ended(outbox.c.lease_until_ms, now_ms),
            )
            .order_by(outbox.c.lane, outbox.c.id),
            skip_locked=True,
        )
    )
    rows = [_row(values) for values in found]
    return _leased(conn, rows, token, now_ms + lease_ms, unknown=True)


def finish(conn: Connection, token: str, ids: Iterable[int]) -> list[int]:
    """These writes are done with, whatever became of them: their rows go. Returns the ids that were still
    this token's; the others have been taken over by somebody else."""
    done: list[int] = []
    for chunk in chunks(dict.fromkeys(ids)):
        mine = _held(conn, token, chunk)
        conn.execute(delete(outbox).where(outbox.c.id.in_(mine)))
        done.extend(mine)
    return done


def postpone(
    conn: Connection, token: str, later: Iterable[tuple[int, int, bool]], *, tried: bool = True
) -> list[int]:
    """Put rows back in the queue: (id, not before, whether it may have been carried out). Counts one more
    attempt, if they were `tried`. Returns the ids that were still this token's."""
    wanted = {row_id: (not_before_ms, unknown) for row_id, not_before_ms, unknown in later}
    mine = [row_id for chunk in chunks(wanted) for row_id in _held(conn, token, chunk)]
    if mine:
        conn.execute(
            update(outbox)
            .where(outbox.c.id == bindparam("row"))
            .values(
                state="pending",
                attempts=outbox.c.attempts + int(tried),
                not_before_ms=bindparam("later_ms"),
                unknown=bindparam("maybe_done"),
                lease_token=None,
                lease_until_ms=None,
            ),
            [
                {"row": row_id, "later_ms": wanted[row_id][0], "maybe_done": wanted[row_id][1]}
                for row_id in mine
            ],
        )
    return mine


def counts(conn: Connection) -> Mapping[Count, int]:
    """How many rows each queue has; empty ones are left out."""
    rows = conn.execute(
        select(outbox.c.side, outbox.c.state, outbox.c.lane, func.count()).group_by(
            outbox.c.side, outbox.c.state, outbox.c.lane
        )
    )
    return {Count(side, state, lane): count for side, state, lane, count in rows}


def next_write_ms(conn: Connection, side: str) -> int | None:
    """The earliest moment at which a pending row of the side may go, or at which a lease of one in flight
    ends; None when there is nothing to wait for."""
    pending = select(func.min(outbox.c.not_before_ms)).where(
        outbox.c.side == side, outbox.c.state == "pending"
    )
    in_flight = select(func.min(outbox.c.lease_until_ms)).where(
        outbox.c.side == side, outbox.c.state == "in_flight"
    )
    moments = [moment for moment in (conn.scalar(pending), conn.scalar(in_flight)) if moment is not None]
    return min(moments, default=None)


def _held(conn: Connection, token: str, ids: Sequence[int]) -> list[int]:
    mine = locked(
        select(outbox.c.id)
        .where(outbox.c.id.in_(ids), outbox.c.lease_token == token, outbox.c.state == "in_flight")
        .order_by(outbox.c.id)
    )
    return list(conn.scalars(mine))


def _leased(
    conn: Connection, rows: Sequence[Row], token: str, until_ms: int, *, unknown: bool | None
) -> list[Row]:
    values: dict[str, Any] = {"state": "in_flight", "lease_token": token, "lease_until_ms": until_ms}
    if unknown is not None:
        values["unknown"] = unknown
    for chunk in chunks(row.id for row in rows):
        conn.execute(update(outbox).where(outbox.c.id.in_(chunk)).values(**values))
    return [replace(row, **values) for row in rows]


def _target(row: Row) -> _Target:
    return (row.lead_id, row.side, row.object, row.record_id)


def _merged(row: Row, olds: Sequence[Row]) -> Row:
    """A new wish in the place of the old ones for the same record."""
    lane = min(old.lane for old in olds)
    # an update may wait for the next day's calls; a hand-off that it becomes must not
    waits = row.lane >= lane
    return replace(
        row,
        id=olds[0].id,
        lane=min(row.lane, lane),
        attempts=max(old.attempts for old in olds),
        not_before_ms=max(old.not_before_ms for old in olds) if waits else row.not_before_ms,
        created_ms=min(old.created_ms for old in olds),
        unknown=any(old.unknown for old in olds),
    )


def _columns_of(row: Row) -> dict[str, Any]:
    return {
        "lead_id": row.lead_id,
        "side": row.side,
        "object": row.object,
        "record_id": row.record_id,
        "op": row.op,
        "lane": int(row.lane),
        "fields": to_json(row.fields),
        "expected": to_json(row.expected),
        "then": None if row.then is None else to_json(row.then),
        "groups": to_json(row.groups),
        "planned_generation": row.planned_generation,
        "state": "pending",
        "attempts": row.attempts,
        "not_before_ms": row.not_before_ms,
        "lease_token": None,
        "lease_until_ms": None,
        "created_ms": row.created_ms,
        "unknown": row.unknown,
    }


def _rewriting(row: Row) -> dict[str, Any]:
    columns = _columns_of(row)
    return {"row": row.id, **{f"new_{name}": columns[name] for name in (*_WISH, *_KEPT)}}


def _row(values: Sequence[Any]) -> Row:
    lead_id, side, name, record_id, op, lane, fields, expected, then, groups, *rest = values
    return Row(
        lead_id,
        side,
        name,
        record_id,
        op,
        lane,
        from_json(fields),
        from_json(expected),
        None if then is None else from_json(then),
        tuple(from_json(groups)),
        *rest,
    )
