"""A pass over leads that are in step, with nothing changed: what it costs does not depend on how many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.conftest import MANY
from tests.benchmarks.figures import print_table
from tests.benchmarks.offline import Spent
from tests.benchmarks.records import KNOWN, ends_ms
from tests.benchmarks.static_server import requests_to, static_server
from tests.benchmarks.work import measured


def quiet(count: int, path: Path) -> tuple[Spent, dict[str, dict[str, int]]]:
    """The pass, and the requests it made, by side."""
    until_ms = ends_ms(KNOWN, count)
    with (
        static_server("hubspot", count, KNOWN) as hubspot,
        static_server("salesforce", count, KNOWN) as salesforce,
    ):
        [spent] = measured("quiet", hubspot, salesforce, path, until_ms, until_ms + 60_000)
        return spent, {"hubspot": requests_to(hubspot), "salesforce": requests_to(salesforce)}


@pytest.mark.parametrize("many", [MANY])
def test_nothing_changed_is_one_request_a_side_and_object(many: int, copied: dict[int, Path]) -> None:
    few_spent, few_requests = quiet(100, copied[100])
    many_spent, many_requests = quiet(many, copied[many])
    print_table(
        "a pass over leads in step, nothing changed",
        ("work", "leads", "CPU ms", "requests"),
        [
            ("whole pass", f"{count:,}", f"{spent.cpu_seconds * 1_000:.0f}", str(requests))
            for count, spent, requests in (
                (100, few_spent, few_requests),
                (many, many_spent, many_requests),
            )
        ],
    )
    assert few_spent.records == many_spent.records == 0
    # HubSpot: one search of its one object; Salesforce: its four objects share one composite call
    assert many_requests == few_requests
    assert {side: sum(asked.values()) for side, asked in many_requests.items()} == {
        "hubspot": 1,
        "salesforce": 1,
    }
