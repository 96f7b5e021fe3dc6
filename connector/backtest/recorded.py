"""Recorded: the backtest on leadloop's own history. Reads the database in batches, and writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.backtest.fields_read import fields_read
from connector.backtest.history import History, read_history
from connector.backtest.known import Known
from connector.backtest.replay import replay
from connector.backtest.tally import Tally
from connector.backtest.verdicts import Aim
from connector.configuration import Configuration
from connector.lead import LeadState
from connector.store import activities as activity_store
from connector.store import ledger
from connector.store.database import Database
from connector.store.leads import Lead, iterate_lead_ids, read_leads
from connector.store.links import links_of
from connector.store.settings_values import get_value
from connector.wiring import LIVE_SINCE
from rules.facts import Activity

BATCH = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: the period (None: all that is recorded), what makes an MQL a good one, and the fields
    that no rule may look at."""

    since_ms: int | None = None
    until_ms: int | None = None
    aim: Aim = "accepted"
    barred: Collection[str] = ()


def backtest(database: Database, in_force: Configuration, other: Configuration, wish: Wish) -> Tally | None:
    """The history of a database under two configurations; None where nothing is recorded."""
    with database.read() as conn:
        last_ms = ledger.last_recorded_ms(conn)
        live_since = get_value(conn, LIVE_SINCE)
    if last_ms is None:
        return None
    end_ms = last_ms + 1  # lived to the end, whatever is counted: what comes later belongs to its pursuit
    until_ms = end_ms if wish.until_ms is None else min(wish.until_ms, end_ms)
    known, read = _known(in_force, other, wish)
    tally = Tally(in_force.rules, other.rules, wish.aim, wish.since_ms, until_ms, suspects=sorted(read))
    live_since_ms = live_since if isinstance(live_since, int) else 0
    identities = [name for name, rule in in_force.mapping.fields.items() if rule.identity]
    for lead, history in _histories(database, live_since_ms):
        if history is None:
            tally.without_history += 1
            continue
        values = known.of(history)
        before = replay(history, in_force.rules, values, end_ms)
        same = in_force.rules.version == other.rules.version
        after = before if same else replay(history, other.rules, values, end_ms)
        name = next((str(history.values[one]) for one in identities if history.values.get(one)), lead.id)
        tally.add(history, values, before, after, name)
    return tally


def _known(in_force: Configuration, other: Configuration, wish: Wish) -> tuple[Known, set[str]]:
    """What the rules are told, and the fields that the other rules look at."""
    theirs = fields_read(other.documents_in("rules"), other.scope)
    read = theirs | fields_read(in_force.documents_in("rules"), in_force.scope)
    types = {**in_force.scope.fields, **other.scope.fields}
    return (
        Known(
            barred=tuple(wish.barred),
            moments=tuple(sorted(name for name in read if types.get(name) == "datetime")),
            owners=tuple(sorted(name for name in read if types.get(name) == "owner")),
        ),
        set(theirs) - set(wish.barred),
    )


def _histories(database: Database, live_since_ms: int) -> Iterator[tuple[Lead, History | None]]:
    """Every lead with its history. Each batch is a transaction of its own: a long one would keep leadloop's
    write-ahead log from being folded in."""
    after = ""
    while True:
        with database.read() as conn:
            ids = iterate_lead_ids(conn, after, BATCH)
            batch = _read(conn, ids, live_since_ms)
        if not ids:
            return
        yield from batch
        after = ids[-1]


def _read(conn: Connection, ids: Sequence[str], live_since_ms: int) -> list[tuple[Lead, History | None]]:
    rows = ledger.of_leads(conn, ids)
    activities = activity_store.activities_of(conn, ids)
    links = links_of(conn, ids)
    found: list[tuple[Lead, History | None]] = []
    for lead in read_leads(conn, ids):
        state = LeadState.from_json(lead.state)
        history = read_history(
            lead.id,
            state.values,
            [Activity(row.kind, row.at_ms, row.attributes) for row in activities[lead.id]],
            rows[lead.id],
            created_ms=state.created_ms,
            origin=state.origin,
            sides=frozenset(link.side for link in links[lead.id]),
            resting=state.resting,
            live_since_ms=live_since_ms,
        )
        found.append((lead, history))
    return found
