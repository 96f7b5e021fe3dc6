"""A sweep finds whatever was missed, says why, puts it right, and finds nothing the second time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select, update

from connector.clock import HOUR_MS
from connector.intake.backfill import begin, objects_of, read
from connector.intake.findings import AMISS, Findings
from connector.intake.forgetting import forget_lead
from connector.intake.sweep import lease_of, sweep
from connector.observation import RecordKey
from connector.sandbox.faults import Rewrite
from connector.sandbox.salesforce.world import ValidationRule
from connector.settle import settle
from connector.store import leads as lead_store
from connector.store.leases import take_lease
from connector.store.links import Link, links_of, put_links
from connector.store.rows import from_json, to_json
from connector.store.schema import leads, links, metadata, observations, outbox
from connector.store.versions import drop_links
from connector.worker.passes import Pass, look
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration

BOB = "bob@acme.example"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Both sandboxes, and a leadloop on each kind of database."""
    with World(tmp_path, url=database_url) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


@pytest.fixture
def known(world: World) -> World:
    """Ann is known on both platforms, was handed to sales, and everything is in step."""
    make_mql(world)
    world.run()
    return world


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


# records ------------------------------------------------------------------------------------------------


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


def rows_of(world: World) -> dict[str, list[Any]]:
    own = {"settings_values", "calls", "budgets", "leases"}  # the place it is on, its requests, its turn
    with world.database.read() as conn:
        return {
            name: sorted(map(repr, conn.execute(select(table))))
            for name, table in metadata.tables.items()
            if name not in own
        }


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


# links --------------------------------------------------------------------------------------------------


def test_a_record_linked_to_another_lead_by_hand_goes_back_to_its_own(known: World) -> None:
    contact = bob_comes(known)
    behind(known)
    own, other = lead_of(known, BOB), lead_of(known, ANN)
    with known.database.begin() as conn:
        conn.execute(update(links).where(links.c.record_id == contact).values(lead_id=other))
    found = put_right(known, linked_twice=2)
    assert f"hubspot:contacts:{contact}" in {one.record for one in found.named["linked_twice"]}
    with known.database.read() as conn:
        assert [link.record_id for link in links_of(conn, [own])[own]] == [contact]
    assert known.lead(ANN).values["first_name"] == "Ann"
    assert known.contact(BOB)["firstname"] == "Bob"


def test_a_link_to_a_record_that_never_was_goes(known: World) -> None:
    bob_comes(known)
    behind(known)
    lead_id = lead_of(known, BOB)
    with known.database.begin() as conn:
        put_links(conn, [Link("salesforce", "Lead", "00Q5g00000ZZZZZEAY", lead_id, "primary")])
    found = put_right(known, no_record=1)
    assert found.named["no_record"][0].lead_id == lead_id
    with known.database.read() as conn:
        assert [link.side for link in links_of(conn, [lead_id])[lead_id]] == ["hubspot"]


def test_a_record_that_lost_its_link_is_linked_again(known: World) -> None:
    contact = str(known.contact(ANN)["hs_object_id"])
    behind(known)
    with known.database.begin() as conn:
        conn.execute(links.delete().where(links.c.record_id == contact))
    put_right(known, unlinked=1)
    with known.database.read() as conn:
        lead_id = lead_of(known, ANN)
        assert contact in {link.record_id for link in links_of(conn, [lead_id])[lead_id]}


# values -------------------------------------------------------------------------------------------------


def test_a_value_edited_in_what_was_observed_is_read_again_and_written_nowhere(known: World) -> None:
    behind(known)
    contact = str(known.contact(ANN)["hs_object_id"])
    with known.database.begin() as conn:
        row = conn.execute(observations.select().where(observations.c.record_id == contact)).one()
        fields = {**from_json(row.fields), "jobtitle": "Nobody"}
        conn.execute(
            update(observations).where(observations.c.record_id == contact).values(fields=to_json(fields))
        )
    found = put_right(known, altered=1)
    assert found.named["altered"][0].fields == ("jobtitle",)
    assert known.sf_lead(ANN)["Title"] == "VP Sales"
    assert known.contact(ANN)["jobtitle"] == "VP Sales"


def test_an_agreed_value_edited_in_the_database_is_learnt_from_the_platforms(known: World) -> None:
    behind(known)
    edit_state(known, ANN, job_title="Nobody")
    found = known.verify()
    assert set(amiss(found)) == {"altered"}
    assert found.left == 0
    known.run()
    assert amiss(known.verify()) == {}
    assert known.lead(ANN).values["job_title"] == "VP Sales"
    assert known.sf_lead(ANN)["Title"] == "VP Sales"
    assert known.contact(ANN)["jobtitle"] == "VP Sales"


