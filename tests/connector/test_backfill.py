"""Two data sets that existed before leadloop meet: each person once, nobody created, nothing lost."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.configuration import shipped
from connector.installation import Installation
from connector.intake.backfill import (
    Overtaken,
    Standing,
    begin,
    count_totals,
    may_create,
    objects_of,
    read,
)
from connector.intake.rehearsal import doubts
from connector.lane import Lane
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import BulkPage
from connector.store import leads as lead_store
from connector.store.cursors import cursors_of
from connector.store.links import count_by_sides
from connector.worker.passes import run_until_quiet
from tests.connector.test_ambiguity import ANNS_PHONE, BOBS_PHONE, WITH_PHONE
from tests.world import World, configuration


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """People on both platforms, a day before leadloop is connected: Ann and Bob on both, Cy in Salesforce,
    Dora in HubSpot."""
    with World(tmp_path) as made:
        for name in ("ann", "bob", "cy"):
            made.salesforce.insert(
                "Lead", LastName=name.title(), Company="Acme", Email=f"{name.upper()}@acme.example"
            )
        for name in ("ann", "bob", "dora"):
            made.hubspot.create(
                "contacts", email=f"{name}@acme.example", lastname=name.title(), company="Acme"
            )
        made.later(days=1)
        yield made


def backfill(
    installation: Installation,
    since_ms: int | None = None,
    told: Callable[[Standing, float], object] = lambda _standing, _seconds: None,
    stopping: threading.Event | None = None,
    anew: bool = False,
) -> dict[str, Standing]:
    """All of it, as the command does it."""
    standings = count_totals(installation, begin(installation, objects_of(installation), since_ms, anew=anew))
    ended = stopping or threading.Event()
    return {each.name: read(installation, each, told, ended) for each in standings}


def count_leads(world: World) -> int:
    with world.database.read() as conn:
        return sum(lead_store.count_by_stage(conn).values())


def platforms_of(world: World) -> tuple[int, int]:
    return len(world.salesforce.rows("Lead")), len(world.hubspot.rows("contacts"))


class Platform:
    """A platform of which every page of everything passes through `pages`."""

    def __init__(self, platform: Any, pages: Callable[[Iterator[BulkPage]], Iterator[BulkPage]]) -> None:
        self._platform, self._pages = platform, pages
        self.lanes: set[Lane] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def everything(self, *arguments: Any, **named: Any) -> Iterator[BulkPage]:
        self.lanes.add(arguments[4])
        return self._pages(self._platform.everything(*arguments, **named))


def passing(
    world: World, side: str, pages: Callable[[Iterator[BulkPage]], Iterator[BulkPage]]
) -> tuple[Installation, Platform]:
    platform: Any = Platform(world.leadloop.platforms[side], pages)
    return replace(world.leadloop, platforms={**world.leadloop.platforms, side: platform}), platform


def test_two_data_sets_meet_without_duplicates(world: World) -> None:
    done = backfill(world.leadloop)

    assert (done["salesforce:Lead"].records, done["hubspot:contacts"].records) == (3, 3)
    assert all(each.done for each in done.values())
    assert count_leads(world) == 4
    with world.database.read() as conn:
        assert count_by_sides(conn) == {("hubspot", "salesforce"): 2, ("salesforce",): 1, ("hubspot",): 1}


def test_imported_leads_rest_and_nothing_is_created(world: World) -> None:
    backfill(world.leadloop)
    world.run()

    assert all(world.lead(f"{name}@acme.example").resting for name in ("ann", "bob", "cy", "dora"))
    assert platforms_of(world) == (3, 3)
    assert world.contact("ann@acme.example")["leadloop_id"] == world.lead("ann@acme.example").lead_id


def test_leads_rest_as_well_where_no_birth_is_mapped(tmp_path: Path) -> None:
    unborn = {
        f"preset:{name}": re.sub(r"\n    (created|primary): .*", "", shipped("mappings", name))
        for name in ("salesforce", "hubspot")
    }
    with World(tmp_path, configuration(documents=unborn)) as world:
        world.hubspot.create("contacts", email="ann@acme.example", lastname="Ann", jobtitle="CEO")
        world.later(days=1)
        backfill(world.leadloop)
        world.run()
        assert world.lead("ann@acme.example").resting
        world.hubspot.create("contacts", email="new@acme.example", lastname="New")
        world.run()
        assert not world.lead("new@acme.example").resting


def test_reading_again_finds_nothing_new(world: World) -> None:
    backfill(world.leadloop)
    world.run()
    world.later(minutes=5)

    again = backfill(world.leadloop, anew=True)

    assert again["salesforce:Lead"].new == 0
    assert count_leads(world) == 4
    assert world.run().written == 0


def test_what_was_read_wholly_is_not_read_again(world: World) -> None:
    backfill(world.leadloop)
    before = world.sandbox.salesforce.requests.count + world.sandbox.hubspot.requests.count

    again = backfill(world.leadloop)
    since = backfill(world.leadloop, since_ms=world.clock.now_ms() - 1_000)

    assert again["salesforce:Lead"].records == since["salesforce:Lead"].records == 3
    assert world.sandbox.salesforce.requests.count + world.sandbox.hubspot.requests.count == before


def test_the_cursors_of_polling_are_saved_before_the_first_page(world: World) -> None:
    installation = world.leadloop
    at_first: list[dict[str, Any]] = []

    def pages(found: Iterator[BulkPage]) -> Iterator[BulkPage]:
        with world.database.read() as conn:
            at_first.append({side: cursors_of(conn, side) for side in installation.feeds})
        # somebody edits a record that has been read, and one that has not
        for page in found:
            yield page
            world.later(minutes=1)
            for lead in world.salesforce.rows("Lead"):
                world.salesforce.update("Lead", lead["Id"], Title="Chief")

    watched, _ = passing(world, "salesforce", pages)
    backfill(watched)
    world.run()

    for side, feed in installation.feeds.items():
        assert set(feed.objects) <= set(at_first[0][side])
    titles = [world.lead(f"{name}@acme.example").values.get("job_title") for name in ("ann", "bob", "cy")]
    assert titles == ["Chief"] * 3


def test_everything_goes_in_the_lowest_lane(world: World) -> None:
    watched, platform = passing(world, "hubspot", lambda pages: pages)
    backfill(watched)
    assert platform.lanes == {Lane.BACKFILL}


def test_since_reads_what_was_changed_later(world: World) -> None:
    world.salesforce.insert("Lead", LastName="Eve", Company="Acme", Email="eve@acme.example")
    world.hubspot.create("contacts", email="eve@acme.example", lastname="Eve")
    world.later(minutes=5)
    done = backfill(world.leadloop, since_ms=world.clock.now_ms() - 3_600_000)
    assert (done["salesforce:Lead"].records, done["hubspot:contacts"].records) == (1, 1)
    assert count_leads(world) == 1
    assert "salesforce" not in world.leadloop.complete


def test_a_side_that_was_read_wholly_needs_no_look_ups(world: World) -> None:
    assert world.leadloop.complete == set()
    backfill(world.leadloop)
    assert world.leadloop.complete == {"salesforce", "hubspot"}
    world.reconnect()
    assert world.leadloop.complete == {"salesforce", "hubspot"}


def test_an_interrupted_reading_goes_on_behind_the_page_that_was_stored(world: World) -> None:
    for number in range(250):
        world.hubspot.create("contacts", email=f"n{number}@acme.example", lastname="N")
    world.later(minutes=1)
    stopping = threading.Event()
    seen: list[str] = []

    def stop_at_the_second(pages: Iterator[BulkPage]) -> Iterator[BulkPage]:
        for page in pages:
            seen.extend(each.record_id for each in page.observations)
            if len(seen) == 200:
                stopping.set()
            yield page

    watched, _ = passing(world, "hubspot", stop_at_the_second)
    first = backfill(watched, stopping=stopping)
    assert not first["hubspot:contacts"].done
    assert first["hubspot:contacts"].records == 200
    seen.clear()

    again, _ = passing(world, "hubspot", stop_at_the_second)
    second = backfill(again)

    assert len(seen) == 53
    assert second["hubspot:contacts"].records == 253
    assert second["hubspot:contacts"].new == 253


def test_a_platform_that_wants_a_pause_gets_it(world: World) -> None:
    faults = [RetryLater("busy", 30.0), RetryLater("busy", 30.0)]

    def fail_twice(pages: Iterator[BulkPage]) -> Iterator[BulkPage]:
        if faults:
            raise faults.pop()
        return pages

    watched, _ = passing(world, "hubspot", fail_twice)
    began_ms = world.clock.now_ms()
    waits: list[float] = []
    done = backfill(watched, told=lambda standing, seconds: waits.append(seconds))
    assert done["hubspot:contacts"].records == 3
    assert waits.count(30.0) == 2
    assert world.clock.now_ms() - began_ms >= 60_000


def test_a_spent_share_of_the_days_calls_ends_it_until_later(world: World) -> None:
    world.hubspot.requests.reset()
    later = RetryLater("hubspot: leadloop's share of the day's calls is used up (1 of 1)", 900.0)

    def spent(pages: Iterator[BulkPage]) -> Iterator[BulkPage]:
        raise later
        yield from pages

    watched, _ = passing(world, "hubspot", spent)
    with pytest.raises(RetryLater, match="share of the day's calls"):
        backfill(watched)
    assert count_leads(world) == 3, "what Salesforce told is stored"
    assert backfill(world.leadloop)["hubspot:contacts"].records == 3


def test_two_at_once_on_one_object_are_told_apart(world: World) -> None:
    (standing,) = (
        each for each in begin(world.leadloop, objects_of(world.leadloop)) if "contacts" in each.name
    )
    read(world.leadloop, standing, lambda _standing, _seconds: None, threading.Event())
    with pytest.raises(Overtaken, match="hubspot:contacts"):
        read(world.leadloop, standing, lambda _standing, _seconds: None, threading.Event())


def test_a_newly_mapped_field_makes_the_place_void(world: World) -> None:
    installation = world.leadloop
    backfill(installation)
    feed = installation.feeds["hubspot"]
    more = {**feed.objects, "contacts": (*feed.objects["contacts"], "a_new_one")}
    feeds = {**installation.feeds, "hubspot": replace(feed, objects=more)}
    standings = {
        each.name: each for each in begin(replace(installation, feeds=feeds), [("hubspot", "contacts")])
    }
    assert standings["hubspot:contacts"].records == 0


def test_an_ambiguous_record_is_linked_to_nobody_and_named(tmp_path: Path) -> None:
    with World(tmp_path, configuration(documents={"preset:lead": WITH_PHONE})) as world:
        ann, bob = (
            world.salesforce.insert(
                "Lead", LastName=name, Company="Acme", Email=f"{name}@acme.example", Phone=phone
            )
            for name, phone in (("ann", ANNS_PHONE), ("bob", BOBS_PHONE))
        )
        mixed = world.hubspot.create("contacts", email="ann@acme.example", lastname="A", phone=BOBS_PHONE)
        world.later(days=1)
        done = backfill(world.leadloop)
        with world.database.read() as conn:
            [doubt] = doubts(conn)
        assert done["hubspot:contacts"].new == 1
        assert doubt.record == f"hubspot:contacts:{mixed if isinstance(mixed, str) else mixed['id']}"
        assert doubt.fields == ("email", "phone")
        assert sorted(doubt.candidates) == sorted(f"salesforce:Lead:{each}" for each in (ann, bob))
        world.run()
        create(world)
        world.run()
        assert platforms_of(world) == (2, 1), "nobody is created beside a record that may be theirs"


# creating -----------------------------------------------------------------------------------------------


def create(world: World) -> int:
    return may_create(world.leadloop, lambda _looked, _marked: None, threading.Event())


def test_creating_is_a_word_of_its_own_and_in_the_lowest_lane(world: World) -> None:
    backfill(world.leadloop)
    world.run()
    assert create(world) == 2

    world.run()

    assert platforms_of(world) == (3, 4), "Salesforce gets what is an MQL, HubSpot what sales entered"
    cy = world.contact("cy@acme.example")
    assert cy["leadloop_id"] == world.lead("cy@acme.example").lead_id
    world.later(hours=1)
    run_until_quiet(world.leadloop, 60.0)
    assert world.lead("cy@acme.example").resting, "its own record does not wake it"
    assert create(world) == 0, "who may be created already is not told again"


def test_creating_before_the_first_decision_comes_to_the_same(world: World) -> None:
    backfill(world.leadloop)
    assert create(world) == 2
    world.run()
    assert platforms_of(world) == (3, 4)
    assert world.lead("cy@acme.example").resting
