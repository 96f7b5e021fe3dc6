"""`leadloop run`: leadloop at work in one process, until it is stopped by SIGTERM or SIGINT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.output import counted, print_json
from connector.cli.place import place_of
from connector.cli.serving import check_credentials, check_port, run_service, served, stopped_by_signals
from connector.cli.webhooks import received

if TYPE_CHECKING:
    from connector.worker.passes import Pass


def run(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Make one pass until nothing is left to do.")] = False,
    health_port: Annotated[
        int | None,
        typer.Option(
            "--health-port", metavar="PORT", min=0, max=65_535, help="Serve /healthz, /readyz and /metrics."
        ),
    ] = None,
    health_host: Annotated[
        str, typer.Option("--health-host", metavar="HOST", help="Where to serve them.")
    ] = "127.0.0.1",
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: print what was done as JSON.")
    ] = False,
) -> None:
    """Keep both platforms in step until stopped. Takes webhooks where a port for them is set. SIGTERM and
    SIGINT let it finish what is under way; its log goes to stderr, as JSON."""
    from connector.cli.logs import log_to_stderr
    from connector.cli.service import Service
    from connector.wiring import open_database

    place = place_of(ctx)
    wanted = place.configuration()
    settings = place.settings()
    check_credentials(wanted, settings)
    check_port(health_host, health_port)
    with place.database(create=True) as probed, probed.begin():
        pass  # a database that cannot be written is told at once, and before any platform is asked
    log_to_stderr(settings.log_level)
    database = open_database(settings)
    try:
        service = Service(wanted, settings, database, place.clock)
        if once:
            _print(service.run_once(), as_json=as_json)
            return
        with (
            stopped_by_signals(service.stop),
            received(service.open_reception, settings),
            served(service, health_host, health_port),
        ):
            run_service(service)
    finally:
        database.close()


def _print(done: Pass, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "records_read": done.polled,
                "records_changed": done.changed,
                "leads": done.leads,
                "moves": done.moves,
                "written": done.written,
                "refused": done.refused,
                "waiting": done.waiting,
                "rounds": done.rounds,
            }
        )
        return
    typer.echo(
        f"{counted(done.polled, 'record')} read, {done.changed:,} of them changed; "
        f"{counted(done.leads, 'lead')} decided, {counted(done.moves, 'move')}, "
        f"{counted(done.written, 'write')}, {done.refused:,} refused."
    )
    if done.waiting:
        typer.echo(f"{counted(done.waiting, 'write')} put off: `leadloop status` says why; run this again.")
