"""The duties of a worker: what each wake-up leads to, with the broker that dramatiq brings for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from connector.installation import Installation
from connector.intake.timetable import next_poll_ms
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import ChangePage
from connector.settle import BATCH
from connector.store import leads as lead_store
from connector.store import outbox
from connector.store.configurations import apply_configuration, put_configuration
from connector.store.errors import StoreBusy
from connector.store.inbox import Hint, count_hints, put_hints
from connector.store.leases import take_lease
from connector.worker.actors import Duties, declare_actors
from connector.worker.broker import middleware
from connector.worker.wakeups import Wakeups, duties_of
from tests.worker.crew import Woken, watching, work
from tests.world import World


def backlog(world: World) -> int:
    """Leads and writes that wait for somebody."""
    with world.database.read() as conn:
        return lead_store.backlog(conn, world.clock.now_ms()).dirty + sum(outbox.counts(conn).values())


class Stub:
    """A worker on dramatiq's broker for tests."""

    def __init__(self, installation: Installation, threads: int = 3) -> None:
        self.broker = StubBroker(middleware())
        self.wakeups = Wakeups(self.broker, lambda queue: self.broker.queues[queue].qsize())
        declare_actors(self.broker, Duties(installation, self.wakeups.send))
        self.worker = dramatiq.Worker(self.broker, worker_threads=threads, worker_timeout=20)

    def __enter__(self) -> Stub:
        self.worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()

    def finish(self) -> None:
        """Wait until no wake-up is left; raises what a duty raised."""
        queues = self.broker.get_declared_queues()
        while any(self.broker.queues[queue].unfinished_tasks for queue in queues):
            for queue in queues:
                self.broker.join(queue, timeout=60_000)


def test_one_wakeup_to_poll_carries_a_lead_to_both_platforms(world: World, worker: Installation) -> None:
    world.later(minutes=1)
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    with Stub(worker) as stub:
        stub.wakeups.send("poll.salesforce")
        stub.finish()
    assert world.sf_lead("bo@small.example")["Leadloop_Stage__c"] == "nurture"
    assert world.contact("bo@small.example")["leadloop_stage"] == "nurture"
    assert backlog(world) == 0


def test_wakeups_in_plenty_cost_no_more_calls_than_one(world: World, worker: Installation) -> None:
    world.later(minutes=1)
    world.hubspot.create("contacts", email="ann@big.example", lastname="Lee")
    world.hubspot.requests.reset()
    with Stub(worker) as stub:
        for _ in range(20):
            for duty in duties_of(worker.feeds):
                stub.broker.enqueue(dramatiq.Message(duty, duty, (), {}, {}))
        stub.finish()
    # one search for changed contacts, one batch update
    assert world.hubspot.requests.count == 2, world.hubspot.requests.by_kind
    assert world.contact("ann@big.example")["leadloop_stage"] == "nurture"


def test_a_wakeup_that_waits_already_is_not_sent_again(worker: Installation) -> None:
    stub = Stub(worker)
    assert [stub.wakeups.send("settle"), stub.wakeups.send("settle")] == [True, False]
    assert stub.broker.queues["settle"].qsize() == 1


def test_a_side_is_polled_no_more_often_than_its_interval(world: World, worker: Installation) -> None:
    duties = Duties(worker, Woken().send)
    world.later(minutes=1)
    counts = []
    for seconds in (0, 30, 29, 1, 60):
        world.later(seconds=seconds)
        world.salesforce.requests.reset()
        duties.poll("salesforce")
        counts.append(world.salesforce.requests.count)
    assert counts == [1, 0, 0, 1, 1]


def test_a_platform_that_asks_for_patience_gets_it(world: World, worker: Installation) -> None:
    def closed(_: Iterator[ChangePage]) -> Iterator[ChangePage]:
        raise RetryLater("closed for the night", 900.0, concerns="side")

    world.later(minutes=1)
    Duties(watching(worker, "hubspot", pages=closed), Woken().send).poll("hubspot")
    with world.database.read() as conn:
        assert next_poll_ms(conn, "hubspot") == world.clock.now_ms() + 900_000
    counts = []
    for minutes in (14, 1):
        world.later(minutes=minutes)
        world.hubspot.requests.reset()
        Duties(worker, Woken().send).poll("hubspot")
        counts.append(world.hubspot.requests.count)
    assert counts == [0, 1]


