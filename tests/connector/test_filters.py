"""Which records take part, and what it means to leave the filter and to come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.configuration import shipped
from connector.intake.forgetting import forget_record
from connector.observation import RecordKey
from connector.settle import settle
from connector.store.leads import mark_all_dirty
from connector.store.links import linked
from connector.worker.passes import Pass, look
from mappings.problems import ConfigErrors
from tests.connector.forgetting.traces import everything
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.world import RULES, World, configuration

LEAD = "  Lead:\n    role: person\n"
CONTACTS = "  contacts:\n    role: person\n"


def documents(crm: str | None = None, map_: str | None = None) -> dict[str, str]:
    """The shipped mappings with these filters on Leads and contacts."""
    texts = {name: shipped("mappings", name) for name in ("salesforce", "hubspot")}
    for name, place, condition in (("salesforce", LEAD, crm), ("hubspot", CONTACTS, map_)):
        assert texts[name].count(place) == 1
        if condition is not None:
            texts[name] = texts[name].replace(place, f"{place}    filter: {condition}\n")
    return {f"preset:{name}": text for name, text in texts.items()}


@contextmanager
def world_with(folder: Path, crm: str | None = None, map_: str | None = None) -> Iterator[World]:
    with World(folder, configuration(RULES, documents(crm, map_))) as world:
        yield world


def test_a_record_outside_begins_no_lead_until_it_passes(tmp_path: Path) -> None:
    with world_with(tmp_path, crm='lead_source == "Web"') as world:
        other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, LeadSource="Fair")
        blank = world.salesforce.insert("Lead", LastName="Ray", Company="Bolt", Email="bob@bolt.example")
        world.run()
        assert world.hubspot.rows("contacts") == []

        world.salesforce.update("Lead", other, LeadSource="Web")
        world.run()

        assert [row["email"] for row in world.hubspot.rows("contacts")] == [ANN]
        assert world.salesforce.get("Lead", blank)["Leadloop_Id__c"] is None


def test_a_person_who_is_known_gets_no_second_record_beside_one_that_is_outside(tmp_path: Path) -> None:
    with world_with(tmp_path, crm='lead_source == "Web"') as world:
        lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.run()
        world.hubspot.submit_form(ANN, "Pricing", firstname="Ann", lastname="Lee", jobtitle="VP Sales")
        world.run()

        assert world.contact(ANN)["leadloop_stage"] == "distributed"
        assert [row["Id"] for row in world.salesforce.rows("Lead")] == [lead_id]
        assert world.salesforce.get("Lead", lead_id)["Leadloop_Stage__c"] is None
        assert world.run().written == 0


def test_what_leadloop_makes_shows_its_lead_though_it_is_not_known_to_pass(tmp_path: Path) -> None:
    with world_with(tmp_path, crm='not (rating == "Cold")') as world:
        lead_id = make_mql(world)  # its rating is blank: not known to be anything, so not known to pass
        assert world.salesforce.get("Lead", lead_id)["Leadloop_Stage__c"] == "distributed"


def test_leaving_and_coming_back(tmp_path: Path) -> None:
    with world_with(tmp_path, crm='is_blank(rating) or rating != "Cold"') as world:
        lead_id = make_mql(world)
        world.salesforce.update("Lead", lead_id, Rating="Cold", City="Berlin")
        world.run()
        world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Hamburg", zip="20095")
        world.salesforce.update("Lead", lead_id, Status="Working - Contacted", Phone="+4940999888")
        world.run()

        out = world.salesforce.get("Lead", lead_id)
        assert (out["City"], out["PostalCode"]) == ("Berlin", None), "nothing is written there"
        assert out["Leadloop_Stage__c"] == world.contact(ANN)["leadloop_stage"] == "distributed"
        assert world.contact(ANN)["phone"] is None, "nothing is read from there"
        assert len(world.salesforce.rows("Lead")) == 1
        assert world.run().written == 0

        world.salesforce.update("Lead", lead_id, Rating="Hot")
        world.run()

        back = world.salesforce.get("Lead", lead_id)
        assert back["PostalCode"] == "20095"
        assert world.contact(ANN)["phone"] == "+4940999888"
        assert world.contact(ANN)["leadloop_stage"] == "accepted", "what sales said meanwhile counts"
        assert world.run().written == 0


def test_leaving_and_coming_back_in_hubspot(tmp_path: Path) -> None:
    with world_with(tmp_path, map_='is_blank(company) or company != "Rival"') as world:
        lead_id = make_mql(world)
        contact = world.contact(ANN)["hs_object_id"]
        world.hubspot.update("contacts", contact, company="Rival", city="Berlin")
        world.run()
        world.salesforce.update("Lead", lead_id, City="Hamburg", Status="Working - Contacted")
        world.hubspot.update("contacts", contact, jobtitle="Clerk")
        world.run()

        out = world.hubspot.get("contacts", contact)
        assert (out["city"], out["leadloop_stage"]) == ("Berlin", "distributed"), "nothing is written there"
        inside = world.salesforce.get("Lead", lead_id)
        assert (inside["Title"], inside["Leadloop_Stage__c"]) == ("VP Sales", "accepted")
        assert len(world.hubspot.rows("contacts")) == 1
        assert world.run().written == 0
        assert world.verify().amiss == 0

        world.hubspot.update("contacts", contact, company="Acme")
        world.run()

        assert world.hubspot.get("contacts", contact)["leadloop_stage"] == "accepted"
        assert world.salesforce.get("Lead", lead_id)["Title"] == "Clerk"
        assert world.run().written == 0
        assert world.verify().amiss == 0


def test_an_edited_filter_lets_people_in_and_out_with_the_next_sweep(tmp_path: Path) -> None:
    """Bob takes part under the first filter and Ann under the second; nobody edits their records."""
    with world_with(tmp_path, crm='lead_source == "Web"') as world:
        ann = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, LeadSource="Fair")
        bob = world.salesforce.insert(
            "Lead", LastName="Ray", Company="Bolt", Email="bob@bolt.example", LeadSource="Web"
        )
        world.run()
        assert [row["email"] for row in world.hubspot.rows("contacts")] == ["bob@bolt.example"]

        world.reconnect()
        world.config = configuration(RULES, documents('lead_source == "Fair"'))
        world.later(hours=3)
        world.run()
        world.verify()
        world.run()

        assert {row["email"] for row in world.hubspot.rows("contacts")} == {ANN, "bob@bolt.example"}
        assert world.salesforce.get("Lead", ann)["Leadloop_Stage__c"] == "nurture"
        world.hubspot.update("contacts", world.contact("bob@bolt.example")["hs_object_id"], city="Oslo")
        world.run()
        assert world.salesforce.get("Lead", bob)["City"] is None, "he left"
        assert world.verify().amiss == 0
        assert world.run().written == 0


def test_a_lead_of_which_nothing_is_left_stands_still(tmp_path: Path) -> None:
    rules = 'not contains(company, "Secret")'
    with world_with(tmp_path, crm=rules, map_=rules) as world:
        world.hubspot.create(
            "contacts", source="FORM", email=ANN, lastname="Lee", jobtitle="VP Sales", company="Acme"
        )
        world.run()
        contact = world.contact(ANN)["hs_object_id"]
        world.hubspot.update("contacts", contact, company="Secret Inc")
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture"
        assert world.salesforce.rows("Lead") == []

        world.hubspot.update("contacts", contact, company="Acme")
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "distributed"


def test_a_lead_that_stands_still_is_filtered_on_the_side_where_it_was_going_to_be_created(
    tmp_path: Path,
) -> None:
    """The contact leaves the filter while the create in Salesforce waits to be sent."""
    with world_with(tmp_path, map_='is_blank(company) or company != "Rival"') as world:
        enter_ann(world)
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.later(minutes=1)
        look(world.leadloop, Pass())
        settle(world.leadloop)
        world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], company="Rival")
        world.run()
        assert world.salesforce.rows("Lead") == []
        world.later(hours=3)
        world.run()
        found = world.verify()
        assert found.found == {"filtered": 2}, "on either side"

        world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], company="Acme")
        world.run()
        assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
        assert world.verify().amiss == 0


def test_a_write_that_waits_for_a_record_that_leaves_the_filter_is_not_sent(tmp_path: Path) -> None:
    with world_with(tmp_path, crm='is_blank(rating) or rating != "Cold"') as world:
        lead_id = make_mql(world)
        world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Hamburg")
        world.later(minutes=1)
        look(world.leadloop, Pass())
        assert settle(world.leadloop).writes > 0
        world.salesforce.update("Lead", lead_id, Rating="Cold")
        world.run()
        assert world.salesforce.get("Lead", lead_id)["City"] is None
        assert world.verify().amiss == 0


def test_of_a_record_outside_that_its_platform_erased_nothing_stays(tmp_path: Path) -> None:
    with world_with(tmp_path, crm='lead_source == "Web"') as world:
        lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.run()
        with world.database.begin() as conn:
            record = RecordKey("salesforce", "Lead", lead_id)
            forget_record(conn, world.leadloop, record, world.clock.now_ms())
        assert ANN.encode() not in everything(world)
        world.salesforce.update("Lead", lead_id, LeadSource="Web")
        world.run()
        assert ANN.encode() not in everything(world)
        assert world.hubspot.rows("contacts") == []


MISTAKES = [
    ("contry == 1", '"contry"'),
    ('stage == "mql"', "a filter looks at one record and does not know stage; ask for fields of the record"),
    ("days_since(created_in_crm) > 3", "days_since() is not known to a filter, which looks at one record"),
    ("touches() > 3", "touches() is not known to a filter, which looks at one record"),
    ("lifecycle_notes > 3", '"lifecycle_notes"'),
]


@pytest.mark.parametrize(("condition", "said"), MISTAKES)
def test_a_filter_knows_one_record_and_nothing_else(condition: str, said: str) -> None:
    with pytest.raises(ConfigErrors) as found:
        configuration(RULES, documents(crm=f"'{condition}'"))
    assert len(found.value.errors) == 1
    assert said in str(found.value.errors[0])
    assert str(found.value.errors[0]).startswith("salesforce.yaml:")


def test_a_filter_on_a_field_that_the_object_does_not_read_is_a_mistake() -> None:
    with pytest.raises(ConfigErrors) as found:
        configuration(RULES, documents(map_="do_not_call"))
    (error,) = found.value.errors
    assert "contacts does not read do_not_call, so no record would pass" in str(error)


def test_a_sweep_says_that_the_filter_leaves_records_out_and_reads_none_of_them(tmp_path: Path) -> None:
    with world_with(tmp_path, crm='lead_source == "Web"') as world:
        for number in range(5):
            world.salesforce.insert("Lead", LastName="Ray", Company="Bolt", Email=f"b{number}@bolt.example")
        world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.run()
        world.hubspot.submit_form(ANN, "Pricing", firstname="Ann", lastname="Lee", jobtitle="VP Sales")
        world.run()
        world.later(hours=3)
        world.run()

        for _ in range(2):
            found = world.verify()
            assert found.amiss == 0, found
            assert found.found["filtered"] == 6, (
                "five people outside, and Ann's lead, whose record there is outside"
            )
            assert found.left == 0


def test_a_contact_outside_that_somebody_is_converted_into_at_once_is_theirs_by_all_its_names(
    tmp_path: Path,
) -> None:
    """Within a minute: the Lead is read for the first time when it is a Contact already."""
    texts = documents()
    place = "  Contact:\n    role: person\n"
    assert texts["preset:salesforce"].count(place) == 1
    out = f'{place}    filter: is_blank(job_title) or job_title != "Partner"\n'
    texts["preset:salesforce"] = texts["preset:salesforce"].replace(place, out)
    with World(tmp_path, configuration(RULES, texts)) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        account = world.salesforce.insert("Account", Name="Acme")
        contact = world.salesforce.insert(
            "Contact", LastName="Lee", AccountId=account, Email="ann@old.example", Title="Partner"
        )
        world.run()
        lead = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
        world.salesforce.convert_lead(lead, "Closed - Converted", account_id=account, contact_id=contact)
        world.run()
        key = RecordKey("salesforce", "Contact", contact)
        with world.database.read() as conn:
            anns = linked(conn, [key])[key].lead_id

        world.hubspot.create("contacts", email="ann@old.example", lastname="Lee")
        world.run()

        with world.database.read() as conn:
            assert linked(conn, [key])[key].lead_id == anns == world.lead("ann@old.example").lead_id
        assert world.verify().found == {"filtered": 1}
        with world.database.begin() as conn:
            mark_all_dirty(conn, world.clock.now_ms())
        world.run()
        assert [row["Id"] for row in world.salesforce.rows("Lead")] == [lead]


def test_what_an_earlier_filter_left_out_is_nobodys_other_record_once_it_is_somebody_elses(
    tmp_path: Path,
) -> None:
    bob = "bob@bolt.example"
    with world_with(tmp_path, map_='company == "Acme"') as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        contact = world.hubspot.create("contacts", email=bob, lastname="Ray", company="Other")
        world.run()
        world.reconnect()
        world.config = configuration(RULES, documents())
        world.later(hours=3)
        world.run()
        world.verify()
        world.run()
        world.hubspot.update("contacts", contact, email="carol@bolt.example")
        world.run()
        world.reconnect()
        world.config = configuration(RULES, documents(map_='company != "Rival"'))
        carols = world.contact("carol@bolt.example")["leadloop_id"]
        assert carols is not None

        world.salesforce.insert("Lead", LastName="Ray", Company="Bolt", Email=bob)
        world.run()

        assert world.hubspot.get("contacts", contact)["leadloop_id"] == carols
        assert world.contact(bob)["leadloop_id"] not in (None, carols)
