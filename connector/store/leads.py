"""Leads: their state, who works on them (leases), and which of them need work (dirty, due).

Dirty is a generation number: whoever learns of a change raises it, and a save clears the mark only when it
has not risen since the claim. Never decides anything about a lead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from connector.store.errors import LeaseLost
from connector.store.noted_moments import has_ended
from connector.store.rows import chunks, execute_in, is_sqlite, locked, put_rows
from connector.store.schema import holds, identity_keys, lead_aliases, leads, links, outbox


class Lead(NamedTuple):
    """A lead as stored. `state` is the caller's own JSON; `dirty_since_ms` is None when all is done.

    A row of the table as it is, in the order of its columns."""

    id: str
    version: int
    generation: int
    stage: str
    cycle: int
    due_at_ms: int | None
    dirty_since_ms: int | None
    created_ms: int
    state: bytes


@dataclass(frozen=True, slots=True)
class LeadSave:
    """What to save of a claimed lead; `version` and `generation` are those of the claim."""

    id: str
    version: int
    generation: int
    stage: str
    cycle: int
    due_at_ms: int | None
    state: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much there is to do. `oldest_dirty_ms` is since when the longest-waiting lead has been dirty."""

    dirty: int
    due: int
    leased: int
    oldest_dirty_ms: int | None


_COLUMNS = tuple(leads.c[name] for name in Lead._fields)

_AMONG_IDS = leads.c.id.in_(bindparam("ids", expanding=True))
_READ = select(*_COLUMNS).where(_AMONG_IDS)
_MARK = update(leads).values(
    generation=leads.c.generation + literal_column("1"),
    dirty_since_ms=func.coalesce(leads.c.dirty_since_ms, bindparam("now_ms")),
)
_MARK_SOME = _MARK.where(_AMONG_IDS)
_LEASE = (
    update(leads)
    .where(_AMONG_IDS)
    .values(lease_token=bindparam("token"), lease_until_ms=bindparam("until_ms"))
)
_ALIASES = select(lead_aliases.c.alias, lead_aliases.c.lead_id).where(
    lead_aliases.c.alias.in_(bindparam("ids", expanding=True))
)


def insert_leads(conn: Connection, new: Sequence[Lead]) -> None:
    """Insert leads; a lead with `dirty_since_ms` starts dirty. Raises IntegrityError on a known id."""
    put_rows(conn, leads, Lead._fields, new, "refuse")


def mark_dirty(conn: Connection, ids: Iterable[str], now_ms: int) -> None:
    """Something changed about these leads: raise their generation. Unknown ids are passed over, aliases
    are followed."""
    for chunk in chunks(dict.fromkeys(ids)):
        if _mark(conn, chunk, now_ms) < len(chunk):
            # some have been retired since (or never were): those that live on in one of the chunk are marked
            aliases = resolve_aliases(conn, chunk)
            _mark(conn, sorted(set(aliases.values()) - set(chunk)), now_ms)


def _mark(conn: Connection, ids: Sequence[str], now_ms: int) -> int:
    if not ids:
        return 0
    _lock(conn, ids)
    return execute_in(conn, "leads.mark", _MARK_SOME, {"now_ms": now_ms}, ids).rowcount


def mark_all_dirty(conn: Connection, now_ms: int) -> int:
    """Every lead is to be looked at again (a new configuration, a resync). Returns how many."""
    return conn.execute(_MARK, {"now_ms": now_ms}).rowcount


def mark_waiting_dirty(conn: Connection, now_ms: int) -> int:
    """Every lead for which something waits to be written is to be looked at again. Returns how many."""
    waits = exists().where(outbox.c.lead_id == leads.c.id, outbox.c.state == "pending")
    return conn.execute(_MARK.where(waits), {"now_ms": now_ms}).rowcount


