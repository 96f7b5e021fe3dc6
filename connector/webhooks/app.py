"""The receiver over HTTP: proves each delivery, stores its hints, then answers. Nothing is read, decided or
written to a platform here.

`POST /SIDE` is a delivery of that side's platform, with whatever its adapter wants after it in the path.
`/healthz` and `/readyz` are for whoever watches. Everything that a stranger can send is bounded before it is
looked at: the length of a body, the memory that all bodies take together, and the time to send one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector.clock import Clock
from connector.platforms.pushes import Delivery, Head, NotAccepted, Receiver, Reply
from connector.store.errors import StoreError
from connector.store.inbox import Hint
from connector.webhooks.group_commit import Full, GroupCommit
from connector.webhooks.rate import Rate
from connector.webhooks.settings import WebhookSettings

BODY_SECONDS = 10.0
"""How long a sender may take over a body; platforms wait 5 to 60 seconds for the answer."""

MEMORY_BYTES = 64 * 1_048_576
"""How much the bodies that are being read may take together."""

RETRY_AFTER_SECONDS = 10
Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Door:
    """Where one side's platform delivers to. `account` is the org or portal we work with; None while it is
    not known, because leadloop has never connected. It may read the database."""

    receiver: Receiver
    account: Callable[[], str | None]


class Reception:
    """Takes deliveries. `base_url` is how platforms call this place, without a slash at the end. `tell` is
    told of everything that came: `webhook_received` and `webhook_refused`."""

    def __init__(
        self,
        doors: Mapping[str, Door],
        commits: GroupCommit,
        clock: Clock,
        limits: WebhookSettings,
        base_url: str,
        tell: Tell,
    ) -> None:
        self._doors = doors
        self._commits = commits
        self._clock = clock
        self._limits = limits
        self._base_url = base_url
        self._tell = tell
        self._rate = Rate(limits.deliveries_per_second)
        self._accounts: dict[str, str] = {}
        self._held_bytes = 0

    async def receive(self, request: Request) -> Response:
        """Answer one delivery."""
        side = request.path_params["side"]
        door = self._doors.get(side)
        if door is None:
            return Response(status_code=404)
        try:
            reply = await self._take(side, door, request)
        except NotAccepted as refused:
            self._tell("webhook_refused", {"side": side, "cause": refused.cause, "reason": str(refused)})
            again = {"Retry-After": str(RETRY_AFTER_SECONDS)} if refused.status in (429, 503) else None
            if refused.status == 503:
                return _response(door.receiver.reply(False), again)
            return Response(status_code=refused.status, headers=again)
        except ClientDisconnect:
            facts = {"side": side, "cause": "truncated", "reason": "the connection ended within the body"}
            self._tell("webhook_refused", facts)
            return Response(status_code=400)
        return _response(reply)

    async def _take(self, side: str, door: Door, request: Request) -> Reply:
        head = self._head(request)
        door.receiver.admit(head, self._clock.now_ms())
        body = await self._body(request)
        delivery = door.receiver.accept(head, body, await self._account(side, door))
        now_ms = self._clock.now_ms()
        if not self._rate.admits(now_ms):
            raise NotAccepted("too_fast", 429, "more deliveries in a second than are taken")
        try:
            await self._commits.put([Hint(side, *told, now_ms) for told in delivery.told])
        except (Full, StoreError) as error:
            raise NotAccepted("full", 503, str(error)) from error
        self._tell_of(side, delivery)
        return door.receiver.reply(True)

    def _head(self, request: Request) -> Head:
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        return Head(
            request.method,
            f"{self._base_url}{path}{'?' if query else ''}{query}",
            request.path_params.get("rest", ""),
            request.headers,
            getattr(request.state, "client_names", frozenset()),
        )

    async def _body(self, request: Request) -> bytes:
        most = self._limits.max_body_bytes
        declared = request.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared) > most:
            raise NotAccepted("too_large", 413, f"a body of more than {most} bytes")
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    # what has come is counted, not what was announced: who sends nothing holds nothing
                    if self._held_bytes + len(chunk) > MEMORY_BYTES:
                        raise NotAccepted("full", 503, "too many bodies are being read")
                    self._held_bytes += len(chunk)
                    body += chunk
                    if len(body) > most:
                        raise NotAccepted("too_large", 413, f"a body of more than {most} bytes")
                return bytes(body)
        except TimeoutError as error:
            raise NotAccepted("truncated", 408, f"no whole body within {BODY_SECONDS:g} seconds") from error
        finally:
            self._held_bytes -= len(body)

    async def _account(self, side: str, door: Door) -> str:
        known = self._accounts.get(side)
        if known is None:
            try:
                known = await asyncio.to_thread(door.account)
            except StoreError as error:
                raise NotAccepted("full", 503, str(error)) from error
            if known is None:
                raise NotAccepted("unknown_account", 503, "leadloop has never connected: start it once")
            self._accounts[side] = known
        return known

    def _tell_of(self, side: str, delivery: Delivery) -> None:
        refused = delivery.refused or {}
        for cause, events in refused.items():
            facts = {"side": side, "cause": cause, "reason": "events left out", "events": events}
            self._tell("webhook_refused", facts)
        self._tell(
            "webhook_received",
            {"side": side, "events": delivery.events, "unwanted": delivery.unwanted},
        )


def reception_app(
    reception: Reception, commits: GroupCommit, not_ready: Callable[[], str | None]
) -> Starlette:
    """The ASGI app. `not_ready` is called in a thread; None when deliveries can be stored."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        storing = asyncio.create_task(commits.run())
        try:
            yield
        finally:
            commits.close()
            await storing

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        # without the reason: this port is open to strangers
        ready = await asyncio.to_thread(not_ready) is None
        return JSONResponse({"status": "ok" if ready else "not ready"}, 200 if ready else 503)

    return Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
            Route("/{side}", reception.receive, methods=["POST"]),
            Route("/{side}/{rest:path}", reception.receive, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


def _response(reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    return Response(reply.body, reply.status, headers, reply.content_type or None)
