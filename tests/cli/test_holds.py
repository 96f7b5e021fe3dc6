"""`leadloop holds` lists what waits for a person, with the remedy."""

from __future__ import annotations

import pytest

from connector.store.holds import INSTALLATION, WantedHold, sync_holds
from tests.cli.people import ANN, ann_fills_in_a_form
from tests.cli.shell import Shell
from tests.world import START_MS, World


@pytest.fixture
def held(world: World) -> str:
    """Ann is held for two reasons, and the installation for one; returns Ann's lead id."""
    ann_fills_in_a_form(world)
    lead = world.lead(ANN).lead_id
    with world.database.begin() as conn:
        sync_holds(
            conn,
            {
                lead: [
                    WantedHold("conflict", "phone", "Both sides changed phone.", "Set both to one value."),
                    WantedHold(
                        "oscillates", "hubspot:contacts.city", "city goes to and fro.", "Find out why."
                    ),
                ],
                INSTALLATION: [
                    WantedHold("field_missing", "Region__c", "There is no Region__c.", "Create it there.")
                ],
            },
            START_MS,
        )
    return lead


def test_lists_all_with_lead_message_and_remedy(leadloop: Shell, held: str) -> None:
    answer = leadloop("holds", "--json")
    text = leadloop("holds").out

    assert answer.code == 0
    assert answer.json["kinds"] == {"conflict": 1, "oscillates": 1, "field_missing": 1}
    by_kind = {hold["kind"]: hold for hold in answer.json["holds"]}
    assert by_kind["conflict"] == {
        "lead": held,
        "kind": "conflict",
        "subject": "phone",
        "message": "Both sides changed phone.",
        "remedy": "Set both to one value.",
        "details": None,
        "opened_at": "2027-01-15T08:00:00Z",
    }
    assert by_kind["field_missing"]["lead"] is None
    assert "3 holds" in text
    assert f"conflict  {held}  since 2027-01-15 08:00:00" in text
    assert "field_missing  the installation" in text
    assert "Both sides changed phone. Set both to one value.\n    about phone\n" in text


def test_lists_one_kind(leadloop: Shell, held: str) -> None:
    assert [hold["kind"] for hold in leadloop("holds", "--kind", "oscillates", "--json").json["holds"]] == [
        "oscillates"
    ]
    assert "Nothing of the kind brake is held." in leadloop("holds", "--kind", "brake").out
    assert "conflict, field_missing, oscillates" in leadloop("holds", "--kind", "brake").out


def test_says_when_nothing_is_held(world: World, leadloop: Shell) -> None:
    assert leadloop("holds").out == "Nothing is held.\n"
    assert leadloop("holds", "--json").json == {"kinds": {}, "holds": []}


def test_holds_with_one_cause_are_told_once(world: World, leadloop: Shell) -> None:
    with world.database.begin() as conn:
        sync_holds(
            conn,
            {
                INSTALLATION: [
                    WantedHold("field_missing", name, "Fields are missing.", "Create them.")
                    for name in ("Region__c", "Tier__c")
                ]
            },
            START_MS,
        )

    text = leadloop("holds").out

    assert "2 holds" in text
    assert text.count("field_missing") == 1
    assert "Fields are missing. Create them.\n    about Region__c, Tier__c\n" in text


def test_a_record_that_may_be_one_of_several_people_is_one_hold(world: World, leadloop: Shell) -> None:
    told = WantedHold("ambiguous", "salesforce:Lead:00Q1", "It may be lead L1 or lead L2.", "Correct it.")
    with world.database.begin() as conn:
        sync_holds(conn, {"L1": [told], "L2": [told]}, START_MS)

    text = leadloop("holds").out

    assert leadloop("holds", "--json").json["kinds"] == {"ambiguous": 1}
    assert leadloop("status", "--json").json["holds"] == {"ambiguous": 1}
    assert "1 hold (moments are UTC)" in text
    assert text.count("It may be lead L1 or lead L2.") == 1
    assert "ambiguous  L1, L2  since 2027-01-15 08:00:00" in text
