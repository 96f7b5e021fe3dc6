"""leadloop against the public taps: 100,000 changed records of either platform, from the same server.

A tap writes what it has read as lines of text; leadloop compares it with what it has stored, stores it, and
marks the leads concerned. Both are whole processes, from their start to their end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import orjson
import pytest

from tests.benchmarks.conftest import MANY
from tests.benchmarks.figures import print_table
from tests.benchmarks.records import CHANGED, Side, begins_ms, ends_ms
from tests.benchmarks.static_server import static_server
from tests.benchmarks.taps import REQUIREMENTS, NotInstallable, Read, install, read, timed

TIMES = 3
"""So many times the records/s of the tap, at least."""

_ROOT = Path(__file__).resolve().parents[2]


def leadloop(side: Side, url: str, database: Path, folder: Path) -> Read:
    """A look by leadloop, which has all of them in an older edition."""
    arguments = (side, url, database, begins_ms(CHANGED) - 1_000, ends_ms(CHANGED, MANY))
    command = [sys.executable, "-m", "tests.benchmarks.work", "poll", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    cpu_seconds, wall_seconds, printed = timed(command, folder, environment)
    [spent] = orjson.loads(printed.read_bytes())
    return Read(int(spent["records"]), cpu_seconds, wall_seconds)


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("side", ["hubspot", "salesforce"])
def test_changed_records_are_stored_faster_than_a_tap_reads_them(
    side: Side, copied: dict[int, Path], tmp_path: Path
) -> None:
    try:
        tap = install(side, tmp_path / "tap")
    except NotInstallable as why:
        pytest.skip(str(why))
    with static_server(side, MANY, CHANGED) as url:
        ours = leadloop(side, url, copied[MANY], tmp_path)
        theirs = read(side, tap, url, begins_ms(CHANGED) - 1_000, tmp_path)
    assert ours.records == theirs.records == MANY
    print_table(
        f"{side}: changed records; leadloop stores them",
        ("reader", "records", "a CPU second", "a second"),
        [
            (
                name,
                f"{done.records:,}",
                f"{done.records / done.cpu_seconds:,.0f}",
                f"{done.records / done.wall_seconds:,.0f}",
            )
            for name, done in (("leadloop", ours), (REQUIREMENTS[side], theirs))
        ],
    )
    print(f"  {theirs.wall_seconds / ours.wall_seconds:.1f} times as many a second, at least {TIMES}")
    assert TIMES * ours.wall_seconds <= theirs.wall_seconds
    assert TIMES * ours.cpu_seconds <= theirs.cpu_seconds
