"""Settle: take dirty and due leads, reconcile them, and commit their plans in one transaction.

Gather, decide, apply. The decision is `connector.reconcile`, which is pure; this file reads what it needs and
stores what it said. A lead that cannot be decided is a hold with the reason, and never stops the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from connector.clock import MINUTE_MS
from connector.desired import NEW_RECORD, Refusal
from connector.installation import Installation
from connector.lead import Baseline, LeadState
from connector.observation import Observation, RecordKey
from connector.plan import Plan, WantedHold
from connector.reconcile import LeadInput, reconcile
from connector.store import activities as activity_store
from connector.store import brakes as brake_store
from connector.store import holds as hold_store
from connector.store import leads as lead_store
from connector.store import ledger, outbox, pools, quarantine
from connector.store.baselines import baselines_of, put_baselines
from connector.store.links import Link, links_of, put_links
from connector.store.observations import observations_by_key, observations_of, referring
from mappings.mapping import Mapping as LeadMapping
from rules.facts import Activity

LEASE_MS = 5 * MINUTE_MS
BATCH = 200


@dataclass(frozen=True, slots=True)
class Settled:
    """What one batch did: leads looked at, stage moves, writes planned."""

    leads: int = 0
    moves: int = 0
    writes: int = 0


def settle(installation: Installation, limit: int = BATCH) -> Settled:
    """Reconcile and commit up to `limit` leads that need it. Raises LeaseLost when another worker took over
    (nothing is committed then; the leads stay dirty)."""
    now_ms = installation.clock.now_ms()
    token = installation.new_token()
    with installation.database.begin() as conn:
        claimed = lead_store.claim_leads(conn, token, now_ms, LEASE_MS, limit)
    if not claimed:
        return Settled()
    with installation.database.read() as conn:
        inputs = gather(conn, claimed, installation.policy.mapping)
        stopped = _stopped(conn, installation)
    inputs = {lead_id: replace(item, braked=stopped) for lead_id, item in inputs.items()}
    plans = {lead_id: decide(installation, item, now_ms) for lead_id, item in inputs.items()}
    with installation.database.begin() as conn:
        plans = _within_the_brake(conn, installation, inputs, plans, now_ms)
        plans = _with_turns(conn, installation, inputs, plans, now_ms)
        _commit(conn, installation, token, claimed, plans, now_ms)
    for plan in plans.values():
        for move in plan.moves:
            installation.on_event("moved", {"lead": plan.lead_id, "from": move.origin, "to": move.target})
    return Settled(
        leads=len(plans),
        moves=sum(len(plan.moves) for plan in plans.values()),
        writes=sum(len(plan.writes) for plan in plans.values()),
    )


def decide(installation: Installation, lead: LeadInput, now_ms: int) -> Plan:
    """The plan of one lead; where reconcile fails, a plan that changes nothing and holds the lead."""
    try:
        return reconcile(lead, installation.policy, now_ms)
    except Exception as error:  # noqa: BLE001  # one lead that cannot be decided must not stop the others
        hold = WantedHold(
            kind="cannot_decide",
            subject="lead",
            message=f"This lead cannot be decided: {type(error).__name__}: {error}",
            remedy="Look at the rules and the mapping; if they are right, report this as a bug.",
        )
        installation.on_event("cannot_decide", {"lead": lead.state.lead_id, "error": type(error).__name__})
        return Plan(lead_id=lead.state.lead_id, state=lead.state, holds=(hold,))


# gather -------------------------------------------------------------------------------------------------


def gather(conn: Connection, leads: Sequence[lead_store.Lead], mapping: LeadMapping) -> dict[str, LeadInput]:
    """All that is known of these leads, by lead id."""
    ids = [lead.id for lead in leads]
    links = links_of(conn, ids)
    people = observations_of(conn, ids)
    records = {lead_id: [item.observation for item in people[lead_id]] for lead_id in ids}
    for lead_id, found in _opportunities_of(conn, links, records).items():
        records[lead_id].extend(found)
    baselines = baselines_of(conn, ids)
    activities = activity_store.activities_of(conn, ids)
    refusals = _refusals_of(conn, links, mapping)
    inputs: dict[str, LeadInput] = {}
    for lead in leads:
        seen = {item.key for item in records[lead.id]}
        inputs[lead.id] = LeadInput(
            state=LeadState.from_json(lead.state),
            observations=records[lead.id],
            baselines={
                link.key: Baseline.from_json(baselines[link.key])
                for link in links[lead.id]
                if link.key in baselines
            },
            linked_sides=frozenset(
                link.side for link in links[lead.id] if link.role == "primary" and link.key not in seen
            ),
            activities=[Activity(row.kind, row.at_ms, row.attributes) for row in activities[lead.id]],
            refusals=refusals[lead.id],
        )
    return inputs


def _opportunities_of(
    conn: Connection, links: Mapping[str, Sequence[Link]], records: Mapping[str, Sequence[Observation]]
) -> dict[str, list[Observation]]:
    """Contact roles and opportunities by lead. An opportunity can speak about several leads, so it is found
    by what points at it, not by a link of its own."""
    owner_of: dict[RecordKey, set[str]] = {}
    wanted: dict[RecordKey, set[str]] = {}
    by_object: dict[tuple[str, str], list[str]] = {}
    for lead_id, found in links.items():
        for link in found:
            owner_of.setdefault(link.key, set()).add(lead_id)
            by_object.setdefault((link.side, link.object), []).append(link.record_id)
        for record in records[lead_id]:
            if record.converted and "Opportunity" in record.refs:
                key = RecordKey(record.side, "Opportunity", record.refs["Opportunity"])
                wanted.setdefault(key, set()).add(lead_id)
    extra: dict[str, list[Observation]] = {lead_id: [] for lead_id in links}
    for (side, name), ids in by_object.items():
        for role in referring(conn, side, name, ids):
            if role.key in owner_of:
                continue
            leads_here = owner_of.get(RecordKey(side, name, role.refs.get(name, "")), set())
            for lead_id in leads_here:
                extra[lead_id].append(role)
            for target, record_id in role.refs.items():
                if target != name:
                    wanted.setdefault(RecordKey(side, target, record_id), set()).update(leads_here)
    for key, record in observations_by_key(conn, wanted).items():
        for lead_id in wanted[key]:
            extra[lead_id].append(record)
    return extra


def _refusals_of(
    conn: Connection, links: Mapping[str, Sequence[Link]], mapping: LeadMapping
) -> dict[str, dict[RecordKey, dict[str, Refusal]]]:
    """What platforms refused, by lead and record; the refusal of a create stands under the lead's own key."""
    creatable = [
        (side.side, target.object)
        for side in mapping.sides.values()
        if (target := side.object_for_create) is not None
    ]
    keys: dict[RecordKey, str] = {}
    for lead_id, found in links.items():
        keys.update((link.key, lead_id) for link in found)
        keys.update((RecordKey(*place, NEW_RECORD + lead_id), lead_id) for place in creatable)
    refusals: dict[str, dict[RecordKey, dict[str, Refusal]]] = {lead_id: {} for lead_id in links}
    for key, rows in quarantine.of_records(conn, keys).items():
        refusals[keys[key]][key] = {row.field: Refusal(row.value_hash, row.reason) for row in rows}
    return refusals


