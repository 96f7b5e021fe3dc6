"""Synced: a database in which every lead is known on both sides and nothing is left to do.

Put together with the store's own functions: letting so many leads live until they are in step would take
longer than everything that is measured on them.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from connector.lead import Baseline, LeadState
from connector.observation import Observation
from connector.platforms.hubspot.records import observe
from connector.platforms.salesforce.records import Columns
from connector.store.baselines import put_baselines
from connector.store.database import Database
from connector.store.leads import Lead, insert_leads
from connector.store.links import Link, put_keys, put_links
from connector.store.observations import store_observations
from mappings.stages import Stage
from tests.benchmarks.offline import install, small_configuration
from tests.benchmarks.records import KNOWN, Side, begins_ms, lead_id_of, served

_AT_ONCE = 1_000
_OBJECTS: dict[Side, str] = {"hubspot": "contacts", "salesforce": "Lead"}


def store_synced(path: Path, count: int) -> Path:
    """Fill a new database at `path` with `count` leads of the edition KNOWN."""
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    configuration = small_configuration()
    policy = install(database, configuration, {}, begins_ms(KNOWN)).policy
    rows = {side: served(side, count, KNOWN) for side in _OBJECTS}
    for start in range(0, count, _AT_ONCE):
        now_ms = begins_ms(KNOWN) + start
        seen: dict[Side, list[Observation]] = {}
        for side, name in _OBJECTS.items():
            part = [orjson.loads(record.body) for record in islice(rows[side], _AT_ONCE)]
            natives = configuration.mapping.sides[side].objects[name].natives
            seen[side] = _observed(side, part, natives, now_ms)
        described = configuration.mapping.sides["hubspot"].objects["contacts"]
        leads, links, keys = [], [], []
        for place, record in enumerate(seen["hubspot"]):
            values = described.read(record.fields, policy.directory).values
            lead_id = lead_id_of(start + place)
            keys.append(("email", str(values["email"]), lead_id))
            leads.append(_lead(lead_id, dict(values), now_ms))
            for side in _OBJECTS:
                key = seen[side][place].key
                links.append(Link(key.side, key.object, key.record_id, lead_id, "primary"))
        with database.begin() as conn:
            insert_leads(conn, leads)
            put_keys(conn, keys)
            put_links(conn, links)
            for observations in seen.values():
                store_observations(conn, observations)
                put_baselines(
                    conn,
                    [
                        (
                            record.key,
                            lead_id_of(start + place),
                            Baseline(shown=record.fields, shown_stamp_ms=record.stamp_ms).to_json(),
                        )
                        for place, record in enumerate(observations)
                    ],
                )
    database.close()
    return path


def _observed(
    side: Side, rows: list[dict[str, Any]], natives: tuple[str, ...], now_ms: int
) -> list[Observation]:
    if side == "hubspot":
        return observe(rows, side, "contacts", natives, now_ms)
    return Columns.of("Lead", natives).observe(rows, side, now_ms)


def _lead(lead_id: str, values: dict[str, Any], now_ms: int) -> Lead:
    state = LeadState(
        lead_id=lead_id, origin="hubspot", created_ms=now_ms, stage=Stage.NURTURE, started=True, values=values
    )
    return Lead(
        id=lead_id,
        version=2,
        generation=2,
        stage=state.stage.value,
        cycle=1,
        due_at_ms=None,
        dirty_since_ms=None,
        state=state.to_json(),
        created_ms=now_ms,
    )
