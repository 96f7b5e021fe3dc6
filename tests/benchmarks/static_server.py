"""Static server: both platforms' reading endpoints over records rendered before the first request.

In a process of its own, so that its work is nobody's CPU but its own. Of a request it reads the cursor
alone: the moment a search or query begins at, and the offset. Understands no filter, sort or field list.

    python -m tests.benchmarks.static_server SIDE COUNT EDITION     prints its port
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import unquote_plus

import orjson
import urllib3

from tests.benchmarks.records import Served, Side, served

SEARCH_PAGE, QUERY_PAGE = 200, 2_000
_SINCE = re.compile(r"SystemModstamp >= (\S+)")
_OBJECT = re.compile(r" FROM (\w+) ")


class StaticServer:
    """Answers on any number of connections, one thread each."""

    def __init__(self, records: list[Served]) -> None:
        self.stamps = [record.stamp_ms for record in records]
        self.bodies = [record.body for record in records]
        self.requests: Counter[str] = Counter()

    def serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            # else Nagle's algorithm holds the end of each answer back for 40 ms
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        received = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in received:
                    part = connection.recv(65_536)
                    if not part:
                        return
                    received += part
                head, _, received = received.partition(b"\r\n\r\n")
                length = int(next(iter(re.findall(rb"(?i)\r\ncontent-length: *(\d+)", head)), b"0"))
                while len(received) < length:
                    received += connection.recv(65_536)
                body, received = received[:length], received[length:]
                method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
                answer = self.answer(method, path, body)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
                )

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """The body for a request."""
        if path == "/requests":
            return orjson.dumps(self.requests)
        kind = f"{method} {re.sub('01g.*', '…', path)}"
        self.requests[kind] += 1
        if path.endswith("/search"):
            return self._search(orjson.loads(body))
        if path.endswith("/composite"):
            return self._composite(orjson.loads(body)["compositeRequest"])
        begin, _, at = path.rpartition("/01g")[2].partition("-")
        return self._query(int(begin), int(at))

    def _search(self, asked: dict[str, object]) -> bytes:
        groups: list[dict[str, list[dict[str, str]]]] = asked["filterGroups"]  # type: ignore[assignment]  # JSON
        begin = bisect_left(self.stamps, int(groups[0]["filters"][0]["value"]))
        offset = int(str(asked.get("after", 0)))
        total = len(self.bodies) - begin
        rows = b",".join(self.bodies[begin + offset : begin + offset + SEARCH_PAGE])
        if offset + SEARCH_PAGE >= total:
            return b'{"total":%d,"results":[%b]}' % (total, rows)
        paging = b'{"next":{"after":"%d","link":"?after=%d"}}' % (
            offset + SEARCH_PAGE,
            offset + SEARCH_PAGE,
        )
        return b'{"total":%d,"results":[%b],"paging":%b}' % (total, rows, paging)

    def _composite(self, asked: list[dict[str, str]]) -> bytes:
        parts = []
        for request in asked:
            text = unquote_plus(request["url"])
            found = _OBJECT.search(text)
            since = _SINCE.search(text)
            begin = len(self.bodies)
            if found is not None and found[1] == "Lead" and since is not None:
                begin = bisect_left(self.stamps, int(datetime.fromisoformat(since[1]).timestamp() * 1_000))
            parts.append(
                b'{"body":%b,"httpHeaders":{},"httpStatusCode":200,"referenceId":"%b"}'
                % (self._query(begin, 0), request["referenceId"].encode())
            )
        return b'{"compositeResponse":[%b]}' % b",".join(parts)

    def _query(self, begin: int, at: int) -> bytes:
        total = len(self.bodies) - begin
        rows = b",".join(self.bodies[begin + at : begin + at + QUERY_PAGE])
        if at + QUERY_PAGE >= total:
            return b'{"totalSize":%d,"done":true,"records":[%b]}' % (total, rows)
        following = b"/services/data/v62.0/query/01g%d-%d" % (begin, at + QUERY_PAGE)
        return b'{"totalSize":%d,"done":false,"nextRecordsUrl":"%b","records":[%b]}' % (
            total,
            following,
            rows,
        )


@contextmanager
def static_server(side: Side, count: int, edition: int) -> Iterator[str]:
    """The address of a server in a process of its own, which has everything rendered."""
    command = [sys.executable, "-m", "tests.benchmarks.static_server", side, str(count), str(edition)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def requests_to(url: str) -> dict[str, int]:
    """What a server has been asked so far: method and path to count."""
    counted: dict[str, int] = orjson.loads(urllib3.request("GET", f"{url}/requests").data)
    return counted


if __name__ == "__main__":
    _, side_name, number, edition_number = sys.argv
    chosen: Side = "hubspot" if side_name == "hubspot" else "salesforce"
    server = StaticServer(list(served(chosen, int(number), int(edition_number))))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        print(listening.getsockname()[1], flush=True)
        server.serve(listening)
