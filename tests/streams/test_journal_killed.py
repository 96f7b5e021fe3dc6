"""Following a stream, as processes of their own: killed at the worst moment and started again, and `leadloop
run` with the journal in place of polls."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from connector.sandbox import HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET
from connector.sandbox.faults import Faults
from connector.store.inbox import due_hints
from connector.store.schema import leases
from connector.store.streams import stream_places
from tests.cli.conftest import write_documents
from tests.cli.live import Live, Process, command, eventually, surroundings
from tests.world import configuration

PEOPLE = 60
JOURNAL = {
    "LEADLOOP_HUBSPOT__CLIENT_ID": HUBSPOT_CLIENT_ID,
    "LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
    "LEADLOOP_HUBSPOT__JOURNAL": "true",
}


@pytest.fixture
def live(tmp_path: Path, folder: Path) -> Iterator[Live]:
    """Both sandboxes, whose HubSpot keeps a journal in files of two contacts, and a folder to work in."""
    write_documents(folder, configuration())
    made = Live(tmp_path)
    made.environment |= JOURNAL
    made.sandbox.hubspot.crm.journal.most_events = 4
    yield made
    made.close()


def start(live: Live, folder: Path) -> subprocess.Popen[str]:
    """`leadloop streams` as a process of its own."""
    return subprocess.Popen(
        command("streams"),
        cwd=folder,
        env=surroundings(live.environment),
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], number: int) -> int:
    """Its exit code after a signal."""
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


def killed_at_file(faults: Faults, number: int, live: Live, folder: Path) -> int:
    """The exit code of a process that gets SIGKILL while the storage hands out its file of this number."""
    usual = faults.take
    left = [number]

    def take(method: str, path: str, body: bytes) -> list[object]:
        if "/journal-files/" in path:
            left[0] -= 1
            if left[0] == 0:
                process.kill()
        return list(usual(method, path, body))

    faults.take = take  # type: ignore[method-assign,assignment]  # the sandbox asks it for each request
    process = start(live, folder)
    process.communicate(timeout=120)
    faults.take = usual  # type: ignore[method-assign]  # as it was
    with live.database.begin() as conn:
        conn.execute(delete(leases))  # as after a minute: the lease of the dead runs out
    return process.returncode


def told(live: Live) -> list[str]:
    with live.database.read() as conn:
        return [hint.record_id for hint in due_hints(conn, "hubspot", 2**62, 10_000)]


def begun(live: Live) -> bool:
    """Whether the journal is read from a moment on that lies behind us."""
    with live.database.read() as conn:
        return "hubspot" in stream_places(conn)


def test_killed_while_it_fetches_nothing_is_lost_and_nothing_is_told_twice(live: Live, folder: Path) -> None:
    hubspot = live.sandbox.hubspot
    assert Process(folder, live.environment, "--once").ended() == 0
    first = start(live, folder)
    eventually(lambda: begun(live))  # the journal holds what comes from now on
    assert ended(first, signal.SIGTERM) == 0
    ids = []
    for killed in range(3):
        made = range(PEOPLE // 3)
        ids += [hubspot.create("contacts", email=f"n{killed}-{n}@acme.example") for n in made]
        assert killed_at_file(hubspot.faults, 3, live, folder) == -signal.SIGKILL
    assert len(told(live)) < PEOPLE

    last = start(live, folder)
    eventually(lambda: len(told(live)) >= PEOPLE)
    assert ended(last, signal.SIGTERM) == 0

    assert sorted(told(live)) == sorted(ids)


def test_a_change_reaches_salesforce_while_polls_are_an_hour_apart(live: Live, folder: Path) -> None:
    live.environment |= {
        "LEADLOOP_HUBSPOT__POLL_SECONDS": "3600",
        "LEADLOOP_SALESFORCE__POLL_SECONDS": "3600",
    }
    salesforce, hubspot = live.sandbox.salesforce, live.sandbox.hubspot
    process = Process(folder, live.environment)
    try:
        eventually(lambda: begun(live))
        hubspot.create(
            "contacts",
            email="ann@acme.example",
            lastname="Lee",
            jobtitle="VP Sales",
            company="Acme",
        )
        eventually(lambda: "nurture" in live.stages_of("ann@acme.example"))
        hubspot.submit_form("ann@acme.example", "Pricing")
        eventually(lambda: [row["LastName"] for row in salesforce.rows("Lead")] == ["Lee"])
        eventually(lambda: live.stages_of("ann@acme.example") == ["distributed", "distributed"])
    finally:
        assert process.signalled(signal.SIGTERM) == 0
