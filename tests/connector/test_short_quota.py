"""When the quota is short, hand-offs still go through; updates and backfills wait, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connector.budget import Budget
from connector.clock import ManualClock
from connector.delivery import deliver
from connector.intake.poll import poll
from connector.lane import Lane
from connector.learning import learn_again
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import Allowance
from connector.store import outbox
from connector.store.calls import count_calls
from connector.store.database import Database
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import START_MS, World

DAILY = 2_000
"""Calls a day on each platform: 1,000 are ours, of which 200 are kept for hand-offs."""


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Five people whom both platforms know, in step, and Ann, whom marketing knows; either kind of database.
    Salesforce holds somebody from before, so that nobody is created there without a look."""
    with World(tmp_path, url=database_url) as made:
        made.salesforce.daily_limit = made.hubspot.limits.daily = DAILY
        made.salesforce.insert("Lead", Company="Old", LastName="Timer", Email="old@p.example")
        assert "salesforce" not in made.leadloop.complete
        for number in range(5):
            made.salesforce.insert("Lead", Company="P", LastName=f"P{number}", Email=f"{number}@p.example")
            made.hubspot.create("contacts", email=f"{number}@p.example", lastname=f"P{number}", company="P")
        enter_ann(made)
        made.run()
        yield made


def we_have_spent_our_share(world: World) -> None:
    """Backfill and updates have used up what they may, the last of it call by call."""
    with world.database.begin() as conn:
        for side in world.leadloop.feeds:
            count_calls(conn, side, Lane.BACKFILL, world.clock.now_ms(), DAILY // 5 - 20)
    world.later(minutes=1)
    for side, name in (("salesforce", "Lead"), ("hubspot", "contacts")):
        platform = world.leadloop.platforms[side]
        for lane in (Lane.BACKFILL, Lane.UPDATE):
            with suppress(RetryLater):
                for _ in range(DAILY):
                    platform.listed(name, (), None, lane)


def others_have_spent_the_rest(world: World) -> None:
    """Another integration has left 100 calls of the day, fewer than are kept for hand-offs."""
    world.salesforce.quota.count(DAILY - world.salesforce.quota.used - 100)
    world.hubspot.limits.used = DAILY - 100
    world.run()
    with suppress(RetryLater):
        learn_again(world.leadloop, "hubspot")  # its searches tell nothing of the day


def people_are_promoted(world: World) -> None:
    for number in range(5):
        contact = world.contact(f"{number}@p.example")
        world.hubspot.update("contacts", contact["hs_object_id"], jobtitle="Director")


def titles(world: World) -> set[object]:
    return {world.sf_lead(f"{number}@p.example")["Title"] for number in range(5)}


def waiting(world: World) -> dict[tuple[str, int], int]:
    with world.database.read() as conn:
        return {(queue.side, queue.lane): number for queue, number in outbox.counts(conn).items()}


@pytest.mark.parametrize("shortage", [we_have_spent_our_share, others_have_spent_the_rest])
def test_a_lead_that_becomes_mql_is_routed_and_written_on_both_while_updates_wait(
    world: World, shortage: Callable[[World], None]
) -> None:
    shortage(world)
    people_are_promoted(world)
    world.work(minutes=10, every_seconds=60)
    assert waiting(world) == {("salesforce", Lane.UPDATE): 5, ("hubspot", Lane.UPDATE): 5}
    assert titles(world) == {None}

    world.hubspot.submit_form(ANN, "Pricing")
    world.work(minutes=90, every_seconds=180)  # looks may be made seldom

    assert world.sf_lead(ANN)["OwnerId"] == world.users["sam@sales.example"]
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    assert world.contact(ANN)["leadloop_owner"] == "sam@sales.example"
    assert titles(world) == {None}
    assert {lane for _, lane in waiting(world)} == {Lane.UPDATE}, "nothing of the hand-off waits"

    world.later(hours=25)
    world.run()
    assert titles(world) == {"Director"}
    assert waiting(world) == {}
    assert world.verify(repair=False).unexplained == 0


@pytest.mark.parametrize("account_day", [False, True], ids=["24 hours", "midnight to midnight"])
@pytest.mark.parametrize("early", [Lane.UPDATE, Lane.BACKFILL])
def test_after_a_burst_of_other_work_looks_and_handoffs_go_on_day_after_day(
    tmp_path: Path, early: Lane, account_day: bool
) -> None:
    """The calls of a Developer org and its looks, each a tenth of the real number, and one hand-off an hour.
    Whatever may go goes at once."""
    database = Database.open(f"sqlite:///{tmp_path}/leadloop.db")
    database.migrate()
    clock = ManualClock(START_MS)
    allowance = Allowance(1_500, 50, 20, burst_calls=10_000, burst_seconds=1.0, account_day=account_day)
    budget = Budget("crm", database, clock, allowance)
    budget.serves("UTC", 180, 200)

    def as_many_as_may_go(lane: Lane) -> None:
        with suppress(RetryLater):
            while True:
                budget.admit(lane, "write")

    as_many_as_may_go(early)
    for step in range(1, 3 * 180 + 1):
        as_many_as_may_go(Lane.UPDATE)
        clock.advance(480)
        budget.admit(Lane.LOOK, "read")
        if step % 8 == 0:
            budget.admit(Lane.HANDOFF, "write")
    assert budget.total() >= 3 * 500, "updates have gone on as well"
    database.close()


def test_an_update_that_becomes_a_handoff_waits_for_no_other_day(world: World) -> None:
    """A new title waits for tomorrow's calls. Sales is given the lead all the same, and the title with it."""
    somebody = "0@p.example"
    we_have_spent_our_share(world)
    people_are_promoted(world)
    world.run()
    assert world.sf_lead(somebody)["Title"] is None

    world.hubspot.submit_form(somebody, "Pricing")
    world.run()
    assert world.contact(somebody)["leadloop_stage"] == "distributed"
    assert world.sf_lead(somebody)["Leadloop_Stage__c"] == "distributed"
    assert world.sf_lead(somebody)["Title"] == "Director"


def test_a_day_that_is_used_up_is_asked_about_four_times_an_hour_and_work_goes_on_without_loss(
    world: World,
) -> None:
    for platform in (world.salesforce, world.hubspot):
        platform.faults.quota_exhausted = True
    world.hubspot.submit_form(ANN, "Pricing")
    people_are_promoted(world)
    with suppress(RetryLater):
        world.run()
    for platform in (world.salesforce, world.hubspot):
        platform.requests.reset()
    for _ in range(180):
        for side in world.leadloop.feeds:
            with suppress(RetryLater):
                poll(world.leadloop, side)
            deliver(world.leadloop, side)
        world.later(minutes=1)
    asked = [len(platform.requests.log) for platform in (world.salesforce, world.hubspot)]
    assert all(10 <= number <= 12 for number in asked), asked

    for platform in (world.salesforce, world.hubspot):
        platform.faults.quota_exhausted = False
    world.later(minutes=15)
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert titles(world) == {"Director"}
    assert world.verify(repair=False).unexplained == 0
