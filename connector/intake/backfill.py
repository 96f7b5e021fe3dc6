"""Backfill: reading the people who were there before leadloop, page by page, each page stored with its place.

Two data sets meet here: whoever is the same person by the mapping's identity becomes one lead, more than one
candidate is a hold, and every lead rests until something happens (`first_stage`). Nothing is created on a
platform unless `may_create` is asked for afterwards. Must not decide anything about a lead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.poll import start_cursors
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.lead import LeadState
from connector.observation import digest
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import BulkPage
from connector.store import leads as lead_store
from connector.store.links import Link, links_of
from connector.store.rows import lock_name
from connector.store.settings_values import get_value, put_value
from mappings.mapping import Mapping as LeadMapping

LONGEST_WAIT_SECONDS = 120.0
"""A platform that asks to be left alone for longer ends the run, which goes on later."""

TRIES = 5
LEADS_AT_ONCE = 500

_CREATING = "backfill:creating"


class Overtaken(Exception):
    """Another process reads the same object at this moment."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one object of one side has been read. `since_ms`: changed at or after; None: everything.
    `fields` names what is read of each record, since a place is of no use once that has changed. `resume` is
    the platform's own text. `records` were read in all, `new` and `changed` of them told something; `total`
    is about how many there are, where known."""

    side: str
    object: str
    since_ms: int | None
    fields: str
    resume: str = ""
    records: int = 0
    new: int = 0
    changed: int = 0
    leads: int = 0
    total: int | None = None
    done: bool = False

    @property
    def name(self) -> str:
        return f"{self.side}:{self.object}"

    @property
    def key(self) -> str:
        """Where it is kept."""
        return f"backfill:{self.name}"

    def covers(self, since_ms: int | None) -> bool:
        """Whether what was read contains everything since then."""
        return self.done and (self.since_ms is None or (since_ms is not None and self.since_ms <= since_ms))

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """What `asdict` made."""
        return cls(**stored)


Told = Callable[[Standing, float], object]
"""Is told where an object stands after each page, and for how long the platform lets us wait."""


def objects_of(installation: Installation) -> list[tuple[str, str]]:
    """Every object that is read, in the order of reading: what speaks about people before them, so that a
    conversion is decided with its opportunity; the CRM first, since it says more of a lead's stage."""
    mapping = installation.policy.mapping
    sides = sorted(installation.feeds, key=lambda side: mapping.sides[side].kind != "crm")
    return [(side, name) for side in sides for name in installation.feeds[side].objects]


def begin(
    installation: Installation,
    chosen: Sequence[tuple[str, str]],
    since_ms: int | None = None,
    *,
    anew: bool = False,
) -> list[Standing]:
    """Where each of these objects stands; what has been read already with this `since_ms` counts, unless
    `anew`. The cursors of polling are saved before anything is read, so that no change falls between."""
    for side in dict.fromkeys(side for side, _ in chosen):
        start_cursors(installation, side)
    standings: list[Standing] = []
    with installation.database.begin() as conn:
        lock_name(conn, "backfill")
        for side, name in chosen:
            fields = digest(dict.fromkeys(installation.feeds[side].objects[name]))
            fresh = Standing(side, name, since_ms, fields)
            stored = None if anew else get_value(conn, fresh.key)
            known = fresh if stored is None else Standing.of(stored)
            same = known.fields == fields and (known.since_ms == since_ms or known.covers(since_ms))
            standing = known if same else fresh
            put_value(conn, standing.key, asdict(standing))
            standings.append(standing)
    return standings


def count_totals(installation: Installation, standings: Sequence[Standing]) -> list[Standing]:
    """The same with about how many records there are, where everything is read and the platform counts.
    Raises RetryLater."""
    wanted: dict[str, list[str]] = {}
    for standing in standings:
        if standing.total is None and standing.since_ms is None and not standing.done:
            wanted.setdefault(standing.side, []).append(standing.object)
    counted: dict[tuple[str, str], int] = {}
    for side, names in wanted.items():
        try:
            found = installation.platforms[side].count(names)
        except Refused:
            continue  # what cannot be counted may be readable all the same, and says so if it is not
        counted.update(((side, name), number) for name, number in found.items())
    return [
        replace(each, total=counted[each.side, each.object]) if (each.side, each.object) in counted else each
        for each in standings
    ]


def read(installation: Installation, standing: Standing, told: Told, stopping: threading.Event) -> Standing:
    """Read an object from where it stands to its end, or until stopping. Returns where it stands then.

    Raises RetryLater when the platform, or our share of its calls, gives nothing more for now; Refused;
    Overtaken. All that was told before is stored."""
    clock, natives = installation.clock, installation.feeds[standing.side].objects[standing.object]
    expected, tries = standing.total, 0
    while not standing.done and not stopping.is_set():
        try:
            pages = installation.platforms[standing.side].everything(
                standing.object,
                natives,
                standing.since_ms,
                standing.resume,
                Lane.BACKFILL,
                expected=expected,
            )
            for page in pages:
                standing = _store(installation, standing, page)
                tries = 0
                told(standing, page.wait_seconds)
                clock.sleep(page.wait_seconds, stopping)
                if stopping.is_set():
                    break
        except RetryLater as later:
            tries += 1
            if later.after_seconds > LONGEST_WAIT_SECONDS or tries > TRIES:
                raise
            told(standing, later.after_seconds)
            clock.sleep(later.after_seconds, stopping)
    return standing


