"""Bad input is one clear message that names the place and the remedy, exit code 2, and nothing half done."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.cli import place
from connector.cli.failures import EXIT_CODES
from connector.store import leads as lead_store
from tests.cli.people import ann_fills_in_a_form
from tests.cli.shell import Shell
from tests.world import World

AGAIN = "The configuration cannot be used; `leadloop check` looks at it again.\n"


def test_broken_yaml(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text("rules: [rules.yaml\nbrake: {}\n")

    answer = shell("run")

    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("leadloop.yaml:2:")
    assert "this is not valid YAML" in answer.err
    assert answer.err.endswith(AGAIN)
    assert list(folder.iterdir()) == [folder / "leadloop.yaml"]


def test_an_unknown_field_names_the_nearest(shell: Shell, folder: Path) -> None:
    shell("init", str(folder))
    file = folder / "mappings/hubspot.yaml"
    lines = file.read_text().splitlines()
    number = next(n for n, line in enumerate(lines) if line.strip().startswith("job_title:"))
    lines[number] = lines[number].replace("job_title:", "job_titel:")
    file.write_text("\n".join(lines) + "\n")

    answer = shell("run")

    assert answer.code == 2
    column = lines[number].index("job_titel") + 1
    first = answer.err.splitlines()[0]
    assert first.startswith(f"mappings/hubspot.yaml:{number + 1}:{column}: ")
    assert '"job_titel"' in first
    assert 'did you mean "job_title"?' in first
    assert answer.err.endswith(AGAIN)


def test_a_missing_credential(shell: Shell, folder: Path) -> None:
    answer = shell("run", LEADLOOP_HUBSPOT__ACCESS_TOKEN="t")

    assert answer.code == 2
    assert answer.err == (
        "No Salesforce credentials: set LEADLOOP_SALESFORCE__CONSUMER_KEY with __USERNAME and "
        "__PRIVATE_KEY_FILE (JWT bearer), or with __CONSUMER_SECRET and __INSTANCE_URL (client "
        "credentials), or __SESSION_ID with __INSTANCE_URL.\n"
    )
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("plan", "ann@acme.example"),
        ("explain", "ann@acme.example", "--json"),
        ("holds",),
        ("quarantine",),
        ("quarantine", "retry", "--all"),
        ("brake",),
        ("brake", "release", "mql"),
        ("apply", "--yes"),
        ("resync", "--all"),
        ("run",),
        ("worker",),
        ("clock",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LEADLOOP_HUBSPOT__ACESS_TOKEN", "LEADLOOP_HUBSPOT__ACCESS_TOKEN"),
        ("LEADLOOP_DATABSE_URL", "LEADLOOP_DATABASE_URL"),
    ],
)
def test_a_setting_that_does_not_exist(
    shell: Shell, folder: Path, command: tuple[str, ...], name: str, meant: str
) -> None:
    answer = shell(*command, **{name: "hush"})

    assert answer.code == 2
    assert answer.out == ""
    assert answer.err == f"{name} is not a setting: did you mean {meant}?\n"
    assert list(folder.iterdir()) == []


def test_a_wrong_credential(world: World, leadloop: Shell) -> None:
    answer = leadloop("run", "--once", LEADLOOP_HUBSPOT__ACCESS_TOKEN="pat-na1-wrong")

    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert "LEADLOOP_HUBSPOT__ACCESS_TOKEN" in answer.err or "401" in answer.err
    assert "pat-na1-wrong" not in answer.err


def test_a_wrong_org(world: World, leadloop: Shell, tmp_path: Path) -> None:
    answer = leadloop(
        "run",
        LEADLOOP_SALESFORCE__ORGANIZATION_ID="00D000000000001AAA",
        LEADLOOP_DATABASE_URL=f"sqlite:///{tmp_path}/fresh.db",
    )

    assert answer.code == 2
    assert answer.err == (
        f"The credentials are for the Salesforce org {world.salesforce.organization_id} (Sandbox), but "
        "LEADLOOP_SALESFORCE__ORGANIZATION_ID is 00D000000000001AAA: correct one of them\n"
    )
    status = leadloop("status", "--json", LEADLOOP_DATABASE_URL=f"sqlite:///{tmp_path}/fresh.db").json
    assert status["applied_at"] is None
    assert status["sides"]["salesforce"]["account"] is None


def test_a_database_of_another_account(world: World, leadloop: Shell) -> None:
    from connector.store.settings_values import put_value

    with world.database.begin() as conn:
        put_value(conn, "account:hubspot", "111")

    answer = leadloop("run", "--once")

    assert answer.code == 2
    assert answer.err.endswith(
        f"This database belongs to the hubspot account 111, but the credentials are for "
        f"{world.hubspot.portal_id}: use another LEADLOOP_DATABASE_URL or the right credentials.\n"
    )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the database for itself."""
    program = (
        "import sqlite3, sys\n"
        "conn = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "conn.execute('BEGIN EXCLUSIVE')\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            other.communicate("")


@pytest.mark.parametrize(
    "command", [("resync", "--all"), ("run",), ("run", "--once"), ("quarantine", "retry", "--all")]
)
def test_a_locked_database(
    world: World,
    leadloop: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    ann_fills_in_a_form(world)
    monkeypatch.setattr(place, "BUSY_SECONDS", 0.05)
    requests = world.salesforce.requests.count

    with locked(tmp_path / "leadloop.db"):
        answer = leadloop(*command)
        shown = leadloop("status")

    assert answer.code == 2
    assert answer.out == ""
    assert answer.err == (
        f"The database sqlite:///{tmp_path}/leadloop.db is locked by another process: stop that process (a "
        "backup, an open SQL shell) and try again\n"
    )
    assert world.salesforce.requests.count == requests
    assert shown.code == 0
    with world.database.read() as conn:
        assert lead_store.backlog(conn, world.clock.now_ms()).dirty == 0


def test_a_database_in_a_folder_that_does_not_exist(leadloop: Shell, tmp_path: Path) -> None:
    answer = leadloop("run", LEADLOOP_DATABASE_URL=f"sqlite:///{tmp_path}/no/such/leadloop.db")

    assert answer.code == 2
    assert answer.err == f"The folder {tmp_path}/no/such of the database does not exist: create it first\n"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to")
def test_a_database_in_a_folder_that_cannot_be_written(leadloop: Shell) -> None:
    answer = leadloop("run", LEADLOOP_DATABASE_URL="sqlite:////proc/leadloop.db")

    assert answer.code == 2
    assert answer.err.startswith("The database sqlite:////proc/leadloop.db cannot be opened: check that its ")
    assert "writable" in answer.err


def test_a_file_that_is_no_database(leadloop: Shell, tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("not a database at all, but long enough to look like the beginning of one" * 20)

    answer = leadloop("status", LEADLOOP_DATABASE_URL=f"sqlite:///{file}")

    assert answer.code == 2
    assert answer.err == (
        f"The database sqlite:///{file} is not a SQLite database: name another file, or restore this one "
        "from a backup\n"
    )


def test_reports_leave_no_empty_database_behind(shell: Shell, folder: Path) -> None:
    answer = shell("status")

    assert answer.code == 2
    assert answer.err == (
        f"There is no database at {folder}/leadloop.db: start `leadloop run` once, or name another one with "
        "LEADLOOP_DATABASE_URL.\n"
    )
    assert list(folder.iterdir()) == []


def test_a_database_of_a_newer_leadloop(world: World, leadloop: Shell) -> None:
    from sqlalchemy import text

    with world.database.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    answer = leadloop("status")

    assert answer.code == 2
    assert "was written by a newer leadloop (its tables are at 9999)" in answer.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://u:hush@127.0.0.1:port/x",
            "The database URL cannot be read: use sqlite:///leadloop.db or ",
        ),
        ("leadloop.db", "The database URL cannot be read: use sqlite:///leadloop.db or "),
        ("mysql://u:hush@127.0.0.1/x", "No database of the kind 'mysql': use sqlite:///leadloop.db or "),
        (
            "postgresql://u:hush@127.0.0.1:1/x",
            "The database postgresql+psycopg://u:***@127.0.0.1:1/x cannot be reached: check host, port ",
        ),
    ],
)
@pytest.mark.parametrize(
    "command", [("status", "--json"), ("apply", "--yes", "--json"), ("run",)], ids=" ".join
)
def test_a_database_url_that_leads_nowhere(
    shell: Shell, folder: Path, command: tuple[str, ...], url: str, said: str
) -> None:
    answer = shell(
        *command,
        LEADLOOP_DATABASE_URL=url,
        LEADLOOP_SALESFORCE__SESSION_ID="s",
        LEADLOOP_SALESFORCE__BASE_URL="http://127.0.0.1:1",
        LEADLOOP_HUBSPOT__ACCESS_TOKEN="t",
    )

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(said)
    assert answer.err.count("\n") == 1
    assert "hush" not in answer.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["run", "worker", "clock"])