def claim_leads(conn: Connection, token: str, now_ms: int, lease_ms: int, limit: int) -> list[Lead]:
    """Lease up to `limit` leads that are dirty, or due by time, that nobody else holds, and that have no
    write in flight (what they show now is about to change); those that have waited longest first. The lease
    ends at `now_ms + lease_ms`, or with `save_leads`, `release_leads`."""
    in_flight = exists().where(outbox.c.lead_id == leads.c.id, outbox.c.state == "in_flight")
    free = and_(or_(leads.c.lease_until_ms.is_(None), has_ended(leads.c.lease_until_ms, now_ms)), ~in_flight)
    waiting: list[tuple[int, str]] = []
    for since, ready in (
        (leads.c.dirty_since_ms, leads.c.dirty_since_ms.is_not(None)),
        (leads.c.due_at_ms, leads.c.due_at_ms <= now_ms),
    ):
        statement = select(since, leads.c.id).where(ready, free).order_by(since).limit(limit)
        found = conn.execute(locked(statement, skip_locked=True))
        waiting.extend((row[0], row[1]) for row in found)
    ids = list(dict.fromkeys(lead_id for _, lead_id in sorted(waiting)))[:limit]
    for chunk in chunks(ids):
        execute_in(conn, "leads.lease", _LEASE, {"token": token, "until_ms": now_ms + lease_ms}, chunk)
    by_id = {lead.id: lead for lead in read_leads(conn, ids)}
    return [by_id[lead_id] for lead_id in ids]


_SAVE = (
    update(leads)
    .where(leads.c.id == bindparam("lead"))
    .values(
        version=leads.c.version + 1,
        stage=bindparam("new_stage"),
        cycle=bindparam("new_cycle"),
        due_at_ms=bindparam("new_due_at_ms"),
        state=bindparam("new_state"),
        dirty_since_ms=bindparam("new_dirty_since_ms"),
        lease_token=None,
        lease_until_ms=None,
    )
)


def save_leads(conn: Connection, token: str, saves: Sequence[LeadSave]) -> None:
    """Save claimed leads, raise their version and give their leases back. A lead stays dirty when its
    generation has risen since the claim.

    Raises LeaseLost, having saved none, when a lead is gone, is leased to another token, or has another
    version; the caller's transaction must not be committed then."""
    stored: dict[str, Any] = {}
    for chunk in chunks(save.id for save in saves):
        statement = select(
            leads.c.id, leads.c.version, leads.c.generation, leads.c.lease_token, leads.c.dirty_since_ms
        )
        rows = conn.execute(locked(statement.where(leads.c.id.in_(chunk)).order_by(leads.c.id)))
        stored.update((row.id, row) for row in rows)
    lost = [
        save.id
        for save in saves
        if (row := stored.get(save.id)) is None or row.lease_token != token or row.version != save.version
    ]
    if lost:
        raise LeaseLost(lost)
    if saves:
        conn.execute(
            _SAVE,
            [
                {
                    "lead": save.id,
                    "new_stage": save.stage,
                    "new_cycle": save.cycle,
                    "new_due_at_ms": save.due_at_ms,
                    "new_state": save.state,
                    "new_dirty_since_ms": (
                        stored[save.id].dirty_since_ms
                        if stored[save.id].generation > save.generation
                        else None
                    ),
                }
                for save in saves
            ],
        )


def put_state(conn: Connection, lead_id: str, stage: str, cycle: int, state: bytes) -> None:
    """Replace a lead's state outside of a claim (two leads became one). Raises the version, so that whoever
    has the lead leased loses it."""
    conn.execute(
        update(leads)
        .where(leads.c.id == lead_id)
        .values(
            version=leads.c.version + 1,
            stage=stage,
            cycle=cycle,
            state=state,
            lease_token=None,
            lease_until_ms=None,
        )
    )


def release_leads(conn: Connection, token: str) -> int:
    """Give back every lease of this token, saving nothing. Returns how many."""
    result = conn.execute(
        update(leads).where(leads.c.lease_token == token).values(lease_token=None, lease_until_ms=None)
    )
    return result.rowcount


