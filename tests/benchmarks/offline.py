"""Offline: an installation that reads a static server, and the figures of a process.

As `connector.wiring` builds it, but for what a static server cannot answer (identity, metadata, owners) and
without the platforms' limits of calls per second, which would measure HubSpot's patience and not our work.
Calls are counted in the database as always.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from connector.brake import BrakeLimits
from connector.budget import Budget
from connector.clock import FastClock
from connector.configuration import Configuration
from connector.installation import Feed, Installation
from connector.lead_input import Policy
from connector.memory import collect_seldom
from connector.owners import Directory
from connector.platforms.hubspot import connect as connect_hubspot
from connector.platforms.protocol import Allowance, Cursor, Owner, Platform
from connector.platforms.salesforce import connect as connect_salesforce
from connector.platforms.settings import HubSpotSettings, SalesforceSettings
from connector.store.cursors import put_cursor
from connector.store.database import Database
from tests.benchmarks.records import START_MS, Side
from tests.world import configuration

_FREE = Allowance(10**9, 100, 0, 10**9, 10.0)
DOCUMENTS = Path(__file__).parent / "documents"


def small_configuration() -> Configuration:
    """The mapping of 19 fields a side."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in DOCUMENTS.glob("*.yaml")}
    rules = texts.pop("rules")
    return configuration(rules, {f"preset:{name}": text for name, text in texts.items()})


def install(
    database: Database, config: Configuration, urls: Mapping[Side, str], now_ms: int, since_ms: int = START_MS
) -> Installation:
    """An installation on the sides that have a URL, at `now_ms`; its feeds have been read up to `since_ms`,
    and no deep look is due."""
    clock = FastClock(now_ms, speed=1.0)
    platforms: dict[str, Platform] = {}
    feeds: dict[str, Feed] = {}
    for side, url in urls.items():
        budget = Budget(side, database, clock, _FREE)
        if side == "hubspot":
            settings = HubSpotSettings.model_validate({"base_url": url, "access_token": "token"})
            platforms[side] = connect_hubspot(settings, side, budget, clock)
        else:
            session = SalesforceSettings.model_validate({"base_url": url, "session_id": "session"})
            platforms[side] = connect_salesforce(session, side, budget, clock)
        objects = {name: mapped.natives for name, mapped in config.mapping.sides[side].objects.items()}
        feeds[side] = Feed(objects=objects, seconds=dict.fromkeys(objects, 60.0), overlap_seconds=600)
        with database.begin() as conn:
            for name in objects:
                put_cursor(conn, side, name, Cursor(since_ms - 1_000), now_ms)
                put_cursor(conn, side, f"deep:{name}", Cursor(now_ms), now_ms)
    collect_seldom()
    owners = {
        "hubspot": [
            Owner(str(500 + one), "person", f"Owner {one}", f"o{one}@x.example", True) for one in range(20)
        ],
        "salesforce": [
            Owner(f"005{one:012d}AAA", "person", f"Owner {one}", f"o{one}@x.example", True)
            for one in range(20)
        ],
    }
    return Installation(
        database=database,
        clock=clock,
        policy=Policy(
            mapping=config.mapping,
            rules=config.rules,
            create_when=config.create_when,
            directory=Directory(owners),
            live_since_ms=START_MS,
        ),
        platforms=platforms,
        feeds=feeds,
        configuration=config.version,
        brake=BrakeLimits({}),
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """What a piece of work took. `peak_mb` and `idle_mb` are the process's largest resident memory, after
    the work and before it."""

    records: int
    cpu_seconds: float
    wall_seconds: float
    idle_mb: float
    peak_mb: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


class Stopwatch:
    """Starts when made; `stop` says what was spent since, by this process."""

    def __init__(self) -> None:
        self._idle_mb = peak_mb()
        self._cpu = cpu_seconds()
        self._wall = time.perf_counter()

    def stop(self, records: int) -> Spent:
        return Spent(
            records=records,
            cpu_seconds=cpu_seconds() - self._cpu,
            wall_seconds=time.perf_counter() - self._wall,
            idle_mb=self._idle_mb,
            peak_mb=peak_mb(),
        )


def cpu_seconds() -> float:
    """User and system time of this process so far, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mb() -> float:
    """The largest resident memory of this process so far.

    VmHWM where there is a /proc: ru_maxrss also counts what the parent had when it started us."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
