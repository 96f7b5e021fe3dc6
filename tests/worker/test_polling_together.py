"""Two workers and one side: only one looks at a time, and a dead one's place is taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from connector.intake.timetable import next_poll_ms
from connector.platforms.protocol import ChangePage
from connector.store import leads as lead_store
from connector.worker.actors import Duties
from connector.worker.poll_lease import LEASE_MS, PollLease
from tests.at_once import at_once
from tests.worker.crew import Crew, Killed, Woken, watching, work
from tests.world import World


class Gate:
    """Holds whoever looks at a side until `open`, and tells how many were inside at once."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.most_inside = 0
        self.looks = 0
        self._inside = 0
        self._lock = threading.Lock()

    def pages(self, pages: Iterator[ChangePage]) -> Iterator[ChangePage]:
        with self._lock:
            self._inside += 1
            self.looks += 1
            self.most_inside = max(self.most_inside, self._inside)
        self.entered.set()
        assert self.open.wait(30)
        try:
            yield from pages
        finally:
            with self._lock:
                self._inside -= 1


def test_two_workers_never_poll_one_side_at_once(world: World, crew: Crew) -> None:
    first, second = crew.hire(), crew.hire()
    gate = Gate()
    one = Duties(watching(first, "hubspot", pages=gate.pages), Woken().send)
    two = Duties(watching(second, "hubspot", pages=gate.pages), Woken().send)
    world.later(minutes=1)
    world.hubspot.create("contacts", email="ann@big.example", lastname="Lee")
    thread = threading.Thread(target=one.poll, args=("hubspot",))
    thread.start()
    assert gate.entered.wait(30)
    two.poll("hubspot")  # returns at once: the first one is still inside
    assert gate.looks == 1
    gate.open.set()
    thread.join(30)
    two.poll("hubspot")  # not yet due again
    assert (gate.looks, gate.most_inside) == (1, 1)
    with world.database.read() as conn:
        assert len(lead_store.find_leads(conn, "ann@big.example")) == 1


def test_many_wakeups_in_two_workers_make_one_look(world: World, crew: Crew) -> None:
    gate = Gate()
    gate.open.set()
    crews = [Duties(watching(crew.hire(), "hubspot", pages=gate.pages), Woken().send) for _ in range(2)]
    for _ in range(3):
        world.later(minutes=1)
        at_once(lambda duties: duties.poll("hubspot"), crews * 4)
    assert (gate.looks, gate.most_inside) == (3, 1)


def test_the_side_of_a_worker_killed_while_polling_is_taken_over(world: World, crew: Crew) -> None:
    def killed(pages: Iterator[ChangePage]) -> Iterator[ChangePage]:
        yield from pages
        raise Killed

    world.later(minutes=1)
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    first, second = crew.hire(), crew.hire()
    with pytest.MonkeyPatch.context() as patch:
        # nothing that a process would do on its way out happens in one that is killed
        patch.setattr(PollLease, "end", lambda *_: None)
        with pytest.raises(Killed):
            Duties(watching(first, "salesforce", pages=killed), Woken().send).poll("salesforce")
    world.salesforce.requests.reset()
    Duties(second, Woken().send).poll("salesforce")
    assert world.salesforce.requests.count == 0
    world.clock.advance(LEASE_MS / 1_000)
    work(second)
    assert world.sf_lead("bo@small.example")["Leadloop_Stage__c"] == "nurture"


def test_one_who_was_taken_for_dead_stores_nothing_more(world: World, crew: Crew) -> None:
    first, second = crew.hire(), crew.hire()
    took_over: list[int] = []

    def stalls(pages: Iterator[ChangePage]) -> Iterator[ChangePage]:
        for page in pages:
            if not took_over:
                world.clock.advance(LEASE_MS / 1_000)
                Duties(second, Woken().send).poll("hubspot")
                took_over.append(world.clock.now_ms())
            yield page

    world.later(minutes=1)
    world.hubspot.create("contacts", email="ann@big.example", lastname="Lee")
    Duties(watching(first, "hubspot", pages=stalls), Woken().send).poll("hubspot")
    with world.database.read() as conn:
        # as the second one left it
        assert next_poll_ms(conn, "hubspot") == took_over[0] + 30_000
        assert len(lead_store.find_leads(conn, "ann@big.example")) == 1


def test_a_long_look_keeps_its_lease(world: World, crew: Crew) -> None:
    first, second = crew.hire(), crew.hire()

    def slow(pages: Iterator[ChangePage]) -> Iterator[ChangePage]:
        for page in pages:
            world.clock.advance(0.9 * LEASE_MS / 1_000)
            world.hubspot.requests.reset()
            Duties(second, Woken().send).poll("hubspot")
            assert world.hubspot.requests.count == 0
            yield page

    world.later(minutes=1)
    for number in range(450):
        world.hubspot.create("contacts", email=f"p{number}@big.example", lastname="Lee")
    Duties(watching(first, "hubspot", pages=slow), Woken().send).poll("hubspot")
    with world.database.read() as conn:
        assert sum(lead_store.count_by_stage(conn).values()) == 450
