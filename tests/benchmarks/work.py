"""Work: what the benchmarks measure, each piece in a fresh process that prints its figures as JSON.

python -m tests.benchmarks.work bare SIDE URL SINCE_MS
python -m tests.benchmarks.work poll SIDE URL DATABASE SINCE_MS NOW_MS
python -m tests.benchmarks.work backfill SIDE URL DATABASE NOW_MS
python -m tests.benchmarks.work normalise SIDE DATABASE
python -m tests.benchmarks.work settle DATABASE NOW_MS
python -m tests.benchmarks.work quiet HUBSPOT_URL SALESFORCE_URL DATABASE SINCE_MS NOW_MS
python -m tests.benchmarks.work count DATABASE
python -m tests.benchmarks.work report DATABASE NOW_MS DAYS
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.offline import Spent, Stopwatch, install, small_configuration
from tests.benchmarks.records import START_MS, Side

_ROOT = Path(__file__).resolve().parents[2]


def measured(kind: str, *arguments: object) -> list[Spent]:
    """Do a piece of work in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.work", kind, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=_ROOT)
    return [Spent(**part) for part in orjson.loads(done.stdout)]


def bare(side: Side, url: str, since_ms: str) -> list[Spent]:
    """Read everything with urllib3 and orjson alone, by the calls that the adapter makes."""
    import urllib3

    pool = urllib3.PoolManager()
    headers = {"Authorization": "Bearer token", "Content-Type": "application/json"}

    def call(method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else orjson.dumps(body)
        return orjson.loads(pool.request(method, url + path, body=content, headers=headers).data)

    watch = Stopwatch()
    records = 0
    if side == "hubspot":
        floor_ms, offset, more = int(since_ms), 0, True
        while more:
            filters = [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(floor_ms)}]
            body = {"filterGroups": [{"filters": filters}], "limit": 200, "after": str(offset)}
            answer = call("POST", "/crm/v3/objects/contacts/search", body)
            rows = answer["results"]
            records += len(rows)
            offset += len(rows)
            more = offset < answer["total"]
            if offset + 200 > 10_000:
                floor_ms, offset = _epoch_ms(rows[-1]["updatedAt"]) + 1, 0
    else:
        since = datetime.fromtimestamp(int(since_ms) // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = f"SELECT Id FROM Lead WHERE SystemModstamp >= {since} ORDER BY Id"
        request = {"method": "GET", "referenceId": "r0", "url": f"/services/data/v62.0/query/?q={query}"}
        answer = call("POST", "/services/data/v62.0/composite", {"compositeRequest": [request]})
        page = answer["compositeResponse"][0]["body"]
        records += len(page["records"])
        while "nextRecordsUrl" in page:
            page = call("GET", page["nextRecordsUrl"])
            records += len(page["records"])
    return [watch.stop(records)]


def _epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def poll_once(side: Side, url: str, path: str, since_ms: str, now_ms: str) -> list[Spent]:
    """Look once with the real adapter, and store what it shows."""
    from connector.intake.poll import poll
    from connector.store.database import Database

    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    installation = install(database, small_configuration(), {side: url}, int(now_ms), int(since_ms))
    watch = Stopwatch()
    polled = poll(installation, side)
    return [watch.stop(polled.changed)]


def backfill(side: Side, url: str, path: str, now_ms: str) -> list[Spent]:
    """Read everything with the real adapter, and store it page by page."""
    from threading import Event

    from connector.intake.backfill import begin, count_totals, objects_of, read
    from connector.store.database import Database

    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    installation = install(database, small_configuration(), {side: url}, int(now_ms))
    watch = Stopwatch()
    standings = count_totals(installation, begin(installation, objects_of(installation)))
    done = [read(installation, each, lambda _standing, _seconds: None, Event()) for each in standings]
    assert all(each.done for each in done)
    return [watch.stop(sum(each.new for each in done))]


def normalise(side: Side, path: str) -> list[Spent]:
    """Bring every stored record into canonical values, in batches as they are settled: reading them from the
    database, then translating them alone."""
    from connector.settle import BATCH
    from connector.store.database import Database
    from connector.store.leads import iterate_lead_ids
    from connector.store.observations import observations_of

    database = Database.open(f"sqlite:///{path}")
    installation = install(database, small_configuration(), {}, START_MS)
    policy = installation.policy
    objects = policy.mapping.sides[side].objects
    watch = Stopwatch()
    records, after, translating = 0, "", 0.0
    while True:
        with database.read() as conn:
            ids = iterate_lead_ids(conn, after, BATCH)
            found = observations_of(conn, ids)
        if not ids:
            break
        inner = Stopwatch()
        for linked in found.values():
            for item in linked:
                translated = objects[item.observation.object].read(item.observation.fields, policy.directory)
                assert not translated.unreadable, translated.unreadable
                records += 1
        translating += inner.stop(0).cpu_seconds
        after = ids[-1]
    spent = watch.stop(records)
    return [spent, Spent(records, translating, translating, spent.idle_mb, spent.peak_mb)]


def settle_all(path: str, now_ms: str) -> list[Spent]:
    """Decide every lead that waits, and commit the plans."""
    from connector.settle import settle
    from connector.store.database import Database

    database = Database.open(f"sqlite:///{path}")
    installation = install(database, small_configuration(), {}, int(now_ms))
    watch = Stopwatch()
    leads = 0
    while (settled := settle(installation)).leads:
        leads += settled.leads
    return [watch.stop(leads)]


def quiet_pass(hubspot: str, salesforce: str, path: str, since_ms: str, now_ms: str) -> list[Spent]:
    """One whole pass of the worker, with the shipped mappings and all their objects."""
    from connector.configuration import load_configuration
    from connector.store.database import Database
    from connector.worker.passes import run_until_quiet

    database = Database.open(f"sqlite:///{path}")
    urls: dict[Side, str] = {"hubspot": hubspot, "salesforce": salesforce}
    installation = install(database, load_configuration(None), urls, int(now_ms), int(since_ms))
    watch = Stopwatch()
    done = run_until_quiet(installation)
    return [watch.stop(done.polled)]


def count_ledger(path: str) -> list[Spent]:
    """Count the whole ledger for the report, as on a database from before there were counters."""
    from connector.report import history
    from connector.report.context import DEFAULT_FIELDS
    from connector.store.database import Database

    database = Database.open(f"sqlite:///{path}")
    watch = Stopwatch()
    with database.begin() as conn:
        moves = history.rebuild(conn, DEFAULT_FIELDS)
    return [watch.stop(moves)]


def report_once(path: str, now_ms: str, days: str) -> list[Spent]:
    """Everything that `leadloop report --html` does with the database open; the records are MQLs."""
    from connector.clock import DAY_MS
    from connector.configuration import load_configuration
    from connector.report.page import page
    from connector.report.period import period_of
    from connector.report.report import Wanted, report
    from connector.store.database import Database

    database = Database.open(f"sqlite:///{path}")
    watch = Stopwatch()
    configuration = load_configuration(None)
    wanted = Wanted(period_of(None, None, f"{days}d", int(now_ms) // DAY_MS))
    with database.read() as conn:
        data = report(conn, configuration, wanted, int(now_ms))
    assert page(data, configuration.vocabulary)
    return [watch.stop(data["mqls"]["now"]["made"])]


if __name__ == "__main__":
    works = {
        "bare": bare,
        "poll": poll_once,
        "backfill": backfill,
        "normalise": normalise,
        "settle": settle_all,
        "quiet": quiet_pass,
        "count": count_ledger,
        "report": report_once,
    }
    result = works[sys.argv[1]](*sys.argv[2:])  # type: ignore[operator]  # the command line is text
    sys.stdout.buffer.write(orjson.dumps([part.to_json() for part in result]))
