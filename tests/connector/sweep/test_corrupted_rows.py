"""A sweep believes the platforms, whatever stands in the database, and writes nothing of it anywhere."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from connector.clock import DAY_MS
from connector.store.rows import from_json, to_json
from connector.store.schema import observations
from tests.connector.sweep.sweeping import behind, edit_state
from tests.connector.test_life_of_a_lead import ANN
from tests.world import World


def records(world: World) -> tuple[str, str]:
    """Ann's Lead and contact."""
    return str(world.sf_lead(ANN)["Id"]), str(world.contact(ANN)["hs_object_id"])


def corrupt(world: World, record_id: str, columns: dict[str, Any] | None = None, **fields: str) -> None:
    """Somebody edits what a record has shown."""
    is_it = observations.c.record_id == record_id
    with world.database.begin() as conn:
        shown = from_json(conn.execute(observations.select().where(is_it)).one().fields)
        values = {"fields": to_json({**shown, **fields}), **(columns or {})}
        conn.execute(update(observations).where(is_it).values(**values))


def believes_the_platforms(world: World) -> None:
    """Two sweeps, and the second finds nothing amiss; nobody's data was touched."""
    found = world.verify()
    assert found.left == 0, found
    world.run()
    world.verify()
    world.run()
    again = world.verify()
    assert again.amiss == 0, again
    assert world.sf_lead(ANN)["Title"] == world.contact(ANN)["jobtitle"] == "VP Sales"
    assert world.lead(ANN).values["job_title"] == "VP Sales"
    assert world.lead(ANN).cut_sides == ()
    assert len(world.salesforce.rows("Lead")) == len(world.hubspot.rows("contacts")) == 1
    assert world.run().written == 0


def test_what_both_records_are_said_to_show_differs_from_what_they_do(known: World) -> None:
    behind(known)
    lead, contact = records(known)
    corrupt(known, contact, jobtitle="Nobody")
    corrupt(known, lead, Title="Somebody")
    believes_the_platforms(known)


def test_what_one_record_and_the_lead_are_said_to_be_differs_from_what_both_show(known: World) -> None:
    behind(known)
    _, contact = records(known)
    corrupt(known, contact, jobtitle="Nobody")
    edit_state(known, ANN, job_title="Nobody")
    believes_the_platforms(known)


def test_a_record_with_a_version_ahead_of_its_platform_and_values_of_nobody(known: World) -> None:
    behind(known)
    lead, contact = records(known)
    ahead = {"stamp_ms": observations.c.stamp_ms + 30 * DAY_MS}
    corrupt(known, contact, ahead, jobtitle="Nobody", email="nobody@acme.example")
    corrupt(known, lead, ahead, Title="Nobody", Email="nobody@acme.example")
    believes_the_platforms(known)
    assert known.contact(ANN)["email"] == known.sf_lead(ANN)["Email"] == ANN


def test_a_record_that_is_said_to_be_deleted_and_another_that_is_said_to_be_converted(known: World) -> None:
    behind(known)
    lead, contact = records(known)
    corrupt(known, contact, {"deleted": True})
    corrupt(known, lead, {"stamp_ms": 1, "converted": True})
    believes_the_platforms(known)
