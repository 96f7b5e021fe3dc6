"""Holds: what leadloop does not decide by itself, with the sentence that tells a person what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, String, bindparam, case, cast, distinct, func, insert, select, update

from connector.store.rows import chunks, from_json, to_json
from connector.store.schema import holds, storable_text

INSTALLATION = ""
"""The lead id of holds that concern no lead: a field missing from a platform's metadata, for example."""

SHARED_KINDS = frozenset({"ambiguous"})
"""Kinds of which one hold stands with each of the leads that it concerns: it is still one thing to decide."""


@dataclass(frozen=True, slots=True)
class WantedHold:
    """A hold that should be open. `subject` says what of the lead it is about, such as `salesforce:owner`;
    `details` are JSON-able."""

    kind: str
    subject: str
    message: str
    remedy: str = ""
    details: Any = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as stored; `closed_ms` is None while it is open."""

    id: int
    lead_id: str
    kind: str
    subject: str
    message: str
    remedy: str
    details: Any
    opened_ms: int
    closed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SyncedHolds:
    """What `sync_holds` changed."""

    opened: tuple[Hold, ...]
    closed: tuple[Hold, ...]


_COLUMNS = (
    holds.c.id,
    holds.c.lead_id,
    holds.c.kind,
    holds.c.subject,
    holds.c.message,
    holds.c.remedy,
    holds.c.details,
    holds.c.opened_ms,
    holds.c.closed_ms,
)


def sync_holds(
    conn: Connection,
    wanted: Mapping[str, Iterable[WantedHold]],
    now_ms: int,
    *,
    kinds: Collection[str] | None = None,
    except_kinds: Collection[str] = (),
) -> SyncedHolds:
    """Make the open holds of each lead in `wanted` exactly the wanted ones: open what is new, close what is
    gone, renew the words of what stays (it keeps `opened_ms`). With `kinds`, holds of other kinds are
    neither closed nor touched; holds of `except_kinds` never are."""
    present = open_holds(conn, wanted)
    return _sync(
        conn,
        {
            lead_id: [
                hold
                for hold in present.get(lead_id, ())
                if (kinds is None or hold.kind in kinds) and hold.kind not in except_kinds
            ]
            for lead_id in wanted
        },
        wanted,
        now_ms,
    )


def sync_holds_about(
    conn: Connection,
    kind: str,
    subjects: Collection[str],
    wanted: Mapping[str, Iterable[WantedHold]],
    now_ms: int,
) -> SyncedHolds:
    """Make the open holds of one kind about these subjects, of whichever leads, exactly the wanted ones (lead
    id to holds). Holds about other subjects stay as they are."""
    present: dict[str, list[Hold]] = {lead_id: [] for lead_id in wanted}
    for chunk in chunks(dict.fromkeys(map(storable_text, subjects))):
        rows = conn.execute(
            select(*_COLUMNS)
            .where(holds.c.closed_ms.is_(None), holds.c.kind == kind, holds.c.subject.in_(chunk))
            .order_by(holds.c.id)
        )
        for row in rows:
            present.setdefault(row.lead_id, []).append(_hold(row))
    return _sync(conn, present, wanted, now_ms)


def _sync(
    conn: Connection,
    present: Mapping[str, Iterable[Hold]],
    wanted: Mapping[str, Iterable[WantedHold]],
    now_ms: int,
) -> SyncedHolds:
    """Bring the present holds of each lead to the wanted ones."""
    opened: list[Hold] = []
    closed: list[Hold] = []
    renewed: list[dict[str, Any]] = []
    for lead_id, holds_present in present.items():
        by_name = {(hold.kind, storable_text(hold.subject)): hold for hold in wanted.get(lead_id, ())}
        for hold in holds_present:
            want = by_name.pop((hold.kind, hold.subject), None)
            if want is None:
                closed.append(replace(hold, closed_ms=now_ms))
            elif (want.message, want.remedy, to_json(want.details)) != (
                hold.message,
                hold.remedy,
                to_json(hold.details),
            ):
                renewed.append({"row": hold.id, **_words(want)})
        opened.extend(
            Hold(0, lead_id, hold.kind, hold.subject, hold.message, hold.remedy, hold.details, now_ms)
            for hold in by_name.values()
        )
    for chunk in chunks(hold.id for hold in closed):
        conn.execute(update(holds).where(holds.c.id.in_(chunk)).values(closed_ms=now_ms))
    if renewed:
        conn.execute(
            update(holds)
            .where(holds.c.id == bindparam("row"))
            .values({name: bindparam(f"new_{name}") for name in ("message", "remedy", "details")}),
            renewed,
        )
    if opened:
        conn.execute(insert(holds), [_columns_of(hold) for hold in opened])
    return SyncedHolds(tuple(opened), tuple(closed))


def open_holds(conn: Connection, lead_ids: Iterable[str] | None = None) -> dict[str, list[Hold]]:
    """Lead id to its open holds, oldest first, of these leads or of all; leads without are left out."""
    statement = select(*_COLUMNS).where(holds.c.closed_ms.is_(None)).order_by(holds.c.opened_ms, holds.c.id)
    statements = (
        [statement]
        if lead_ids is None
        else [statement.where(holds.c.lead_id.in_(chunk)) for chunk in chunks(dict.fromkeys(lead_ids))]
    )
    found: dict[str, list[Hold]] = {}
    for each in statements:
        for row in conn.execute(each):
            found.setdefault(row.lead_id, []).append(_hold(row))
    return found


def leads_held(conn: Connection, kind: str) -> set[str]:
    """The leads with an open hold of this kind."""
    return set(conn.scalars(select(holds.c.lead_id).where(holds.c.closed_ms.is_(None), holds.c.kind == kind)))


def holds_of(conn: Connection, lead_id: str) -> list[Hold]:
    """All holds that the lead ever had, oldest first."""
    rows = conn.execute(
        select(*_COLUMNS).where(holds.c.lead_id == lead_id).order_by(holds.c.opened_ms, holds.c.id)
    )
    return [_hold(row) for row in rows]


def count_open(conn: Connection) -> dict[str, int]:
    """Kind to the number of open holds; one that several leads share counts once."""
    each = case((holds.c.kind.in_(sorted(SHARED_KINDS)), holds.c.subject), else_=cast(holds.c.id, String))
    statement = select(holds.c.kind, func.count(distinct(each))).where(holds.c.closed_ms.is_(None))
    return {row[0]: row[1] for row in conn.execute(statement.group_by(holds.c.kind))}


def _words(want: WantedHold) -> dict[str, Any]:
    return {"new_message": want.message, "new_remedy": want.remedy, "new_details": to_json(want.details)}


def _columns_of(hold: Hold) -> dict[str, Any]:
    return {
        "lead_id": hold.lead_id,
        "kind": hold.kind,
        "subject": hold.subject,
        "message": hold.message,
        "remedy": hold.remedy,
        "details": to_json(hold.details),
        "opened_ms": hold.opened_ms,
    }


def _hold(values: Sequence[Any]) -> Hold:
    number, lead_id, kind, subject, message, remedy, details, opened_ms, closed_ms = values
    return Hold(number, lead_id, kind, subject, message, remedy, from_json(details), opened_ms, closed_ms)
