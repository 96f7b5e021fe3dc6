"""Uniting: two leads turned out to be one person; the store follows what `connector.unite` decides."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from connector.installation import Installation
from connector.lead import LeadState
from connector.store import leads as lead_store
from connector.store import ledger
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
        retire_lead(conn, old_id, into_id)
        lead_store.put_state(conn, into_id, united.stage.value, united.cycle, united.to_json())
        begins = united.started and not stays.started
        if begins or united.stage is not stays.stage:
            ledger.append(
                conn,
                [
                    ledger.LedgerRow(
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
                ],
            )
        became[old_id] = into_id
        installation.on_event("united", {"lead": into_id, "was": old_id})
    return became
