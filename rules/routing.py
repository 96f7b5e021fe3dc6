"""Routing: who gets a lead that is ready for sales: the first route that applies and yields somebody.

Pure: what is known of the lead, and the states of the pools, come in; picking consumes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mappings.stages import is_person
from rules.fuse import Choose
from rules.pools import Pick, Pool, PoolState, pick

PREVIOUS_OWNER: Final = "previous_owner"
"""The `to` of a route to whoever had the lead in an earlier cycle; any other names a field of the lead."""

_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """Where a row of a territory table leads: to `owner` or `pool`; exactly one of them is set."""

    owner: str | None = None
    pool: Pool | None = None


@dataclass(frozen=True, slots=True)
class Territory:
    """A table; `choose` finds the first row that a lead belongs to."""

    name: str
    rows: tuple[Row, ...]
    choose: Choose = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a lead goes: to `owner`, to the next of `pool`, to the owner that the lead itself names (`to`: a
    field of it, or PREVIOUS_OWNER), or where its row of `territory` leads; exactly one of them is set.
    `may_return`: also to somebody who has rejected it. An owner is the e-mail address of a person, or
    'queue:<Name>'."""

    name: str
    owner: str | None = None
    pool: Pool | None = None
    to: str | None = None
    territory: Territory | None = None
    may_return: bool = False


def pools_of(routes: Iterable[Route]) -> Iterator[Pool]:
    """Every pool that some of the routes can lead to."""
    for route in routes:
        rows = () if route.territory is None else route.territory.rows
        yield from (pool for pool in (route.pool, *(row.pool for row in rows)) if pool is not None)


@dataclass(frozen=True, slots=True)
class Match:
    """A route that applies, with the row of its territory, if it has one."""

    route: Route
    row: Row | None = None

    @property
    def owner(self) -> str | None:
        return self.route.owner if self.row is None else self.row.owner

    @property
    def pool(self) -> Pool | None:
        return self.route.pool if self.row is None else self.row.pool


@dataclass(frozen=True, slots=True)
class NamedOwner:
    """An owner whom the rules name: who, in what (`route "all"`, `pool "sdr"`), and where that stands."""

    owner: str
    where: str
    file: str
    line: int
    column: int
    in_pool: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What routing must know of a lead and its owners. `owners` are those that the lead names, by field;
    `found` says of such a field where its owner comes from, or why there is none. `unfit` says why somebody
    can get no lead at all, `barred` why somebody does not get this one, `avoided` why somebody gets it only
    if nobody else does. `late` are those who let a deadline pass: they are left out even where a route says
    that a lead may return."""

    owners: Mapping[str, object] = field(default_factory=dict)
    previous_owner: str | None = None
    barred: Mapping[str, str] = field(default_factory=dict)
    avoided: Mapping[str, str] = field(default_factory=dict)
    unfit: Callable[[str], str | None] | None = None
    found: Mapping[str, str] = field(default_factory=dict)
    late: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who gets the lead, by which route and pool; `owner` is None when nobody does. `told` says in words
    what the route's name does not: why this one, and who was left out. `pools` are the states of all pools
    that were asked, as they are afterwards. `again_ms` is when time alone brings back somebody who was left
    out of a pool that yielded nobody (None: never)."""

    owner: str | None
    route: Route | None
    pool: Pool | None
    told: tuple[str, ...]
    pools: Mapping[str, PoolState]
    again_ms: int | None = None


def assign(
    matches: Sequence[Match], standing: Standing, states: Mapping[str, PoolState], now_ms: int
) -> Assignment:
    """The first of the routes that yields somebody; if none does, the last one takes whom it avoided before.
    `states` are those of the pools, by key; a pool that is not there is a new one. All pools that could be
    asked are among the result's, changed or not."""
    pools = {
        match.pool.key: states.get(match.pool.key, PoolState()) for match in matches if match.pool is not None
    }
    told: list[str] = []
    back_ms: list[int] = []
    everybody: Mapping[str, str] = {**standing.avoided, **standing.barred}
    attempts = [(match, everybody) for match in matches]
    if standing.avoided:
        attempts += [(match, standing.barred) for match in matches[-1:]]
    for match, barred in attempts:
        route, pool = match.route, match.pool
        if route.may_return:
            barred = {owner: why for owner, why in barred.items() if owner in standing.late}
        if pool is not None:
            picked = pick(pool, pools[pool.key], now_ms, unfit=standing.unfit, barred=barred)
            owner, words = picked.owner, _picked(pool, picked)
            pools[pool.key] = picked.state
            back_ms += [] if picked.again_ms is None else [picked.again_ms]
        else:
            owner = match.owner or _of_lead(route, standing)
            refusal = _refusal(route, owner, standing, barred)
            found = standing.found.get(route.to or "", "")
            owner, words = (owner, found) if refusal is None else (None, refusal)
        if owner is not None:
            told += [words] if words else []
            return Assignment(owner, route, pool, tuple(told), pools, min(back_ms, default=None))
        told.append(f"route {route.name}: {words}")
    return Assignment(None, None, None, tuple(dict.fromkeys(told)), pools, min(back_ms, default=None))


def _picked(pool: Pool, picked: Pick) -> str:
    """Why the pool gave the lead to this one, or to nobody, in words."""
    left_out = _grouped(picked.left_out)
    if picked.owner is None:
        return f"nobody in pool {pool.name}: {left_out}"
    return f"next in pool {pool.name}" + (f"; left out: {left_out}" if left_out else "")


def _of_lead(route: Route, standing: Standing) -> str | None:
    """The owner that the lead itself names."""
    if route.to == PREVIOUS_OWNER:
        return standing.previous_owner
    owner = standing.owners.get(route.to or "")
    return owner if isinstance(owner, str) and is_person(owner) else None


def _refusal(route: Route, owner: str | None, standing: Standing, barred: Mapping[str, str]) -> str | None:
    """Why this owner does not get the lead, or None. Whom the rules name gets it, active or not: that is for
    a person to put right, and not to be passed over."""
    if owner is None:
        return standing.found.get(route.to or "") or f"no {(route.to or 'owner').replace('_', ' ')}"
    why = barred.get(owner)
    if why is None and route.to is not None and standing.unfit is not None:
        why = standing.unfit(owner)
    return None if why is None else f"{owner} {why}"


def _grouped(left_out: Iterable[tuple[str, str]]) -> str:
    """Who was left out, those with one reason together: 'anna@x, bruno@x (not at work)'."""
    reasons: dict[str, list[str]] = {}
    for owner, why in left_out:
        reasons.setdefault(why, []).append(owner)
    words = []
    for why, owners in reasons.items():
        more = len(owners) - _NAMED_AT_MOST
        named = ", ".join(owners[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        words.append(f"{named} ({why})")
    return ", ".join(words)
