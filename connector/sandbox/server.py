"""One ASGI app on a loopback port, served by uvicorn in a daemon thread. Quick to start, clean to stop.

It knows nothing of what it serves. Handlers of one server run one at a time in its event loop.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any

from connector.sandbox.faults import TRANSPORT_KEY, App

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0


class PortTakenError(Exception):
    """The wanted port cannot be listened on. `str()` is a sentence for a person."""


class Server:
    """A running server. `url` has no slash at its end."""

    def __init__(self, app: App, port: int = 0) -> None:
        """Listens when it returns. `port` 0 takes a free one. Raises PortTakenError."""
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._uvicorn, self._stopping = _uvicorn(app)
        self._thread = threading.Thread(target=self._run, name=f"sandbox:{self.port}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._uvicorn.run(sockets=[self._socket])

    def wait_started(self) -> None:
        """Return once requests are answered. Raises RuntimeError if that never happens."""
        if not self._stopping.started.wait(_START_SECONDS):
            raise RuntimeError("the sandbox server did not start")

    def stop(self) -> None:
        """Close every connection and the port. Further calls do nothing."""
        self._stopping.stop()
        self._thread.join(_STOP_SECONDS)
        self._socket.close()


def serve(app: App, port: int = 0) -> Server:
    """Serve an app on loopback; it answers when this returns. Raises PortTakenError."""
    server = Server(app, port)
    server.wait_started()
    return server


def _listen(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, each answer (headers,
    # then body) waits 40 ms for the client's delayed acknowledgement
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        # uvicorn listens a moment later; until then the backlog already takes connections
        found.listen(128)
    except OSError as error:
        found.close()
        raise PortTakenError(
            f"port {port} of {HOST} cannot be used ({error.strerror}): choose another one; 0 takes any that "
            "is free"
        ) from error
    return found


class _Switch:
    """How the starting thread and the event loop tell each other that it has started, or must stop."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    async def wait(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self.started.set()
        await self._wake.wait()

    def stop(self) -> None:
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)


def _uvicorn(app: App) -> tuple[uvicorn.Server, _Switch]:
    """A uvicorn server that waits for its switch instead of looking ten times a second, and whose requests
    carry their transport, so that a fault can cut the connection."""
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    switch = _Switch()

    class Quiet(uvicorn.Server):
        async def main_loop(self) -> None:
            await switch.wait()
            # at once: a client that keeps its connections open would hold up a graceful end
            self.force_exit = True

    class Cuttable(HttpToolsProtocol):
        def on_message_begin(self) -> None:
            super().on_message_begin()
            scope: Any = self.scope  # uvicorn types it as a TypedDict, which knows no keys of ours
            scope[TRANSPORT_KEY] = self.transport

    config = uvicorn.Config(
        app,
        http=Cuttable,
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        log_level=logging.ERROR,  # a fault of the sandbox itself must be seen
        date_header=False,
        timeout_keep_alive=75,
    )
    return Quiet(config), switch
