"""A server that reads a delivery, computes for a while and answers: what the machine alone costs a sender.

`python -m tests.benchmarks.bare_receiver MICROSECONDS` prints its address, and answers each delivery after so
much time of the processor, until it is ended."""

from __future__ import annotations

import asyncio
import sys
import time

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        until = time.thread_time() + int(sys.argv[1]) / 1_000_000
        while time.thread_time() < until:
            pass
        writer.write(ANSWER)


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hubspot", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
