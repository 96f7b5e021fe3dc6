"""One worker process: connections confined to its threads, and duties that take too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from dramatiq.brokers.stub import StubBroker

from connector.clock import SystemClock
from connector.connections import Connections
from connector.installation import Installation
from connector.platforms.protocol import Platform
from connector.worker import actors
from connector.worker.actors import Duties
from connector.worker.broker import middleware
from connector.worker.processes import WorkerProcess
from connector.worker.wakeups import Wakeups

Eventually = Callable[[Callable[[], object]], None]


class Line:
    """A connection that knows whether it is open."""

    def __init__(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False


def a_line() -> Platform:
    return cast("Platform", Line())


def is_open(platform: Platform) -> bool:
    return cast("Line", platform).open


def in_a_thread(work: Callable[[], Platform]) -> Platform:
    found: list[Platform] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join(30)
    return found[0]


def test_each_thread_has_a_connection_of_its_own_and_keeps_it() -> None:
    connections = Connections({"hubspot": a_line})
    mine = connections["hubspot"]
    other = in_a_thread(lambda: connections["hubspot"])
    assert mine is connections["hubspot"]
    assert mine is not other
    connections.close()
    assert not is_open(mine)
    assert not is_open(other)


def test_what_was_opened_at_start_is_taken_over_once() -> None:
    opened = a_line()
    connections = Connections({"hubspot": a_line}, opened={"hubspot": opened})
    first = in_a_thread(lambda: connections["hubspot"])
    second = in_a_thread(lambda: connections["hubspot"])
    assert first is opened
    assert second is not opened
    connections.close()
    assert not is_open(opened)


def test_dropped_connections_are_opened_anew() -> None:
    connections = Connections({"hubspot": a_line})
    old, other = connections["hubspot"], in_a_thread(lambda: connections["hubspot"])
    connections.drop()
    assert not is_open(old)
    assert is_open(other)
    assert is_open(connections["hubspot"])
    connections.close()


def test_a_duty_that_takes_too_long_is_stopped_and_its_connections_are_dropped(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    began, dropped = threading.Event(), threading.Event()
    monkeypatch.setitem(actors._LIMIT_MS, "settle", 100)

    def hangs(_: Duties) -> None:
        began.set()
        while True:
            threading.Event().wait(0.01)

    monkeypatch.setattr(Duties, "settle", hangs)
    broker = StubBroker(middleware(), fail_fast_default=False)
    wakeups = Wakeups(broker, lambda queue: broker.queues[queue].qsize())
    installation = cast("Installation", SimpleNamespace(feeds={}, clock=SystemClock()))
    process = WorkerProcess(broker, installation, wakeups, threads=1, interrupted=dropped.set)
    thread = threading.Thread(target=process.run)
    thread.start()
    try:
        wakeups.send("settle")
        eventually(began.is_set)
        eventually(dropped.is_set)
    finally:
        process.stop()
        thread.join(60)
    assert not thread.is_alive()
