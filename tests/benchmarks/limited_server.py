"""Limited server: a HubSpot that enforces its limits by the second, in a process of its own.

190 calls in any 10 seconds, and five searches in any second. A call is counted when it has arrived, or when
it is about to be answered, as `COUNTED` says (HubSpot does not), and answered 100 ms after it arrived.
One call too many is answered 429, with the limit's name. Understands nothing of what it is sent.

    python -m tests.benchmarks.limited_server COUNTED     prints its port
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from contextlib import AbstractContextManager
from typing import Any

import orjson
import urllib3

from tests.benchmarks.server_process import in_a_process

BURST, BURST_SECONDS, SEARCHES, LATENCY_SECONDS = 190, 10.0, 5, 0.1


class LimitedServer:
    """`late`: a call is counted when it is answered."""

    def __init__(self, *, late: bool) -> None:
        self._late = late
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()
        self.seen: dict[str, Any] = {"calls": 0, "refused": 0, "records": 0, "first": None, "last": None}

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """All requests of one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                arrived = time.monotonic()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
                body = await reader.readexactly(length)
                path = head.split(b" ", 2)[1].decode()
                status, answer = 200, orjson.dumps(self.seen)
                if path != "/seen":
                    status, answer = await self._answer(path, body, arrived)
                writer.write(
                    b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nX-HubSpot-RateLimit-Max: %d\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (status, BURST, len(answer), answer)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, path: str, body: bytes, arrived: float) -> tuple[int, bytes]:
        if self._late:
            await asyncio.sleep(max(0.0, arrived + LATENCY_SECONDS - time.monotonic()))
        search = path.endswith("/search")
        policy = self._count(self._searches, SEARCHES, 1.0) if search else None
        policy = policy or self._count(self._calls, BURST, BURST_SECONDS)
        if not self._late:
            await asyncio.sleep(max(0.0, arrived + LATENCY_SECONDS - time.monotonic()))
        self.seen["first"] = self.seen["first"] or arrived
        self.seen["last"] = time.monotonic()
        if policy is not None:
            self.seen["refused"] += 1
            return 429, orjson.dumps({"status": "error", "policyName": policy})
        self.seen["calls"] += 1
        if search:
            return 200, b'{"total":0,"results":[]}'
        inputs = orjson.loads(body)["inputs"]
        self.seen["records"] += len(inputs)
        return 200, orjson.dumps({"results": [{"id": each["id"], "properties": {}} for each in inputs]})

    def _count(self, calls: deque[float], most: int, seconds: float) -> str | None:
        now = time.monotonic()
        while calls and calls[0] < now - seconds:  # one at the very end of the stretch counts too
            calls.popleft()
        if len(calls) >= most:
            return "SECONDLY" if seconds == 1.0 else "TEN_SECONDLY_ROLLING"
        calls.append(now)
        return None


async def _serve(*, late: bool) -> None:
    server = await asyncio.start_server(LimitedServer(late=late).converse, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def limited_server(*, late: bool) -> AbstractContextManager[str]:
    """The address of a server in a process of its own."""
    return in_a_process("tests.benchmarks.limited_server", "late" if late else "early")


def seen_by(url: str) -> dict[str, Any]:
    """Calls answered and refused, records, and the moments of the first and the last, in seconds."""
    seen: dict[str, Any] = orjson.loads(urllib3.request("GET", f"{url}/seen").data)
    return seen


if __name__ == "__main__":
    asyncio.run(_serve(late=sys.argv[1] == "late"))
