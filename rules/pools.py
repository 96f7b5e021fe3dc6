"""Pools: owners who take turns, by weight, and only those who can take a lead now.

Pure: the state of the turns comes in and goes out again, so picking by itself consumes nothing. Every pick
gives each member who could take a lead its share of one, and takes one from the member who gets it; the next
one is the member who will first be a whole lead short. So nobody is ever a lead away from the fair number,
whatever the weights. Who cannot take a lead gains no share meanwhile: whoever comes back, or is new, goes on
from where the others are, and is not flooded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal, Self

from rules.office_hours import OfficeHours, around_the_clock, local_day, next_open_ms

OutsideHours = Literal["in_turn", "next_at_work", "next_route"]
"""What happens while no member is at work: everybody takes turns all the same, only those who are at work
first, or nobody."""

ONE: Final = 1_000_000
"""One lead, in the unit in which shares are kept."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a pool. `owner` is an e-mail address or 'queue:<Name>'. `hours` are the member's office
    hours (None: always at work), `time_zone` where its days begin and end. `away` are ranges of days, first
    and last, as `date.toordinal()` counts them."""

    owner: str
    weight: int = 1
    at_most_per_day: int | None = None
    hours: OfficeHours | None = None
    time_zone: str = "UTC"
    away: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """Owners who take turns. `name` is what people call it, `key` names the stored state."""

    name: str
    members: tuple[Member, ...]
    outside_hours: OutsideHours = "in_turn"
    key: str = ""


@dataclass(frozen=True, slots=True)
class PoolState:
    """Whose turn it is. `shares`: by owner, how much of a lead each is short of its fair number (negative:
    ahead of it). `days`: by owner with a cap, the last day with a lead, and how many there were. `turn`
    counts the leads of a pool whose state was kept as a number alone."""

    shares: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    turn: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data; what is empty is left out."""
        found = {"shares": dict(self.shares), "days": {who: list(at) for who, at in self.days.items()}}
        return {name: value for name, value in {**found, "turn": self.turn}.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The state that `to_json` wrote."""
        days = {who: (day, count) for who, (day, count) in data.get("days", {}).items()}
        return cls(dict(data.get("shares", {})), days, data.get("turn", 0))


@dataclass(frozen=True, slots=True)
class Pick:
    """Who gets the lead (None: nobody can), the state afterwards, and who was left out, why, in words.
    `again_ms`: if nobody can, when time alone brings somebody (None: never)."""

    owner: str | None
    state: PoolState
    left_out: tuple[tuple[str, str], ...] = ()
    again_ms: int | None = None


def pick(
    pool: Pool,
    state: PoolState,
    now_ms: int,
    *,
    unfit: Callable[[str], str | None] | None = None,
    barred: Mapping[str, str] | None = None,
) -> Pick:
    """Whose turn it is at `now_ms`.

    `unfit` says why an owner can get no lead at all, `barred` why somebody does not get this one: the latter
    keep their share, and are the next ones for another lead."""
    left_out: list[tuple[str, str]] = []
    able: list[Member] = []
    for member in pool.members:
        why = (unfit(member.owner) if unfit is not None else None) or _absent(member, state, now_ms)
        if why is None:
            able.append(member)
        else:
            left_out.append((member.owner, why))
    refused = barred or {}
    left_out.extend((member.owner, refused[member.owner]) for member in able if member.owner in refused)
    able = _at_work(pool, able, refused, left_out, now_ms)
    open_to = [member for member in able if member.owner not in refused]
    if not open_to:
        again = (
            _back_ms(member, state, now_ms)
            for member in pool.members
            if member.owner not in refused and (unfit is None or unfit(member.owner) is None)
        )
        return Pick(None, state, tuple(left_out), min(again, default=None))
    shares = _shares(pool, state)
    total = sum(member.weight for member in able)
    # what those who are absent have too much or too little is no affair of the others
    to_give = ONE - sum(shares[member.owner] for member in able)
    for member in able:
        shares[member.owner] += to_give * member.weight // total
    short = [member for member in open_to if shares[member.owner] > 0] or open_to
    chosen = min(short, key=lambda member: (ONE - shares[member.owner]) / member.weight)
    shares[chosen.owner] -= ONE
    shares = {owner: max(-ONE, min(ONE, share)) for owner, share in shares.items()}
    after = PoolState(shares, _counted(pool, state, chosen, now_ms))
    return Pick(chosen.owner, after, tuple(left_out))


def _absent(member: Member, state: PoolState, now_ms: int) -> str | None:
    """Why a member takes no lead today, or None."""
    if not member.away and member.at_most_per_day is None:
        return None
    today = local_day(member.time_zone, now_ms)
    for first, last in member.away:
        if first <= today <= last:
            return f"away until {date.fromordinal(last).isoformat()}"
    if member.at_most_per_day is not None:
        day, count = state.days.get(member.owner, (0, 0))
        if day >= today and count >= member.at_most_per_day:
            return f"has had {count} of {member.at_most_per_day} today"
    return None


def _back_ms(member: Member, state: PoolState, now_ms: int) -> int:
    """When a member who can take no lead now may take one again: on the next day there that is free, or when
    it is at work."""
    if _absent(member, state, now_ms) is None:
        return _begins_ms(member, now_ms)
    today = local_day(member.time_zone, now_ms)
    return next_open_ms(around_the_clock(member.time_zone).closed_on((*member.away, (today, today))), now_ms)


def _at_work(
    pool: Pool,
    able: Sequence[Member],
    refused: Mapping[str, str],
    left_out: list[tuple[str, str]],
    now_ms: int,
) -> list[Member]:
    """Those who are at work; if nobody is who may have this lead, what the pool says of that."""
    begins = {member.owner: _begins_ms(member, now_ms) for member in able}
    last_ms = min((at_ms for owner, at_ms in begins.items() if owner not in refused), default=now_ms)
    if last_ms > now_ms and pool.outside_hours == "in_turn":
        return list(able)
    if pool.outside_hours == "next_route":
        last_ms = now_ms
    left_out.extend(
        (owner, "not at work") for owner, at_ms in begins.items() if at_ms > last_ms and owner not in refused
    )
    return [member for member in able if begins[member.owner] <= last_ms]


def _begins_ms(member: Member, now_ms: int) -> int:
    """When a member is at work next; now, if it is."""
    if member.hours is None:
        return now_ms
    return next_open_ms(member.hours.closed_on(member.away), now_ms)


def _shares(pool: Pool, state: PoolState) -> dict[str, int]:
    """How short of a lead each member is before this one; new members are as short as the fair number."""
    shares = {member.owner: state.shares.get(member.owner, 0) for member in pool.members}
    if state.turn and not state.shares:
        size = len(pool.members)
        ahead = state.turn % size
        for place, owner in enumerate(shares):
            shares[owner] = ahead * ONE // size - (ONE if place < ahead else 0)
    return shares


def _counted(pool: Pool, state: PoolState, chosen: Member, now_ms: int) -> dict[str, tuple[int, int]]:
    capped = {member.owner for member in pool.members if member.at_most_per_day is not None}
    days = {owner: at for owner, at in state.days.items() if owner in capped}
    if chosen.owner in capped:
        today = local_day(chosen.time_zone, now_ms)
        day, count = days.get(chosen.owner, (0, 0))
        days[chosen.owner] = (day, count + 1) if day >= today else (today, 1)
    return days
