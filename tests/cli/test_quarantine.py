"""`leadloop quarantine` lists what a platform refused, and sends it again when told to."""

from __future__ import annotations

import pytest

from tests.cli.people import ANN, ann_fills_in_a_form
from tests.cli.shell import Shell
from tests.world import World

BEN = "ben@bolts.example"


@pytest.fixture
def refused(world: World) -> None:
    """HubSpot refused Ann's job title that sales entered; Salesforce refused to create Ben, an MQL."""
    ann_fills_in_a_form(world)
    lead = world.salesforce.insert("Lead", LastName="Arbor", Company="Acme", Email=ANN)
    world.run()
    world.hubspot.faults.bad_record("contacts", "jobtitle", "Chief", "INVALID_OPTION")
    world.salesforce.update("Lead", lead, Title="Chief")
    world.run()
    world.salesforce.faults.bad_record("Lead", "Company", "Bolts", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    ben = world.hubspot.create("contacts", email=BEN, lastname="Ben", company="Bolts", jobtitle="Director")
    world.run()
    contact = ben if isinstance(ben, str) else str(world.contact(BEN)["hs_object_id"])
    world.hubspot.update("contacts", contact, num_conversion_events="1")
    world.run()


def mended(world: World) -> None:
    """The admins take away what refused."""
    world.hubspot.faults.clear()
    world.salesforce.faults.clear()


def test_lists_field_record_lead_and_reason(world: World, leadloop: Shell, refused: None) -> None:
    answer = leadloop("quarantine", "--json")
    text = leadloop("quarantine").out

    assert answer.code == 0
    rows = {row["side"]: row for row in answer.json["quarantine"]}
    assert rows["hubspot"]["field"] == "jobtitle"
    assert rows["hubspot"]["lead"] == world.lead(ANN).lead_id
    assert rows["salesforce"]["lead"] == world.lead(BEN).lead_id
    assert rows["salesforce"]["record"] is None
    assert "INVALID_OPTION" in text
    assert "(new record)" in text
    assert [
        row["side"] for row in leadloop("quarantine", "--side", "hubspot", "--json").json["quarantine"]
    ] == ["hubspot"]


def test_a_retry_of_one_lead_sends_its_values_again(world: World, leadloop: Shell, refused: None) -> None:
    mended(world)

    answer = leadloop("quarantine", "retry", ANN)
    world.run()

    assert answer.code == 0
    assert answer.out == "1 value of 1 lead will be sent again with the next pass.\n"
    assert world.contact(ANN)["jobtitle"] == "Chief"
    assert {row["side"] for row in leadloop("quarantine", "--json").json["quarantine"]} == {"salesforce"}


def test_a_retry_of_a_lead_whose_create_was_refused_creates_it(
    world: World, leadloop: Shell, refused: None
) -> None:
    mended(world)
    assert BEN not in {row["Email"] for row in world.salesforce.rows("Lead")}

    assert leadloop("quarantine", "retry", BEN, "--json").json["leads"] == [world.lead(BEN).lead_id]
    world.run()

    assert world.sf_lead(BEN)["Leadloop_Stage__c"] == "distributed"


def test_a_side_that_is_none_is_told_with_those_that_are(world: World, leadloop: Shell) -> None:
    for typed in (("quarantine", "--side", "hubspt"), ("quarantine", "retry", "--side", "hubspt")):
        answer = leadloop(*typed)
        assert answer.code == 2
        assert answer.err == "There is no side 'hubspt' in the mapping: there are salesforce, hubspot.\n"
    assert leadloop("quarantine", "--side", "hubspot").out == "Nothing of hubspot is quarantined.\n"


def test_a_retry_of_a_side_leaves_the_other_alone(world: World, leadloop: Shell, refused: None) -> None:
    mended(world)

    leadloop("quarantine", "retry", "--side", "salesforce")
    world.run()

    assert world.sf_lead(BEN)["Email"] == BEN
    assert [row["side"] for row in leadloop("quarantine", "--json").json["quarantine"]] == ["hubspot"]


def test_a_retry_of_all_clears_all(world: World, leadloop: Shell, refused: None) -> None:
    mended(world)

    leadloop("quarantine", "retry", "--all")
    world.run()

    assert leadloop("quarantine").out == "Nothing is quarantined.\n"
    assert world.contact(ANN)["jobtitle"] == "Chief"
    assert world.sf_lead(BEN)["Email"] == BEN


@pytest.mark.parametrize("arguments", [(), (ANN, "--all"), ("--side", "hubspot", "--all")])
def test_a_retry_wants_to_know_of_what(world: World, leadloop: Shell, arguments: tuple[str, ...]) -> None:
    answer = leadloop("quarantine", "retry", *arguments)

    assert answer.code == 2
    assert answer.err == "Say what to try again: one LEAD, --side SIDE, or --all.\n"
