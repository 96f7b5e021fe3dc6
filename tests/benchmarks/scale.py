"""Scale: two platforms with very many people each meet through leadloop, and stay in step.

The people are the same on both sides and know nothing of each other. leadloop begins on an empty database
and does everything by its own commands: `backfill` links them, `run --once` writes what either side lacks,
a look with nothing changed costs a request a side and object, changes on either side arrive on the other, and
`verify` finds nothing unexplained. Every step's time, memory and requests are printed; a step that does not
hold ends the run.

    python -m tests.benchmarks.scale LEADS      what `make scale LEADS=…` runs
"""

from __future__ import annotations

import os
import random
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote_plus

import orjson
import urllib3

from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.sandbox.salesforce import ids
from tests.benchmarks.figures import print_table

MOST_MB = 500
CHANGES = 1_000
SAMPLE = 2_000
FEW = 1_000
QUIET = "a look, nothing changed"

Json = Any
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Step:
    """What one of leadloop's processes took, the requests it made, and what it printed."""

    name: str
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    waited_seconds: float
    requests: Mapping[str, int]
    told: Json


class Sides:
    """Both platforms, asked over HTTP as their people and leadloop's own user would."""

    def __init__(self, urls: Mapping[str, str], first_contact: int) -> None:
        self.urls = urls
        self._first_contact = first_contact
        self._http = urllib3.PoolManager()

    def ask(self, side: str, method: str, path: str, body: Json = None) -> Json:
        """One request with the side's own credentials."""
        token = HUBSPOT_ACCESS_TOKEN if side == "hubspot" else SALESFORCE_SESSION_ID
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = None if body is None else orjson.dumps(body)
        answer = self._http.request(method, self.urls[side] + path, body=content, headers=headers)
        assert answer.status < 300, (path, answer.status, answer.data[:500])
        return orjson.loads(answer.data)

    def now_ms(self) -> int:
        return int(self.ask("salesforce", "GET", "/_sandbox/clock")["now_ms"])

    def forget_requests(self) -> None:
        for side in self.urls:
            self.ask(side, "DELETE", "/_sandbox/requests")

    def requests(self) -> dict[str, int]:
        return {side: int(self.ask(side, "GET", "/_sandbox/requests")["count"]) for side in self.urls}

    def contact_id(self, number: int) -> str:
        return str(self._first_contact + number)

    def contacts(self, numbers: Sequence[int], names: Sequence[str]) -> dict[int, Json]:
        """These people's contacts, by their number."""
        found: dict[int, Json] = {}
        for start in range(0, len(numbers), 100):
            inputs = [{"id": self.contact_id(number)} for number in numbers[start : start + 100]]
            body = {"inputs": inputs, "properties": list(names), "propertiesWithHistory": []}
            for row in self.ask("hubspot", "POST", "/crm/v3/objects/contacts/batch/read", body)["results"]:
                found[int(row["id"]) - self._first_contact] = row["properties"]
            self._a_moment()
        return found

    def leads(self, numbers: Sequence[int], names: Sequence[str]) -> dict[int, Json]:
        """These people's Leads, by their number."""
        number_of = {lead_record_id(number): number for number in numbers}
        found: dict[int, Json] = {}
        wanted = list(number_of)
        for start in range(0, len(wanted), 100):
            among = ", ".join(f"'{each}'" for each in wanted[start : start + 100])
            query = quote_plus(f"SELECT Id, {', '.join(names)} FROM Lead WHERE Id IN ({among})")
            for row in self.ask("salesforce", "GET", f"/services/data/v62.0/query/?q={query}")["records"]:
                found[number_of[row["Id"]]] = row
        return found

    def _a_moment(self) -> None:
        """HubSpot's limit of calls a second holds for this program, too."""
        self.ask("hubspot", "POST", "/_sandbox/clock", {"advance_seconds": 0.1})


def lead_record_id(number: int) -> str:
    return ids.issue("00Q", number + 1)


