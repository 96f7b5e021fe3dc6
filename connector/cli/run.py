"""`leadloop run`: leadloop at work in one process, until it is stopped by SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.failures import FOUND, Problem, exit_code
from connector.cli.output import counted, print_json
from connector.cli.place import place_of

if TYPE_CHECKING:
    from types import FrameType

    from connector.cli.service import Service
    from connector.configuration import Configuration
    from connector.settings import Settings
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
    """Keep both platforms in step until stopped. SIGTERM and SIGINT let it finish what is under way; its
    log goes to stderr, as JSON."""
    from connector.cli.logs import log_to_stderr
    from connector.cli.service import Service
    from connector.wiring import open_database

    place = place_of(ctx)
    wanted = place.configuration()
    settings = place.settings()
    _check_credentials(wanted, settings)
    with place.database(create=True) as probed, probed.begin():
        pass  # a database that cannot be written is told at once, and before any platform is asked
    log_to_stderr(settings.log_level)
    database = open_database(settings)
    try:
        service = Service(wanted, settings, database, place.clock)
        if once:
            _print(service.run_once(), as_json=as_json)
            return
        with _served(service, health_host, health_port), _stopped_by_signals(service.stop):
            _run(service)
    finally:
        database.close()


def _check_credentials(wanted: Configuration, settings: Settings) -> None:
    """Before a database is made: every platform has credentials. Raises SettingsError."""
    for side in wanted.mapping.sides.values():
        own = getattr(settings, side.platform, None)
        if own is not None:
            own.credentials()


def _run(service: Service) -> None:
    """Run; what nobody foresaw is logged without the values that its message may quote."""
    import structlog

    try:
        service.run()
    except Exception as error:
        if exit_code(error) is not None:
            raise
        frames = "".join(traceback.format_tb(error.__traceback__))
        structlog.get_logger().error("failed", error=type(error).__name__, where=frames.splitlines()[-12:])
        raise Problem(
            f"leadloop stopped on an unforeseen error ({type(error).__name__}); the log tells where. What "
            "was under way is taken up again by the next start.",
            FOUND,
        ) from None


@contextmanager
def _served(service: Service, host: str, port: int | None) -> Iterator[None]:
    """Health and metrics, where a port is given."""
    if port is None:
        yield
        return
    import structlog

    from connector.health import HealthServer

    try:
        server = HealthServer(host, port, service.not_ready, service.metrics)
    except OSError as error:
        raise Problem(f"--health-port {port} on {host} cannot be used ({error.strerror}).") from error
    structlog.get_logger().info("health", url=server.url)
    try:
        yield
    finally:
        server.close()


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """The first SIGTERM or SIGINT stops gracefully, a second one at once (which loses nothing either: what
    was being sent is read again by the next start)."""
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {each: signal.getsignal(each) for each in signals}

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def end(signal_number: int, frame: FrameType | None) -> None:
        del signal_number, frame
        restore()
        # on a thread of its own: the main thread may hold the very locks that stopping takes
        threading.Thread(target=stop, name="leadloop-stop").start()

    for each in signals:
        signal.signal(each, end)
    try:
        yield
    finally:
        restore()


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
                "rounds": done.rounds,
            }
        )
        return
    typer.echo(
        f"{counted(done.polled, 'record')} read, {done.changed:,} of them changed; "
        f"{counted(done.leads, 'lead')} decided, {counted(done.moves, 'move')}, "
        f"{counted(done.written, 'write')}, {done.refused:,} refused."
    )
