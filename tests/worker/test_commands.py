"""`leadloop worker` and `leadloop clock` as processes of their own, and what they say if they cannot run."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from connector.cli.worker_service import ClockService
from connector.clock import MINUTE_MS, ManualClock, SystemClock
from connector.intake.timetable import next_poll_ms
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.sandbox.host import Sandbox
from connector.settings import load_settings
from connector.store.database import Database
from connector.store.settings_values import put_value
from connector.worker.poll_lease import last_polls_ms
from tests.cli.live import command, surroundings
from tests.cli.shell import Shell
from tests.worker.conftest import is_live
from tests.world import START_MS, configuration

Eventually = Callable[[Callable[[], object]], None]
SIDES = ("hubspot", "salesforce")
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def shell(folder: Path, sqlite_url: str) -> Shell:
    """A shell in an empty folder, over a migrated database."""
    environment = {
        "LEADLOOP_DATABASE_URL": sqlite_url,
        "LEADLOOP_SALESFORCE__INSTANCE_URL": "https://acme.my.salesforce.com",
        "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
        "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
    }
    return Shell(folder, environment)


@pytest.mark.parametrize("command", ["worker", "clock"])
def test_without_redis_a_command_says_what_to_do(shell: Shell, command: str) -> None:
    unset = shell(command)
    assert unset.code == 2
    assert "LEADLOOP_REDIS_URL is not set" in unset.err
    assert "leadloop run" in unset.err
    away = shell(command, LEADLOOP_REDIS_URL=NO_REDIS)
    assert away.code == 2
    assert "Redis does not answer" in away.err


def test_a_worker_without_credentials_says_what_to_set(shell: Shell) -> None:
    answer = shell("worker", LEADLOOP_REDIS_URL=NO_REDIS, LEADLOOP_HUBSPOT__ACCESS_TOKEN="")
    assert answer.code == 2
    assert "LEADLOOP_HUBSPOT__ACCESS_TOKEN" in answer.err


@pytest.mark.parametrize(
    ("due_minutes_ago", "says"),
    [
        (None, "hubspot has never been looked at"),
        (-1, None),
        (9, None),
        (60, "hubspot should have been looked at 60 minutes ago"),
    ],
)
def test_ready_means_that_every_side_is_looked_at(
    tmp_path: Path, database: Database, due_minutes_ago: int | None, says: str | None
) -> None:
    clock = ManualClock(START_MS)
    with database.begin() as conn:
        for side, minutes in (("hubspot", due_minutes_ago), ("salesforce", -1)):
            if minutes is not None:
                put_value(conn, f"next_poll_ms:{side}", START_MS - minutes * MINUTE_MS)
    service = ClockService(configuration(), load_settings({}, {}), database, clock)
    told = service.not_ready()
    assert told is None if says is None else told is not None and told.startswith(says)


def test_the_metrics_of_a_clock_tell_when_each_side_was_looked_at(database: Database) -> None:
    with database.begin() as conn:
        put_value(conn, "last_poll_ms:hubspot", START_MS - 90_000)
    service = ClockService(configuration(), load_settings({}, {}), database, ManualClock(START_MS))
    kind, page = service.metrics()
    assert kind.startswith("text/plain")
    line = next(line for line in page.decode().splitlines() if "poll" in line and 'side="hubspot"' in line)
    assert float(line.rpartition(" ")[2]) == 90.0


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Both platforms, on the real time."""
    made = Sandbox(SystemClock())
    made.add_leadloop_fields()
    with made.start():
        yield made


@pytest.fixture
def environment(sandbox: Sandbox, postgresql_url: str, own_redis_url: str) -> dict[str, str]:
    """Settings of the processes."""
    return {
        "LEADLOOP_DATABASE_URL": postgresql_url,
        "LEADLOOP_REDIS_URL": own_redis_url,
        "LEADLOOP_SALESFORCE__BASE_URL": sandbox.salesforce_url,
        "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
        "LEADLOOP_SALESFORCE__POLL_SECONDS": "2",
        "LEADLOOP_HUBSPOT__BASE_URL": sandbox.hubspot_url,
        "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
        "LEADLOOP_HUBSPOT__POLL_SECONDS": "2",
    }


def start(folder: Path, environment: Mapping[str, str], *typed: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(*typed),
        cwd=folder,
        env=surroundings(environment),
        stderr=subprocess.PIPE,
    )


def test_processes_carry_leads_survive_a_kill_and_stop_when_told(
    tmp_path: Path, sandbox: Sandbox, environment: dict[str, str], eventually: Eventually
) -> None:
    database = Database.open(environment["LEADLOOP_DATABASE_URL"])
    first = start(tmp_path, environment, "worker")
    clock = start(tmp_path, environment, "clock")
    running = [first, clock]

    def connected() -> bool:
        assert all(process.poll() is None for process in running), "a process ended by itself"
        with database.read() as conn:
            looked_at = last_polls_ms(conn, SIDES)
        return len(looked_at) == 2 and is_live(database, SystemClock())

    def between_looks() -> bool:
        # a worker killed while it looks at a side keeps that side's lease, which has a test of its own
        with database.read() as conn:
            return min(next_poll_ms(conn, side) for side in SIDES) > SystemClock().now_ms() + 300

    def in_step(email: str) -> Callable[[], bool]:
        def shown() -> bool:
            contacts = [row for row in sandbox.hubspot.rows("contacts") if row["email"] == email]
            leads = [row for row in sandbox.salesforce.rows("Lead") if row["Email"] == email]
            return [row.get("leadloop_stage") for row in contacts] == [
                row["Leadloop_Stage__c"] for row in leads
            ] and len(leads) == 1

        return shown

    try:
        eventually(connected)
        sandbox.salesforce.insert("Lead", Email="ann@firm.example", LastName="Ann", Company="Firm")
        eventually(in_step("ann@firm.example"))

        eventually(between_looks)
        first.kill()
        first.wait(30)
        running.remove(first)
        second = start(tmp_path, environment, "worker", "--threads", "2")
        running.append(second)
        sandbox.salesforce.insert("Lead", Email="ben@firm.example", LastName="Ben", Company="Firm")
        eventually(in_step("ben@firm.example"))

        for process in (second, clock):
            process.send_signal(signal.SIGTERM)
        assert [process.wait(60) for process in (second, clock)] == [0, 0]
    finally:
        for process in {first, clock, *running}:
            if process.poll() is None:
                process.kill()
            process.wait(30)
            assert process.stderr is not None
            print(process.stderr.read().decode())
            process.stderr.close()
        database.close()
