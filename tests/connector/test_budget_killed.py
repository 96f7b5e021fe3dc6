"""Two processes share one budget, and one of them is killed: with places taken, or in the middle of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connector.budget import Budget
from connector.clock import ManualClock
from connector.lane import Lane
from connector.platforms.protocol import Allowance, Usage
from connector.store.calls import used_by_lane
from connector.store.database import Database

NOW_MS = 1_800_014_400_000
ALLOWANCE = Allowance(1_000, 50, 20, burst_calls=10, burst_seconds=10.0)

OTHER = f"""
import sys
from connector.budget import Budget
from connector.clock import ManualClock
from connector.lane import Lane
from connector.platforms.protocol import Allowance, Usage
from connector.store.budgets import lock_limits
from connector.store.calls import count_calls
from connector.store.database import Database

database = Database.open(sys.argv[1])
budget = Budget("map", database, ManualClock({NOW_MS}), {ALLOWANCE!r})
for _ in range(3):
    budget.admit(Lane.UPDATE, "read")
    budget.answered(Usage())
"""
HOLDING = """
budget.admit(Lane.UPDATE, "write")
print("ready", flush=True)
sys.stdin.read()
"""
IN_THE_MIDDLE = f"""
with database.begin() as conn:
    limits = lock_limits(conn, "map")
    count_calls(conn, "map", 1, {NOW_MS}, 500)
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def killed(url: str, program: str) -> Iterator[None]:
    """Another process has run the program up to where it says so; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER + program, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
        process.kill()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


def test_a_process_that_is_killed_keeps_its_place_for_a_while_and_no_longer(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    budget = Budget("map", database, clock, ALLOWANCE)
    with killed(database_url, HOLDING):
        for _ in range(6):
            budget.admit(Lane.UPDATE, "read")
            budget.answered(Usage())
        assert clock.now_ms() == NOW_MS, "ten places: three, one that is held, and six"
    budget.admit(Lane.UPDATE, "read")
    budget.answered(Usage())
    assert 10_000 <= clock.now_ms() - NOW_MS <= 10_100
    for _ in range(8):
        budget.admit(Lane.UPDATE, "read")
        budget.answered(Usage())
    assert clock.now_ms() - NOW_MS <= 10_100, "nine places"
    budget.admit(Lane.UPDATE, "read")
    budget.answered(Usage())
    assert 20_000 <= clock.now_ms() - NOW_MS <= 20_200
    clock.advance(60)
    began_ms = clock.now_ms()
    for _ in range(10):
        budget.admit(Lane.UPDATE, "read")
        budget.answered(Usage())
    assert clock.now_ms() == began_ms, "ten places again"
    with database.read() as conn:
        assert sum(used_by_lane(conn, "map", NOW_MS).values()) == 30, "the call that was under way counts"


def test_a_process_that_is_killed_while_it_takes_a_place_has_taken_none(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    with killed(database_url, IN_THE_MIDDLE):
        pass
    budget = Budget("map", database, clock, ALLOWANCE)
    for _ in range(7):
        budget.admit(Lane.UPDATE, "read")
        budget.answered(Usage())
    assert clock.now_ms() == NOW_MS
    with database.read() as conn:
        assert sum(used_by_lane(conn, "map", NOW_MS).values()) == 10
