"""Pacing: against limits that a server enforces, no call is one too many, and the whole limit is used."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connector.store.database import Database
from tests.benchmarks.figures import print_table
from tests.benchmarks.limited_server import (
    BURST,
    BURST_SECONDS,
    LATENCY_SECONDS,
    SEARCHES,
    limited_server,
    seen_by,
)

WRITES, SEARCHED, THREADS = 1_000, 100, 8


class _Run(NamedTuple):
    name: str
    kind: str
    calls: int
    processes: int
    late: bool
    database_url: str


def _floor_seconds(run: _Run) -> float:
    """The least time that so many calls take: as many as allowed at once, again each time that they are
    allowed anew, and the time of the last answers over so many connections."""
    most, seconds = (SEARCHES, 1.0) if run.kind == "search" else (BURST, BURST_SECONDS)
    rounds = ceil(run.calls / most) - 1
    last = run.calls - rounds * most
    return rounds * seconds + ceil(last / THREADS) * LATENCY_SECONDS


def _paced(run: _Run) -> dict[str, Any]:
    """Make the calls, in so many processes; what the server saw."""
    share = run.calls // run.processes
    with limited_server(late=run.late) as url:
        workers = [
            subprocess.Popen(
                [
                    sys.executable, "-m", "tests.benchmarks.paced_calls", url, run.database_url, run.kind,
                    str(share), str(THREADS // run.processes),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(run.processes)
        ]  # fmt: skip
        done = [int(worker.communicate()[0]) for worker in workers]
        assert sum(done) == run.calls
        return seen_by(url)


def _migrated(url: str) -> str:
    database = Database.open(url)
    database.migrate()
    database.close()
    return url


def test_no_call_is_one_too_many_and_the_whole_limit_is_used(tmp_path: Path, postgresql_url: str) -> None:
    runs = [
        _Run("1 process, SQLite", "write", WRITES, 1, False, f"sqlite:///{tmp_path}/one.db"),
        _Run("2 processes, SQLite", "write", WRITES, 2, True, f"sqlite:///{tmp_path}/two.db"),
        _Run("2 processes, PostgreSQL", "write", WRITES, 2, False, postgresql_url),
        _Run("searches, 1 process", "search", SEARCHED, 1, True, f"sqlite:///{tmp_path}/three.db"),
        _Run("searches, 2 processes", "search", SEARCHED, 2, False, f"sqlite:///{tmp_path}/four.db"),
    ]
    for run in runs:
        _migrated(run.database_url)
    with ThreadPoolExecutor(len(runs)) as pool:  # each mostly waits
        seen = list(pool.map(_paced, runs))
    ratios = [
        (told["last"] - told["first"]) / _floor_seconds(run) for run, told in zip(runs, seen, strict=True)
    ]
    print_table(
        "calls against an enforced limit, 100 ms away",
        ("work", "calls", "answers of 429", "seconds", "floor", "ratio"),
        [
            (
                run.name, f"{told['calls']:,}", str(told["refused"]), f"{told['last'] - told['first']:.2f}",
                f"{_floor_seconds(run):.2f}", f"{ratio:.3f}",
            )
            for run, told, ratio in zip(runs, seen, ratios, strict=True)
        ],
    )  # fmt: skip
    assert [told["refused"] for told in seen] == [0] * len(runs)
    assert [told["calls"] for told in seen] == [run.calls for run in runs]
    for run, ratio in zip(runs, ratios, strict=True):
        # a place that is given back only with the answer costs a search a tenth of its second
        assert ratio <= (1.15 if run.kind == "search" else 1.03), run


@pytest.mark.parametrize("late", [False, True])
def test_the_server_refuses_what_is_too_much(late: bool) -> None:
    """Else the benchmark would prove nothing."""
    import urllib3

    with limited_server(late=late) as url, ThreadPoolExecutor(50) as pool:
        pools = urllib3.PoolManager(maxsize=50)

        def call(_: int) -> int:
            return pools.request(
                "POST", f"{url}/crm/v3/objects/contacts/batch/update", body=b'{"inputs":[]}'
            ).status

        statuses = list(pool.map(call, range(BURST + 10)))
        pools.clear()
    assert statuses.count(429) == 10
