"""What `leadloop plan` says of a lead is what is decided, stored and sent when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connector.cli.offline import Preview, go_offline, preview
from connector.delivery import deliver
from connector.platforms.protocol import Written
from connector.settle import settle
from connector.store import leads as lead_store
from connector.store import ledger, outbox
from connector.store.holds import open_holds
from connector.worker.passes import Pass, look
from tests.simulation.people import People
from tests.world import World

LEADS_AT_LEAST = 25
ROUNDS_AT_MOST = 200

Target = tuple[str, str, str | None, str | None]
"""Side, object, record, and the lead where the record is to be made."""
Sent = dict[Target, Mapping[str, Any]]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_plan_says_is_what_is_stored_and_sent(seed: int, tmp_path: Path) -> None:
    compared = 0
    with World(tmp_path) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        people = People(world, Random(seed))
        sent = _watch(world)
        for _ in range(ROUNDS_AT_MOST):
            for _ in range(4):
                people.act()
            world.later(minutes=1)
            look(world.leadloop, Pass())
            while plans := _plans(world):
                assert settle(world.leadloop, limit=1).leads == 1
                compared += bool(_came_true(world, plans).plan.writes)
            planned = _pending(world)
            sent.clear()
            for side in world.leadloop.feeds:
                deliver(world.leadloop, side)
            # a record may be read once more before it is written, and is planned anew then
            assert {target: fields for target, fields in planned.items() if target in sent} == sent
            if compared >= LEADS_AT_LEAST:
                return
    pytest.fail(f"only {compared} leads had something to write")


def _plans(world: World) -> dict[str, Preview]:
    """What would be decided about every lead that waits, by its id."""
    now_ms = world.clock.now_ms()
    with world.database.read() as conn:
        offline = go_offline(conn, world.database, world.config, world.clock)
        ids = lead_store.iterate_lead_ids(conn)
        waiting = [
            lead
            for lead in lead_store.read_leads(conn, ids)
            if lead.dirty_since_ms is not None or (lead.due_at_ms is not None and lead.due_at_ms <= now_ms)
        ]
        return {seen.lead.id: seen for seen in preview(conn, offline, waiting, now_ms)}


def _came_true(world: World, plans: Mapping[str, Preview]) -> Preview:
    """Compare the lead that was settled with its plan, which is returned."""
    with world.database.read() as conn:
        (lead,) = [
            lead for lead in lead_store.read_leads(conn, plans) if lead.version > plans[lead.id].lead.version
        ]
        seen = plans[lead.id]
        rows = outbox.of_leads(conn, [lead.id])[lead.id]
        moved = ledger.of_lead(conn, lead.id)
        holds = open_holds(conn, [lead.id]).get(lead.id, [])
    plan = seen.plan
    assert lead.state == plan.state.to_json()
    assert {_target_of(row): dict(row.fields) for row in rows} == {
        (write.side, write.object, write.record_id, None if write.record_id else lead.id): dict(write.fields)
        for write in plan.writes
    }
    told = [(move.origin, move.target, move.cause, move.reason) for move in plan.moves]
    stored = [(row.origin, row.target, row.cause, row.reason) for row in moved if row.lead_id == lead.id]
    assert stored[len(stored) - len(told) :] == told
    assert {(hold.kind, hold.subject, hold.message) for hold in plan.holds} == {
        (hold.kind, hold.subject, hold.message) for hold in holds if hold.kind != "ambiguous"
    }
    return seen


def _pending(world: World) -> Sent:
    with world.database.read() as conn:
        found = outbox.of_leads(conn, lead_store.iterate_lead_ids(conn))
    return {_target_of(row): dict(row.fields) for rows in found.values() for row in rows if not row.unknown}


def _target_of(row: outbox.Row) -> Target:
    return (row.side, row.object, row.record_id, None if row.record_id else row.lead_id)


def _watch(world: World) -> Sent:
    """Everything that the platforms are sent from now on and take."""
    sent: Sent = {}
    for side, platform in world.leadloop.platforms.items():
        _listen(side, platform, sent)
    return sent


def _listen(side: str, platform: Any, sent: Sent) -> None:
    write: Callable[..., Any] = platform.write

    def watched(writes: Any, lane: Any) -> Any:
        results = write(writes, lane)
        for one, result in zip(writes, results, strict=True):
            made = None if one.record_id else one.fields[one.unique_key]
            if isinstance(result.outcome, Written):
                sent[side, one.object, one.record_id, made] = dict(one.fields)
        return results

    platform.write = watched
