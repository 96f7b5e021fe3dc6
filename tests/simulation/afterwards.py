"""Afterwards: what must be true at the end of every walk over two platforms, whatever happened in it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from connector.installation import Installation
from connector.report import history
from connector.sandbox import HUBSPOT_APP_ID
from connector.store import leads as lead_store
from connector.store import outbox, rollups
from connector.worker.passes import run_until_quiet
from tests.world import World


def still_moving(world: World, installation: Installation) -> list[str]:
    """A second look at everybody moves and writes nothing, and nothing waits."""
    with world.database.begin() as conn:
        lead_store.mark_all_dirty(conn, world.clock.now_ms())
    again = run_until_quiet(installation, 60.0)
    wrong = [f"a second pass moved or wrote: {again}"] if again.written or again.moves else []
    with world.database.read() as conn:
        waiting = outbox.counts(conn)
        backlog = lead_store.backlog(conn, world.clock.now_ms())
    if waiting:
        wrong.append(f"the outbox is not empty: {dict(waiting)}")
    if backlog.dirty or backlog.leased:
        wrong.append(f"leads are waiting: {backlog}")
    return wrong


def made_twice(world: World) -> list[str]:
    """leadloop makes at most one record of a lead on a side."""
    user = world.salesforce.integration_user_id
    made: Counter[tuple[str, Any]] = Counter(
        ("salesforce", row["Leadloop_Id__c"])
        for name in ("Lead", "Contact")
        for row in world.salesforce.rows(name)
        if row["CreatedById"] == user and row["Leadloop_Id__c"]
    )
    made.update(
        ("hubspot", row["leadloop_id"])
        for row in world.hubspot.rows("contacts")
        if row["hs_object_source"] == "INTEGRATION" and row["hs_object_source_id"] == str(HUBSPOT_APP_ID)
    )
    return [
        f"{number} records made on {side} for {lead}" for (side, lead), number in made.items() if number > 1
    ]


def counted_otherwise(world: World, installation: Installation) -> list[str]:
    """The report's counters are what the ledger says, though they were kept move by move."""
    with world.database.begin() as conn:
        kept = rollups.all_counts(conn)
        history.rebuild(conn, installation.report_fields)
        anew = rollups.all_counts(conn)
    return [
        f"counted {kept.get(key, 0)} and not {anew.get(key, 0)}: {key}"
        for key in sorted({*kept, *anew})
        if kept.get(key) != anew.get(key)
    ]
