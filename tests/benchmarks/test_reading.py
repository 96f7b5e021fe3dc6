"""Reading and storing 100,000 records of either platform, against a bare loop on the same server.

The floors of records a CPU second are those of the design, on the machine on which the peers were measured.
There the bare loop read `BARE` records a CPU second; here the floors are held in proportion to what it reads
in this run, so that they mean the same on a slower machine and on one that has other work. Nothing is
excused on a faster machine: the floors never rise above the design's.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from tests.benchmarks.conftest import FEW, MANY
from tests.benchmarks.figures import HEAD, print_table, row
from tests.benchmarks.offline import Spent
from tests.benchmarks.records import CHANGED, FIRST, Side, begins_ms, ends_ms
from tests.benchmarks.static_server import requests_to, static_server
from tests.benchmarks.work import measured

CHANGED_FLOOR, NEW_FLOOR = 20_000, 8_000
BARE: dict[Side, int] = {"hubspot": 256_000, "salesforce": 312_000}
"""Records a CPU second of a bare urllib3 + orjson loop where the peers were measured: 0.39 and 0.32 s."""

PAGE: dict[Side, int] = {"hubspot": 200, "salesforce": 2_000}
MOST_OF_FLOOR = 1.05

WALL_RATIO = 0.1
MOST_MB = 150
SAME = 0.2

SIDES: tuple[Side, ...] = ("hubspot", "salesforce")


def cpu_rate(*parts: Spent) -> float:
    """Records a CPU second when each record goes through all parts."""
    return parts[0].records / sum(part.cpu_seconds for part in parts)


def wall_rate(spent: Spent) -> float:
    return spent.records / spent.wall_seconds


def floor(side: Side, records_a_second: int, bare: Spent) -> float:
    """The floor on this machine, as busy as it is now."""
    return records_a_second * min(1.0, cpu_rate(bare) / BARE[side])


def bare_and_poll(side: Side, count: int, edition: int, path: Path) -> tuple[Spent, Spent, int]:
    """The bare loop (the better of one before and one after) and a look by leadloop at the same server, with
    the requests of the look."""
    since_ms, now_ms = begins_ms(edition) - 1_000, ends_ms(edition, count)
    with static_server(side, count, edition) as url:
        [before] = measured("bare", side, url, since_ms)
        asked_before = sum(requests_to(url).values())
        [polled] = measured("poll", side, url, path, since_ms, now_ms)
        asked = sum(requests_to(url).values()) - asked_before
        [after] = measured("bare", side, url, since_ms)
    assert before.records == after.records == polled.records == count
    return min(before, after, key=lambda spent: spent.cpu_seconds), polled, asked


@pytest.mark.parametrize("side", SIDES)
def test_known_records_that_changed_are_read_and_stored(side: Side, copied: dict[int, Path]) -> None:
    _, few, _ = bare_and_poll(side, FEW, CHANGED, copied[FEW])
    bare, many, asked = bare_and_poll(side, MANY, CHANGED, copied[MANY])
    needed = floor(side, CHANGED_FLOOR, bare)
    print_table(
        f"{side}: known records, changed in stamp and one field; at least {needed:,.0f} a CPU second here",
        HEAD,
        [row("bare loop", bare), row("read and stored", few), row("read and stored", many)],
    )
    print(f"  wall clock: {wall_rate(many) / wall_rate(bare):.3f} of the bare loop")
    fewest = ceil(MANY / PAGE[side])
    print(f"  {asked:,} requests, {asked / fewest:.3f} of the fewest possible; at most {MOST_OF_FLOOR}")
    assert asked <= MOST_OF_FLOOR * fewest
    assert cpu_rate(many) >= needed
    assert wall_rate(many) >= WALL_RATIO * wall_rate(bare)
    check_memory(few, many)


@pytest.mark.parametrize("side", SIDES)
def test_new_records_are_read_stored_and_normalised(side: Side, tmp_path: Path) -> None:
    _, few, _ = bare_and_poll(side, FEW, FIRST, tmp_path / "few.db")
    bare, many, _ = bare_and_poll(side, MANY, FIRST, tmp_path / "many.db")
    fetched, translated = measured("normalise", side, tmp_path / "many.db")
    needed = floor(side, NEW_FLOOR, bare)
    rate = cpu_rate(many, fetched)
    print_table(
        f"{side}: new records, every value of their own; at least {needed:,.0f} a CPU second here",
        HEAD,
        [
            row("bare loop", bare),
            row("read and stored", few),
            row("read and stored", many),
            row("normalised, from the store", fetched),
            row("  of which translation", translated),
        ],
    )
    print(f"  read, stored, read again and normalised: {rate:,.0f} a CPU second")
    print(f"  wall clock of reading and storing: {wall_rate(many) / wall_rate(bare):.3f} of the bare loop")
    assert rate >= needed
    check_memory(few, many)


def check_memory(few: Spent, many: Spent) -> None:
    """Memory is bounded, and does not grow with the number of records."""
    assert many.peak_mb - many.idle_mb <= MOST_MB
    assert abs(many.peak_mb - few.peak_mb) <= SAME * few.peak_mb
