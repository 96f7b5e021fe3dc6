"""A new org behind a loopback port, and the plain HTTP client that the tests speak to it with."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import requests

from connector.clock import ManualClock
from connector.sandbox.control import Control
from connector.sandbox.salesforce import SalesforceOrg
from connector.sandbox.server import serve

START_MS = 1_767_600_000_000  # 2026-01-05T08:00:00Z
RECORDED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "salesforce"


def needs_recordings() -> pytest.MarkDecorator:
    """Skips where the recorded traffic is not at hand."""
    return pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded traffic is not at {RECORDED}")


class Client:
    """One org on a clock that stands still. Paths are relative to `/services/data/v62.0/`."""

    def __init__(self, version: str = "62.0", **options: Any) -> None:
        self.clock = ManualClock(START_MS)
        self.org = SalesforceOrg(self.clock, **options)
        self.org.add_leadloop_fields()
        self.server = serve(Control(self.org, self.clock))
        self.url = self.server.url
        self.base = f"{self.url}/services/data/v{version}/"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {self.org.session_id}"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self.server.stop()

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.http.request(method, self.base + path, json=body, timeout=10, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def soql(self, text: str, resource: str = "query", **headers: str) -> requests.Response:
        return self.call("GET", resource, params={"q": text}, headers=headers)

    def records(self, text: str, resource: str = "query") -> list[dict[str, Any]]:
        answer = self.soql(text, resource)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["records"]
        return found

    def lead(self, **fields: Any) -> str:
        """A lead that a person enters."""
        return self.org.insert("Lead", **{"LastName": "Byron", "Company": "Engines", **fields})

    def control(self, path: str, body: Any) -> requests.Response:
        return requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10)


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and code of an answer that is a list of one error."""
    (only,) = answer.json()
    return answer.status_code, only["errorCode"]
