"""Processes: `leadloop worker` and `leadloop clock`, from their settings to their end.

Threads, no forks: whatever is opened here is used by this process alone. The work itself is in `actors` and
`scheduler`; this file only starts, stops and closes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import entry_points
from queue import SimpleQueue
from types import FrameType

import dramatiq
import structlog

from connector.budget import Budget
from connector.clock import MINUTE_MS, Clock
from connector.configuration import Configuration
from connector.installation import Installation
from connector.settings import Settings
from connector.wiring import choose_configuration, connect, open_database
from connector.worker.actors import Duties, declare_actors
from connector.worker.broker import close_broker, prove_broker, redis_broker, wakeups_over
from connector.worker.connections import Connections, Opener
from connector.worker.scheduler import Scheduler
from connector.worker.wakeups import Wakeups

STOP_WITHIN_MS = 10 * MINUTE_MS
"""The longest that a stop waits for messages under way: as long as the longest of them may take."""

LOOK_EVERY_MS = 500
"""How often an idle worker asks Redis; a wake-up is met within this time."""

log = structlog.get_logger()


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
        """Finish the batches that are under way, then return from `run`. For any thread, but not for a
        signal handler: `run_until_signalled` calls it for one."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped."""
        # dramatiq's own command line emits this; without it TimeLimit never starts watching
        self._broker.emit_after("process_boot")
        worker = dramatiq.Worker(self._broker, worker_threads=self._threads, worker_timeout=LOOK_EVERY_MS)
        # a wake-up that this process cannot take yet stays in Redis, for another process
        worker.queue_prefetch = 1
        worker.start()
        try:
            self._stopping.wait()
        finally:
            worker.stop(timeout=STOP_WITHIN_MS)


@contextmanager
def opened_worker(
    configuration: Configuration, settings: Settings, clock: Clock, threads: int
) -> Iterator[WorkerProcess]:
    """A worker, connected to everything; closed afterwards. Raises SettingsError, StoreError, ConfigErrors,
    WrongAccount, or what a platform refuses, before anything has been written to a platform."""
    broker = redis_broker(settings)
    try:
        prove_broker(broker)
        database = open_database(settings)
        try:
            chosen, notice = choose_configuration(database, configuration, clock.now_ms())
            if notice:
                log.warning(notice)
            connected = connect(chosen, settings, database, clock)
            for warning in connected.warnings:
                log.warning(warning)
            installation = connected.installation
            openers = _openers(chosen, settings, connected.budgets, clock)
            connections = Connections(openers, opened=installation.platforms)
            installation.platforms = connections
            try:
                yield WorkerProcess(broker, installation, wakeups_over(broker), threads, connections.drop)
            finally:
                connections.close()
        finally:
            database.close()
    finally:
        close_broker(broker)


@contextmanager
def opened_clock(
    configuration: Configuration, settings: Settings, clock: Clock, token: str
) -> Iterator[Scheduler]:
    """A clock, connected to the database and to Redis; closed afterwards. `token` names it among the clocks.
    Raises SettingsError, StoreError, ConfigErrors."""
    broker = redis_broker(settings)
    try:
        prove_broker(broker)
        database = open_database(settings)
        try:
            chosen, notice = choose_configuration(database, configuration, clock.now_ms())
            if notice:
                log.warning(notice)
            wake = wakeups_over(broker).send
            yield Scheduler(database, clock, chosen.mapping.sides, wake, token, chosen.version)
        finally:
            database.close()
    finally:
        close_broker(broker)


def run_until_signalled(run: Callable[[], None], stop: Callable[[], None]) -> None:
    """Call `run`; SIGTERM or SIGINT calls `stop` and waits for it to return; a second one ends at once. For
    the main thread. Raises what `run` raised."""
    # `run` gets a thread of its own, because `stop` sets an Event, which a handler that interrupts a wait for
    # the same Event cannot do safely; a SimpleQueue can be put to from anywhere
    news: SimpleQueue[BaseException | None] = SimpleQueue()

    def guarded() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001  # handed to the main thread, which raises it
            news.put(error)
        else:
            news.put(None)

    def stop_once(number: int, frame: FrameType | None) -> None:
        del frame
        restore()
        news.put(_Signalled(signal.Signals(number).name))

    before = {each: signal.signal(each, stop_once) for each in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    thread = threading.Thread(target=guarded, name="leadloop-main", daemon=True)
    thread.start()
    try:
        told = news.get()
        if isinstance(told, _Signalled):
            log.info("stopping", signal=str(told))
            stop()
            told = news.get()
        thread.join()
        if told is not None:
            raise told
    finally:
        restore()


class _Signalled(Exception):
    """A signal came; never raised."""


def _openers(
    configuration: Configuration, settings: Settings, budgets: Mapping[str, Budget], clock: Clock
) -> dict[str, Opener]:
    """What makes a further connection to each side. Each platform is installed: `connect` has used it."""
    openers: dict[str, Opener] = {}
    for name, side in configuration.mapping.sides.items():
        (entry,) = entry_points(group="leadloop.platforms", name=side.platform)
        own = getattr(settings, side.platform, None)
        openers[name] = partial(entry.load(), own, name, budgets[name], clock)
    return openers