def edit_state(world: World, email: str, **values: Any) -> None:
    state = world.lead(email)
    edited = replace(state, values={**state.values, **values})
    with world.database.begin() as conn:
        conn.execute(update(leads).where(leads.c.id == state.lead_id).values(state=edited.to_json()))


def test_a_write_that_was_lost_is_planned_again(known: World) -> None:
    behind(known)
    known.salesforce.update("Lead", known.sf_lead(ANN)["Id"], Title="Chief Buyer")
    known.later(minutes=1)
    look(known.leadloop, Pass())
    while settle(known.leadloop).leads:
        pass
    with known.database.begin() as conn:
        conn.execute(outbox.delete())
    assert known.run().written == 0
    assert known.contact(ANN)["jobtitle"] == "VP Sales"
    put_right(known, unplanned=1)
    assert known.contact(ANN)["jobtitle"] == "Chief Buyer"


# what is known and needs no repair ----------------------------------------------------------------------


def test_a_lead_that_the_mapping_does_not_want_there_is_filtered(known: World) -> None:
    bob_comes(known)
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.lead_id for one in found.named["filtered"]] == [lead_of(known, BOB)]


def test_a_value_that_a_platform_refused_is_quarantined(known: World) -> None:
    known.salesforce.add_validation_rule(
        ValidationRule("Lead", "no_nobody", "Title = 'Nobody'", "Nobody is no title", "Title")
    )
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], jobtitle="Nobody")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["quarantined"]] == [("Title",)]


def test_a_record_that_could_be_one_of_two_people_is_held(known: World) -> None:
    bob_comes(known)
    record = known.salesforce.insert("Lead", LastName="Ray", Company="Acme", Email=BOB)
    known.run()
    known.salesforce.update("Lead", record, Email=ANN)
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert f"salesforce:Lead:{record}" in {one.record for one in found.named["held"]}


def test_writes_that_wait_are_pending(known: World) -> None:
    behind(known)
    known.salesforce.update("Lead", known.sf_lead(ANN)["Id"], Title="Chief Buyer")
    known.later(minutes=1)
    look(known.leadloop, Pass())
    found = known.verify()
    assert amiss(found) == {}
    assert found.found["pending"] >= 1
    known.run()
    assert known.verify().found == {}


def test_a_forgotten_person_is_named_by_the_record_alone(known: World) -> None:
    behind(known)
    with known.database.begin() as conn:
        forget_lead(conn, lead_of(known, ANN), known.clock.now_ms())
    found = known.verify()
    assert amiss(found) == {}
    assert {one.lead_id for one in found.named["forgotten"]} == {None}
    with known.database.read() as conn:
        assert lead_store.find_leads(conn, ANN) == []


def test_what_differed_at_first_contact_is_left_alone_and_named(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Title="Buyer")
    world.hubspot.create("contacts", email=ANN, lastname="Lee", jobtitle="Chief Buyer")
    behind(world)
    found = world.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["first_contact"]] == [("jobtitle",)]


def test_what_a_platform_spells_its_own_way_is_named_and_left_alone(known: World) -> None:
    known.salesforce.faults.rewrite_on_save.append(Rewrite("Lead", "Title", "truncate", 6))
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], jobtitle="Head of Buying")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["own_spelling"]] == [("Title",)]
    assert known.run().written == 0


def test_what_means_nothing_here_is_named_and_left_alone(known: World) -> None:
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], phone="+4930123456")
    known.run()
    known.hubspot.update("contacts", known.contact(ANN)["hs_object_id"], phone="call me")
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert [one.fields for one in found.named["unreadable"]] == [("phone",)]
    assert known.contact(ANN)["phone"] == "call me"


def test_what_is_only_read_on_a_side_is_named_and_left_alone(known: World) -> None:
    known.salesforce.update("Lead", known.sf_lead(ANN)["Id"], HasOptedOutOfEmail=True)
    behind(known)
    found = known.verify()
    assert amiss(found) == {}
    assert ("hs_email_optout",) in [one.fields for one in found.named["read_only"]]


def test_an_owner_without_a_spelling_there_is_named_and_left_alone(tmp_path: Path) -> None:
    route = "{route: everyone, pool: [sam@sales.example, kim@sales.example]}"
    assert route in RULES
    rules = RULES.replace(route, '{route: everyone, owner: "queue:Inbound Leads"}')
    with World(tmp_path, configuration(rules)) as world:
        world.salesforce.add_queue("Inbound Leads")
        make_mql(world)
        behind(world)
        found = world.verify()
        assert amiss(found) == {}
        assert [one.fields for one in found.named["unspelled"]] == [("hubspot_owner_id",)]


