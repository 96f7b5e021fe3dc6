"""Retirement: a lead that turned out to be another one, or that must be forgotten. Moves and deletes rows.

Which lead survives, and in which stage, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, exists, select, update

from connector.store.links import move_keys
from connector.store.rows import chunks, insert_new, locked
from connector.store.schema import (
    activities,
    baselines,
    deadline_events,
    erasures,
    holds,
    identity_keys,
    lead_aliases,
    leads,
    links,
    observation_refs,
    observations,
    outbox,
    outsiders,
    quarantine,
    score_moves,
)


def retire_lead(conn: Connection, old_id: str, into_id: str) -> None:
    """Unite one lead into another: its links, identity keys, activities, score moves, deadline events and
    writes in flight become the other's, its id (and ids retired into it) an alias. Both lose their baselines,
    so that the survivor is compared as at a first contact; pending writes of the old one are dropped. The
    ledger stays as it is.

    The caller saves the survivor's state and marks it dirty. Raises LookupError when one is unknown."""
    if old_id == into_id:
        raise ValueError(f"the lead {old_id} cannot be retired into itself")
    known = set(conn.scalars(select(leads.c.id).where(leads.c.id.in_((old_id, into_id)))))
    for lead_id in (old_id, into_id):
        if lead_id not in known:
            raise LookupError(f"no lead {lead_id} is stored")
    conn.execute(update(links).where(links.c.lead_id == old_id).values(lead_id=into_id))
    move_keys(conn, old_id, into_id)
    conn.execute(delete(baselines).where(baselines.c.lead_id.in_((old_id, into_id))))
    conn.execute(delete(outbox).where(outbox.c.lead_id == old_id, outbox.c.state == "pending"))
    _drop_second_create(conn, old_id, into_id)
    conn.execute(update(outbox).where(outbox.c.lead_id == old_id).values(lead_id=into_id))
    _unite_activities(conn, old_id, into_id)
    for kept in (score_moves, deadline_events):
        conn.execute(update(kept).where(kept.c.lead_id == old_id).values(lead_id=into_id))
    _unite_holds(conn, old_id, into_id)
    conn.execute(update(lead_aliases).where(lead_aliases.c.lead_id == old_id).values(lead_id=into_id))
    conn.execute(lead_aliases.insert(), {"alias": old_id, "lead_id": into_id})
    conn.execute(delete(leads).where(leads.c.id == old_id))


def erase_lead(conn: Connection, lead_id: str, keyed_hashes: Iterable[bytes], now_ms: int) -> None:
    """Forget a person: everything but the ledger (which holds nothing personal) goes, the observations and
    quarantine of the linked records and the records that point at them included. The keyed hashes of the
    person's identity keys stay for ever, so that `erased` can prevent a re-creation. An unknown lead only
    leaves its hashes. Raises ValueError for no lead at all: the installation is no person."""
    if not lead_id:
        raise ValueError("no lead is named")
    # whoever is storing a decision about this lead ends first: what it leaves would outlive the lead
    conn.execute(locked(select(leads.c.id).where(leads.c.id == lead_id)))
    keep_hashes(conn, keyed_hashes, now_ms)
    # what speaks of the person without being theirs: campaign members, tasks, parts in opportunities
    for table in (observations, observation_refs):
        pointing = observation_refs.alias("pointing")
        about = exists().where(
            links.c.lead_id == lead_id,
            links.c.side == pointing.c.side,
            links.c.object == pointing.c.ref_object,
            links.c.record_id == pointing.c.ref_id,
            pointing.c.side == table.c.side,
            pointing.c.object == table.c.object,
            pointing.c.record_id == table.c.record_id,
        )
        conn.execute(delete(table).where(about))
    for table in (observations, observation_refs, quarantine):
        of_lead = exists().where(
            links.c.lead_id == lead_id,
            links.c.side == table.c.side,
            links.c.object == table.c.object,
            links.c.record_id == table.c.record_id,
        )
        conn.execute(delete(table).where(of_lead))
    personal = (links, identity_keys, baselines, activities, score_moves, deadline_events, outbox, holds)
    for owned in (*personal, lead_aliases):
        conn.execute(delete(owned).where(owned.c.lead_id == lead_id))
    conn.execute(delete(leads).where(leads.c.id == lead_id))


