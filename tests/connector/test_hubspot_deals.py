"""Deals of HubSpot as opportunities: by their contacts, and behind Salesforce's where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.intake.hints import follow_hints
from connector.store.inbox import Hint, put_hints
from tests.connector.switched_on import with_objects
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.connector.test_pursuit import open_opportunity
from tests.world import RULES, World, configuration

BEN = "ben@bolt.example"
BATCH_READ = ("POST", "/crm/v4/associations/deals/contacts/batch/read")


@contextmanager
def world_with_deals(folder: Path, rules: str = RULES) -> Iterator[World]:
    with World(folder, configuration(rules, {"preset:hubspot": with_objects("deals")})) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_with_deals(tmp_path) as made:
        yield made


def contact_id(world: World, email: str = ANN) -> str:
    found = world.hubspot.find("contacts", "email", email)
    assert found is not None
    return found


def open_deal(world: World, *emails: str, stage: str = "contractsent", **values: object) -> str:
    deal = world.hubspot.create("deals", dealname="Acme", pipeline="default", dealstage=stage, **values)
    for email in emails:
        world.hubspot.associate("deals", deal, "contacts", contact_id(world, email))
    return deal


def stage(world: World, email: str = ANN) -> str:
    return str(world.contact(email)["leadloop_stage"])


def test_a_deal_that_is_won_closes_its_lead_as_won_on_both_platforms(world: World) -> None:
    make_mql(world)
    deal = open_deal(world, ANN, amount=25_000)
    world.run()
    assert stage(world) == "opportunity"
    assert world.contact(ANN)["leadloop_amount"] == "25000"

    world.hubspot.update("deals", deal, dealstage="closedwon")
    world.run()

    contact = world.contact(ANN)
    assert (contact["leadloop_stage"], contact["leadloop_outcome"]) == ("closed", "won")
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "closed"
    assert world.run().written == 0


def test_a_deal_that_is_lost_tells_why(world: World) -> None:
    make_mql(world)
    deal = open_deal(world, ANN)
    world.run()
    world.hubspot.update("deals", deal, dealstage="closedlost", closed_lost_reason="went elsewhere")
    world.run()
    contact = world.contact(ANN)
    assert (contact["leadloop_stage"], contact["leadloop_outcome"]) == ("closed", "lost")
    assert contact["leadloop_closed_reason"] == "went elsewhere"


def test_a_deal_in_an_early_stage_means_qualified(world: World) -> None:
    make_mql(world)
    deal = open_deal(world, ANN, stage="appointmentscheduled")
    world.run()
    assert stage(world) == "qualified"
    world.hubspot.update("deals", deal, dealstage="contractsent")
    world.run()
    assert stage(world) == "opportunity"


def test_a_deal_of_two_contacts_is_about_both_and_one_of_nobody_about_none(world: World) -> None:
    make_mql(world)
    world.hubspot.create("contacts", email=BEN, firstname="Ben", lastname="Roy")
    world.run()
    open_deal(world, stage="closedwon")
    world.run()
    assert (stage(world), stage(world, BEN)) == ("distributed", "nurture")
    open_deal(world, ANN, BEN)
    world.run()
    assert (stage(world), stage(world, BEN)) == ("opportunity", "opportunity")


def test_a_deal_without_pipeline_and_stage_is_an_open_one(world: World) -> None:
    make_mql(world)
    deal = world.hubspot.create("deals", dealname="Made by an import")
    world.hubspot.associate("deals", deal, "contacts", contact_id(world))
    world.run()
    assert stage(world) == "opportunity"


@pytest.mark.parametrize("touching", [False, True])
def test_a_contact_that_is_taken_off_a_deal_later_is_seen_at_the_deals_next_read(
    world: World, touching: bool
) -> None:
    """Whether the end of an association moves the deal's own date is not known of HubSpot."""
    world.hubspot.crm.touch_on_associate = touching
    make_mql(world)
    world.hubspot.create("contacts", email=BEN, firstname="Ben", lastname="Roy")
    world.run()
    deal = open_deal(world, ANN, BEN)
    world.run()
    for _ in range(2):  # past the overlap of a look
        world.later(hours=1)
        world.run()

    world.hubspot.dissociate("deals", deal, "contacts", contact_id(world))
    world.run()
    assert (stage(world), stage(world, BEN)) == ("qualified" if touching else "opportunity", "opportunity")

    with world.database.begin() as conn:
        put_hints(conn, [Hint("hubspot", "deals", deal, "read", world.clock.now_ms())])
    follow_hints(world.leadloop, "hubspot")
    world.run()
    assert (stage(world), stage(world, BEN)) == ("qualified", "opportunity")


def test_the_sweep_finds_an_association_that_nothing_told_of(world: World) -> None:
    make_mql(world)
    deal = open_deal(world)
    world.run()
    for _ in range(2):  # past the overlap of a look
        world.later(hours=1)
        world.run()
    world.hubspot.associate("deals", deal, "contacts", contact_id(world))
    world.run()
    assert stage(world) == "distributed", "the deal's stamp has not moved"

    found = world.verify()

    assert [each.record for each in found.named["missed"]] == [f"hubspot:deals:{deal}"]
    world.run()
    assert stage(world) == "opportunity"
    assert world.verify().amiss == 0


def test_opportunities_of_the_crm_decide_while_there_is_one_that_counts(world: World) -> None:
    make_mql(world)
    deal = open_deal(world, ANN, amount=5)
    opportunity = open_opportunity(world, amount=900)
    world.run()
    assert world.contact(ANN)["leadloop_amount"] == "900"

    world.hubspot.update("deals", deal, dealstage="closedlost")
    world.run()
    assert stage(world) == "opportunity"

    world.salesforce.update("Opportunity", opportunity, StageName="Closed Won")
    world.run()
    assert (stage(world), world.contact(ANN)["leadloop_outcome"]) == ("closed", "won")
    assert world.run().written == 0


def test_who_is_forgotten_leaves_a_shared_deal_to_the_others(world: World) -> None:
    make_mql(world)
    world.hubspot.create("contacts", email=BEN, firstname="Ben", lastname="Roy")
    world.run()
    deal = open_deal(world, ANN, BEN)
    world.run()
    ben = contact_id(world, BEN)
    with world.database.begin() as conn:
        put_hints(conn, [Hint("hubspot", "contacts", ben, "forget", world.clock.now_ms())])
    world.run()
    world.run()

    assert stage(world) == "opportunity"
    world.hubspot.update("deals", deal, dealstage="closedwon")
    world.run()
    assert stage(world) == "closed"


def test_the_contacts_of_a_thousand_deals_are_one_call(world: World) -> None:
    make_mql(world)
    for _ in range(450):
        open_deal(world, ANN)
    world.run()
    world.later(hours=1)
    for row in world.hubspot.rows("deals"):
        world.hubspot.update("deals", str(row["id"]), amount=3)
    world.hubspot.requests.reset()
    world.run()
    assert world.hubspot.requests.by_kind[BATCH_READ] == 1
