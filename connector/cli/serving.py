"""Serving: what the commands share that run until a signal comes."""

from __future__ import annotations

import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from connector.cli.failures import FOUND, Problem, exit_code

if TYPE_CHECKING:
    from types import FrameType

    from connector.configuration import Configuration
    from connector.settings import Settings


class Running(Protocol):
    """Something that works until it is stopped, and tells how it is."""

    def run(self) -> None:
        """Work until `stop` is called."""
        ...

    def stop(self) -> None:
        """Finish what is under way, then return from `run`."""
        ...

    def not_ready(self) -> str | None:
        """Why it cannot work now, in one sentence; None when it can."""
        ...

    def metrics(self) -> tuple[str, bytes]:
        """Content type and page of the metrics."""
        ...


def check_credentials(wanted: Configuration, settings: Settings) -> None:
    """Before a database is made: every platform has credentials. Raises SettingsError."""
    for side in wanted.mapping.sides.values():
        own = getattr(settings, side.platform, None)
        if own is not None:
            own.credentials()


def run_service(service: Running) -> None:
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


def check_port(host: str, port: int | None) -> None:
    """Before a database is made: the port for health can be listened on. Raises Problem."""
    if not port:
        return
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise _unusable(host, port, error) from error


def _unusable(host: str, port: int, error: OSError) -> Problem:
    return Problem(
        f"--health-port {port} on {host} cannot be used ({error.strerror}): choose another one (0 takes any "
        "that is free), or correct --health-host."
    )


@contextmanager
def served(service: Running, host: str, port: int | None) -> Iterator[None]:
    """Health and metrics, where a port is given."""
    if port is None:
        yield
        return
    import structlog

    from connector.health import HealthServer

    try:
        server = HealthServer(host, port, service.not_ready, service.metrics)
    except OSError as error:
        raise _unusable(host, port, error) from error
    structlog.get_logger().info("health", url=server.url)
    try:
        yield
    finally:
        server.close()


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
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
