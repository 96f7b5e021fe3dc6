"""`leadloop webhooks`: takes what the platforms send, and stores it for whoever reads it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from connector.cli.failures import Problem
from connector.cli.place import place_of
from connector.cli.worker import HealthHost, HealthPort

if TYPE_CHECKING:
    from connector.clock import Clock
    from connector.configuration import Configuration
    from connector.settings import Settings
    from connector.store.database import Database
    from connector.webhooks.reception import OpenReception


def webhooks(
    ctx: typer.Context, health_port: HealthPort = None, health_host: HealthHost = "127.0.0.1"
) -> None:
    """Take what the platforms send, store it, and answer. Several may run behind one address; `leadloop
    worker` reads what is stored. `leadloop run` does all of this by itself."""
    from connector.cli.logs import log_to_stderr
    from connector.cli.serving import check_port, run_service, served, stopped_by_signals
    from connector.wiring import open_database

    place = place_of(ctx)
    place.configuration()  # mistakes in it are told before anything is opened
    settings = place.settings()
    if settings.webhooks.port is None:
        raise Problem("LEADLOOP_WEBHOOKS__PORT is not set: it says where webhooks are taken.")
    check_port(health_host, health_port)
    log_to_stderr(settings.log_level)
    database = open_database(settings)
    try:
        with database.read() as conn:
            in_force = place.in_force(conn)
        service = _WebhookService(in_force, settings, database, place.clock)
        with (
            stopped_by_signals(service.stop),  # first: who sees the address may stop it already
            received(service.open_reception, settings),
            served(service, health_host, health_port),
        ):
            run_service(service)
    finally:
        database.close()


@contextmanager
def received(make: Callable[[], OpenReception], settings: Settings) -> Iterator[None]:
    """Webhooks are taken meanwhile, where a port for them is set. Raises Problem, SettingsError."""
    limits = settings.webhooks
    if limits.port is None:
        yield
        return
    import structlog

    try:
        reception = make()
    except OSError as error:
        raise Problem(
            f"LEADLOOP_WEBHOOKS__PORT {limits.port} on {limits.host} cannot be used ({error.strerror}): "
            "choose another one, or correct LEADLOOP_WEBHOOKS__HOST."
        ) from error
    log = structlog.get_logger()
    try:
        reception.start()
        log.info("receiving", url=reception.url)
        for side, address in reception.addresses.items():
            log.info("address for webhooks", side=side, address=address)
        for side, reason in reception.closed.items():
            log.warning("no webhooks", side=side, reason=reason)
        yield
    finally:
        reception.close()


class _WebhookService:
    """What runs between start and stop: the reception works by itself, on a thread of its own."""

    def __init__(
        self, configuration: Configuration, settings: Settings, database: Database, clock: Clock
    ) -> None:
        from connector.metrics import Metrics
        from connector.webhooks.telling import Teller

        self._sides = {name: side.platform for name, side in configuration.mapping.sides.items()}
        self._settings = settings
        self._database = database
        self._clock = clock
        self._stopping = threading.Event()
        self._reception: OpenReception | None = None
        self._metrics = Metrics(database, clock, self._sides, dict)
        self._teller = Teller(clock)

    def open_reception(self) -> OpenReception:
        """What takes webhooks, not started yet. Raises SettingsError, OSError."""
        from connector.webhooks.reception import OpenReception

        self._reception = OpenReception(self._sides, self._settings, self._database, self._clock, self._tell)
        return self._reception

    def run(self) -> None:
        """Wait until stopped."""
        self._stopping.wait()

    def stop(self) -> None:
        """End; what has come is stored and answered first."""
        self._stopping.set()

    def not_ready(self) -> str | None:
        """None when deliveries can be stored."""
        return None if self._reception is None else self._reception.not_ready()

    def metrics(self) -> tuple[str, bytes]:
        """Content type and page of the metrics. Raises StoreError."""
        from connector.metrics import CONTENT_TYPE

        return CONTENT_TYPE, self._metrics.text()

    def _tell(self, event: str, facts: Mapping[str, object]) -> None:
        self._metrics.count(event, facts)
        self._teller.tell(event, facts)
