"""`leadloop streams`: follows the platforms' streams of events, and stores what they tell of."""

from __future__ import annotations

import typer

from connector.cli.place import place_of
from connector.cli.worker import HealthHost, HealthPort


def streams(
    ctx: typer.Context, health_port: HealthPort = None, health_host: HealthHost = "127.0.0.1"
) -> None:
    """Follow the platforms' streams of events. Stores which records they tell of, for `leadloop worker` to
    read. Several may run: one of them follows a stream, the others stand by. `leadloop run` does all of this
    by itself."""
    from connector.cli.logs import log_to_stderr
    from connector.cli.serving import check_credentials, check_port, run_service, served, stopped_by_signals
    from connector.cli.stream_service import StreamService
    from connector.wiring import open_database

    place = place_of(ctx)
    wanted = place.configuration()
    settings = place.settings()
    check_credentials(wanted, settings)
    check_port(health_host, health_port)
    log_to_stderr(settings.log_level)
    database = open_database(settings)
    try:
        service = StreamService(wanted, settings, database, place.clock)
        with stopped_by_signals(service.stop), served(service, health_host, health_port):
            run_service(service)
    finally:
        database.close()
