"""The server of the receiver: uvicorn in a thread of its own, on one port. It knows nothing of webhooks."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from connector.webhooks.tls import Tls

GRACEFUL_SECONDS = 10
"""How long deliveries that are being taken have when the server stops."""

MOST_CONNECTIONS = 2_000
IDLE_SECONDS = 30
START_SECONDS = 20.0


class WebhookServer:
    """Answers from `start` to `stop`."""

    def __init__(self, host: str, port: int, tls: Tls | None = None) -> None:
        """Take the port; 0 takes a free one. Raises OSError when it cannot be listened on."""
        self._tls = tls
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # asyncio switches Nagle's algorithm off only where the protocol is named
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'http' if tls is None else 'https'}://{shown}:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, app: Starlette) -> None:
        """Answer by `app` from now on. Raises RuntimeError when it does not come up."""
        import uvicorn

        from connector.webhooks.connection import BoundedConnection

        started = threading.Event()

        class Telling(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                started.set()

        config = uvicorn.Config(
            app,
            interface="asgi3",
            http=BoundedConnection,
            ws="none",
            lifespan="on",
            # a path holds a secret
            access_log=False,
            log_config=None,
            # addresses come from the settings, never from what a request says
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
            **_ssl_options(self._tls),
        )
        server = self._server = Telling(config)
        self._thread = threading.Thread(
            target=server.run, args=([self._socket],), name="leadloop-webhooks", daemon=True
        )
        self._thread.start()
        if not started.wait(START_SECONDS):
            raise RuntimeError("the receiver did not start")

    def stop(self) -> None:
        """Take no more connections, finish and store what has come, and close the port."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._socket.close()


def _ssl_options(tls: Tls | None) -> dict[str, Any]:
    """What uvicorn wants to know of it."""
    if tls is None:
        return {}
    asked = (
        {}
        if tls.client_roots is None
        else {
            "ssl_ca_certs": tls.client_roots,
            # whoever has none may still be heard: the sides say which of them demand one
            "ssl_cert_reqs": ssl.CERT_OPTIONAL,
        }
    )
    return {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.private_key, **asked}
