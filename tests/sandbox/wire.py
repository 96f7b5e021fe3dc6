"""A bare JSON client for the sandbox's ports, for tests that look at statuses, bodies and headers."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `body` is None when there was no content."""

    status: int
    body: Any
    headers: dict[str, str]


class Wire:
    """One base URL and one bearer token. Never retries."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self.token = token
        self._pool = urllib3.PoolManager(retries=False, timeout=5.0)

    def call(
        self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None, **headers: str
    ) -> Reply:
        sent = {"Content-Type": "application/json", **headers}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        url = f"{self.url}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        content = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        answer = self._pool.request(method, url, body=content, headers=sent)
        given = orjson.loads(answer.data) if answer.data else None
        return Reply(answer.status, given, {name.lower(): value for name, value in answer.headers.items()})

    def get(self, path: str, **query: Any) -> Reply:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any) -> Reply:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any) -> Reply:
        return self.call("PATCH", path, body)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.clear()
