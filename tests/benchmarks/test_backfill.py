"""A backfill of 100,000 people of either platform: level memory, few requests, and as fast as polling them.

The floor of requests is the design's: a call for 2,000 Salesforce records; HubSpot's list has 100 a page.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from tests.benchmarks.conftest import FEW, MANY
from tests.benchmarks.figures import HEAD, print_table, row
from tests.benchmarks.offline import Spent
from tests.benchmarks.records import FIRST, Side, begins_ms, ends_ms
from tests.benchmarks.static_server import requests_to, static_server
from tests.benchmarks.work import measured

FLOOR_PAGE: dict[Side, int] = {"hubspot": 100, "salesforce": 2_000}
MOST_OF_FLOOR = 1.05
RATIO = 0.7
"""At least this part of the records a CPU second that polling reads and stores: a page of HubSpot's list is
half of one of its search, and CSV has to be made into values."""

MOST_MB = 150
SAME = 0.2

SIDES: tuple[Side, ...] = ("hubspot", "salesforce")


def read_all(side: Side, count: int, path: Path) -> tuple[Spent, Spent, int]:
    """A backfill and a poll of the same people into databases of their own, and the backfill's requests."""
    now_ms = ends_ms(FIRST, count)
    with static_server(side, count, FIRST) as url:
        [filled] = measured("backfill", side, url, path.with_suffix(".fill.db"), now_ms)
        asked = sum(requests_to(url).values())
        [polled] = measured("poll", side, url, path, begins_ms(FIRST) - 1_000, now_ms)
    assert filled.records == polled.records == count
    return filled, polled, asked


@pytest.mark.parametrize("side", SIDES)
def test_everything_is_read_in_level_memory_with_few_requests(side: Side, tmp_path: Path) -> None:
    few, _, _ = read_all(side, FEW, tmp_path / "few.db")
    many, polled, asked = read_all(side, MANY, tmp_path / "many.db")
    floor = ceil(MANY / FLOOR_PAGE[side])
    print_table(
        f"{side}: a backfill; {asked:,} requests of at most {MOST_OF_FLOOR * floor:,.0f}",
        HEAD,
        [row("poll", polled), row("backfill", few), row("backfill", many)],
    )
    ratio = (many.records / many.cpu_seconds) / (polled.records / polled.cpu_seconds)
    print(f"  {ratio:.2f} of the records a CPU second of a poll; at least {RATIO:.2f}")
    assert asked <= MOST_OF_FLOOR * floor
    assert ratio >= RATIO
    assert many.peak_mb - many.idle_mb <= MOST_MB
    assert abs(many.peak_mb - few.peak_mb) <= SAME * few.peak_mb
