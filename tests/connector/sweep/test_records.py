"""A sweep finds records that were missed, says why, takes them in, and finds nothing the second time."""

from __future__ import annotations

from pathlib import Path

from connector.clock import HOUR_MS
from connector.observation import RecordKey
from connector.store import leads as lead_store
from connector.store.schema import observations
from connector.store.versions import drop_links
from tests.connector.sweep.sweeping import (
    BOB,
    amiss,
    behind,
    bob_comes,
    put_right,
    rows_of,
)
from tests.connector.test_life_of_a_lead import ANN
from tests.world import World


def test_a_world_in_step_has_nothing_amiss_and_costs_a_page_for_each_object(known: World) -> None:
    behind(known)
    for platform in (known.salesforce, known.hubspot):
        platform.requests.reset()
    before = rows_of(known)
    found = known.verify()
    assert amiss(found) == {}, found
    assert rows_of(known) == before, "a sweep of what is in step changes no lead, record, link or write"
    for side, platform in (("salesforce", known.salesforce), ("hubspot", known.hubspot)):
        assert platform.requests.count == len(known.leadloop.feeds[side].objects)


def test_a_change_whose_version_was_never_seen_is_taken_in(known: World) -> None:
    behind(known)
    row = known.sf_lead(ANN)
    known.salesforce.touch(
        "Lead", row["Id"], Title="Chief Buyer", SystemModstamp="2027-01-15T09:00:00.000+0000"
    )
    known.run()
    assert known.lead(ANN).values["job_title"] == "VP Sales", "polling has passed that moment"
    found = put_right(known, missed=1)
    assert found.named["missed"][0].record == f"salesforce:Lead:{row['Id']}"
    assert known.lead(ANN).values["job_title"] == "Chief Buyer"
    assert known.contact(ANN)["jobtitle"] == "Chief Buyer"


def test_a_person_who_was_never_seen_is_taken_in(known: World) -> None:
    contact = bob_comes(known)
    behind(known)
    with known.database.begin() as conn:
        conn.execute(observations.delete().where(observations.c.record_id == contact))
        drop_links(conn, [RecordKey("hubspot", "contacts", contact)])
    found = known.verify()
    assert amiss(found) == {"missed": 1}, found
    known.run()
    assert amiss(known.verify()) == {}
    assert known.lead(BOB).values["last_name"] == "Ray"


def test_what_just_changed_is_left_to_the_next_look(known: World) -> None:
    behind(known)
    known.salesforce.update("Lead", known.sf_lead(ANN)["Id"], Title="Chief Buyer")
    found = known.verify()
    assert amiss(found) == {}
    assert found.found["pending"] == 1
    known.run()
    assert known.contact(ANN)["jobtitle"] == "Chief Buyer"


def test_who_was_there_before_leadloop_is_named_and_not_imported(tmp_path: Path, database_url: str) -> None:
    with World(tmp_path, url=database_url) as world:
        world.hubspot.create("contacts", email=ANN, lastname="Lee")
        world.salesforce.insert("Lead", LastName="Ray", Company="Acme", Email=BOB)
        world.later(days=1)
        world.run()
        behind(world)
        found = world.verify()
        assert found.found == {"older": 2}
        with world.database.read() as conn:
            assert lead_store.iterate_lead_ids(conn) == []


def test_a_deletion_in_hubspot_while_leadloop_was_away_is_noted(known: World) -> None:
    behind(known)
    known.hubspot.archive("contacts", str(known.contact(ANN)["hs_object_id"]))
    found = known.verify()
    assert amiss(found) == {"vanished": 1}
    known.run()
    assert known.lead(ANN).cut_sides == ("hubspot",)
    found = known.verify()
    assert amiss(found) == {}
    assert found.found["deleted"] == 1
    assert known.hubspot.rows("contacts") == []


def test_a_contact_that_is_restored_without_a_new_version_is_taken_up_again(known: World) -> None:
    contact = str(known.contact(ANN)["hs_object_id"])
    behind(known)
    known.hubspot.archive("contacts", contact)
    known.verify()
    known.run()
    known.hubspot.restore("contacts", contact)
    table = known.hubspot.crm.tables["contacts"]
    table.touch(table.records[int(contact)], known.clock.now_ms() - 2 * HOUR_MS)
    assert known.run().changed == 0
    put_right(known, restored=1)
    assert known.lead(ANN).cut_sides == ()


def test_a_salesforce_lead_purged_from_the_recycle_bin_is_noted(known: World) -> None:
    behind(known)
    lead_id = known.sf_lead(ANN)["Id"]
    known.salesforce.delete("Lead", lead_id)
    known.salesforce.purge("Lead", lead_id)
    found = known.verify()
    assert amiss(found) == {"vanished": 1}
    known.run()
    assert known.lead(ANN).cut_sides == ("salesforce",)
    assert amiss(known.verify()) == {}
    assert known.salesforce.rows("Lead") == []


def test_a_deletion_and_an_undeletion_that_polling_passed_are_seen(known: World) -> None:
    behind(known)
    lead_id = known.sf_lead(ANN)["Id"]
    known.salesforce.delete("Lead", lead_id)
    known.salesforce.touch("Lead", lead_id, SystemModstamp="2027-01-15T09:00:00.000+0000")
    assert known.run().changed == 0
    assert amiss(known.verify()) == {"vanished": 1}
    known.run()
    assert known.lead(ANN).cut_sides == ("salesforce",)
    known.salesforce.undelete("Lead", lead_id)
    known.salesforce.touch("Lead", lead_id, SystemModstamp="2027-01-15T09:00:01.000+0000")
    assert known.run().changed == 0
    put_right(known, restored=1)
    assert known.lead(ANN).cut_sides == ()


def test_a_merge_that_nobody_told_of_moves_the_link_to_the_survivor(known: World) -> None:
    contact = str(known.contact(ANN)["hs_object_id"])
    other = bob_comes(known)
    behind(known)
    survivor = known.hubspot.merge(contact, other)
    known.run()
    found = known.verify()
    assert found.left == 0
    known.run()
    assert amiss(known.verify()) == {}
    with known.database.read() as conn:
        (lead,) = lead_store.find_leads(conn, str(survivor))
        assert {lead.id} == {each.id for each in lead_store.find_leads(conn, ANN)}
