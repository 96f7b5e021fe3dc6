"""HubSpot's journal from end to end: what people do there is fetched, read, decided and written to
Salesforce, without a look at HubSpot."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.clock import MINUTE_MS
from connector.store import holds as hold_store
from tests.connector.switched_on import with_objects
from tests.connector.test_life_of_a_lead import ANN, enter_ann, make_mql
from tests.streams.journalled import SIDE, Journalled
from tests.world import RULES, World, configuration


def searches(world: World) -> int:
    return sum(1 for each in world.hubspot.requests.log if each.path.endswith("/search"))


def test_a_change_in_hubspot_reaches_salesforce_without_a_look_at_hubspot(journalled: Journalled) -> None:
    world = journalled.world
    contact = enter_ann(world)
    journalled.work()
    world.hubspot.submit_form(ANN, "Pricing")
    journalled.work()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    journalled.poll("salesforce")  # what was created there has been seen
    journalled.decide()

    world.hubspot.requests.reset()
    world.hubspot.update("contacts", contact, phone="+49 30 1234567")
    journalled.work()

    assert world.sf_lead(ANN)["Phone"] == "+49301234567"
    assert searches(world) == 0


def test_a_deal_and_its_contact_move_the_lead_without_a_look(tmp_path: Path) -> None:
    """Whether an association moves the stamp of a deal is not known; here it does not."""
    with World(tmp_path, configuration(RULES, {"preset:hubspot": with_objects("deals")})) as world:
        journalled = Journalled(world)
        make_mql(world)
        journalled.work()
        deal = world.hubspot.create("deals", dealname="Acme", pipeline="default", dealstage="contractsent")
        journalled.work()
        assert world.contact(ANN)["leadloop_stage"] == "distributed"

        world.hubspot.associate("deals", deal, "contacts", str(world.contact(ANN)["id"]))
        journalled.work()
        assert world.contact(ANN)["leadloop_stage"] == "opportunity"

        world.hubspot.update("deals", deal, dealstage="closedwon")
        journalled.work()
        assert world.contact(ANN)["leadloop_outcome"] == "won"
        assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "closed"
        journalled.restart()


def test_what_leadloop_writes_itself_comes_back_and_changes_nothing(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)

    assert journalled.work() == 0
    assert journalled.work() == 0
    assert journalled.waiting() == 0


def test_a_privacy_deletion_forgets_the_person(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.hubspot.privacy_delete(contact)

    journalled.work()

    assert journalled.seen(contact) is None
    assert journalled.lead_of(contact) is None
    with world.database.read() as conn:
        held = hold_store.open_holds(conn, [hold_store.INSTALLATION])[hold_store.INSTALLATION]
    assert [hold.kind for hold in held] == ["forgotten"]  # the Lead that Salesforce still has
    assert world.hubspot.rows("contacts") == []


@pytest.mark.parametrize("keep_primary_id", [True, False])
def test_a_merge_unites_the_leads_under_the_survivor(journalled: Journalled, keep_primary_id: bool) -> None:
    world = journalled.world
    world.hubspot.crm.keep_primary_id = keep_primary_id
    one = world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    other = world.hubspot.create("contacts", email="ann@home.example", lastname="Arbor")
    journalled.work()
    survivor = world.hubspot.merge(one, other)

    journalled.work()

    assert len({journalled.lead_of(each) for each in (one, other, survivor)}) == 1
    for each in {one, other} - {survivor}:
        seen = journalled.seen(each)
        assert seen is not None
        assert (seen.deleted, seen.merged_into) == (True, survivor)


def test_deleted_and_restored(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.hubspot.archive("contacts", contact)
    journalled.work()
    assert world.lead(ANN).cut_sides == (SIDE,)

    world.hubspot.restore("contacts", contact)
    journalled.work()

    assert world.lead(ANN).cut_sides == ()
    assert journalled.waiting() == 0


def test_a_deletion_that_was_told_is_not_found_a_second_time_in_the_recycle_bin(
    journalled: Journalled,
) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.hubspot.archive("contacts", contact)
    journalled.work()
    before, lead = journalled.seen(contact), world.lead(ANN)

    world.later(hours=2)
    journalled.poll()
    written = journalled.decide()

    lists = [each for each in world.hubspot.requests.log if each.method == "GET" and "/contacts" in each.path]
    assert lists
    assert written == 0
    assert journalled.seen(contact) == before
    assert world.lead(ANN) == lead
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_a_deletion_that_the_recycle_bin_has_shown_is_not_told_a_second_time(journalled: Journalled) -> None:
    world = journalled.world
    make_mql(world)
    journalled.work()
    contact = str(world.contact(ANN)["id"])
    world.later(hours=2)
    world.hubspot.archive("contacts", contact)
    journalled.poll()
    journalled.decide()
    assert world.lead(ANN).cut_sides == (SIDE,)
    lead = world.lead(ANN)

    assert journalled.work() == 0

    assert world.lead(ANN) == lead
    seen = journalled.seen(contact)
    assert seen is not None
    assert seen.deleted
    assert journalled.waiting() == 0


def test_the_status_says_how_far_the_journal_is_read(journalled: Journalled) -> None:
    world = journalled.world
    world.hubspot.create("contacts", email="ann@acme.example")
    world.later(minutes=3)
    asked_ms = world.clock.now_ms()

    journalled.follow()

    place = journalled.place
    assert place.lost is None
    assert asked_ms <= (place.reached_ms or 0) <= asked_ms + MINUTE_MS
    assert place.position is not None