# the brake and the pools --------------------------------------------------------------------------------


def _stopped(conn: Connection, installation: Installation) -> frozenset[str]:
    brakes = brake_store.brakes_of(conn, installation.configuration)
    return frozenset(kind for kind, brake in brakes.items() if brake.released_ms is None)


def _within_the_brake(
    conn: Connection,
    installation: Installation,
    inputs: dict[str, LeadInput],
    plans: dict[str, Plan],
    now_ms: int,
) -> dict[str, Plan]:
    """Count what the plans change; past a limit stop that kind and decide the batch again without it."""
    wanted = [kind for plan in plans.values() for kind in plan.brake_kinds]
    if not wanted:
        return plans
    configuration, limits = installation.configuration, installation.brake
    window_ms = limits.window_start_ms(now_ms)
    brakes = brake_store.brakes_of(conn, configuration)
    rates = {kind: brake.per_hour for kind, brake in brakes.items() if brake.released_ms is not None}
    counted = brake_store.counted(conn, configuration, window_ms)
    total = sum(lead_store.count_by_stage(conn).values())
    exceeded = limits.exceeded(counted, wanted, total, rates)
    for kind, message in exceeded.items():
        if kind not in brakes or brakes[kind].released_ms is not None:
            brake_store.trip(conn, configuration, kind, message, now_ms)
            installation.on_event("brake", {"kind": kind, "message": message})
    if exceeded:
        inputs.update(
            (lead_id, replace(item, braked=item.braked | set(exceeded))) for lead_id, item in inputs.items()
        )
        plans = {
            lead_id: decide(installation, inputs[lead_id], now_ms)
            if set(plan.brake_kinds) & set(exceeded)
            else plan
            for lead_id, plan in plans.items()
        }
    numbers: dict[str, int] = {}
    for plan in plans.values():
        for kind in plan.brake_kinds:
            numbers[kind] = numbers.get(kind, 0) + 1
    brake_store.count_changes(conn, configuration, window_ms, numbers)
    return plans


