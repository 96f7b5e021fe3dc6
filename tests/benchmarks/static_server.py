"""Static server: both platforms' reading endpoints over records rendered before the first request.

In a process of its own, so that its work is nobody's CPU but its own. Of a request it reads the cursor
alone: the moment a search or query begins at, and the offset, locator or id to go on from. Understands no
filter, sort or field list. A bulk job of Salesforce is done when it is asked for the first time. What the
public taps ask beside (a login, the names of properties) is answered too.

    python -m tests.benchmarks.static_server SIDE COUNT EDITION     prints its port
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from bisect import bisect_left
from collections import Counter
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote_plus

import orjson
import urllib3

from tests.benchmarks.records import Served, Side, served
from tests.benchmarks.server_process import in_a_process

SEARCH_PAGE, QUERY_PAGE, LIST_PAGE = 200, 2_000, 100
_AFTER = re.compile(r"after=(\d+)")
_LOCATOR = re.compile(r"locator=(\d+)")
_MOST = re.compile(r"maxRecords=(\d+)")
_SINCE = re.compile(r"SystemModstamp >= (\S+)")
_OBJECT = re.compile(r" FROM (\w+) ")

_LIMITS = b"Sforce-Limit-Info: api-usage=1/1000000000\r\n"
"""As in every answer of Salesforce: without it, leadloop would ask for the limits by themselves."""


class _Csv(NamedTuple):
    """A page of bulk results, and where it goes on."""

    body: bytes
    locator: bytes


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("+0000", "Z")


def _line(cells: list[str]) -> bytes:
    return (",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n").encode()


class StaticServer:
    """Answers on any number of connections, one thread each."""

    def __init__(self, records: list[Served]) -> None:
        self.stamps = [record.stamp_ms for record in records]
        self.bodies = [record.body for record in records]
        self.requests: Counter[str] = Counter()
        self.ids = [10_000_000_000 + number for number in range(len(records))]
        self.header = b""
        self.lines: list[bytes] = []
        self.fields: list[dict[str, str]] = []

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
                headers = b"Content-Type: application/json\r\n"
                if isinstance(answer, _Csv):
                    headers = b"Content-Type: text/csv\r\nSforce-Locator: %b\r\n" % answer.locator
                    answer = answer.body
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\n%b%bContent-Length: %d\r\n\r\n%b"
                    % (headers, _LIMITS, len(answer), answer)
                )

    def answer(self, method: str, path: str, body: bytes) -> bytes | _Csv:
        """The body for a request."""
        if path == "/requests":
            return orjson.dumps(self.requests)
        path, _, query = path.partition("?")
        kind = f"{method} {re.sub('01g.*', '…', path)}"
        self.requests[kind] += 1
        if path.endswith("/search"):
            return self._search(orjson.loads(body))
        if path.endswith("/objects/contacts"):
            return self._list(query)
        if path.endswith("/recordCount"):
            return b'{"sObjects":[{"name":"Lead","count":%d}]}' % len(self.bodies)
        if path.endswith("/results"):
            return self._results(query)
        if "/jobs/query" in path:
            return b'{"id":"750000000000001AAA","state":"JobComplete"}'
        if path.endswith("/queryAll"):
            return self._query(self._begin(unquote_plus(query)), 0)
        if path.endswith("/oauth2/token"):
            return b'{"access_token":"session","instance_url":"https://static.example"}'
        if "/properties/" in path:
            names = orjson.loads(self.bodies[0])["properties"]
            return orjson.dumps({"results": [{"name": name, "type": "string"} for name in names]})
        if path.endswith("/schemas"):
            return b'{"results":[]}'
        if path.endswith("/composite"):
            return self._composite(orjson.loads(body)["compositeRequest"])
        begin, _, at = path.rpartition("/01g")[2].partition("-")
        return self._query(int(begin), int(at))

    def _search(self, asked: dict[str, object]) -> bytes:
        groups: list[dict[str, list[dict[str, str]]]] = asked["filterGroups"]  # type: ignore[assignment]  # JSON
        if not groups:
            return b'{"total":%d,"results":[]}' % len(self.bodies)
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

    def _list(self, query: str) -> bytes:
        found = _AFTER.search(query)
        at = bisect_left(self.ids, int(found[1])) if found is not None else 0
        rows = b",".join(self.bodies[at : at + LIST_PAGE])
        if at + LIST_PAGE >= len(self.bodies):
            return b'{"results":[%b]}' % rows
        return b'{"results":[%b],"paging":{"next":{"after":"%d"}}}' % (rows, self.ids[at + LIST_PAGE])

    def _results(self, query: str) -> _Csv:
        found, most = _LOCATOR.search(query), _MOST.search(query)
        at = int(found[1]) if found is not None else 0
        end = at + (int(most[1]) if most is not None else len(self.bodies))
        locator = b"null" if end >= len(self.bodies) else b"%d" % end
        return _Csv(self.header + b"".join(self.lines[at:end]), locator)

    def render_csv(self) -> None:
        """The records as lines of CSV, too, and what describe says of their columns."""
        first = orjson.loads(self.bodies[0])
        names = [name for name in first if name != "attributes"]
        self.header = _line(names)
        for body in self.bodies:
            row = orjson.loads(body)
            self.lines.append(_line([_cell(row[name]) for name in names]))
        types = {bool: "boolean", int: "int", float: "double"}
        self.fields = [
            {
                "name": name,
                "type": "datetime"
                if name in ("SystemModstamp", "CreatedDate")
                else types.get(type(first[name]), "string"),
            }
            for name in names
        ]

    def _composite(self, asked: list[dict[str, str]]) -> bytes:
        parts = []
        for request in asked:
            text = unquote_plus(request["url"])
            if text.endswith("/describe"):
                parts.append(
                    b'{"body":%b,"httpHeaders":{},"httpStatusCode":200,"referenceId":"%b"}'
                    % (orjson.dumps({"fields": self.fields}), request["referenceId"].encode())
                )
                continue
            parts.append(
                b'{"body":%b,"httpHeaders":{},"httpStatusCode":200,"referenceId":"%b"}'
                % (self._query(self._begin(text), 0), request["referenceId"].encode())
            )
        return b'{"compositeResponse":[%b]}' % b",".join(parts)

    def _begin(self, statement: str) -> int:
        """The first record that a statement wants: there are Leads alone."""
        found = _OBJECT.search(statement)
        since = _SINCE.search(statement)
        if found is None or found[1] != "Lead" or since is None:
            return len(self.bodies)
        return bisect_left(self.stamps, int(datetime.fromisoformat(since[1]).timestamp() * 1_000))

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


def static_server(side: Side, count: int, edition: int) -> AbstractContextManager[str]:
    """The address of a server in a process of its own, which has everything rendered."""
    return in_a_process("tests.benchmarks.static_server", side, count, edition)


def requests_to(url: str) -> dict[str, int]:
    """What a server has been asked so far: method and path to count."""
    counted: dict[str, int] = orjson.loads(urllib3.request("GET", f"{url}/requests").data)
    return counted


if __name__ == "__main__":
    _, side_name, number, edition_number = sys.argv
    chosen: Side = "hubspot" if side_name == "hubspot" else "salesforce"
    server = StaticServer(list(served(chosen, int(number), int(edition_number))))
    if chosen == "salesforce":
        server.render_csv()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        print(listening.getsockname()[1], flush=True)
        server.serve(listening)
