"""Settle: take dirty and due leads, reconcile them, and commit their plans in one transaction.

Gather (`connector.gather`), decide (`connector.reconcile`, which is pure), apply: this file stores what was
decided. A lead that cannot be decided is a hold with the reason, and never stops the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from connector.clock import MINUTE_MS
from connector.gather import gather
from connector.histories import read_histories
from connector.installation import Installation
from connector.intake.ambiguity import AMBIGUOUS
from connector.lead_input import LeadInput
from connector.plan import Plan, StageMove, WantedHold
from connector.reconcile import reconcile
from connector.report import history
from connector.report.context import contexts
from connector.score_move import ScoreMove
from connector.store import activities as activity_store
from connector.store import brakes as brake_store
from connector.store import deadline_events, ledger, outbox, pools, score_moves
from connector.store import holds as hold_store
from connector.store import leads as lead_store
from connector.store.baselines import put_baselines
from connector.store.errors import LeaseLost, StoreBusy
from connector.store.links import links_of, put_links
from rules.pools import PoolState

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
    _ask_for_moments(installation, inputs, plans, now_ms)
    try:
        with installation.database.begin() as conn:
            plans = _within_the_brake(conn, installation, inputs, plans, now_ms)
            plans = _with_turns(conn, installation, inputs, plans, now_ms)
            _commit(conn, installation, token, claimed, plans, now_ms)
            _write_history(conn, installation, inputs, plans, now_ms)
    except (LeaseLost, StoreBusy):
        with installation.database.begin() as conn:
            lead_store.release_leads(conn, token)
        raise
    for plan in plans.values():
        for move in plan.moves:
            installation.on_event("moved", {"lead": plan.lead_id, "from": move.origin, "to": move.target})
            if move.warnings:
                installation.on_event("few_touches", {"lead": plan.lead_id, "told": "; ".join(move.warnings)})
        for change in plan.deadline_changes:
            told = {"lead": plan.lead_id, "deadline": change.deadline, "what": change.what}
            installation.on_event("deadline", told)
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


def _ask_for_moments(
    installation: Installation, inputs: dict[str, LeadInput], plans: dict[str, Plan], now_ms: int
) -> None:
    """Decide again about leads of which nobody could say whose change of a field came last, with what the
    platforms have kept of it."""
    asking = [plan for plan in plans.values() if plan.undated]
    if not asking:
        return
    told = read_histories(installation, (item for plan in asking for item in plan.undated))
    for plan in asking:
        known = {item: told[item] for item in plan.undated}
        again = inputs[plan.lead_id] = replace(inputs[plan.lead_id], histories=known)
        plans[plan.lead_id] = decide(installation, again, now_ms)


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
    waiting = _already_counted(conn, plans)
    wanted = [kind for plan in plans.values() for kind in _new_kinds(plan, waiting)]
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
        for kind in _new_kinds(plan, waiting):
            numbers[kind] = numbers.get(kind, 0) + 1
    brake_store.count_changes(conn, configuration, window_ms, numbers)
    return plans


def _already_counted(conn: Connection, plans: Mapping[str, Plan]) -> dict[str, set[str]]:
    """By lead, the kinds of change whose writes still wait in the outbox: they were counted when they were
    first planned, and are not new when the lead is decided again meanwhile."""
    counted: dict[str, set[str]] = {}
    planned = [lead_id for lead_id, plan in plans.items() if plan.brake_kinds]
    for lead_id, rows in outbox.of_leads(conn, planned).items():
        for row in rows:
            kinds = {"creates"} if row.op == "create" else {"blanks", "owner_changes"}
            counted.setdefault(lead_id, set()).update(kinds)
    return counted


def _new_kinds(plan: Plan, counted: Mapping[str, set[str]]) -> list[str]:
    known = counted.get(plan.lead_id, set())
    return [kind for kind in plan.brake_kinds if kind not in known]


def _with_turns(
    conn: Connection,
    installation: Installation,
    inputs: Mapping[str, LeadInput],
    plans: dict[str, Plan],
    now_ms: int,
) -> dict[str, Plan]:
    """Give the picks from routing pools their real turns: decided again, one after another, over the locked
    rows."""
    keys = {key for plan in plans.values() for key in plan.pool_states}
    if not keys:
        return plans
    turns = {key: PoolState.from_json(state) for key, state in pools.lock_states(conn, keys).items()}
    before = dict(turns)
    picked = dict(plans)
    for lead_id, plan in plans.items():
        if plan.pool_states:
            again = decide(installation, replace(inputs[lead_id], turns=dict(turns)), now_ms)
            turns.update(again.pool_states)
            picked[lead_id] = again
    moved = {key: state.to_json() for key, state in turns.items() if state != before[key]}
    pools.put_states(conn, moved)
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
    score_moves.append(
        conn,
        [
            _score_row(plan.lead_id, plan.score_move, installation.configuration)
            for plan in plans.values()
            if plan.score_move is not None
        ],
    )
    deadline_events.add(
        conn,
        [
            deadline_events.DeadlineEvent(
                lead_id=plan.lead_id,
                cycle=change.cycle,
                deadline=change.deadline,
                stage=change.stage,
                what=change.what,
                at_ms=change.at_ms,
                due_ms=change.due_ms,
                owner=change.owner,
            )
            for plan in plans.values()
            for change in plan.deadline_changes
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
        except_kinds={AMBIGUOUS},
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


def _write_history(
    conn: Connection,
    installation: Installation,
    inputs: Mapping[str, LeadInput],
    plans: Mapping[str, Plan],
    now_ms: int,
) -> None:
    """The moves, into the ledger and the report's counters. Last of all, since the counters of a day are the
    same rows for every worker."""
    fields, kinds = installation.report_fields, installation.policy.rules.nurture.kinds
    history.write_down(
        conn,
        [
            (_ledger_row(plan.lead_id, move, installation.configuration, now_ms), about)
            for plan in plans.values()
            if plan.moves
            for known in (inputs[plan.lead_id],)
            for move, about in zip(
                plan.moves,
                contexts(
                    known.state, plan.state, plan.moves, fields, [*known.activities, *plan.activities], kinds
                ),
                strict=True,
            )
        ],
    )


def _ledger_row(lead_id: str, move: StageMove, configuration: str, now_ms: int) -> ledger.LedgerRow:
    return ledger.LedgerRow(
        lead_id=lead_id,
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
        configuration=configuration,
    )


def _score_row(lead_id: str, move: ScoreMove, configuration: str) -> score_moves.ScoreMoveRow:
    was, now = move.was, move.now
    return score_moves.ScoreMoveRow(
        lead_id=lead_id,
        at_ms=now.at_ms,
        from_score=None if was is None else was.score,
        from_fit=None if was is None else was.fit,
        from_engagement=None if was is None else was.engagement,
        from_grade=None if was is None else was.grade,
        to_score=now.score,
        to_fit=now.fit,
        to_engagement=now.engagement,
        to_grade=now.grade,
        rules=[{"rule": each.rule, "was": each.was, "now": each.now} for each in move.rules],
        configuration=configuration,
    )


def _put_roles(conn: Connection, plans: Mapping[str, Plan]) -> None:
    """Store the roles that changed; only people's records have links."""
    stored = links_of(conn, plans)
    put_links(
        conn,
        [
            link._replace(role=plan.roles[link.key])
            for plan in plans.values()
            for link in stored[plan.lead_id]
            if plan.roles.get(link.key, link.role) != link.role
        ],
    )
