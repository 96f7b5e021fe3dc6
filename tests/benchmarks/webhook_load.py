"""The load of the webhook benchmark: signed deliveries at a fixed rate, from a process of its own.

`python -m tests.benchmarks.webhook_load URL A_SECOND SECONDS EVENTS` prints JSON: the status of each answer
and its time in milliseconds, from the moment at which the delivery was due to the last byte of the answer. So
a receiver that falls behind is charged for the waiting too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

from tests.webhooks.sending import event, signed

CONNECTIONS = 64
"""HubSpot's own limit is 10 at once for an app, unless it is raised."""


def deliveries(url: str, count: int, events: int) -> list[bytes]:
    """Whole requests, each with events about records of its own."""
    made = []
    place = urlsplit(url)
    at_ms = time.time_ns() // 1_000_000
    for number in range(count):
        ids = range(1_000_000 + number * events, 1_000_000 + (number + 1) * events)
        body = json.dumps(
            [event(each, propertyName="email", propertyValue=f"n{each}@acme.example") for each in ids]
        )
        headers = signed(url, body.encode(), at_ms)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        lines += f"Host: {place.netloc}\r\nContent-Length: {len(body)}\r\n"
        head = f"POST {place.path} HTTP/1.1\r\n{lines}\r\n"
        made.append((head + body).encode())
    return made


async def load(url: str, a_second: int, requests: list[bytes]) -> tuple[list[int], list[float]]:
    """Send each when it is due; returns statuses and times."""
    place = urlsplit(url)
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(place.hostname, place.port))
    loop = asyncio.get_running_loop()
    began = loop.time() + 0.2
    statuses: list[int] = []
    times: list[float] = []

    async def one(number: int) -> None:
        due = began + number / a_second
        connection = await free.get()
        reader, writer = connection
        writer.write(requests[number])
        head = await reader.readuntil(b"\r\n\r\n")
        free.put_nowait(connection)
        times.append(1_000 * (loop.time() - due))
        statuses.append(int(head.split(b" ", 2)[1]))

    tasks = []
    for number in range(len(requests)):
        wait = began + number / a_second - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    return statuses, times


def main() -> None:
    url, a_second, seconds, events = sys.argv[1], *map(int, sys.argv[2:])
    requests = deliveries(url, a_second * seconds, events)
    statuses, times = asyncio.run(load(url, a_second, requests))
    print(json.dumps({"statuses": Counter(statuses), "times_ms": times}))


if __name__ == "__main__":
    main()
