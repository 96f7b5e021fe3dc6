"""Uniting: two leads turned out to be one person; the store follows what `connector.unite` decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from connector.installation import Installation
from connector.lead import Baseline, LeadState
from connector.observation import RecordKey
from connector.report import history
from connector.report.context import context_of
from connector.store import deadline_events, ledger
from connector.store import leads as lead_store
from connector.store.baselines import baselines_of, put_baselines
from connector.store.retirement import retire_lead
from connector.unite import unite


def unite_leads(
    conn: Connection, installation: Installation, one_person: Sequence[tuple[str, str]], now_ms: int
) -> dict[str, str]:
    """A merge or a conversion showed that two leads are one person: the successor's lead stays. Pairs of the
    lead that goes and the one that stays; returns those that went, with what they became."""
    became: dict[str, str] = {}
    for old_id, into_id in one_person:
        while old_id in became:
            old_id = became[old_id]
        while into_id in became:
            into_id = became[into_id]
        if old_id == into_id:
            continue
        stored = {lead.id: lead for lead in lead_store.read_leads(conn, [old_id, into_id])}
        gone, stays = (LeadState.from_json(stored[lead_id].state) for lead_id in (old_id, into_id))
        united = unite(stays, gone)
        remembered = _still_known(conn, installation, old_id, into_id)
        retire_lead(conn, old_id, into_id)
        put_baselines(conn, remembered)
        lead_store.put_state(conn, into_id, united.stage.value, united.cycle, united.to_json())
        begins = united.started and not stays.started
        row: ledger.LedgerRow | None = None
        if begins or united.stage is not stays.stage:
            row = ledger.LedgerRow(
                lead_id=into_id,
                cycle=united.cycle,
                origin=None if begins else stays.stage.value,
                target=united.stage.value,
                skipped=(),
                happened_ms=now_ms,
                recorded_ms=now_ms,
                cause="fact",
                actor=f"merge with {old_id}",
                rules=[],
                reason=None,
                outcome=united.outcome,
                configuration=installation.configuration,
            )
        deadline_events.add(conn, _ended(gone, united, now_ms) + _ended(stays, united, now_ms))
        history.unite(conn, old_id, row, context_of(united, installation.report_fields))
        became[old_id] = into_id
        installation.on_event("united", {"lead": into_id, "was": old_id})
    return became


def _ended(state: LeadState, united: LeadState, now_ms: int) -> list[deadline_events.DeadlineEvent]:
    """The end of a deadline that runs no more because its lead became part of another, or another of it."""
    deadline = state.deadline
    if deadline is None or not deadline.open:
        return []
    goes_on = united.deadline
    if goes_on is not None and replace(goes_on, cycle=deadline.cycle) == deadline:
        return []
    return [
        deadline_events.DeadlineEvent(
            lead_id=united.lead_id,
            cycle=deadline.cycle,
            deadline=deadline.name,
            stage=deadline.stage.value,
            what="ended",
            at_ms=now_ms,
            due_ms=deadline.due_ms,
            owner=deadline.owner,
        )
    ]


def _still_known(
    conn: Connection, installation: Installation, old_id: str, into_id: str
) -> list[tuple[RecordKey, str, bytes]]:
    """What the records of both last showed where people speak about the stage: what they say there later, or
    have said in the moment of the merge, is still a change. And what they counted: it happened once."""
    found: list[tuple[RecordKey, str, bytes]] = []
    for key, blob in baselines_of(conn, (old_id, into_id)).items():
        side = installation.policy.mapping.sides.get(key.side)
        described = side.objects.get(key.object) if side is not None else None
        if described is None:
            continue
        natives = {field.native for field in described.stage_fields}
        natives.update(described.verdict.natives if described.verdict is not None else ())
        counts = {
            native for counter in described.counters for native in (counter.counter, counter.at) if native
        }
        natives |= counts - {pair.native for pair in described.pairs}
        found.append((key, into_id, Baseline.from_json(blob).only(natives).to_json()))
    return found