class Scale:
    """One run with so many leads."""

    def __init__(self, leads: int, sides: Sides, folder: Path) -> None:
        self.leads = leads
        self.sides = sides
        self.folder = folder
        self.database = folder / "leadloop.db"
        self.steps: list[Step] = []
        self._random = random.Random(leads)  # which people change

    def run(self) -> None:
        """All steps, in order. Raises AssertionError at the first that does not hold."""
        self._backfill()
        self._write()
        self._look_quietly()
        self._change()
        verified = self._step("verify", "verify", "--json").told
        assert verified["unexplained"] == verified["not_repaired"] == verified["repaired"] == 0, verified
        for side in ("salesforce", "hubspot"):
            assert verified["sides"][side]["leads"] == self.leads
            assert verified["sides"][side]["records"] >= self.leads
        for step in self.steps:
            assert step.peak_mb <= MOST_MB, f"{step.name}: {step.peak_mb:.0f} MB"

    def _backfill(self) -> None:
        """Two data sets meet, and every person is one lead."""
        told = self._step("backfill", "backfill", "--json").told
        assert told["finished"], told
        assert not told["ambiguous"], told["ambiguous"][:5]
        assert told["leads"] == {"before": 0, "after": self.leads}, told["leads"]
        with sqlite3.connect(self.database) as conn:
            linked = "SELECT side, count(*), count(DISTINCT lead_id) FROM links GROUP BY side"
            counted = {side: (links, leads) for side, links, leads in conn.execute(linked)}
        assert counted == dict.fromkeys(self.sides.urls, (self.leads, self.leads)), counted

    def _write(self) -> None:
        """Each side gets what only the other one knew, and leadloop's own fields."""
        told = self._step("settle and write until quiet", "run", "--once", "--json").told
        assert told["refused"] == 0, told
        assert told["written"] >= 2 * self.leads, told
        sample = sorted(self._random.sample(range(self.leads), min(SAMPLE, self.leads)))
        names = ("leadloop_id", "leadloop_stage", "industry", "phone", "hubspot_owner_id")
        contacts = self.sides.contacts(sample, names)
        leads = self.sides.leads(
            sample, ("Leadloop_Id__c", "Leadloop_Stage__c", "Industry", "Phone", "Website")
        )
        assert len(contacts) == len(leads) == len(sample)
        lead_ids = {row["leadloop_id"] for row in contacts.values()}
        assert len(lead_ids) == len(sample)
        for number in sample:
            contact, lead = contacts[number], leads[number]
            assert contact["leadloop_id"] == lead["Leadloop_Id__c"]
            assert contact["leadloop_stage"] == lead["Leadloop_Stage__c"]
            assert contact["industry"] == lead["Industry"]
            assert contact["hubspot_owner_id"]
            assert contact["phone"] == lead["Phone"]
            assert lead["Website"]

    def _look_quietly(self) -> None:
        """A look with nothing changed costs a request a side and object. The one before it has gone far back
        once more, over what leadloop itself had written, and listed HubSpot's recycle bin."""
        self._later(hours=1)
        self._step("a look an hour later", "look")
        self._later(minutes=11)
        quiet = self._step(QUIET, "look").told
        assert quiet["changed"] == quiet["records"] == 0, quiet
        # five of Salesforce's objects share a composite call, HubSpot is searched object by object
        objects = quiet["objects"]
        most = {"salesforce": -(-objects["salesforce"] // 5), "hubspot": objects["hubspot"]}
        assert all(quiet["calls"][side] <= most[side] for side in most), (quiet, most)

    def _later(self, hours: int = 0, minutes: int = 0) -> None:
        seconds = 3_600 * hours + 60 * minutes
        self.sides.ask("salesforce", "POST", "/_sandbox/clock", {"advance_seconds": seconds})

    def _change(self) -> None:
        """Some people change on either side, and each change arrives on the other."""
        wanted = min(CHANGES, self.leads // 4)
        chosen = self._random.sample(range(self.leads), 2 * wanted)
        in_hubspot, in_salesforce = chosen[:wanted], chosen[wanted:]
        rows = [
            {"id": self.sides.contact_id(number), "jobtitle": f"HubSpot says {number}"}
            for number in in_hubspot
        ]
        self.sides.ask("hubspot", "POST", "/_sandbox/records", {"object": "contacts", "records": rows})
        records = [
            {
                "action": "update",
                "object": "Lead",
                "id": lead_record_id(number),
                "fields": {"Title": f"Salesforce says {number}"},
            }
            for number in in_salesforce
        ]
        self.sides.ask("salesforce", "POST", "/_sandbox/records", {"records": records})
        self._later(minutes=1)
        told = self._step(f"{wanted:,} changes on each side", "run", "--once", "--json").told
        assert told["refused"] == 0, told
        assert told["written"] >= 2 * wanted, told
        contacts = self.sides.contacts(in_salesforce, ("jobtitle",))
        assert {number: row["jobtitle"] for number, row in contacts.items()} == {
            number: f"Salesforce says {number}" for number in in_salesforce
        }
        leads = self.sides.leads(in_hubspot, ("Title",))
        assert {number: row["Title"] for number, row in leads.items()} == {
            number: f"HubSpot says {number}" for number in in_hubspot
        }

    def _step(self, name: str, *line: str) -> Step:
        """One of leadloop's commands, in a process of its own."""
        self.sides.forget_requests()
        began_ms, began = self.sides.now_ms(), time.monotonic()
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.scale_leadloop",
            self.sides.urls["salesforce"],
            *line,
        ]
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LEADLOOP_")},
            "PYTHONPATH": str(_ROOT),
            "LEADLOOP_DATABASE_URL": f"sqlite:///{self.database}",
            "LEADLOOP_SALESFORCE__BASE_URL": self.sides.urls["salesforce"],
            "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
            "LEADLOOP_HUBSPOT__BASE_URL": self.sides.urls["hubspot"],
            "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
            "LEADLOOP_LOG_LEVEL": "warning",
        }
        with subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            said = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        step = Step(
            name=name,
            wall_seconds=wall,
            cpu_seconds=used.ru_utime + used.ru_stime,
            peak_mb=used.ru_maxrss / 1_024,
            waited_seconds=max(0.0, (self.sides.now_ms() - began_ms) / 1_000 - wall),
            requests=self.sides.requests(),
            told=orjson.loads(said) if said else None,
        )
        self.steps.append(step)
        print(" ", *_row(step), flush=True)
        assert process.returncode == 0, f"{name} ended with {process.returncode}: {said[-2_000:]!r}"
        return step

    def size_mb(self) -> float:
        """What the database takes on the disk."""
        return sum(path.stat().st_size for path in self.folder.glob("leadloop.db*")) / 1_048_576


_HEAD = ("step", "time s", "CPU s", "peak MB", "waiting saved s", "Salesforce", "HubSpot")


def _row(step: Step) -> tuple[str, ...]:
    return (
        step.name,
        f"{step.wall_seconds:,.1f}",
        f"{step.cpu_seconds:,.1f}",
        f"{step.peak_mb:.0f}",
        f"{step.waited_seconds:,.0f}",
        f"{step.requests['salesforce']:,}",
        f"{step.requests['hubspot']:,}",
    )


@contextmanager
def sandbox(leads: int) -> Iterator[Sides]:
    """Both platforms in a process of their own, until the end of the block."""
    command = [sys.executable, "-m", "tests.benchmarks.scale_sandbox", str(leads)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield Sides(**orjson.loads(process.stdout.readline()))
        finally:
            process.stdin.close()


def scale(leads: int) -> Scale:
    """A whole run. Prints its table; raises AssertionError where something does not hold."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="leadloop-scale-") as folder, sandbox(leads) as sides:
        print(f"{leads:,} people on either side, made in {time.monotonic() - began:,.0f} s", flush=True)
        done = Scale(leads, sides, Path(folder))
        try:
            done.run()
        finally:
            print_table(f"{leads:,} leads", _HEAD, [_row(step) for step in done.steps])
            print(
                f"  database {done.size_mb():,.0f} MB; all in all {time.monotonic() - began:,.0f} s",
                flush=True,
            )
    return done


def main(leads: int) -> None:
    """A small run, then the large one; a look with nothing changed makes the same requests in both."""
    looks = [
        next(step for step in scale(number).steps if step.name == QUIET).told["calls"]
        for number in dict.fromkeys((min(FEW, leads), leads))
    ]
    assert all(calls == looks[0] for calls in looks), looks
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"  the sandbox and leadloop together: {own.ru_utime + own.ru_stime:,.0f} s of CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]))