def read_leads(conn: Connection, ids: Iterable[str]) -> list[Lead]:
    """The leads with these ids, in the order asked for; unknown ids are left out, aliases not followed."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, Lead] = {}
    for chunk in chunks(wanted):
        rows = execute_in(conn, "leads.read", _READ, {}, chunk)
        found.update([(row[0], Lead(*row)) for row in rows.all()])
    return [found[lead_id] for lead_id in wanted if lead_id in found]


def find_leads(conn: Connection, text: str) -> list[Lead]:
    """The leads that a person means by this text: a lead id, a retired one, an identity key such as an
    e-mail address, a record id, or `side:object:id`; of a record without a lead those that are held for it.
    Several when the text is not unique."""
    asked = text.strip()
    ids = list(
        conn.scalars(
            select(leads.c.id)
            .where(leads.c.id == asked)
            .union(
                select(lead_aliases.c.lead_id).where(lead_aliases.c.alias == asked),
                select(identity_keys.c.lead_id).where(identity_keys.c.value.in_((asked, asked.lower()))),
                select(links.c.lead_id).where(links.c.record_id == asked),
                select(holds.c.lead_id).where(
                    holds.c.closed_ms.is_(None),
                    holds.c.lead_id.in_(select(leads.c.id)),
                    or_(holds.c.subject == asked, holds.c.subject.endswith(f":{asked}", autoescape=True)),
                ),
                *_by_record_name(asked),
                *_by_shared_address(asked),
            )
        )
    )
    return read_leads(conn, sorted(ids))


def _by_record_name(asked: str) -> list[Select[tuple[str]]]:
    parts = asked.split(":", 2)
    if len(parts) < 3:
        return []
    return [
        select(links.c.lead_id).where(
            links.c.side == parts[0], links.c.object == parts[1], links.c.record_id == parts[2]
        )
    ]


def _by_shared_address(asked: str) -> list[Select[tuple[str]]]:
    """Such as info@: it is a key only together with a last name, which follows it after a space."""
    if "@" not in asked or " " in asked:
        return []
    return [
        select(identity_keys.c.lead_id).where(
            identity_keys.c.kind.endswith("+name"),
            identity_keys.c.value.startswith(f"{asked.lower()} ", autoescape=True),
        )
    ]


def iterate_lead_ids(conn: Connection, after: str = "", limit: int = 1_000) -> list[str]:
    """The next `limit` lead ids after `after`, in the database's order; empty at the end."""
    return list(conn.scalars(select(leads.c.id).where(leads.c.id > after).order_by(leads.c.id).limit(limit)))


def count_by_stage(conn: Connection) -> dict[str, int]:
    """Stage name to the number of leads in it; stages without leads are left out."""
    rows = conn.execute(select(leads.c.stage, func.count()).group_by(leads.c.stage))
    return {row[0]: row[1] for row in rows}


def backlog(conn: Connection, now_ms: int) -> Backlog:
    """How many leads are dirty, due by time (and not dirty), and leased."""
    dirty = conn.execute(
        select(func.count(), func.min(leads.c.dirty_since_ms)).where(leads.c.dirty_since_ms.is_not(None))
    ).one()
    due = conn.scalar(
        select(func.count()).where(leads.c.due_at_ms <= now_ms, leads.c.dirty_since_ms.is_(None))
    )
    leased = conn.scalar(
        select(func.count()).where(leads.c.lease_token.is_not(None), leads.c.lease_until_ms > now_ms)
    )
    return Backlog(dirty=dirty[0], due=due or 0, leased=leased or 0, oldest_dirty_ms=dirty[1])


def next_due_ms(conn: Connection) -> int | None:
    """The next moment at which a lead changes by time alone; None when none does."""
    due_at_ms: int | None = conn.scalar(select(func.min(leads.c.due_at_ms)))
    return due_at_ms


def resolve_aliases(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Retired id to the lead it lives on in; ids that are not retired are left out."""
    found: dict[str, str] = {}
    for chunk in chunks(dict.fromkeys(ids)):
        rows = execute_in(conn, "leads.aliases", _ALIASES, {}, chunk)
        found.update([(row[0], row[1]) for row in rows.all()])
    return found


def aliases_of(conn: Connection, lead_id: str) -> list[str]:
    """The ids that were retired into this lead."""
    return list(conn.scalars(select(lead_aliases.c.alias).where(lead_aliases.c.lead_id == lead_id)))


def standing(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Lead id to the lead that it is now, itself or the one it lives on in; forgotten leads are left out."""
    wanted = dict.fromkeys(ids)
    found: dict[str, str] = {}
    for chunk in chunks(wanted):
        found.update((one, one) for one in conn.scalars(select(leads.c.id).where(leads.c.id.in_(chunk))))
    gone = [one for one in wanted if one not in found]
    return {**found, **resolve_aliases(conn, gone)} if gone else found


def _lock(conn: Connection, ids: Sequence[str]) -> None:
    """Lock rows in one order, so that two transactions over the same leads cannot wait for each other."""
    if not is_sqlite(conn):
        conn.execute(locked(select(leads.c.id).where(leads.c.id.in_(ids)).order_by(leads.c.id)))
