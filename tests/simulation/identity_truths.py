"""Identity truths: what must be true of people in the end, whoever became whom and whoever was forgotten."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from connector.demo.agreement import compare, people_of
from connector.installation import Installation
from connector.lead import LeadState
from connector.observation import RecordKey
from connector.store import leads as lead_store
from connector.store import ledger
from connector.store.activities import ActivityRow, activities_of
from connector.store.holds import open_holds
from connector.store.links import linked
from connector.store.schema import metadata
from tests.simulation.afterwards import counted_otherwise, made_twice, still_moving
from tests.simulation.lives import Lives
from tests.world import World


def what_is_wrong(world: World, installation: Installation, lives: Lives, *, forgotten: bool) -> list[str]:
    """Nothing, if all is well. `forgotten`: somebody was, so that their part of the history is gone."""
    found = world.verify()
    return [
        *([f"amiss: {found.named}"] if found.amiss else []),
        *still_moving(world, installation),
        *_survivors(world, lives),
        *_same_address(world),
        *_strangers(world, installation),
        *_activities(world, lives),
        *made_twice(world),
        *_traces(world, lives),
        *_ledger(world),
        # who became part of a forgotten person is not told any more
        *([] if forgotten else counted_otherwise(world, installation)),
    ]


def _people(world: World) -> dict[RecordKey, Any]:
    return {key: row for found in people_of(world.sandbox).values() for key, row in found.items()}


def _survivors(world: World, lives: Lives) -> list[str]:
    """Who became somebody else belongs to the same lead."""
    ends: dict[RecordKey, RecordKey] = {}
    for key in lives.became:
        end = key
        while end in lives.became:
            end = lives.became[end]
        ends[key] = end
    with world.database.read() as conn:
        links = linked(conn, {*ends, *ends.values()})
    return [
        f"{key} belongs to {links[key].lead_id}, but it became {end}, of {links[end].lead_id}"
        for key, end in ends.items()
        if key in links and end in links and links[key].lead_id != links[end].lead_id
        # of a survivor that was deleted before anybody looked nobody could tell
        if end in _people(world)
    ]


def _same_address(world: World) -> list[str]:
    """Two live records with one address are one lead, or held."""
    people = _people(world)
    with world.database.read() as conn:
        links = linked(conn, people)
        holds = {hold.subject for found in open_holds(conn).values() for hold in found}
    by_mail: dict[str, set[RecordKey]] = {}
    for key, row in people.items():
        mail = row["email"] if key.side == "hubspot" else row["Email"]
        if mail and not mail.startswith("info@"):
            by_mail.setdefault(mail.lower(), set()).add(key)
    return [
        f"{mail} is several leads: {[(key, links[key].lead_id) for key in keys if key in links]}"
        for mail, keys in by_mail.items()
        if len({links[key].lead_id for key in keys if key in links}) > 1
        and not any({str(key), f"{key.side} {key.object} {key.record_id}"} & holds for key in keys)
    ]


def _strangers(world: World, installation: Installation) -> list[str]:
    """Everybody who stands on a platform is known, held or forgotten, and shows what leadloop says."""
    wrong: list[str] = []
    people = people_of(world.sandbox)
    with world.database.read() as conn:
        all_holds = open_holds(conn)
    holds = {hold.subject for found in all_holds.values() for hold in found}
    for side, found in compare(installation, world.sandbox).items():
        with world.database.read() as conn:
            links = {str(key): link for key, link in linked(conn, people[side]).items()}
        said = {str(key): f"{key.side} {key.object} {key.record_id}" for key in people[side]}
        for key, told in found.disagreeing.items():
            if said[key] in holds:
                continue  # forgotten, and left alone
            if key in links and links[key].role == "primary":
                wrong.append(f"{key}: {told}")
            elif key not in links and key not in holds:
                wrong.append(f"{key} is nobody's, and nobody says why")
    return wrong


def _traces(world: World, lives: Lives) -> list[str]:
    """Nothing of a forgotten person is anywhere, unless a record of somebody else shows it."""
    with world.database.read() as conn:
        links = linked(conn, _people(world))
        shown = {str(value) for key, row in _people(world).items() if key in links for value in row.values()}
        rows = [(table.name, row) for table in metadata.sorted_tables for row in conn.execute(select(table))]
    wrong: list[str] = []
    for mark in sorted(lives.forbidden - shown):
        for name, row in rows:
            if any(mark.encode() in (v if isinstance(v, bytes) else str(v).encode()) for v in row):
                wrong.append(f"{mark} stands in {name}: {row}")
    return wrong


def _activities(world: World, lives: Lives) -> list[str]:
    """What was done counts once, for the lead of who did it, whoever that has become by now."""
    with world.database.read() as conn:
        ids = lead_store.iterate_lead_ids(conn)
        counted: dict[str, list[ActivityRow]] = activities_of(conn, ids)
        links = linked(conn, _people(world))
    wrong: list[str] = []
    forms = sum(row.kind == "form_submission" for rows in counted.values() for row in rows)
    if forms > lives.forms:
        wrong.append(f"{lives.forms} forms were filled in, but {forms} are counted")
    for done in lives.did:
        leads = [
            lead_id for lead_id, rows in counted.items() for row in rows if row.key.startswith(str(done))
        ]
        whose = [
            link.lead_id
            for row in world.salesforce.rows(done.object)
            if row["Id"] == done.record_id
            for name in ("LeadId", "ContactId", "WhoId")
            for key, link in links.items()
            if key.record_id == row.get(name)
        ]
        if len(leads) > 1 or (whose and leads != whose[-1:]):
            wrong.append(f"{done} counts for {leads}, and is of {whose}")
    return wrong


def _ledger(world: World) -> list[str]:
    """Every lead is where its last row in the ledger says."""
    wrong: list[str] = []
    with world.database.read() as conn:
        for lead in lead_store.read_leads(conn, lead_store.iterate_lead_ids(conn)):
            state = LeadState.from_json(lead.state)
            rows = [row for row in ledger.of_lead(conn, lead.id) if row.lead_id == lead.id]
            if rows and rows[-1].target != state.stage.value:
                wrong.append(f"{lead.id} is {state.stage}, but the ledger ends with {rows[-1]}")
    return wrong
