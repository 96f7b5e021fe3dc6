"""Offline: an installation without platforms, to decide about leads from what is stored. Writes nothing.

The same `gather` and `decide` as the worker's, over the configuration in force and what the platforms told
when leadloop last connected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from connector.clock import Clock
from connector.configuration import Configuration
from connector.gather import gather
from connector.installation import Installation
from connector.lead_input import LeadInput, Policy
from connector.plan import Plan
from connector.remembered import Remembered, recall
from connector.settle import decide
from connector.store import brakes, pools
from connector.store.database import Database
from connector.store.leads import Lead, iterate_lead_ids, read_leads
from connector.store.settings_values import get_value
from connector.wiring import LIVE_SINCE
from rules.pools import PoolState

BATCH = 500


@dataclass(frozen=True, slots=True)
class Offline:
    """An installation that can decide, and what it had to decide without."""

    installation: Installation
    remembered: Remembered

    @property
    def notes(self) -> list[str]:
        """What a reader must know about decisions made here."""
        if not self.remembered.unknown:
            return []
        return [
            f"The users and queues of {' and '.join(self.remembered.unknown)} are not known here until "
            "`leadloop run` has connected: what is said of owners there may differ."
        ]


@dataclass(frozen=True, slots=True)
class Preview:
    """A lead, all that is known of it, and what would be decided."""

    lead: Lead
    known: LeadInput
    plan: Plan


def go_offline(conn: Connection, database: Database, configuration: Configuration, clock: Clock) -> Offline:
    """The installation as the worker would have it, without its connections."""
    remembered = recall(conn, configuration.mapping.sides)
    live_since_ms = get_value(conn, LIVE_SINCE)
    installation = Installation(
        database=database,
        clock=clock,
        policy=Policy(
            mapping=configuration.mapping.offered(remembered.options),
            rules=configuration.rules,
            create_when=configuration.create_when,
            filters=configuration.filters,
            directory=remembered.directory,
            live_since_ms=live_since_ms if isinstance(live_since_ms, int) else clock.now_ms(),
            own_users=remembered.own_users,
        ),
        platforms={},
        feeds={},
        configuration=configuration.version,
        brake=configuration.brake,
        read_before_handoff=configuration.read_before_handoff,
        report_fields=configuration.report,
    )
    return Offline(installation, remembered)


def preview(conn: Connection, offline: Offline, leads: Sequence[Lead], now_ms: int) -> list[Preview]:
    """What would be decided about these leads now. Takes no turn in any routing pool."""
    installation = offline.installation
    stopped = frozenset(
        kind
        for kind, brake in brakes.brakes_of(conn, installation.configuration).items()
        if brake.released_ms is None
    )
    known = gather(conn, leads, installation.policy.mapping)
    found: list[Preview] = []
    for lead in leads:
        item = replace(known[lead.id], braked=stopped)
        plan = decide(installation, item, now_ms)
        if plan.pool_states:
            stored = pools.read_states(conn, plan.pool_states)
            turns = {key: PoolState.from_json(state) for key, state in stored.items()}
            item = replace(item, turns=turns)
            plan = decide(installation, item, now_ms)
        found.append(Preview(lead, item, _without_guesses(offline, plan)))
    return found


def preview_all(conn: Connection, offline: Offline, now_ms: int) -> Iterator[Preview]:
    """What would be decided about every lead, in batches that bound the memory."""
    after = ""
    while ids := iterate_lead_ids(conn, after, BATCH):
        yield from preview(conn, offline, read_leads(conn, ids), now_ms)
        after = ids[-1]


def _without_guesses(offline: Offline, plan: Plan) -> Plan:
    """Without what only says that a side's users are unknown here."""
    unknown = offline.remembered.unknown
    if not unknown:
        return plan
    fields = offline.installation.policy.mapping.fields
    owners = {f"{side}.{name}" for side in unknown for name, rule in fields.items() if rule.type == "owner"}
    state = plan.state
    return replace(
        plan,
        holds=tuple(
            hold for hold in plan.holds if hold.kind != "owner_unknown" or hold.subject not in unknown
        ),
        state=replace(
            state,
            unreadable={place: why for place, why in state.unreadable.items() if place not in owners},
            unspelled={place: why for place, why in state.unspelled.items() if place not in owners},
        ),
    )
