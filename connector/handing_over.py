"""Handing over: an MQL gets an owner by the routes. Pure: whose turn it is comes in, and goes out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from connector.brake import brake_hold
from connector.lead import LeadState
from connector.owner_check import sides_with_owners, why_unfit
from connector.plan import WantedHold
from connector.walk import Walk
from mappings.mapping import ACCOUNT_OWNER
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Stage, is_person
from mappings.values import OwnerDirectory
from rules.routing import Assignment, Standing, assign


def hand_over(walk: Walk) -> bool:
    """Give an MQL to the owner that its route names. True when it was handed over."""
    state = walk.state
    if state.stage is not Stage.MQL or state.resting or state.awaited_reason is not None:
        return False
    if "handoff" in walk.braked:
        walk.holds.append(brake_hold("handoff", "handing this lead over"))
        return False
    found = find_owner(walk, state)
    walk.pool_states = dict(found.pools)
    if found.owner is None or found.route is None:
        walk.holds.append(_nobody(found))
        ask_again(walk, found)
        return False
    if (lacking := _side_without(found.owner, walk.mapping, walk.directory)) is not None:
        # in the CRM the lead would be leadloop's own, and nobody would work on it
        walk.holds.append(owner_unknown(found.owner, lacking))
        return False
    walk.state = replace(state, owner=found.owner, values={**state.values, "owner": found.owner})
    warnings = walk.verdict.warnings
    return walk.move(
        Stage.DISTRIBUTED,
        "rules",
        walk.now_ms,
        actor=found.route.name,
        reason="; ".join((*found.told, *warnings)) or None,
        warnings=warnings,
    )


def ask_again(walk: Walk, found: Assignment) -> None:
    """Look at the lead again when somebody is back who is away, at the cap, or not at work now."""
    if found.again_ms is not None:
        walk.wakes.append(found.again_ms)


def find_owner(walk: Walk, state: LeadState) -> Assignment:
    """Whom the routes give this lead. Takes no turn."""
    account = walk.account
    standing = Standing(
        owners=state.values if account is None else account.among(state.values),
        found={} if account is None else {ACCOUNT_OWNER: account.told},
        previous_owner=previous_owner(state),
        barred=barred(state),
        avoided=avoided(state),
        unfit=unfit(walk.mapping, walk.directory, walk.own_users),
        late=state.let_pass,
    )
    return assign(
        walk.rules.matches(walk.facts_of(state), walk.now_ms), standing, walk.pool_states, walk.now_ms
    )


def previous_owner(state: LeadState) -> str | None:
    """Who had the lead last, in an earlier cycle."""
    earlier = {owner: cycle for owner, cycle in state.had_by.items() if cycle < state.cycle}
    return max(reversed(earlier), key=earlier.__getitem__, default=None)


def barred(state: LeadState) -> dict[str, str]:
    """Who has rejected this lead in this cycle."""
    return {past.by: "rejected it" for past in state.rejections if past.by and past.cycle == state.cycle}


def avoided(state: LeadState) -> dict[str, str]:
    """Who gets this lead only if nobody else does: whoever rejected it last, in an earlier cycle, or has had
    it in this one."""
    found = {owner: "had it before" for owner, cycle in state.had_by.items() if cycle == state.cycle}
    found |= dict.fromkeys(state.let_pass, "let a deadline pass")
    last = state.rejections[-1].by if state.rejections else None
    return found if last is None else {**found, last: "rejected it before"}


def unfit(
    mapping: LeadMapping, directory: OwnerDirectory, own_users: Mapping[str, str]
) -> Callable[[str], str | None]:
    """Why an owner can get no lead: no active user (or queue) on a side that shows owners, or leadloop's own
    user. A side whose users are not known here says nothing."""
    sides = sides_with_owners(mapping)
    ourselves = {directory.email_of(side, user) for side, user in own_users.items()}

    def why(owner: str) -> str | None:
        if owner in ourselves:
            return "is leadloop's own user"
        for side in why_unfit(owner, sides, directory):
            return f"is no active {'user' if is_person(owner) else 'queue'} on {side}"
        return None

    return why


def owner_unknown(owner: str, side: str) -> WantedHold:
    """While a platform has no active user, or no queue, for whoever has the lead or is to have it."""
    person = is_person(owner)
    return WantedHold(
        kind="owner_unknown",
        subject=side,
        message=f"{owner} is to have this lead but is no {'active user' if person else 'queue'} on {side}.",
        remedy=f"{f'Invite {owner} to' if person else 'Make the queue on'} {side}, or change the route.",
    )


def _side_without(owner: str, mapping: LeadMapping, directory: OwnerDirectory) -> str | None:
    """The CRM that does not know this owner."""
    for side in mapping.sides.values():
        shows = any((pair := each.pair("owner")) and pair.writes for each in side.person_objects)
        known = not directory.knows_owners_of(side.side) or directory.native_of(side.side, owner) is not None
        if side.kind == "crm" and shows and not known:
            return side.side
    return None


def _nobody(found: Assignment) -> WantedHold:
    told = "; ".join(found.told)
    instead = (
        "put somebody who can have it into a pool" if found.pools else "name somebody else in the last one"
    )
    return WantedHold(
        kind="no_owner",
        subject="routing",
        message=f"No route gives this lead an owner{f': {told}' if told else ''}.",
        remedy=f"Add a last route to a queue, or {instead}.",
    )
