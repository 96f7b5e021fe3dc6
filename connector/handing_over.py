"""Handing over: an MQL gets an owner by the routes. Pure: whose turn it is comes in, and goes out again."""

from __future__ import annotations

from dataclasses import replace

from connector.brake import brake_hold
from connector.plan import WantedHold
from connector.walk import Walk
from mappings.stages import Stage
from rules.routing import pick


def hand_over(walk: Walk) -> bool:
    """Give an MQL to the owner that its route names. True when it was handed over."""
    state = walk.state
    if state.stage is not Stage.MQL or state.resting or state.awaited_reason is not None:
        return False
    if "handoff" in walk.braked:
        walk.holds.append(brake_hold("handoff", "handing this lead over"))
        return False
    route = walk.rules.route(walk.facts_of(walk.state), walk.now_ms)
    owner: str | None = None
    if route is not None and route.pool is not None:
        turn = walk.pool_turns.get(route.pool.name, 0)
        last = walk.state.rejections[-1].by if walk.state.rejections else None
        for _ in route.pool.members:
            owner = pick(route.pool, turn)
            turn += 1
            if owner != last and owner != walk.state.owner:
                break
        walk.pool_turns[route.pool.name] = turn
    elif route is not None:
        owner = route.owner
    if route is None or owner is None:
        walk.holds.append(
            WantedHold(
                kind="no_owner",
                subject="routing",
                message="No route gives this lead an owner.",
                remedy="Add a last route without a condition, or fill its pool.",
            )
        )
        return False
    walk.state = replace(walk.state, owner=owner, values={**walk.state.values, "owner": owner})
    warnings = walk.verdict.warnings
    return walk.move(
        Stage.DISTRIBUTED,
        "rules",
        walk.now_ms,
        actor=route.name,
        reason="; ".join(warnings) or None,
        warnings=warnings,
    )
