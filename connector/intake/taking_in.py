"""Taking in: what a platform showed is stored and linked, and the leads concerned become dirty.

The one way into the store for records that were read, whichever way leadloop learnt of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.keeping_out import keep_out
from connector.intake.link import link_records
from connector.lead import Baseline
from connector.observation import Observation, RecordKey
from connector.store import outbox
from connector.store.baselines import baselines_of, put_baselines
from connector.store.links import linked
from connector.store.observations import Stored, observations_by_key, store_observations


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of the observations: how they were stored, and the leads that are dirty now."""

    stored: Sequence[Stored]
    leads: set[str]


def take_in(
    conn: Connection, installation: Installation, observations: Sequence[Observation], now_ms: int
) -> TakenIn:
    """Store full reads, link them, and mark their leads dirty; those of forgotten people stay out."""
    kept = keep_out(conn, installation, observations, now_ms)
    if len(kept) < len(observations):
        kept = [*kept, *_taken_from_others(conn, observations, kept)]
    stored = store_observations(conn, kept)
    leads = link_records(conn, installation, stored, now_ms)
    _recognise_own(conn, installation, [item.observation for item in stored if item.status == "new"])
    return TakenIn(stored, leads)


def _taken_from_others(
    conn: Connection, observations: Sequence[Observation], kept: Sequence[Observation]
) -> list[Observation]:
    """Records of people who are known that stay out because they have taken a forgotten person's name: for
    their leads they are as good as deleted, so that nothing is sent there either."""
    there = {item.key for item in kept}
    out = {item.key: item for item in observations if item.key not in there}
    theirs = linked(conn, out)
    known = observations_by_key(conn, theirs)
    gone: list[Observation] = []
    for key in theirs:
        item, before = out[key], known.get(key)
        if before is None:
            gone.append(Observation(*key, item.stamp_ms, item.read_started_ms, {}, deleted=True))
        elif not before.deleted:
            gone.append(before._replace(read_started_ms=item.read_started_ms, deleted=True))
    return gone


def _recognise_own(conn: Connection, installation: Installation, new: Sequence[Observation]) -> None:
    """Records that leadloop made without hearing so: what people have done to one since is theirs, and no
    state in which leadloop met it."""
    doubted = {side: outbox.creates_in_doubt(conn, side) for side in {item.side for item in new}}
    made: dict[str, RecordKey] = {}
    for item in new:
        if not doubted[item.side]:
            continue
        target = installation.policy.mapping.sides[item.side].objects[item.object]
        pair = target.output("lead_id")
        lead_id = None if pair is None else item.fields.get(pair.native)
        if isinstance(lead_id, str) and (item.object, lead_id) in doubted[item.side]:
            made[lead_id] = item.key
    known = baselines_of(conn, made)
    put_baselines(
        conn,
        [(key, lead_id, Baseline(made=True).to_json()) for lead_id, key in made.items() if key not in known],
    )