def erase_record(conn: Connection, side: str, name: str, record_id: str) -> None:
    """Forget what a record that is no lead's has shown, what points at it, and whose names it carries."""
    pointing = (
        select(observation_refs.c.object, observation_refs.c.record_id)
        .where(
            observation_refs.c.side == side,
            observation_refs.c.ref_object == name,
            observation_refs.c.ref_id == record_id,
        )
        .distinct()
    )
    for each in [*conn.execute(pointing).all(), (name, record_id)]:
        for table in (observations, observation_refs, quarantine, outsiders):
            is_it = (table.c.side == side, table.c.object == each[0], table.c.record_id == each[1])
            conn.execute(delete(table).where(*is_it))


def keep_hashes(conn: Connection, keyed_hashes: Iterable[bytes], now_ms: int) -> None:
    """Remember names of a person who was erased; those that are known stay as they are."""
    insert_new(
        conn, erasures, [{"keyed_hash": one, "erased_ms": now_ms} for one in dict.fromkeys(keyed_hashes)]
    )


def any_erased(conn: Connection) -> bool:
    """Whether anybody was ever erased."""
    return conn.scalar(select(erasures.c.keyed_hash).limit(1)) is not None


def remember_again(conn: Connection, keyed_hashes: Iterable[bytes]) -> int:
    """Drop these hashes; returns how many there were."""
    dropped = 0
    for chunk in chunks(dict.fromkeys(keyed_hashes)):
        dropped += conn.execute(delete(erasures).where(erasures.c.keyed_hash.in_(chunk))).rowcount
    return dropped


def erased(conn: Connection, keyed_hashes: Iterable[bytes]) -> set[bytes]:
    """Those of the hashes whose person was erased."""
    found: set[bytes] = set()
    for chunk in chunks(dict.fromkeys(keyed_hashes)):
        found.update(conn.scalars(select(erasures.c.keyed_hash).where(erasures.c.keyed_hash.in_(chunk))))
    return found


def _drop_second_create(conn: Connection, old_id: str, into_id: str) -> None:
    """One lead has one create in flight per object. If both have, the old one's row goes: the record it
    makes carries the old id, and is found by that alias."""
    other = outbox.alias("other")
    conn.execute(
        delete(outbox).where(
            outbox.c.lead_id == old_id,
            outbox.c.record_id.is_(None),
            exists().where(
                other.c.lead_id == into_id,
                other.c.side == outbox.c.side,
                other.c.object == outbox.c.object,
                other.c.record_id.is_(None),
                other.c.state == "in_flight",
            ),
        )
    )


def _unite_activities(conn: Connection, old_id: str, into_id: str) -> None:
    other = activities.alias("other")
    known = exists().where(other.c.lead_id == into_id, other.c.key == activities.c.key)
    conn.execute(delete(activities).where(activities.c.lead_id == old_id, known))
    conn.execute(update(activities).where(activities.c.lead_id == old_id).values(lead_id=into_id))


def _unite_holds(conn: Connection, old_id: str, into_id: str) -> None:
    """The survivor takes the holds over; its next `sync_holds` closes what does not apply to it."""
    other = holds.alias("other")
    known = exists().where(
        other.c.lead_id == into_id,
        other.c.kind == holds.c.kind,
        other.c.subject == holds.c.subject,
        other.c.closed_ms.is_(None),
    )
    conn.execute(delete(holds).where(holds.c.lead_id == old_id, holds.c.closed_ms.is_(None), known))
    conn.execute(update(holds).where(holds.c.lead_id == old_id).values(lead_id=into_id))