def _store(installation: Installation, standing: Standing, page: BulkPage) -> Standing:
    """One page and its place, in one transaction."""
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        lock_name(conn, "backfill")
        stored = get_value(conn, standing.key)
        if stored is None or stored["resume"] != standing.resume or stored["records"] != standing.records:
            raise Overtaken(
                f"another `leadloop backfill` is reading {standing.name} at this moment: let it finish"
            )
        if page.restarted:
            standing = replace(standing, records=0, new=0, changed=0, leads=0)
        if page.observations:
            taken = take_in(conn, installation, page.observations, now_ms)
            statuses = [item.status for item in taken.stored]
            standing = replace(
                standing,
                records=standing.records + len(page.observations),
                new=standing.new + statuses.count("new"),
                changed=standing.changed + statuses.count("changed"),
                leads=standing.leads + len(taken.leads),
            )
        standing = replace(
            standing,
            resume=page.resume,
            total=standing.total if page.total is None else page.total,
            done=page.last,
        )
        put_value(conn, standing.key, asdict(standing))
        if page.last:
            _note_complete(conn, installation, standing.side)
    return standing


def _note_complete(conn: Connection, installation: Installation, side: str) -> None:
    """Once every person of a side has been read, nobody need be looked for there before a create."""
    mapping = installation.policy.mapping
    if not unread_people(conn, mapping, [side]):
        note_known(conn, side, [target.object for target in mapping.sides[side].person_objects])
        installation.complete.add(side)


def note_known(conn: Connection, side: str, objects: Iterable[str]) -> None:
    """Every person of these objects is known here, and of no others of the side."""
    put_value(conn, f"complete:{side}", sorted(objects))


def is_known(conn: Connection, side: str, name: str) -> bool:
    """Whether every person of an object is: one that is mapped later holds people whom nobody has read."""
    return name in get_value(conn, f"complete:{side}", ())


def unread_people(conn: Connection, mapping: LeadMapping, sides: Iterable[str]) -> list[str]:
    """The objects with people on these sides that have not been read wholly, as `side:object`. A side that
    was empty when leadloop was connected has none."""
    unread: list[str] = []
    for side in sides:
        for target in mapping.sides[side].person_objects:
            if is_known(conn, side, target.object):
                continue
            standing = get_value(conn, f"backfill:{side}:{target.object}")
            if standing is None or not Standing.of(standing).covers(None):
                unread.append(f"{side}:{target.object}")
    return unread


# creating -----------------------------------------------------------------------------------------------


def may_create(
    installation: Installation, told: Callable[[int, int], object], stopping: threading.Event
) -> int:
    """Let resting leads have a record where they lack one and the mapping's `create: when` says so: they are
    looked at again, and created in the lowest lane. Goes on where it was stopped; returns how many leads were
    marked. `told` gets the leads looked at so far and those marked."""
    looked = marked = 0
    while not stopping.is_set():
        with installation.database.begin() as conn:
            ids = lead_store.iterate_lead_ids(conn, get_value(conn, _CREATING, ""), LEADS_AT_ONCE)
            marked += _mark(conn, installation.policy.mapping, ids, installation.clock.now_ms())
            put_value(conn, _CREATING, ids[-1] if ids else "")
        if not ids:
            break
        looked += len(ids)
        told(looked, marked)
    return marked


def lacks_a_record(mapping: LeadMapping, state: LeadState, links: Iterable[Link]) -> bool:
    """Whether a lead from before leadloop has no record on a side where the mapping can create one."""
    there = {link.side for link in links if link.role != "past"}.union(state.cut_sides)
    return (state.resting or not state.started) and any(
        name not in there and side.object_for_create is not None and side.object_for_create.create is not None
        for name, side in mapping.sides.items()
    )


def _mark(conn: Connection, mapping: LeadMapping, ids: Sequence[str], now_ms: int) -> int:
    links = links_of(conn, ids)
    wanted = [
        lead.id
        for lead in lead_store.read_leads(conn, ids)
        if lacks_a_record(mapping, LeadState.from_json(lead.state), links[lead.id])
    ]
    lead_store.mark_dirty(conn, wanted, now_ms)  # and locks them, so that nobody decides on them meanwhile
    marked = 0
    for lead in lead_store.read_leads(conn, wanted):
        state = LeadState.from_json(lead.state)
        if not state.create_at_rest:
            allowed = replace(state, create_at_rest=True)
            lead_store.put_state(conn, lead.id, lead.stage, lead.cycle, allowed.to_json())
            marked += 1
    return marked
