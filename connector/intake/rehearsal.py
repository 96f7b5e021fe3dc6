"""Rehearsal: what a backfill would bring, tried on a copy of the database that is thrown away afterwards.

The same code reads, stores and links as in earnest, and the same decision is made for each lead, without
being stored or sent. Bounded memory: the copy is a file. Must not touch the database that it is a copy of.
"""

from __future__ import annotations

import csv
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

from connector.gather import gather
from connector.installation import Installation
from connector.intake.ambiguity import AMBIGUOUS
from connector.intake.backfill import LEADS_AT_ONCE
from connector.settle import decide
from connector.store import leads as lead_store
from connector.store.copying import copy_tables
from connector.store.database import Database
from connector.store.holds import Hold, open_holds
from connector.store.links import links_of

_NOT_ASKED = frozenset(
    {"ledger", "score_moves", "deadline_events", "move_contexts", "rollups", "inbox", "outbox"}
    | {"brake_counts", "brakes", "leases"}
)
"""Tables that no decision about a lead looks at."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A record that may be several people: which of its fields say so, and the records of those people."""

    record: str
    fields: tuple[str, ...]
    candidates: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"record": self.record, "fields": self.fields, "candidates": self.candidates}


@dataclass(slots=True)
class Outlook:
    """What would follow. By side: `creates` are records that would be made if creating were allowed,
    `updates` records that leadloop would write its fields to. `holds`: by kind, how many leads would wait
    for a person. `leads` is how many were looked at."""

    leads: int = 0
    creates: Counter[str] = field(default_factory=Counter)
    updates: Counter[str] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)


@contextmanager
def scratch_copy(source: Database | None) -> Iterator[Database]:
    """A database of its own with what the source knows (nothing, where there is none), gone afterwards."""
    with TemporaryDirectory(prefix="leadloop-dry-run-") as folder:
        scratch = Database.open(f"sqlite:///{Path(folder) / 'scratch.db'}")
        try:
            scratch.migrate()
            if source is not None:
                with source.read() as before, scratch.begin() as conn:
                    copy_tables(before, conn, leave_out=_NOT_ASKED)
            yield scratch
        finally:
            scratch.close()


def look_ahead(
    installation: Installation, told: Callable[[int], object], stopping: threading.Event
) -> Outlook:
    """Decide about every lead as if it were allowed to be created at rest; nothing is stored. `told` gets how
    many leads have been looked at."""
    outlook, after = Outlook(), ""
    now_ms = installation.clock.now_ms()
    while not stopping.is_set():
        with installation.database.read() as conn:
            ids = lead_store.iterate_lead_ids(conn, after, LEADS_AT_ONCE)
            inputs = gather(conn, lead_store.read_leads(conn, ids), installation.policy.mapping)
        if not ids:
            break
        for known in inputs.values():
            allowed = replace(known, state=replace(known.state, create_at_rest=True))
            plan = decide(installation, allowed, now_ms)
            for write in plan.writes:
                if write.op == "create":
                    outlook.creates[write.side] += 1
                elif write.fields:
                    outlook.updates[write.side] += 1
            outlook.holds.update({hold.kind for hold in plan.holds})
        outlook.leads += len(ids)
        after = ids[-1]
        told(outlook.leads)
    return outlook


def doubts(conn: Connection) -> list[Doubt]:
    """The records that are held because they may be several people, by name."""
    about: dict[str, Hold] = {}
    for held in open_holds(conn).values():
        about.update((hold.subject, hold) for hold in held if hold.kind == AMBIGUOUS)
    candidates = {lead_id for hold in about.values() for lead_id in hold.details["candidates"]}
    links = links_of(conn, candidates)
    return [
        Doubt(
            record,
            tuple(hold.details.get("fields", ())),
            tuple(
                sorted(
                    str(link.key)
                    for lead_id in hold.details["candidates"]
                    for link in links[lead_id]
                    if str(link.key) != record
                )
            ),
        )
        for record, hold in sorted(about.items())
    ]


def write_doubts(path: Path, found: Sequence[Doubt]) -> None:
    """The doubts as CSV: a line for each record and each record that it may belong to. Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("record", "by", "may be the person of"))
        for doubt in found:
            for candidate in doubt.candidates or ("",):
                writer.writerow((doubt.record, " and ".join(doubt.fields), candidate))
