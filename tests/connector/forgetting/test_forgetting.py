"""A person who asks to be forgotten leaves no trace here, and never comes back by accident."""

from __future__ import annotations

from pathlib import Path

from connector.intake.forgetting import forget_record, remember
from connector.observation import RecordKey
from connector.store import ledger
from connector.store.leads import find_leads
from tests.connector.forgetting.traces import (
    PERSONAL,
    everything,
    forget,
    installation_holds,
)
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration


def test_nothing_that_names_the_person_stays_in_any_table(world: World, known: str) -> None:
    before = everything(world)
    assert all(word in before for word in PERSONAL), "else this test could not fail"

    forget(world, known)

    after = everything(world)
    assert [word for word in PERSONAL if word in after] == []


def test_the_history_of_stages_stays_under_an_id_that_leads_to_nobody(world: World, known: str) -> None:
    forget(world, known)
    with world.database.read() as conn:
        assert [row.target for row in ledger.of_lead(conn, known)][-1] == "distributed"
        assert find_leads(conn, ANN) == []


def test_the_ledger_never_holds_what_names_the_person_even_if_a_rule_looked_at_it(tmp_path: Path) -> None:
    work_address = "    - {rule: work address, when: not is_free_mail(email), points: 5}"
    with World(tmp_path, configuration(RULES.replace("fit:\n", f"fit:\n{work_address}\n"))) as world:
        make_mql(world)
        with world.database.read() as conn:
            rows = ledger.of_lead(conn, world.lead(ANN).lead_id)
        fired = {rule["rule"]: rule["saw"] for row in rows for rule in row.rules}
        assert fired["work address"] == {}
        assert fired["senior title"] == {"job_title": "VP Sales"}


def test_what_is_left_on_the_platforms_is_held_for_the_admin_until_it_is_gone(
    world: World, known: str
) -> None:
    lead_id, contact_id = world.sf_lead(ANN)["Id"], world.contact(ANN)["hs_object_id"]

    still_there = forget(world, known)

    assert {str(record) for record in still_there} == {
        str(RecordKey("salesforce", "Lead", lead_id)),
        str(RecordKey("hubspot", "contacts", contact_id)),
    }
    assert len(installation_holds(world)) == 2
    world.salesforce.delete("Lead", lead_id)
    world.run()
    assert installation_holds(world) == [f"hubspot contacts {contact_id}"]


def test_what_the_admin_has_erased_for_good_is_held_no_more_after_a_sweep(world: World, known: str) -> None:
    """Nothing tells of it: no look shows what was purged, and a privacy deletion leaves no trace."""
    forget(world, known)
    lead_id = world.sf_lead(ANN)["Id"]
    world.salesforce.delete("Lead", lead_id)
    world.salesforce.purge("Lead", lead_id)
    world.hubspot.privacy_delete(ANN)
    world.run()
    assert len(installation_holds(world)) == 2

    found = world.verify()

    assert installation_holds(world) == []
    assert found.unexplained == 0


def test_a_forgotten_person_is_neither_read_nor_written_nor_made_again(world: World, known: str) -> None:
    lead_id = world.sf_lead(ANN)["Id"]
    forget(world, known)
    world.salesforce.update("Lead", lead_id, Phone="+4940999888", LastName="Lee-Smith")
    world.hubspot.submit_form(ANN, "Pricing again")
    world.later(hours=1)

    world.run()

    with world.database.read() as conn:
        assert find_leads(conn, ANN) == []
    assert b"+4940999888" not in everything(world)
    assert world.run().written == 0
    assert len(world.salesforce.rows("Lead")) == 1
    assert len(world.hubspot.rows("contacts")) == 1


def test_a_new_record_with_the_address_is_not_taken_in_but_held(world: World, known: str) -> None:
    world.salesforce.delete("Lead", world.sf_lead(ANN)["Id"])
    world.run()
    forget(world, known)

    made = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()

    assert f"salesforce Lead {made}" in installation_holds(world)
    assert b"Acme" not in everything(world)
    world.salesforce.update("Lead", made, Email="new@acme.example")
    world.run()
    assert b"new@acme.example" not in everything(world), "the record is known to be theirs"


def test_what_others_wrote_about_the_person_stays_out_too(world: World, known: str) -> None:
    lead_id = world.sf_lead(ANN)["Id"]
    forget(world, known)
    campaign = world.salesforce.insert("Campaign", Name="Webinar for Ann Lee")
    world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead_id, Status="Responded")
    world.run()
    assert lead_id.encode() not in everything(world).replace(f"salesforce Lead {lead_id}".encode(), b"")


def test_when_a_platform_says_that_it_erased_the_person_the_lead_goes(world: World, known: str) -> None:
    contact_id = world.contact(ANN)["hs_object_id"]
    lead_id = world.sf_lead(ANN)["Id"]
    with world.database.begin() as conn:
        record = RecordKey("hubspot", "contacts", contact_id)
        forget_record(conn, world.leadloop, record, world.clock.now_ms())
        forget_record(conn, world.leadloop, record, world.clock.now_ms())
        assert find_leads(conn, ANN) == []
    assert installation_holds(world) == [f"salesforce Lead {lead_id}"]


def test_a_person_who_comes_back_can_be_known_again(world: World, known: str) -> None:
    lead_id, contact_id = world.sf_lead(ANN)["Id"], world.contact(ANN)["hs_object_id"]
    forget(world, known)
    with world.database.begin() as conn:
        assert remember(conn, world.leadloop, " ANN@acme.example ") == 1
        assert remember(conn, world.leadloop, f"salesforce Lead {lead_id}") == 1
        assert remember(conn, world.leadloop, "nobody@acme.example") == 0
    world.salesforce.update("Lead", lead_id, Phone="+4940999888")
    world.run()
    lead = world.lead(ANN)
    assert (lead.stage, lead.rejections) == ("distributed", ()), "what the record itself shows"
    assert installation_holds(world) == [f"hubspot contacts {contact_id}"]


def test_others_are_read_as_before(world: World, known: str) -> None:
    forget(world, known)
    world.hubspot.create("contacts", source="FORM", email="bob@acme.example", lastname="Ray")
    world.run()
    assert world.lead("bob@acme.example").stage == "nurture"
