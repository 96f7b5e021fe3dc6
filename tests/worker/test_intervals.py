"""Objects are looked at at intervals of their own, and a day of that fits half of the smallest quota."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector.clock import MINUTE_MS, SECOND_MS, ManualClock
from connector.intake.timetable import due_objects, looked_of, next_poll_ms
from connector.platforms.errors import Refused
from connector.platforms.protocol import ChangePage
from connector.settings import SettingsError, load_settings
from connector.wiring import connect
from connector.worker.actors import Duties
from connector.worker.embedded import Embedded
from connector.worker.scheduler import Scheduler
from tests.connector.test_signals import SCORED, with_tasks_and_events
from tests.worker.crew import Crew, Woken, do, environment, watching
from tests.world import World, configuration

DEVELOPER_ORG = 15_000
HOURS = 2


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[World]:
    """A world in which all that the shipped mapping knows of is switched on."""
    with World(tmp_path, configuration(SCORED, {"preset:salesforce": with_tasks_and_events()})) as made:
        yield made


def test_a_day_of_polls_fits_half_of_a_developer_org(everything: World) -> None:
    world, leadloop = everything, everything.leadloop
    woken = Woken()
    duties = Duties(leadloop, woken.send)
    scheduler = Scheduler(world.database, world.clock, leadloop.feeds, woken.send, "clock")
    chance = random.Random(1)

    def pass_time(hours: float) -> None:
        ends_ms = world.clock.now_ms() + int(hours * 60 * MINUTE_MS)
        while world.clock.now_ms() < ends_ms:
            scheduler.tick()
            while woken.duties:
                do(duties, woken.duties.pop(0))
            duties.settle()  # as somebody does every few minutes at least
            with world.database.read() as conn:
                next_ms = min(next_poll_ms(conn, side) for side in leadloop.feeds)
            world.clock.advance((max(next_ms - world.clock.now_ms(), 0) + chance.randint(0, 900)) / 1_000)

    pass_time(1.1)
    world.salesforce.requests.reset()
    world.hubspot.requests.reset()
    pass_time(HOURS)

    salesforce = world.salesforce.requests.count * 24 // HOURS
    hubspot = world.hubspot.requests.count * 24 // HOURS
    # docs/salesforce-setup.md and docs/hubspot-setup.md tell these figures
    # hourly: users and queues, the mapped objects, those above them, and whether they may be read
    assert salesforce == 1_728 + 24 * 4, world.salesforce.requests.by_kind
    objects = leadloop.feeds["hubspot"].poll_seconds
    looks = sum(86_400 / seconds for seconds in objects.values())
    # hourly: owners twice (archived ones apart); of each object its properties, whether it may be read, and
    # its recycle bin
    assert looks <= hubspot <= looks + 24 * (2 + 3 * len(objects)), world.hubspot.requests.by_kind
    assert salesforce <= DEVELOPER_ORG // 2
    assert hubspot <= DEVELOPER_ORG // 2


class OneAfterAnother(ManualClock):
    """Time for threads: it moves on when all of them wait, to the first that has waited long enough."""

    def __init__(self, start_ms: int, threads: int, until_ms: int, at_end: Callable[[], object]) -> None:
        super().__init__(start_ms)
        self._threads, self._until_ms, self._at_end = threads, until_ms, at_end
        self._waiting: dict[int, tuple[int, threading.Event | None]] = {}
        self._turn = threading.Condition()

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        mine = threading.get_ident()
        with self._turn:
            self._waiting[mine] = (self.now_ms() + max(1, round(seconds * SECOND_MS)), wake)
            while not self._may_go_on(mine):
                if len(self._waiting) == self._threads and not any(map(self._may_go_on, self._waiting)):
                    first_ms = min(until_ms for until_ms, _ in self._waiting.values())
                    self.advance((first_ms - self.now_ms()) / 1_000)
                    if self.now_ms() >= self._until_ms:
                        self._at_end()
                    self._turn.notify_all()
                else:
                    self._turn.wait(1)
            del self._waiting[mine]

    def _may_go_on(self, thread: int) -> bool:
        until_ms, wake = self._waiting[thread]
        return self.now_ms() >= until_ms or (wake is not None and wake.is_set())


def test_one_process_looks_as_often_as_many_do(everything: World) -> None:
    world, leadloop = everything, everything.leadloop
    worker: Embedded
    began_ms = world.clock.now_ms()
    clock = OneAfterAnother(began_ms, 3, began_ms + 60 * MINUTE_MS - 1, lambda: worker.stop())
    leadloop.clock = clock
    worker = Embedded(leadloop)
    world.salesforce.requests.reset()
    world.hubspot.requests.reset()
    worker.run()
    assert clock.now_ms() < began_ms + 61 * MINUTE_MS
    # 60 looks at what decides, of which every fifth takes a second call for the activities
    assert world.salesforce.requests.count == 72, world.salesforce.requests.by_kind
    assert world.hubspot.requests.count == 120, world.hubspot.requests.by_kind


def test_a_restart_makes_no_look_more(everything: World, tmp_path: Path) -> None:
    world = everything
    duties = Duties(world.leadloop, Woken().send)
    duties.poll("salesforce")
    world.later(seconds=20)
    world.reconnect()
    leadloop = world.leadloop
    world.salesforce.requests.reset()
    Duties(leadloop, Woken().send).poll("salesforce")
    assert world.salesforce.requests.count == 0
    world.later(seconds=40)
    Duties(leadloop, Woken().send).poll("salesforce")
    assert world.salesforce.requests.count == 1


def test_a_refused_object_holds_up_no_other(everything: World) -> None:
    world, leadloop = everything, everything.leadloop
    world.salesforce.faults.hidden_fields = {("Task", "Subject")}
    duties = Duties(leadloop, Woken().send)
    for _ in range(10):
        world.salesforce.insert("Lead", Email=f"p{world.clock.now_ms()}@x.example", LastName="P", Company="X")
        duties.poll("salesforce")
        world.later(minutes=1)
    with world.database.read() as conn:
        looked = looked_of(conn, "salesforce")
    assert looked["Lead"].at_ms == world.clock.now_ms() - MINUTE_MS
    assert looked["Event"].at_ms
    assert not looked["Task"].at_ms


def test_what_stands_in_the_settings_goes_before_the_defaults(crew: Crew, world: World) -> None:
    crew.settings = load_settings(
        {"salesforce": {"poll_seconds": 120, "poll_seconds_of": {"CampaignMember": 900}}},
        {**environment(world), "LEADLOOP_SALESFORCE__POLL_SECONDS_OF": json.dumps({"Contact": 45})},
    )
    assert crew.hire().feeds["salesforce"].poll_seconds == {
        "Opportunity": 120, "OpportunityContactRole": 120, "CampaignMember": 900, "Contact": 45, "Lead": 120,
    }  # fmt: skip


def test_a_shorter_interval_is_in_force_at_once(crew: Crew, world: World) -> None:
    crew.settings = load_settings({"hubspot": {"poll_seconds": 3_600}}, environment(world))
    Duties(crew.hire(), Woken().send).poll("hubspot")
    world.later(minutes=2)
    crew.settings = load_settings({}, environment(world))
    second = crew.hire()
    with world.database.read() as conn:
        assert next_poll_ms(conn, "hubspot") <= world.clock.now_ms()
        assert due_objects(conn, "hubspot", second.feeds["hubspot"].poll_seconds, world.clock.now_ms())


def test_an_interval_of_an_object_that_is_not_mapped_is_refused(world: World) -> None:
    settings = load_settings({"salesforce": {"poll_seconds_of": {"Opportunities": 900}}}, environment(world))
    with pytest.raises(SettingsError) as refused:
        connect(world.config, settings, world.database, world.clock)
    assert str(refused.value) == (
        'LEADLOOP_SALESFORCE__POLL_SECONDS_OF: the mapping has no object "Opportunities" of salesforce; did '
        'you mean "Opportunity"?'
    )


def test_a_refusal_is_told_and_what_came_before_it_is_kept(world: World, crew: Crew) -> None:
    def refuses(pages: Iterator[ChangePage]) -> Iterator[ChangePage]:
        yield from pages
        raise Refused("Lead: no such column", "INVALID_FIELD")

    world.later(minutes=1)
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    woken = Woken()
    Duties(watching(crew.hire(), "salesforce", pages=refuses), woken.send).poll("salesforce")
    assert set(woken.taken()) == {"settle"}
