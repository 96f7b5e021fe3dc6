"""Connection: one sender's connection, bounded in what the server itself leaves open to strangers.

Without this, a head may be as long as memory lasts, and who never ends a request keeps its connection for
ever. It also hands on to whom the sender's certificate was made out, as `client_names` of the request's
state. What a request is about is no matter here.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connector.webhooks.tls import names_in

REQUEST_SECONDS = 20.0
"""How long a sender may take over a whole request, from its first byte or from connecting on; more than the
app allows for the body alone."""

HEAD_BYTES = 65_536
"""How much may come that is no part of a body: a head, trailers, the lengths of chunks."""


class BoundedConnection(HttpToolsProtocol):
    """Closes what takes too long, or too much."""

    _ending: asyncio.TimerHandle | None = None
    _useless_bytes = 0
    _useful = False
    _client_names: frozenset[str] = frozenset()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._client_names = names_in(transport.get_extra_info("peercert"))
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ending is None:
            self._begin()
        self._useful = False
        super().data_received(data)
        self._useless_bytes = 0 if self._useful else self._useless_bytes + len(data)
        if self._useless_bytes > HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["client_names"] = self._client_names

    def on_headers_complete(self) -> None:
        self._useful = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._useful = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._useful = True
        self._end()
        super().on_message_complete()

    def _begin(self) -> None:
        self._ending = self.loop.call_later(REQUEST_SECONDS, self._too_slow)

    def _end(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _too_slow(self) -> None:
        self._ending = None
        self.transport.abort()
