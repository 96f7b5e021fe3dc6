"""Sweeping: what the tests of the sweep share: making time pass, people, and what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from connector.intake.findings import AMISS, Findings
from connector.store.schema import leads, metadata
from tests.world import World

BOB = "bob@acme.example"


def amiss(found: Findings) -> dict[str, int]:
    return {cause: number for cause, number in found.found.items() if cause in AMISS}


def put_right(world: World, **expected: int) -> Findings:
    """The sweep finds exactly this, repairs all of it, and finds nothing the second time."""
    found = world.verify()
    assert amiss(found) == expected, found
    assert found.left == 0, found
    world.run()
    again = world.verify()
    assert again.amiss == 0, again
    assert world.run().written == 0
    return found


def behind(world: World) -> None:
    """Looks far past everything that happened until now."""
    world.later(hours=3)
    world.run()
    world.run()


def lead_of(world: World, email: str) -> str:
    return world.lead(email).lead_id


def bob_comes(world: World) -> str:
    contact = world.hubspot.create("contacts", email=BOB, lastname="Ray", firstname="Bob")
    world.run()
    return str(contact)


def rows_of(world: World) -> dict[str, list[Any]]:
    own = {"settings_values", "calls", "budgets", "leases"}  # the place it is on, its requests, its turn
    with world.database.read() as conn:
        return {
            name: sorted(map(repr, conn.execute(select(table))))
            for name, table in metadata.tables.items()
            if name not in own
        }


def edit_state(world: World, email: str, **values: Any) -> None:
    state = world.lead(email)
    edited = replace(state, values={**state.values, **values})
    with world.database.begin() as conn:
        conn.execute(update(leads).where(leads.c.id == state.lead_id).values(state=edited.to_json()))
