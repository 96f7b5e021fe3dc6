"""`leadloop webhooks` is killed while deliveries come in: whatever it has answered is in the inbox."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from connector.store.database import Database
from connector.store.inbox import due_hints
from connector.store.settings_values import put_value
from tests.cli.live import command, surroundings
from tests.webhooks.sending import PORTAL, SECRET, event, signed

SENDERS, EVENTS, ENOUGH = 8, 20, 120


@contextmanager
def receiver(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process of its own, and its address for HubSpot."""
    settings = {
        "LEADLOOP_DATABASE_URL": url,
        "LEADLOOP_WEBHOOKS__PORT": "0",
        "LEADLOOP_HUBSPOT__CLIENT_SECRET": SECRET,
    }
    process = subprocess.Popen(
        command("webhooks"),
        cwd=folder,
        env=surroundings(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        try:
            lines = map(json.loads, process.stderr)
            yield process, next(line["address"] for line in lines if line.get("address"))
        finally:
            process.kill()


class Sender(threading.Thread):
    """Sends deliveries about records of its own, one after another, until the receiver is gone."""

    def __init__(self, number: int, address: str, enough: threading.Semaphore) -> None:
        super().__init__()
        self.acknowledged: list[int] = []
        self._first = (number + 1) * 1_000_000
        self._address = address
        self._enough = enough

    def run(self) -> None:
        place = urlsplit(self._address)
        assert place.hostname is not None
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
        next_id = self._first
        try:
            while True:
                ids = list(range(next_id, next_id + EVENTS))
                next_id += EVENTS
                body = json.dumps([event(each) for each in ids]).encode()
                headers = signed(self._address, body, time.time_ns() // 1_000_000)
                connection.request("POST", place.path, body, headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 204
                self.acknowledged += ids
                self._enough.release()
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def test_nothing_acknowledged_is_lost_when_it_is_killed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.begin() as conn:
        put_value(conn, "account:hubspot", PORTAL)
    enough = threading.Semaphore(0)
    with receiver(database_url, tmp_path) as (process, address):
        senders = [Sender(number, address, enough) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        for _ in range(ENOUGH):
            assert enough.acquire(timeout=60)
        process.send_signal(signal.SIGKILL)
        for sender in senders:
            sender.join()
        assert process.wait(30) == -signal.SIGKILL

    acknowledged = {str(each) for sender in senders for each in sender.acknowledged}
    with database.read() as conn:
        stored = {each.record_id for each in due_hints(conn, "hubspot", 2**62, 1_000_000)}
    assert len(acknowledged) >= ENOUGH * EVENTS
    assert acknowledged <= stored
    # one delivery is one commit: it is there as a whole, or not at all
    assert len(stored) % EVENTS == 0


def test_it_stops_gracefully(database: Database, database_url: str, tmp_path: Path) -> None:
    with receiver(database_url, tmp_path) as (process, address):
        assert address.endswith("/hubspot")
        process.terminate()
        assert process.wait(30) == 0
