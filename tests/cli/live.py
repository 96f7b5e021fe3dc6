"""Live: both sandboxes on the system's clock, and leadloop as processes of its own beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from connector.cli.service import Service
from connector.clock import Clock, SystemClock
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.sandbox.host import Sandbox
from connector.settings import load_settings
from connector.store.database import Database
from tests.world import configuration

MAIN = "from connector.cli.start import main; main()"
WAIT_SECONDS = 60.0


def eventually(condition: Callable[[], object]) -> None:
    """Wait, in real time, until something that another thread or process brings about is so."""
    moment = threading.Event()
    for _ in range(int(WAIT_SECONDS / 0.05)):
        if condition():
            return
        moment.wait(0.05)
    raise AssertionError(f"not so after {WAIT_SECONDS:g} seconds")


def command(*arguments: str, before: str = "") -> list[str]:
    """leadloop as this Python runs it; `before` is done first, in its process."""
    return [sys.executable, "-c", before + MAIN, *arguments]


def surroundings(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of such a process: it imports what the tests import, and has these settings alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEADLOOP_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), **settings}


class Live:
    """Both sandboxes on the system's clock, as processes of their own see them, and a fresh database."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox(SystemClock())
        self.sandbox.add_leadloop_fields()
        for email in ("sam@sales.example", "kim@sales.example"):
            self.sandbox.salesforce.add_user(email.partition("@")[0], email)
            self.sandbox.hubspot.add_owner(email)
        self.sandbox.start()
        self.database = Database.open(f"sqlite:///{folder}/live.db")
        self.database.migrate()
        self.environment = {
            "LEADLOOP_DATABASE_URL": f"sqlite:///{folder}/live.db",
            "LEADLOOP_SALESFORCE__BASE_URL": self.sandbox.salesforce_url,
            "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
            "LEADLOOP_SALESFORCE__POLL_SECONDS": "1",
            "LEADLOOP_HUBSPOT__BASE_URL": self.sandbox.hubspot_url,
            "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
            "LEADLOOP_HUBSPOT__POLL_SECONDS": "1",
        }

    def service(self, clock: Clock | None = None) -> Service:
        settings = load_settings({}, self.environment)
        return Service(configuration(), settings, self.database, clock or SystemClock())

    def stages_of(self, email: str) -> list[str | None]:
        """What the person's records on both platforms say."""
        salesforce, hubspot = self.sandbox.salesforce, self.sandbox.hubspot
        leads = [row["Leadloop_Stage__c"] for row in salesforce.rows("Lead") if row["Email"] == email]
        contacts = [row["leadloop_stage"] for row in hubspot.rows("contacts") if row["email"] == email]
        return [*leads, *contacts]

    def close(self) -> None:
        self.sandbox.stop()
        self.database.close()


class Process:
    """`leadloop run`, or another command that goes on, in a process of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str, name: str = "run") -> None:
        self.lines: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            command(name, *arguments),
            cwd=folder,
            env=surroundings(environment),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(json.loads(line) if line.startswith("{") else {"event": line})

    def said(self, event: str) -> dict[str, Any]:
        """The first log line of this event, waited for."""
        eventually(
            lambda: any(line["event"] == event for line in self.lines) or self._process.poll() is not None
        )
        found = [line for line in self.lines if line["event"] == event]
        assert found, self.lines
        return found[0]

    def signalled(self, number: int) -> int:
        """Its exit code after a signal."""
        self._process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        code = self._process.wait(WAIT_SECONDS)
        self._reader.join(WAIT_SECONDS)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return code