def _with_turns(
    conn: Connection,
    installation: Installation,
    inputs: Mapping[str, LeadInput],
    plans: dict[str, Plan],
    now_ms: int,
) -> dict[str, Plan]:
    """Give the picks from routing pools their real turns: decided again, one after another, over the locked
    rows."""
    names = {name for plan in plans.values() for name in plan.pool_turns}
    if not names:
        return plans
    turns = pools.lock_turns(conn, names)
    picked = dict(plans)
    for lead_id, plan in plans.items():
        if plan.pool_turns:
            again = decide(installation, replace(inputs[lead_id], turns=dict(turns)), now_ms)
            turns.update(again.pool_turns)
            picked[lead_id] = again
    pools.put_turns(conn, turns)
    return picked


# commit -------------------------------------------------------------------------------------------------


def _commit(
    conn: Connection,
    installation: Installation,
    token: str,
    claimed: Sequence[lead_store.Lead],
    plans: Mapping[str, Plan],
    now_ms: int,
) -> None:
    lead_store.save_leads(
        conn,
        token,
        [
            lead_store.LeadSave(
                id=lead.id,
                version=lead.version,
                generation=lead.generation,
                stage=plans[lead.id].state.stage.value,
                cycle=plans[lead.id].state.cycle,
                due_at_ms=plans[lead.id].due_at_ms,
                state=plans[lead.id].state.to_json(),
            )
            for lead in claimed
        ],
    )
    generations = {lead.id: lead.generation for lead in claimed}
    ledger.append(
        conn,
        [
            ledger.LedgerRow(
                lead_id=plan.lead_id,
                cycle=move.cycle,
                origin=move.origin,
                target=move.target,
                skipped=move.skipped,
                happened_ms=move.happened_ms,
                recorded_ms=now_ms,
                cause=move.cause,
                actor=move.actor,
                rules=list(move.rules),
                reason=move.reason,
                outcome=move.outcome,
                configuration=installation.configuration,
            )
            for plan in plans.values()
            for move in plan.moves
        ],
    )
    activity_store.put(
        conn,
        [
            activity_store.ActivityRow(plan.lead_id, item.key, item.kind, item.at_ms, dict(item.attributes))
            for plan in plans.values()
            for item in plan.activities
        ],
    )
    put_baselines(
        conn,
        [
            (key, plan.lead_id, baseline.to_json())
            for plan in plans.values()
            for key, baseline in plan.baselines.items()
        ],
    )
    _put_roles(conn, plans)
    hold_store.sync_holds(
        conn,
        {
            plan.lead_id: [
                hold_store.WantedHold(hold.kind, hold.subject, hold.message, hold.remedy, dict(hold.details))
                for hold in plan.holds
            ]
            for plan in plans.values()
        },
        now_ms,
    )
    outbox.replace_pending(
        conn,
        list(plans),
        [
            outbox.Row(
                lead_id=plan.lead_id,
                side=write.side,
                object=write.object,
                record_id=write.record_id,
                op=write.op,
                lane=int(write.lane),
                fields=write.fields,
                expected=write.expected,
                then=dict(write.then) or None,
                groups=write.group,
                planned_generation=generations[plan.lead_id],
                created_ms=now_ms,
                unknown=write.confirms,
            )
            for plan in plans.values()
            for write in plan.writes
        ],
    )


def _put_roles(conn: Connection, plans: Mapping[str, Plan]) -> None:
    """Store the roles that changed; only people's records have links."""
    stored = links_of(conn, plans)
    put_links(
        conn,
        [
            replace(link, role=plan.roles[link.key])
            for plan in plans.values()
            for link in stored[plan.lead_id]
            if plan.roles.get(link.key, link.role) != link.role
        ],
    )
