"""Figures: what became of the leads, counted in leadloop's own database and at the platforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from connector.demo.agreement import SideAgreement
from connector.installation import Installation
from connector.sandbox.host import Sandbox
from connector.store import holds, ledger
from connector.store import leads as lead_store
from connector.store.ledger import LedgerRow
from mappings.stages import Stage

SENT_BACK = frozenset({Stage.NURTURE.value, Stage.DISQUALIFIED.value, Stage.MQL.value})
"""Where a rejection takes a lead: back to marketing, out, or to somebody else."""

DISAGREEING_SHOWN = 20
"""So many disagreeing records of a side are named."""


def stages_of(installation: Installation) -> dict[str, int]:
    """How many leads are in each stage, in the order of the line; empty stages are left out."""
    with installation.database.read() as conn:
        found = lead_store.count_by_stage(conn)
    return {stage.value: found[stage.value] for stage in Stage if stage.value in found}


def moves_of(installation: Installation) -> int:
    """How many moves the ledger holds; a lead's first stage is none."""
    return sum(1 for row in _ledger(installation) if row.origin is not None)


def rejections_of(installation: Installation) -> dict[str, int]:
    """How often sales rejected a lead for which reason, most frequent first."""
    counts = Counter(
        row.reason
        for row in _ledger(installation)
        if row.cause == "sales" and row.target in SENT_BACK and row.reason
    )
    return dict(counts.most_common())


def holds_of(installation: Installation) -> dict[str, int]:
    """How many things wait for a person, by kind."""
    with installation.database.read() as conn:
        return holds.count_open(conn)


def requests_to(sandbox: Sandbox) -> dict[str, int]:
    """How many API calls each platform has got so far."""
    return {"salesforce": sandbox.salesforce.requests.count, "hubspot": sandbox.hubspot.requests.count}


def disagreeing(agreement: Mapping[str, SideAgreement]) -> dict[str, Any]:
    """`{"disagreeing": side to record to what is wrong}`, or nothing where everything agrees."""
    named = {
        side: dict(list(found.disagreeing.items())[:DISAGREEING_SHOWN])
        for side, found in agreement.items()
        if found.disagreeing
    }
    return {"disagreeing": named} if named else {}


def _ledger(installation: Installation) -> Iterator[LedgerRow]:
    after = ""
    while True:
        with installation.database.read() as conn:
            ids = lead_store.iterate_lead_ids(conn, after)
            rows = ledger.of_leads(conn, ids)
        if not ids:
            return
        for found in rows.values():
            yield from found
        after = ids[-1]
