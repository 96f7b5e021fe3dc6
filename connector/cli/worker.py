"""`leadloop worker` and `leadloop clock`: leadloop on several machines, over Redis and one database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.place import place_of

if TYPE_CHECKING:
    from connector.cli.service import Service
    from connector.cli.serving import Running
    from connector.cli.worker_service import ClockService
    from connector.clock import Clock
    from connector.configuration import Configuration
    from connector.settings import Settings
    from connector.store.database import Database

    MakeService = Callable[[Configuration, Settings, Database, Clock], Running]

HealthPort = Annotated[
    int | None,
    typer.Option(
        "--health-port", metavar="PORT", min=0, max=65_535, help="Serve /healthz, /readyz and /metrics."
    ),
]
HealthHost = Annotated[str, typer.Option("--health-host", metavar="HOST", help="Where to serve them.")]


def worker(
    ctx: typer.Context,
    threads: Annotated[
        int, typer.Option("--threads", min=1, max=32, help="How many duties are worked on at once.")
    ] = 3,
    health_port: HealthPort = None,
    health_host: HealthHost = "127.0.0.1",
) -> None:
    """Do what the clock wakes for. Any number of these may run, on as many machines; they share one database
    and one Redis. SIGTERM and SIGINT let it finish what is under way."""

    def make(wanted: Configuration, settings: Settings, database: Database, clock: Clock) -> Service:
        from connector.cli.worker_service import WorkerService

        return WorkerService(wanted, settings, database, clock, threads)

    _serve(ctx, make, health_host, health_port, platforms=True)


def clock(ctx: typer.Context, health_port: HealthPort = None, health_host: HealthHost = "127.0.0.1") -> None:
    """Wake the workers when there is work. Several may run: one of them leads, the others stand by."""

    def make(wanted: Configuration, settings: Settings, database: Database, clock: Clock) -> ClockService:
        from connector.cli.worker_service import ClockService

        return ClockService(wanted, settings, database, clock)

    _serve(ctx, make, health_host, health_port, platforms=False)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(worker)
    app.command()(clock)


def _serve(
    ctx: typer.Context, make: MakeService, health_host: str, health_port: int | None, *, platforms: bool
) -> None:
    """Prove that everything needed is there, then run until a signal comes."""
    from connector.cli.logs import log_to_stderr
    from connector.cli.serving import check_credentials, check_port, run_service, served, stopped_by_signals
    from connector.wiring import open_database
    from connector.worker.broker import close_broker, prove_broker, redis_broker

    place = place_of(ctx)
    wanted = place.configuration()
    settings = place.settings()
    if platforms:
        check_credentials(wanted, settings)
    check_port(health_host, health_port)
    broker = redis_broker(settings)
    try:
        prove_broker(broker)
    finally:
        close_broker(broker)
    log_to_stderr(settings.log_level)
    database = open_database(settings)
    try:
        service = make(wanted, settings, database, place.clock)
        with stopped_by_signals(service.stop), served(service, health_host, health_port):
            run_service(service)
    finally:
        database.close()
