"""Processes: one dramatiq worker in this process, and the platform connections of its threads.

Threads, no forks: whatever is opened here is used by this process alone. The work itself is in `actors`; this
file only starts, stops and closes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import entry_points

import dramatiq

from connector.budget import Budget
from connector.clock import MINUTE_MS, Clock
from connector.connections import Connections, Opener
from connector.installation import Installation
from connector.settings import Settings
from connector.store.at_work import at_work
from connector.wiring import Connected
from connector.worker.actors import Duties, declare_actors
from connector.worker.broker import close_broker, redis_broker, wakeups_over
from connector.worker.wakeups import Wakeups
from mappings.mapping import SideMapping

STOP_WITHIN_MS = 10 * MINUTE_MS
"""The longest that a stop waits for messages under way: as long as the longest of them may take."""

LOOK_EVERY_MS = 500
"""How often an idle worker asks Redis; a wake-up is met within this time."""


class WorkerProcess:
    """A dramatiq worker in this process, over any broker. `run` blocks until `stop`."""

    def __init__(
        self,
        broker: dramatiq.Broker,
        installation: Installation,
        wakeups: Wakeups,
        threads: int,
        interrupted: Callable[[], object] = lambda: None,
    ) -> None:
        self._broker = broker
        self._threads = threads
        self._stopping = threading.Event()
        declare_actors(broker, Duties(installation, wakeups.send, self._stopping, self.stop), interrupted)

    def stop(self) -> None:
        """Finish the batches that are under way, then return from `run`. For any thread."""
        self._stopping.set()

    def run(self, wait: Callable[[threading.Event], object] = threading.Event.wait) -> None:
        """Work until stopped, or until `wait` on the stopping event returns for a reason of its own."""
        # dramatiq's own command line emits this; without it TimeLimit never starts watching
        self._broker.emit_after("process_boot")
        worker = dramatiq.Worker(self._broker, worker_threads=self._threads, worker_timeout=LOOK_EVERY_MS)
        # a wake-up that this process cannot take yet stays in Redis, for another process
        worker.queue_prefetch = 1
        worker.start()
        try:
            wait(self._stopping)
        finally:
            self._stopping.set()
            worker.stop(timeout=STOP_WITHIN_MS)


@contextmanager
def worker_over_redis(
    connected: Connected, settings: Settings, clock: Clock, threads: int
) -> Iterator[WorkerProcess]:
    """A worker at LEADLOOP_REDIS_URL for what has been connected, whose platform connections its threads take
    over; theirs and Redis's are closed afterwards. Raises SettingsError."""
    broker = redis_broker(settings)
    installation = connected.installation
    openers = _openers(installation.policy.mapping.sides, settings, connected.budgets, clock)
    connections = Connections(openers, opened=installation.platforms)
    installation.platforms = connections
    try:
        with at_work(installation.database):
            yield WorkerProcess(broker, installation, wakeups_over(broker), threads, connections.drop)
    finally:
        connections.close()
        installation.aside.close()
        close_broker(broker)


def _openers(
    sides: Mapping[str, SideMapping], settings: Settings, budgets: Mapping[str, Budget], clock: Clock
) -> dict[str, Opener]:
    """What makes a further connection to each side. Each platform is installed: `connect` has used it."""
    openers: dict[str, Opener] = {}
    for name, side in sides.items():
        (entry,) = entry_points(group="leadloop.platforms", name=side.platform)
        own = getattr(settings, side.platform, None)
        openers[name] = partial(entry.load(), own, name, budgets[name], clock)
    return openers
