"""Taking in: what a platform showed is stored and linked, and the leads concerned become dirty.

The one way into the store for records that were read, whichever way leadloop learnt of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.forgetting import keep_out
from connector.intake.link import link_records
from connector.observation import Observation
from connector.store.observations import Stored, store_observations


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
    stored = store_observations(conn, kept)
    return TakenIn(stored, link_records(conn, installation, stored, now_ms))
