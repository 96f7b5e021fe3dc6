"""Worker service: what `leadloop worker` and `leadloop clock` run, with their health and metrics.

The worker connects, waits where a platform does not answer yet, and connects anew for the same reasons as
`leadloop run`; only what works in between is another. The clock needs the database and Redis, no platform.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping

import structlog

from connector.cli.service import RECONNECT_MS, Service
from connector.clock import HOUR_MS, SECOND_MS, Clock
from connector.configuration import Configuration, compile_documents
from connector.metrics import CONTENT_TYPE, Metrics
from connector.settings import Settings
from connector.store.configurations import applied_configuration
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.wiring import Connected
from connector.worker.broker import close_broker, redis_broker, wakeups_over
from connector.worker.health import overdue_sides
from connector.worker.poll_lease import last_polls_ms
from connector.worker.processes import WorkerProcess, worker_over_redis
from connector.worker.scheduler import Scheduler

log = structlog.get_logger()


class WorkerService(Service):
    """One process of workers. `run` blocks until `stop`, which may be called from any thread."""

    def __init__(
        self, wanted: Configuration, settings: Settings, database: Database, clock: Clock, threads: int
    ) -> None:
        self._process: WorkerProcess | None = None
        self._sides = tuple(wanted.mapping.sides)
        self._threads = threads
        super().__init__(wanted, settings, database, clock)

    def stop(self) -> None:
        """Finish what is under way and end."""
        super().stop()
        process = self._process
        if process is not None:
            process.stop()

    def not_ready(self) -> str | None:
        """None when this process is connected and every side is looked at, by whichever worker."""
        if self._process is None:
            return "not connected yet"
        return _overdue(self._database, self._sides, self._clock)

    def _work(self, connected: Connected) -> None:
        self._sides = tuple(connected.installation.feeds)
        with worker_over_redis(connected, self._settings, self._clock, self._threads) as process:
            self._process = process
            if self._stopping.is_set():  # `stop` came before it could see this process
                process.stop()
            log.info("started", configuration=connected.installation.configuration)
            try:
                process.run(lambda stopping: self._clock.sleep(RECONNECT_MS / SECOND_MS, stopping))
            finally:
                self._process = None

    def _last_poll_ms(self) -> Mapping[str, int]:
        with self._database.read() as conn:
            return last_polls_ms(conn, self._sides)


class ClockService:
    """One process of a clock. `run` blocks until `stop`, which may be called from any thread."""

    def __init__(self, wanted: Configuration, settings: Settings, database: Database, clock: Clock) -> None:
        self._wanted = wanted
        self._settings = settings
        self._database = database
        self._clock = clock
        self._token = uuid.uuid4().hex
        self._stopping = threading.Event()
        self._scheduler: Scheduler | None = None
        self._metrics = Metrics(database, clock, wanted.mapping.sides, self._last_poll_ms)

    def stop(self) -> None:
        """End within moments."""
        self._stopping.set()
        scheduler = self._scheduler
        if scheduler is not None:
            scheduler.stop()

    def run(self) -> None:
        """Wake the workers until stopped. Raises SettingsError, StoreError when it cannot begin."""
        broker = redis_broker(self._settings)
        try:
            while not self._stopping.is_set():
                configuration = self._in_force()
                scheduler = self._scheduler = Scheduler(
                    self._database,
                    self._clock,
                    configuration.mapping.sides,
                    wakeups_over(broker).send,
                    self._token,
                    configuration.version,
                    int(self._settings.verify_hours * HOUR_MS),
                )
                if self._stopping.is_set():  # `stop` came before it could see this scheduler
                    scheduler.stop()
                log.info("started", configuration=configuration.version)
                scheduler.run()
        finally:
            close_broker(broker)
        log.info("stopped")

    def not_ready(self) -> str | None:
        """None when every side is looked at; whose clock leads does not matter."""
        return _overdue(self._database, tuple(self._wanted.mapping.sides), self._clock)

    def metrics(self) -> tuple[str, bytes]:
        """Content type and page of the metrics. Raises StoreError."""
        return CONTENT_TYPE, self._metrics.text()

    def _in_force(self) -> Configuration:
        """The configuration that was applied. The first one is applied by a worker, once it has connected."""
        with self._database.read() as conn:
            applied = applied_configuration(conn)
        return self._wanted if applied is None else compile_documents(applied.documents)

    def _last_poll_ms(self) -> Mapping[str, int]:
        with self._database.read() as conn:
            return last_polls_ms(conn, self._wanted.mapping.sides)


def _overdue(database: Database, sides: tuple[str, ...], clock: Clock) -> str | None:
    try:
        return " ".join(overdue_sides(database, sides, clock.now_ms())) or None
    except StoreError as error:
        return str(error)
