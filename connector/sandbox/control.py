"""The control endpoints that every world has: state, faults, requests, clock. JSON under `/_sandbox/`, no
authentication, never counted. Everything else there is the world's own (records, merges, conversions) and
goes on to its app, whose answers are dated here by the world's clock.

GET `state`, GET and POST `faults`, GET and DELETE `requests`, GET and POST `clock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import orjson

from connector.clock import Clock
from connector.sandbox.faults import CONTROL_PREFIX, App, Faults, Message, Receive, Requests, Scope, Send


class World(Protocol):
    """What the host needs of a platform's sandbox."""

    @property
    def clock(self) -> Clock: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def requests(self) -> Requests: ...

    def app(self) -> App:
        """The platform over HTTP."""
        ...

    def to_json(self) -> Any:
        """Everything that a restart must keep."""
        ...

    def from_json(self, saved: Any, /) -> None:
        """Take over what `to_json` gave."""
        ...


@runtime_checkable
class MovableClock(Protocol):
    """A clock whose time can be moved from outside."""

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        ...


class Control:
    """ASGI: answers the common control endpoints of one world and passes everything else to its app."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        self._app = world.app()
        self._actions: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {
            ("GET", "state"): lambda _: world.to_json(),
            ("GET", "faults"): lambda _: world.faults.to_json(),
            ("POST", "faults"): self._set_faults,
            ("GET", "requests"): lambda _: world.requests.to_json(),
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "clock"): lambda _: {"now_ms": clock.now_ms()},
            ("POST", "clock"): self._move_clock,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        action = None
        if scope["type"] == "http" and path.startswith(CONTROL_PREFIX):
            action = self._actions.get((scope["method"], path.removeprefix(CONTROL_PREFIX).rstrip("/")))
        if action is None:
            await self._app(scope, receive, self._dated(send))
            return
        status = 200
        body: Any
        try:
            given = orjson.loads(await read_body(receive) or b"{}")
            if not isinstance(given, dict):
                raise ValueError("an object was expected")
            body = action(given)
        except ValueError as error:
            status, body = 400, {"error": str(error)}
        await send_json(send, status, body)

    def _dated(self, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"date", _date(self._world.clock.now_ms() // 1_000)),
                ]
            await send(message)

        return dated

    def _set_faults(self, given: Mapping[str, Any]) -> Any:
        self._world.faults.apply(given)
        return self._world.faults.to_json()

    def _forget_requests(self, _: Mapping[str, Any]) -> Any:
        self._world.requests.reset()
        return self._world.requests.to_json()

    def _move_clock(self, given: Mapping[str, Any]) -> Any:
        if not isinstance(self._clock, MovableClock):
            raise ValueError("this sandbox runs on a clock that cannot be moved")
        if "advance_seconds" in given:
            seconds = float(given["advance_seconds"])
        elif "now_ms" in given:
            seconds = (int(given["now_ms"]) - self._clock.now_ms()) / 1_000
        else:
            raise ValueError("say now_ms or advance_seconds")
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._clock.advance(seconds)
        return {"now_ms": self._clock.now_ms()}


@lru_cache(maxsize=16)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode("latin-1")


async def read_body(receive: Receive) -> bytes:
    """All of a request's body."""
    content = bytearray()
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(content)


async def send_json(send: Send, status: int, body: Any) -> None:
    """A whole JSON answer."""
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
