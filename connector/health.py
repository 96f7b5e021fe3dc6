"""Health: /healthz, /readyz and /metrics over HTTP, for whoever watches a running leadloop.

A small server of the standard library on a thread of its own; it tells, and takes nothing. Bound to loopback
unless told otherwise, since nobody is asked for a password.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER_SECONDS = 10.0
"""How long a client may take to send its request."""

Ready = Callable[[], str | None]
"""None when all is well, otherwise a sentence."""


class HealthServer:
    """Answers until closed. `ready` and `metrics` are called in the server's threads."""

    def __init__(self, host: str, port: int, ready: Ready, metrics: Callable[[], tuple[str, bytes]]) -> None:
        """Listen at once; port 0 takes a free one. Raises OSError when the port is taken."""
        self._server = ThreadingHTTPServer((host, port), _handler(ready, metrics))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="leadloop-health",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(ready: Ready, metrics: Callable[[], tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = ANSWER_SECONDS
        server_version = "leadloop"
        sys_version = ""

        def do_GET(self) -> None:  # http.server finds it by this name
            path = self.path.partition("?")[0]
            if path == "/healthz":
                self._answer(200, "application/json", b'{"status": "ok"}')
            elif path == "/readyz":
                self._ready()
            elif path == "/metrics":
                self._metrics()
            else:
                self._answer(404, "application/json", b'{"status": "not found"}')

        def _ready(self) -> None:
            reason = ready()
            told = {"status": "ok"} if reason is None else {"status": "not ready", "reason": reason}
            self._answer(200 if reason is None else 503, "application/json", json.dumps(told).encode())

        def _metrics(self) -> None:
            try:
                kind, page = metrics()
            except Exception as error:  # noqa: BLE001  # a scrape that fails is told to the scraper
                self._answer(503, "text/plain", f"{type(error).__name__}\n".encode())
                return
            self._answer(200, kind, page)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002  # the parent's signature
            return  # a probe every few seconds is no news

    return Handler
