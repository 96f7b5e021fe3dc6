"""People who are no leads: what is theirs, on each kind of database, and what is somebody else's."""

from __future__ import annotations

from pathlib import Path

from connector.intake.forgetting import forget_leadless
from connector.intake.leadless import Leadless, find_leadless
from connector.observation import Observation, RecordKey
from connector.store import outsiders, waiting_activities
from connector.store.database import Database
from connector.store.observations import records_with_id, store_observations
from tests.connector.forgetting.test_privacy_deletes import holds, known_leads
from tests.connector.forgetting.traces import everything
from tests.connector.test_ambiguity import ANNS_PHONE, BOBS_PHONE, WITH_PHONE
from tests.connector.test_filters import documents
from tests.connector.test_life_of_a_lead import ANN
from tests.world import RULES, World, configuration

AT_HOME = "ann@home.example"
THIRD = "third@acme.example"


def found(world: World, text: str) -> list[Leadless]:
    with world.database.read() as conn:
        return find_leadless(conn, world.leadloop, text)


def test_all_records_of_a_person_outside_are_found_by_any_of_their_addresses(tmp_path: Path) -> None:
    filters = documents('lead_source == "Web"', 'company == "Acme"')
    with World(tmp_path, configuration(RULES, filters)) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        contact = world.hubspot.create(
            "contacts", email=ANN, hs_additional_emails=AT_HOME, lastname="Lee", company="Other"
        )
        lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Home", Email=AT_HOME)
        world.salesforce.insert("Lead", LastName="Ray", Company="Home", Email="bob@home.example")
        world.run()
        theirs = (RecordKey("hubspot", "contacts", contact), RecordKey("salesforce", "Lead", lead_id))

        for text in (ANN, " Ann@Home.example ", contact, f"salesforce:Lead:{lead_id}"):
            assert [one.records for one in found(world, text)] == [theirs], text
            assert found(world, text)[0].standing == theirs
        world.salesforce.delete("Lead", lead_id)
        world.run()
        assert [(one.records, one.standing) for one in found(world, ANN)] == [(theirs, theirs[:1])]


def test_a_record_that_may_be_one_of_two_leads_is_found_by_an_address_of_its_own(tmp_path: Path) -> None:
    with World(tmp_path, configuration(documents={"preset:lead": WITH_PHONE})) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        for name, phone in (("ann", ANNS_PHONE), ("bob", BOBS_PHONE)):
            email = f"{name}@acme.example"
            world.salesforce.insert("Lead", LastName=name, Company="Acme", Email=email, Phone=phone)
        world.run()
        world.hubspot.update("contacts", world.contact("bob@acme.example")["id"], phone=ANNS_PHONE)
        third = world.hubspot.create("contacts", email=THIRD, lastname="C", phone=ANNS_PHONE)
        world.run()
        assert found(world, ANN) == [], "a lead's"

        with world.database.begin() as conn:
            (person,) = find_leadless(conn, world.leadloop, THIRD)
            assert person.names == (("email", THIRD),), "the telephone number leads to somebody who is known"
            forget_leadless(conn, person, world.clock.now_ms())
        world.run()

        assert THIRD.encode() not in everything(world)
        assert holds(world, "forgotten") == {f"hubspot contacts {third}"}
        assert f"hubspot:contacts:{third}" not in holds(world, "ambiguous")
        assert len(known_leads(world)) == 2


def test_names_of_outsiders_are_found_by_their_beginning_and_dropped(database: Database) -> None:
    lee, ray = ("email+name", "info@a_me.example lee"), ("email+name", "info@acme.example ray")
    record = RecordKey("hubspot", "contacts", "1")
    with database.begin() as conn:
        outsiders.replace(conn, [record], [(*lee, record), (*ray, record)])
        assert outsiders.beginning(conn, "email+name", "info@a_me.example ") == [lee]
        assert outsiders.beginning(conn, "email", "info@a_me.example ") == []
        outsiders.drop_names(conn, [lee, ("email", "nobody@acme.example")])
        assert outsiders.names_of(conn, record) == [ray]


def test_what_waits_for_addresses_is_counted(database: Database) -> None:
    with database.begin() as conn:
        waiting = [waiting_activities.WaitingActivity(key, ANN, "login", 1) for key in ("a", "b")]
        waiting_activities.put(conn, waiting)
        assert waiting_activities.count(conn, [ANN, AT_HOME]) == 2
        assert waiting_activities.count(conn, []) == 0


def test_records_are_found_by_their_id_alone(database: Database) -> None:
    with database.begin() as conn:
        for side, name, record_id in (("s", "Lead", "1"), ("h", "contacts", "1"), ("h", "contacts", "2")):
            store_observations(conn, [Observation(side, name, record_id, 1, 1, {})])
        assert records_with_id(conn, "1") == [RecordKey("h", "contacts", "1"), RecordKey("s", "Lead", "1")]
