"""Routing: who gets a lead that is ready for sales. A named owner, or the next of a pool in turn.

Pure: whose turn it is comes in as a number that the caller stores; picking consumes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """Owners who take turns. `name` is that of its route, and names the stored turn."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a lead goes: to `owner`, or to the next of `pool`; exactly one of them is set. An owner is the
    e-mail address of a person, or 'queue:<Name>'."""

    name: str
    owner: str | None = None
    pool: Pool | None = None


def pick(pool: Pool, turn: int) -> str:
    """The owner whose turn it is: pure round-robin over the members."""
    return pool.members[turn % len(pool.members)]
