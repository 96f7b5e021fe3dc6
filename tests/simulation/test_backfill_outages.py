"""A backfill of two data sets with outages of every kind: each record once, and each person is one lead.

Each walk has a seed and can be repeated. LEADLOOP_SIMULATIONS=10 takes ten times as many.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from connector.intake import backfill
from connector.intake.backfill import Standing, begin, objects_of, read
from connector.platforms.errors import PlatformError, RetryLater
from connector.platforms.hubspot import listing
from connector.platforms.salesforce import bulk
from connector.store import leads as lead_store
from connector.store.holds import open_holds
from connector.store.links import count_by_sides
from connector.store.schema import observations
from connector.worker.passes import run_until_quiet
from tests.simulation.trouble import Killed
from tests.world import World

WALKS = 4 * int(os.environ.get("LEADLOOP_SIMULATIONS", "1"))
FIRST = int(os.environ.get("LEADLOOP_SIMULATION_SEED", "1"))
ON_BOTH, IN_ONE = 14, 9


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FEW", 0)  # a job also for few records
    monkeypatch.setattr(bulk, "FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(listing, "PAGE", 4)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """People who were there a day before leadloop: some on both platforms, some on one of them."""
    with World(tmp_path) as made:
        made.salesforce.bulk.page_size = 5
        for number in range(ON_BOTH + IN_ONE):
            made.salesforce.insert(
                "Lead", LastName=f"S{number}", Company="Acme", Email=f"p{number}@acme.example"
            )
        for number in [*range(ON_BOTH), *range(100, 100 + IN_ONE)]:
            made.hubspot.create("contacts", email=f"P{number}@acme.example", lastname=f"H{number}")
        made.later(days=1)
        yield made


class Outages:
    """One thing after another goes wrong, on either platform or with leadloop itself."""

    def __init__(self, world: World, chance: Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self._world, self._chance = world, chance
        self._doomed = 0
        self.struck: Counter[str] = Counter()
        kept = backfill.put_value

        def put_value(*arguments: Any) -> None:
            kept(*arguments)
            self._die_if_doomed()  # within the transaction that stores a page

        monkeypatch.setattr(backfill, "put_value", put_value)

    def strike(self) -> None:
        kind = self._chance.choice(["429", "500", "cut", "cut late", "kill", "kill", "401"])
        self.struck[kind] += 1
        faults = self._chance.choice([self._world.salesforce.faults, self._world.hubspot.faults])
        number = self._chance.choice([1, 2, 8])
        if kind in ("429", "500", "401"):
            faults.fail_next(number, int(kind))
        elif kind == "kill":
            self._doomed = self._chance.randint(1, 4)
        else:
            faults.lose_answer(number, work=kind == "cut late")

    def told(self, _standing: Standing, _wait_seconds: float) -> None:
        """Between two pages."""
        if self._chance.random() < 0.3:
            self.strike()
        self._die_if_doomed()

    def _die_if_doomed(self) -> None:
        if self._doomed:
            self._doomed -= 1
            if not self._doomed:
                raise Killed

    def over(self) -> None:
        self._doomed = 0
        self._world.salesforce.faults.clear()
        self._world.hubspot.faults.clear()


def read_all(world: World, outages: Outages) -> int:
    """The command, again and again until it has read everything. Returns how often it was begun."""
    for turn in range(1, 200):
        try:
            standings = begin(world.leadloop, objects_of(world.leadloop))
            if all(each.done for each in standings):
                return turn
            if turn < 40:
                outages.strike()
            else:
                outages.over()
            for standing in standings:
                read(world.leadloop, standing, outages.told, Event())
        except RetryLater as later:
            world.later(seconds=later.after_seconds + 1)
        except (PlatformError, Killed):
            outages.over()
            world.reconnect()
            world.later(minutes=1)
    raise AssertionError("it never came to its end")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_whatever_breaks_off_a_backfill_each_record_is_stored_once_and_each_person_is_one_lead(
    seed: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(f"outages {seed}")
    world.leadloop  # noqa: B018  # connected before anything goes wrong
    outages = Outages(world, chance, monkeypatch)
    read_all(world, outages)
    outages.over()
    assert outages.struck, "else this test shows nothing"

    with world.database.read() as conn:
        stored = Counter(
            conn.execute(select(observations.c.side, observations.c.object, observations.c.record_id)).all()
        )
        people = count_by_sides(conn)
        ids = lead_store.iterate_lead_ids(conn)
    expected = {("salesforce", "Lead", row["Id"]) for row in world.salesforce.rows("Lead")} | {
        ("hubspot", "contacts", row["id"]) for row in world.hubspot.rows("contacts")
    }
    assert {tuple(key) for key in stored} == expected
    assert set(stored.values()) == {1}
    assert people == {("hubspot", "salesforce"): ON_BOTH, ("salesforce",): IN_ONE, ("hubspot",): IN_ONE}
    assert len(ids) == ON_BOTH + 2 * IN_ONE

    world.later(hours=3)
    run_until_quiet(world.leadloop, 60.0)
    for _ in range(2):
        found = world.verify()
        assert found.amiss == 0, found
        assert set(found.found) <= {"resting", "first_contact", "filtered", "unspelled"}, found
        run_until_quiet(world.leadloop, 60.0)
    assert len(world.salesforce.rows("Lead")) == ON_BOTH + IN_ONE
    assert len(world.hubspot.rows("contacts")) == ON_BOTH + IN_ONE, "nobody is created"
    with world.database.read() as conn:
        assert [hold for held in open_holds(conn).values() for hold in held if hold.kind == "ambiguous"] == []