def test_who_rests_and_lacks_a_record_is_named_and_gets_none(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.later(days=1)
        for standing in begin(world.leadloop, objects_of(world.leadloop)):
            read(world.leadloop, standing, lambda _standing, _seconds: None, Event())
        behind(world)
        found = world.verify()
        assert amiss(found) == {}
        assert [one.lead_id for one in found.named["resting"]] == [world.lead(ANN).lead_id]
        assert world.hubspot.rows("contacts") == []


def test_two_records_that_both_speak_for_a_lead_get_their_roles_again(known: World) -> None:
    known.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    behind(known)
    lead_id = lead_of(known, ANN)
    with known.database.begin() as conn:
        conn.execute(update(links).where(links.c.lead_id == lead_id).values(role="primary"))
    put_right(known, linked_twice=1)
    with known.database.read() as conn:
        roles = [link.role for link in links_of(conn, [lead_id])[lead_id] if link.side == "salesforce"]
    assert sorted(roles) == ["primary", "secondary"]


# batches, kills, looking only ---------------------------------------------------------------------------


def test_looking_only_names_the_same_and_changes_nothing(known: World) -> None:
    contact = bob_comes(known)
    behind(known)
    known.hubspot.archive("contacts", contact)
    with known.database.begin() as conn:
        conn.execute(update(observations).where(observations.c.side == "salesforce").values(stamp_ms=1))
    before = rows_of(known)
    found = known.verify(repair=False)
    assert amiss(found) == {"missed": 1, "vanished": 1}
    assert found.left == 2
    assert rows_of(known) == before
    assert amiss(known.verify()) == {"missed": 1, "vanished": 1}


def test_2500_people_are_swept_in_batches_and_those_amiss_among_them_found(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.intake.listing_check.WINDOW", 700)
    with World(tmp_path, url=database_url) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        people = [
            world.hubspot.create("contacts", email=f"p{number}@acme.example", lastname=f"P{number}")
            for number in range(2_500)
        ]
        while look(world.leadloop, Pass()):
            world.later(minutes=1)
        with world.database.begin() as conn:
            conn.execute(update(leads).values(dirty_since_ms=None))
        world.later(hours=3)
        look(world.leadloop, Pass())
        gone, odd, lost = people[99], people[100], people[2_400]
        world.hubspot.archive("contacts", gone)
        with world.database.begin() as conn:
            conn.execute(update(observations).where(observations.c.record_id == odd).values(stamp_ms=1))
            conn.execute(links.delete().where(links.c.record_id == lost))
        world.hubspot.requests.reset()
        swept = sweep(world.leadloop, "hubspot", object_name="contacts")
        assert swept is not None
        assert swept.records == 2_499
        named = {cause: [one.record for one in names] for cause, names in swept.findings.named.items()}
        assert named == {
            "vanished": [f"hubspot:contacts:{gone}"],
            "missed": [f"hubspot:contacts:{odd}"],
            "unlinked": [f"hubspot:contacts:{lost}"],
        }
        assert world.hubspot.requests.count == 25 + 2, "a page for each 100, and two reads for three records"


def test_a_sweep_that_was_killed_goes_on_at_its_page(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.intake.sweep.SAVE_EVERY", 1)
    with World(tmp_path, url=database_url) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        for number in range(450):
            world.hubspot.create("contacts", email=f"p{number}@acme.example", lastname=f"P{number}")
        while look(world.leadloop, Pass()):
            world.later(minutes=1)
        world.later(hours=3)
        look(world.leadloop, Pass())
        pages = iter(range(10))

        class Killed(BaseException):
            pass

        def told(_part: str, _swept: object) -> None:
            if next(pages) == 2:
                raise Killed

        with pytest.raises(Killed):
            sweep(world.leadloop, "hubspot", object_name="contacts", told=told)
        world.hubspot.requests.reset()
        swept = sweep(world.leadloop, "hubspot", object_name="contacts")
        assert swept is not None
        assert (swept.records, world.hubspot.requests.count) == (450, 2)
        assert swept.findings.found == {}


def test_one_process_at_a_time_sweeps_a_side(known: World) -> None:
    with known.database.begin() as conn:
        take_lease(conn, lease_of("hubspot"), "another", known.clock.now_ms(), HOUR_MS)
    assert sweep(known.leadloop, "hubspot") is None
    assert sweep(known.leadloop, "salesforce") is not None