def test_what_came_before_a_fault_is_settled(world: World, worker: Installation) -> None:
    def dies(pages: Iterator[ChangePage]) -> Iterator[ChangePage]:
        for page in pages:
            yield page
            if page.observations:
                raise RetryLater("the line went dead", 30.0)

    world.later(minutes=1)
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    woken = Woken()
    Duties(watching(worker, "salesforce", pages=dies), woken.send).poll("salesforce")
    assert woken.taken() == ["settle"]
    assert backlog(world) == 1


def test_a_busy_database_costs_the_wakeup_and_no_more(
    world: World, worker: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.later(minutes=1)
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")

    def busy(*_: object, **__: object) -> None:
        raise StoreBusy("the database is locked by another process")

    duties = Duties(worker, Woken().send)
    with monkeypatch.context() as patch:
        patch.setattr("connector.worker.poll_lease.take_lease", busy)
        duties.poll("salesforce")
        patch.setattr("connector.settle.lead_store.claim_leads", busy)
        duties.settle()
        patch.setattr("connector.delivery.outbox.claim_writes", busy)
        duties.deliver("salesforce")
    work(worker)
    assert world.sf_lead("bo@small.example")["Leadloop_Stage__c"] == "nurture"


def test_workers_stop_when_another_configuration_is_applied(world: World, worker: Installation) -> None:
    world.later(minutes=1)
    world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    now_ms = world.clock.now_ms()
    with world.database.begin() as conn:
        put_configuration(conn, "another", {}, now_ms)
        apply_configuration(conn, "another", now_ms)
    world.salesforce.requests.reset()
    stopped = threading.Event()
    duties = Duties(worker, Woken().send, outdated=stopped.set)
    for verb in (lambda: duties.poll("salesforce"), duties.settle, lambda: duties.deliver("salesforce")):
        stopped.clear()
        verb()
        assert stopped.is_set()
    assert world.salesforce.requests.count == 0


def test_a_stopping_worker_leaves_the_rest_of_a_long_queue_to_others(
    world: World, worker: Installation
) -> None:
    world.later(minutes=1)
    for number in range(BATCH + 50):
        world.hubspot.create("contacts", email=f"p{number}@big.example", lastname="Lee")
    stopping, woken = threading.Event(), Woken()
    stopping.set()
    duties = Duties(worker, woken.send, stopping)
    duties.poll("hubspot")
    woken.taken()
    duties.settle()
    with world.database.read() as conn:
        assert lead_store.backlog(conn, world.clock.now_ms()).dirty == 50
    assert "settle" in woken.taken()
    work(worker)
    assert {row["leadloop_stage"] for row in world.hubspot.rows("contacts")} == {"nurture"}


def test_a_worker_learns_of_new_users(world: World, worker: Installation) -> None:
    user_id = world.salesforce.add_user("New", "new@sales.example")
    duties = Duties(worker, Woken().send)
    duties.settle()
    assert worker.policy.directory.email_of("salesforce", user_id) is None
    world.later(hours=1)
    duties.settle()
    assert worker.policy.directory.email_of("salesforce", user_id) == "new@sales.example"


def tell_of(world: World, side: str, name: str, *ids: str) -> None:
    """The platform told of these records."""
    with world.database.begin() as conn:
        put_hints(conn, [Hint(side, name, record_id, "read", world.clock.now_ms()) for record_id in ids])


def test_what_a_platform_told_of_is_read_and_decided_without_a_look(
    world: World, worker: Installation
) -> None:
    record_id = world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    tell_of(world, "salesforce", "Lead", record_id)
    with Stub(worker) as stub:
        stub.wakeups.send("hints.salesforce")
        stub.finish()

    assert world.contact("bo@small.example")["leadloop_stage"] == "nurture"
    with world.database.read() as conn:
        assert count_hints(conn) == {}


def test_one_worker_at_a_time_reads_what_was_told_of(world: World, worker: Installation) -> None:
    record_id = world.salesforce.insert("Lead", Email="bo@small.example", LastName="Bo", Company="Small")
    tell_of(world, "salesforce", "Lead", record_id)
    with world.database.begin() as conn:
        assert take_lease(conn, "hints.salesforce", "another worker", world.clock.now_ms(), 60_000)
    woken = Woken()

    Duties(worker, woken.send).hints("salesforce")
    with world.database.read() as conn:
        assert count_hints(conn)["salesforce"].hints == 1
    world.later(minutes=2)
    Duties(worker, woken.send).hints("salesforce")

    assert woken.taken() == ["settle"]
    with world.database.read() as conn:
        assert count_hints(conn) == {}
