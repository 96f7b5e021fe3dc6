"""`leadloop backfill` is killed, or told to stop, on a page of either platform: it goes on with that page."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.faults import Faults
from connector.store.links import count_by_sides
from tests.cli.live import Live, command, surroundings

LEADS, CONTACTS = 350, 350
"""Four pages of each; 150 are the same people."""


@pytest.fixture
def live(live: Live) -> Live:
    for number in range(LEADS):
        live.sandbox.salesforce.insert(
            "Lead", LastName=f"No {number}", Company="Acme", Email=f"n{number}@acme.example"
        )
    for number in range(200, 200 + CONTACTS):
        live.sandbox.hubspot.create("contacts", email=f"n{number}@acme.example", lastname=f"No {number}")
    live.sandbox.salesforce.bulk.seconds = 0.1
    live.sandbox.salesforce.bulk.page_size = 100
    return live


READY = "import connector.platforms.salesforce.bulk as bulk; bulk.FEW = 0; bulk.FIRST_WAIT_SECONDS = 0.1;"
"""A job also for few records, and no long waits for it."""


def started(live: Live, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("backfill", "--json", before=READY),
        cwd=folder,
        env=surroundings(live.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def signal_at(
    faults: Faults, path: str, number: int, process: subprocess.Popen[str], sent: signal.Signals
) -> None:
    """Send a signal while the platform has the request of this number to `path`."""
    usual = faults.take
    met: list[str] = []

    def take(method: str, asked: str, body: bytes) -> list[object]:
        if asked.endswith(path) and method == "GET":
            met.append(asked)
            if len(met) == number:
                process.send_signal(sent)
        return list(usual(method, asked, body))

    faults.take = take  # type: ignore[method-assign,assignment]  # the sandbox asks it for each request


def requests_of(live: Live) -> Counter[str]:
    counted: Counter[str] = Counter()
    for world in (live.sandbox.salesforce, live.sandbox.hubspot):
        counted.update(
            {f"{method} {kind}": count for (method, kind), count in world.requests.by_kind.items()}
        )
    return counted


PAGES = {"salesforce": "/results", "hubspot": "/objects/contacts"}


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_it_goes_on_with_its_page_and_nobody_is_there_twice(
    live: Live, folder: Path, side: str, sent: signal.Signals
) -> None:
    faults = live.sandbox.salesforce.faults if side == "salesforce" else live.sandbox.hubspot.faults
    process = started(live, folder)
    signal_at(faults, PAGES[side], 3, process, sent)
    out, err = process.communicate(timeout=60)
    if sent is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL, err
    else:
        assert process.returncode == 1, err
        assert "the same command goes on from there" in err
        assert not json.loads(out)["finished"]
    before = requests_of(live)

    again = started(live, folder)
    out, err = again.communicate(timeout=60)

    assert again.returncode == 0, err
    told: dict[str, Any] = json.loads(out)
    objects = {each["object"]: each for each in told["objects"]}
    assert (objects["Lead"]["records"], objects["Lead"]["new"]) == (LEADS, LEADS)
    assert (objects["contacts"]["records"], objects["contacts"]["new"]) == (CONTACTS, CONTACTS)
    with live.database.read() as conn:
        assert count_by_sides(conn) == {
            ("hubspot", "salesforce"): 150,
            ("hubspot",): 200,
            ("salesforce",): 200,
        }
    after = requests_of(live) - before
    asked = sum(
        count for kind, count in after.items() if kind.startswith("GET") and PAGES[side] in f"{kind}."
    )
    assert after["POST jobs/query"] == 0, "the same job goes on"
    assert asked == 2 if sent is signal.SIGKILL else asked <= 2
