"""Paced calls: one worker process of the pacing benchmark, with threads that call as fast as its budget lets.

    python -m tests.benchmarks.paced_calls URL DATABASE_URL write|search CALLS THREADS

Each write is a batch of 100 records. Prints how many calls were answered with what was asked for.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock

from connector.budget import Budget
from connector.clock import SystemClock
from connector.lane import Lane
from connector.platforms.hubspot import ALLOWANCE, connect
from connector.platforms.protocol import RecordWrite, Watch, Written
from connector.settings import load_settings
from connector.store.database import Database

RECORDS = 100


def main(url: str, database_url: str, kind: str, calls: int, threads: int) -> int:
    """The calls that succeeded."""
    clock = SystemClock()
    settings = load_settings({}, {"LEADLOOP_HUBSPOT__BASE_URL": url, "LEADLOOP_HUBSPOT__ACCESS_TOKEN": "t"})
    database = Database.open(database_url, pool_size=threads)
    budget = Budget("hubspot", database, clock, ALLOWANCE)
    numbers, lock = count(1), Lock()
    writes = [
        RecordWrite(str(at), "contacts", str(1_000 + at), {"city": "Graz", "jobtitle": "Director"})
        for at in range(RECORDS)
    ]

    def work(_: int) -> int:
        there = connect(settings.hubspot, "hubspot", budget, clock)
        done = 0
        while True:
            with lock:
                if next(numbers) > calls:
                    there.close()
                    return done
            if kind == "search":
                done += sum(1 for _ in there.changes([Watch("contacts", ("city",), 0)], Lane.HANDOFF))
            else:
                results = there.write(writes, Lane.UPDATE)
                done += all(isinstance(result.outcome, Written) for result in results)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(threads)))


if __name__ == "__main__":
    _, address, database_address, what, number, at_once = sys.argv
    print(main(address, database_address, what, int(number), int(at_once)))
