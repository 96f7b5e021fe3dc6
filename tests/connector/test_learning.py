"""What an admin changes on a platform while leadloop runs is noticed within the hour, used, and told."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.learning import LEARN_EVERY_MS, learn_again
from connector.sandbox.salesforce.picklists import DEVELOPER_STATUSES, LeadStatus
from connector.store.holds import INSTALLATION, open_holds
from connector.worker.actors import Duties
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.worker.crew import Woken
from tests.world import World, configuration


def told(world: World) -> list[tuple[str, str]]:
    """Kind and message of what concerns no lead."""
    with world.database.read() as conn:
        return [(hold.kind, hold.message) for hold in open_holds(conn, [INSTALLATION]).get(INSTALLATION, [])]


def an_hour_later(world: World) -> None:
    """As the worker does it, by itself."""
    duties = Duties(world.leadloop, Woken().send)
    world.later(seconds=LEARN_EVERY_MS / 1_000)
    duties.settle()


def statuses(*changes: tuple[str, str]) -> list[LeadStatus]:
    """The org's statuses, some of them renamed; to nothing: removed."""
    names = dict(changes)
    return [
        LeadStatus(names.get(each.name, each.name), each.converted, each.default)
        for each in DEVELOPER_STATUSES
        if names.get(each.name, each.name)
    ]


NOT_CONVERTED = "Closed - Not Converted"


def test_a_status_that_was_renamed_is_told_and_what_is_left_is_written(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.set_lead_statuses(statuses((NOT_CONVERTED, "Parked")))
    an_hour_later(world)
    assert told(world) == [
        (
            "option_vanished",
            f'salesforce offers "{NOT_CONVERTED}" no more for Lead.Status: the mapping names it. Nothing is '
            "written for disqualified meanwhile.",
        ),
        (
            "option_unknown",
            'salesforce offers "Parked" for Lead.Status. The mapping does not name it: who sets it says '
            "nothing to leadloop.",
        ),
    ]
    an_hour_later(world)
    assert len(told(world)) == 2, "until somebody does something about it"
    # the verdict field still says it, and the status that is gone is not written
    world.salesforce.update(
        "Lead", lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="bad_data"
    )
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "disqualified"
    assert world.sf_lead(ANN)["Status"] != NOT_CONVERTED

    world.salesforce.set_lead_statuses(DEVELOPER_STATUSES)
    an_hour_later(world)
    world.run()
    assert told(world) == []
    assert world.sf_lead(ANN)["Status"] == NOT_CONVERTED, "written as soon as it can be"


def test_a_status_that_the_mapping_knows_already_is_taken_as_it_comes(world: World) -> None:
    enter_ann(world)
    world.run()
    world.salesforce.set_lead_statuses([*DEVELOPER_STATUSES, LeadStatus("Unqualified", False, False)])
    an_hour_later(world)
    assert told(world) == []


def test_a_lifecycle_stage_that_is_gone_is_told(world: World) -> None:
    enter_ann(world)
    world.run()
    options = [
        "subscriber",
        "lead",
        "marketingqualifiedlead",
        "opportunity",
        "customer",
        "evangelist",
        "other",
    ]
    world.hubspot.set_options("contacts", "lifecyclestage", [*options, "12345"])
    an_hour_later(world)
    assert told(world) == [
        (
            "option_vanished",
            'hubspot offers "salesqualifiedlead" no more for contacts.lifecyclestage: the mapping names it. '
            "Nothing is written for accepted, qualified meanwhile.",
        )
    ], "and a new one there says nothing to leadloop anyway"
    assert world.run().refused == 0


def test_a_stage_that_the_leadloop_field_offers_no_more_is_told(world: World) -> None:
    enter_ann(world)
    world.run()
    world.hubspot.set_options("contacts", "leadloop_stage", ["inquiry", "nurture", "mql"])
    an_hour_later(world)
    [(kind, message)] = told(world)
    assert kind == "option_vanished"
    assert '"distributed"' in message


def test_what_was_offered_when_the_mapping_was_written_needs_no_word(tmp_path: Path) -> None:
    with World(tmp_path, configuration()) as world:
        world.salesforce.set_lead_statuses([*DEVELOPER_STATUSES, LeadStatus("Parked", False, False)])
        world.leadloop  # noqa: B018  # connected
        an_hour_later(world)
        assert told(world) == []


def test_a_field_that_was_hidden_suspends_its_mapping_and_not_the_polls(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.faults.hidden_fields = {("Lead", "Rating")}
    duties = Duties(world.leadloop, Woken().send)
    world.later(minutes=1)
    duties.poll("salesforce")  # refused; what is there is asked for at once
    duties.settle()
    assert told(world) == [
        ("field_missing", "salesforce has no field Lead.Rating: its mapping is suspended.")
    ]
    world.later(minutes=5)
    world.salesforce.update("Lead", lead_id, Title="Director")
    duties.poll("salesforce")
    duties.settle()
    duties.deliver("hubspot")
    assert world.contact(ANN)["jobtitle"] == "Director"

    world.salesforce.faults.clear()
    world.salesforce.update("Lead", lead_id, Rating="Hot")
    an_hour_later(world)
    world.run()
    assert told(world) == []
    assert world.lead(ANN).values["rating"] == "Hot"


@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_an_hourly_look_costs_a_few_calls(world: World, side: str) -> None:
    sandbox = world.salesforce if side == "salesforce" else world.hubspot
    world.leadloop  # noqa: B018  # connected
    sandbox.requests.reset()
    learn_again(world.leadloop, side)
    assert sandbox.requests.count <= 4, sandbox.requests.by_kind


def test_what_one_side_lacks_stays_told_while_the_other_is_read_again(world: World) -> None:
    world.leadloop  # noqa: B018  # connected
    world.hubspot.set_options("contacts", "leadloop_stage", ["inquiry", "nurture"])
    world.salesforce.set_lead_statuses(statuses((NOT_CONVERTED, "")))
    learn_again(world.leadloop, "hubspot")
    learn_again(world.leadloop, "salesforce")
    learn_again(world.leadloop, "hubspot")
    assert [kind for kind, _ in told(world)] == ["option_vanished", "option_vanished"]
    world.reconnect()
    world.leadloop  # noqa: B018  # started again
    assert len(told(world)) == 2
