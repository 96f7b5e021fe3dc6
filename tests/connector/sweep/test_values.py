"""A sweep compares values too: what changed without a new version, as a formula does, is seen."""

from __future__ import annotations

from typing import Any

import pytest

from connector.intake.sweep import sweep
from connector.observation import RecordKey
from connector.sandbox.faults import Rewrite
from connector.store.activities import activities_of
from connector.store.observations import observations_by_key
from connector.store.rows import from_json, to_json
from connector.store.schema import observations
from tests.connector.sweep.sweeping import amiss, behind, put_right, rows_of
from tests.connector.test_life_of_a_lead import ANN
from tests.world import World


def calculates(world: World, side: str, **values: str) -> None:
    """The platform itself changes Ann's record, which stays at the version it has."""
    if side == "salesforce":
        lead = world.sf_lead(ANN)
        world.salesforce.touch("Lead", lead["Id"], SystemModstamp=lead["SystemModstamp"], **values)
    else:
        contact = world.contact(ANN)["hs_object_id"]
        world.hubspot.crm.table("contacts").records[int(contact)].properties.update(values)


def stored(world: World, side: str) -> dict[str, Any]:
    if side == "salesforce":
        key = RecordKey(side, "Lead", world.sf_lead(ANN)["Id"])
    else:
        key = RecordKey(side, "contacts", world.contact(ANN)["hs_object_id"])
    with world.database.read() as conn:
        return dict(observations_by_key(conn, [key])[key].fields)


def forms(world: World) -> int:
    lead_id = world.lead(ANN).lead_id
    with world.database.read() as conn:
        return sum(item.kind == "form_submission" for item in activities_of(conn, [lead_id])[lead_id])


@pytest.mark.parametrize(("side", "native"), [("salesforce", "Title"), ("hubspot", "jobtitle")])
def test_a_value_that_changed_without_a_new_version_reaches_the_other_side(
    known: World, side: str, native: str
) -> None:
    behind(known)
    calculates(known, side, **{native: "CFO"})
    found = put_right(known, altered=1, unplanned=1)

    (named,) = found.named["altered"]
    assert (named.fields, named.lead_id) == ((native,), known.lead(ANN).lead_id)
    assert known.sf_lead(ANN)["Title"] == known.contact(ANN)["jobtitle"] == "CFO"
    assert known.lead(ANN).values["job_title"] == "CFO"


def test_what_changed_on_both_sides_without_new_versions_is_decided_by_the_policy(known: World) -> None:
    """That no side shows what was agreed does not mean that somebody edited the database."""
    behind(known)
    calculates(known, "salesforce", Title="CFO")
    calculates(known, "hubspot", jobtitle="CTO")
    put_right(known, altered=1, unplanned=1)

    assert known.sf_lead(ANN)["Title"] == known.contact(ANN)["jobtitle"] == "CFO"


def test_what_changed_without_a_new_version_is_no_first_contact_beside_a_spelling_of_its_own(
    known: World,
) -> None:
    known.salesforce.faults.rewrite_on_save.append(Rewrite("Lead", "Title", "truncate", 6))
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], jobtitle="Head of Buying")
    behind(known)
    calculates(known, "hubspot", jobtitle="Chief of Buying")
    put_right(known, altered=1, unplanned=1)

    assert known.lead(ANN).values["job_title"] == "Chief of Buying"
    assert known.sf_lead(ANN)["Title"] == "Chief "


def test_comparing_values_costs_no_request_but_those_that_see_the_lead_again(known: World) -> None:
    behind(known)

    def requests() -> list[int]:
        worlds = (known.salesforce, known.hubspot)
        before = [world.requests.count for world in worlds]
        known.verify()
        return [world.requests.count - count for world, count in zip(worlds, before, strict=True)]

    quiet = requests()
    calculates(known, "hubspot", jobtitle="CFO")
    assert requests() == [number + 1 for number in quiet]


def test_looking_alone_names_other_values_and_changes_nothing(known: World) -> None:
    behind(known)
    calculates(known, "hubspot", jobtitle="CFO")
    before = rows_of(known)
    found = known.verify(repair=False)

    assert amiss(found) == {"altered": 1}
    assert found.left == 1
    assert rows_of(known) == before


def test_what_a_counter_shows_without_a_new_version_is_done_by_its_person(known: World) -> None:
    """More follows from such a value than what the lead shows: the record is taken in as any other is."""
    behind(known)
    contact = known.contact(ANN)
    number = int(contact["num_conversion_events"] or 0) + 1
    calculates(
        known,
        "hubspot",
        num_conversion_events=str(number),
        recent_conversion_event_name="Webinar",
        recent_conversion_date=str(known.clock.now_ms()),
    )
    before = forms(known)
    put_right(known, altered=1)
    assert forms(known) == before + 1


def unmap(world: World, native: str) -> None:
    """Ann's contact was last read when this property was not mapped."""
    is_it = observations.c.record_id == world.contact(ANN)["hs_object_id"]
    with world.database.begin() as conn:
        shown = from_json(conn.execute(observations.select().where(is_it)).one().fields)
        del shown[native]
        conn.execute(observations.update().where(is_it).values(fields=to_json(shown)))


def test_a_value_newly_mapped_is_taken_over_by_the_sweep_and_is_nothing_amiss(known: World) -> None:
    behind(known)
    known.verify()
    before = known.hubspot.requests.count
    known.verify()
    quiet = known.hubspot.requests.count - before
    unmap(known, "phone")

    found = known.verify()

    assert (amiss(found), found.found["pending"]) == ({}, 1)
    assert known.hubspot.requests.count == before + 2 * quiet, "the list shows it: nothing is read for it"
    assert "phone" in stored(known, "hubspot")
    known.run()
    assert "pending" not in known.verify().found


def test_a_value_newly_mapped_is_decided_though_another_one_has_changed(known: World) -> None:
    behind(known)
    unmap(known, "phone")
    calculates(known, "hubspot", jobtitle="CFO")
    found = known.verify()

    assert found.found["pending"] == 1, "its lead is to be decided"
    known.run()
    assert known.sf_lead(ANN)["Title"] == "CFO"


def test_what_no_database_can_hold_is_not_found_each_time(known: World) -> None:
    calculates(known, "hubspot", jobtitle="C\x00O")
    known.later(minutes=10)
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], lastname="Leeds")
    behind(known)
    known.verify()
    known.run()

    assert known.verify().amiss == 0


def test_what_only_the_listing_of_an_object_finds_reaches_the_other_side_too(known: World) -> None:
    behind(known)
    calculates(known, "hubspot", jobtitle="CFO")
    swept = sweep(known.leadloop, "hubspot", object_name="contacts")

    assert swept is not None
    assert amiss(swept.findings) == {"altered": 1}
    known.run()
    assert known.sf_lead(ANN)["Title"] == "CFO"
    assert known.verify().amiss == 0
