"""Resting: leads from before leadloop sleep until something happens to them, or until they are released.

What wakes a lead by itself is decided by `reconcile`; this file is the release by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from connector.lead import LeadState
from connector.store import leads as lead_store


def release(conn: Connection, lead_ids: Iterable[str], now_ms: int) -> list[str]:
    """Let resting leads be judged like any other from now on; unknown ones and those that do not rest are
    passed over. All that are known are looked at again. Returns the ids of those that rested."""
    ids = list(dict.fromkeys(lead_ids))
    released: list[str] = []
    lead_store.mark_dirty(conn, ids, now_ms)  # and locks them, so that nobody decides on them meanwhile
    for lead in lead_store.read_leads(conn, ids):
        state = LeadState.from_json(lead.state)
        if state.resting:
            awake = replace(state, resting=False)
            lead_store.put_state(conn, lead.id, lead.stage, lead.cycle, awake.to_json())
            released.append(lead.id)
    return released