def test_a_health_port_that_is_taken_is_told_before_anything_is_made(
    shell: Shell, folder: Path, command: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = shell(
            command,
            "--health-port",
            str(port),
            LEADLOOP_SALESFORCE__SESSION_ID="s",
            LEADLOOP_SALESFORCE__BASE_URL="http://127.0.0.1:1",
            LEADLOOP_HUBSPOT__ACCESS_TOKEN="t",
        )

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"--health-port {port} on 127.0.0.1 cannot be used (Address already in use): choose another one (0 "
        "takes any that is free), or correct --health-host.\n"
    )
    assert list(folder.iterdir()) == []


def test_a_folder_that_does_not_exist(shell: Shell, tmp_path: Path) -> None:
    answer = shell("--config", str(tmp_path / "nowhere"), "check")

    assert answer.code == 2
    assert "nowhere" in answer.err


def test_a_platform_that_does_not_answer_now(world: World, leadloop: Shell) -> None:
    world.salesforce.faults.fail_next(50, 503)

    answer = leadloop("run", "--once")

    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert "again in" in answer.err.splitlines()[-1]


@pytest.mark.parametrize("name", sorted(EXIT_CODES))
def test_every_listed_error_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")

    found = getattr(importlib.import_module(module), kind)

    assert issubclass(found, Exception)
    assert f"{found.__module__}.{found.__qualname__}" == name
