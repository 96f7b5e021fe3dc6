"""Workers and clocks over a real Redis: nothing depends on what is in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from connector.settings import SettingsError, load_settings
from connector.store import leads as lead_store
from connector.store import outbox
from connector.worker.broker import prove_broker, redis_broker, wakeups_over
from connector.worker.processes import WorkerProcess
from connector.worker.scheduler import Scheduler
from tests.worker.conftest import empty
from tests.worker.crew import Crew
from tests.world import World

MakeBroker = Callable[[], RedisBroker]
Eventually = Callable[[Callable[[], object]], None]


@contextmanager
def running(process: WorkerProcess) -> Iterator[None]:
    """A worker at work in a thread, until the end of the block."""
    thread = threading.Thread(target=process.run)
    thread.start()
    try:
        yield
    finally:
        process.stop()
        thread.join(60)
        assert not thread.is_alive()


def a_clock(world: World, broker: RedisBroker, token: str = "one") -> Scheduler:
    return Scheduler(
        world.database, world.clock, world.config.mapping.sides, wakeups_over(broker).send, token
    )


def waiting(world: World) -> int:
    with world.database.read() as conn:
        backlog = lead_store.backlog(conn, world.clock.now_ms())
        return backlog.dirty + sum(outbox.counts(conn).values())


def test_emptying_redis_at_any_moment_loses_nothing(
    world: World, crew: Crew, make_broker: MakeBroker, eventually: Eventually
) -> None:
    brokers = [make_broker(), make_broker()]
    clock, flusher = a_clock(world, make_broker()), make_broker()
    seconds = 0
    emptied: list[int] = []

    def in_step(wanted: int) -> bool:
        """A second passes; Redis is emptied in the first three, before a worker reads, and now and then."""
        nonlocal seconds
        seconds += 1
        world.clock.advance(1)
        clock.tick()
        if seconds <= 3 or seconds % 40 == 0:
            emptied.append(empty(flusher))
        rows = world.hubspot.rows("contacts")
        return len([row for row in rows if row.get("leadloop_stage") == "nurture"]) == wanted

    with ExitStack() as stack:
        for broker in brokers:
            process = WorkerProcess(broker, crew.hire(), wakeups_over(broker), threads=2)
            stack.enter_context(running(process))
        for batch in range(3):
            world.later(minutes=1)
            seconds = 0
            for number in range(10):
                world.hubspot.create("contacts", email=f"p{batch}-{number}@big.example", lastname="Lee")
            eventually(partial(in_step, 10 * (batch + 1)))
    assert sum(emptied) > 0
    assert waiting(world) == 0
    with world.database.read() as conn:
        assert lead_store.count_by_stage(conn) == {"nurture": 30}


def test_what_waits_in_redis_does_not_pile_up_while_no_worker_runs(
    world: World, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    clock = a_clock(world, broker)
    with world.database.begin() as conn:
        lead_store.insert_leads(conn, [lead_store.Lead("L1", 1, 0, "inquiry", 1, None, 1, 1, b"{}")])
    for _ in range(60):
        clock.tick()
        world.clock.advance(10)
    queues = ("settle", "poll.hubspot", "poll.salesforce", "deliver.hubspot", "deliver.salesforce")
    waiting = [broker.client.llen(f"{broker.namespace}:{queue}") for queue in queues]
    assert waiting == [1, 1, 1, 0, 0]


def test_a_worker_that_stops_finishes_what_it_is_at(
    world: World, crew: Crew, make_broker: MakeBroker, eventually: Eventually
) -> None:
    broker = make_broker()
    installation = crew.hire()
    began, may_go_on = threading.Event(), threading.Event()
    write = installation.platforms["hubspot"].write

    def slow_write(*given: object) -> object:
        began.set()
        assert may_go_on.wait(30)
        return write(*given)  # type: ignore[arg-type]  # passed on as it came

    installation.platforms["hubspot"].write = slow_write  # type: ignore[method-assign,assignment]  # made slow
    process = WorkerProcess(broker, installation, wakeups_over(broker), threads=2)
    world.later(minutes=1)
    world.hubspot.create("contacts", email="ann@big.example", lastname="Lee")
    thread = threading.Thread(target=process.run)
    thread.start()
    wakeups_over(broker).send("poll.hubspot")
    assert began.wait(60)
    process.stop()
    may_go_on.set()
    thread.join(60)
    assert not thread.is_alive()
    assert world.contact("ann@big.example")["leadloop_stage"] == "nurture"
    with world.database.read() as conn:
        assert not outbox.counts(conn)


def test_redis_going_away_stops_nobody(
    world: World, make_broker: MakeBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = redis_broker(load_settings({}, {"LEADLOOP_REDIS_URL": "redis://127.0.0.1:1/0"}))
    assert wakeups_over(broker).send("settle") is False
    assert a_clock(world, broker).tick()
    assert "wake-up not sent" in capsys.readouterr().out


def test_the_broker_has_no_retries_and_no_listener(make_broker: MakeBroker) -> None:
    kinds = {type(each).__name__ for each in make_broker().middleware}
    assert kinds == {"AgeLimit", "TimeLimit", "Retries"}
    retries = next(each for each in make_broker().middleware if isinstance(each, dramatiq.middleware.Retries))
    assert retries.max_retries == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "LEADLOOP_REDIS_URL is not set"),
        ("http://127.0.0.1", "must begin with redis://"),
        ("redis://127.0.0.1:1/0", "Redis does not answer"),
        ("redis://127.0.0.1:hush/0", "LEADLOOP_REDIS_URL is no address: use redis://HOST:6379/0"),
        ("redis://[hush/0", "LEADLOOP_REDIS_URL is no address: use redis://HOST:6379/0"),
    ],
)
def test_a_redis_that_cannot_be_used_is_one_sentence(url: str | None, says: str) -> None:
    settings = load_settings({}, {"LEADLOOP_REDIS_URL": url} if url else {})
    with pytest.raises(SettingsError, match=says) as caught:
        prove_broker(redis_broker(settings))
    assert "hush" not in str(caught.value)
