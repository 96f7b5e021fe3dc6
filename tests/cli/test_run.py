"""`leadloop run` connects, keeps both platforms in step, and stops gracefully."""

from __future__ import annotations

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.cli import service as service_module
from connector.cli.service import Service
from connector.clock import SystemClock
from connector.store import outbox
from connector.store.configurations import applied_configuration
from connector.store.database import Database
from tests.cli.live import WAIT_SECONDS, Live, Process, eventually
from tests.cli.people import ANN, ann_asks_for_prices
from tests.cli.shell import Shell
from tests.world import World, configuration


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_once_makes_one_pass(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)

    done = leadloop("run", "--once", "--json")

    assert done.code == 0
    assert done.json["leads"] >= 1
    assert done.json["moves"] == 2
    assert done.json["refused"] == 0
    assert world.contact(ANN)["leadloop_stage"] == world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    world.later(minutes=1)
    again = leadloop("run", "--once")
    assert again.out.endswith("0 moves, 0 writes, 0 refused.\n")


TOO_MANY = {"policyName": "SECONDLY", "status": "error", "errorType": "RATE_LIMIT"}


def test_once_goes_on_after_a_platform_was_asked_too_fast(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    # the first of them meets the question whether contacts may be read, which need not be answered
    world.hubspot.faults.fail_next(3, 429, TOO_MANY, match="contacts/search")
    world.hubspot.faults.fail_next(
        1, 429, {**TOO_MANY, "policyName": "TEN_SECONDLY_ROLLING"}, match="batch/update"
    )

    done = leadloop("run", "--once", "--json")

    assert done.code == 0
    assert done.json["waiting"] == 0
    assert world.contact(ANN)["leadloop_stage"] == world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    told = [json.loads(line) for line in done.err.splitlines()]
    assert [line["reason"] for line in told if line["event"] == "waiting"] == [
        "HubSpot: too many searches in a second"
    ] * 2


def test_once_says_what_a_platform_puts_off_for_long(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    world.hubspot.faults.fail_next(100, 500, match="batch/update")

    done = leadloop("run", "--once")

    assert done.code == 0, done.err
    assert done.out.endswith("write put off: `leadloop status` says why; run this again.\n"), done.out
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.contact(ANN)["leadloop_stage"] == "nurture"


def test_once_ends_where_a_platform_stays_away(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    world.hubspot.faults.fail_next(100, 429, TOO_MANY, match="contacts/search")

    done = leadloop("run", "--once")

    assert done.code == 1
    assert "too many searches in a second" in done.err.splitlines()[-1]
    world.hubspot.faults.clear()
    assert leadloop("run", "--once").code == 0
    assert world.contact(ANN)["leadloop_stage"] == "distributed"


PAGE = "<html><body>Down for maintenance</body></html>"
WHILE_CONNECTING = [
    ("salesforce", 1, 503, PAGE, {"content-type": "text/html"}, [60]),
    ("hubspot", 3, 429, {**TOO_MANY, "policyName": "TEN_SECONDLY_ROLLING"}, {"Retry-After": "20"}, [20] * 3),
]


@pytest.mark.parametrize(("side", "times", "status", "body", "headers", "waits_seconds"), WHILE_CONNECTING)
def test_once_waits_for_a_platform_while_it_connects(
    world: World,
    leadloop: Shell,
    side: str,
    times: int,
    status: int,
    body: object,
    headers: dict[str, str],
    waits_seconds: list[int],
) -> None:
    ann_asks_for_prices(world)
    getattr(world, side).faults.fail_next(times, status, body=body, headers=headers)

    done = leadloop("run", "--once", "--json")

    assert done.code == 0, done.err
    told = [json.loads(line) for line in done.err.splitlines()]
    assert [line["seconds"] for line in told if line["event"] == "waiting"] == waits_seconds
    assert world.contact(ANN)["leadloop_stage"] == world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"


def test_once_ends_where_a_platform_cannot_be_connected_to(world: World, leadloop: Shell) -> None:
    world.salesforce.faults.fail_next(100, 503, body=PAGE, headers={"content-type": "text/html"})
    began_ms = world.clock.now_ms()
    done = leadloop("run", "--once")
    assert done.code == 1
    assert "maintenance or an outage" in done.err.splitlines()[-1]
    assert 170_000 <= world.clock.now_ms() - began_ms <= 190_000, "three minutes"


def test_once_hands_over_what_one_platform_told_before_the_other_was_away(
    world: World, leadloop: Shell
) -> None:
    """The side that is looked at first is Salesforce."""
    ann_asks_for_prices(world)
    assert leadloop("run", "--once").code == 0
    given = {"Leadloop_Verdict__c": "rejected", "Leadloop_Rejection_Reason__c": "timing"}
    world.later(minutes=5)
    world.salesforce.update("Lead", world.sf_lead(ANN)["Id"], **given)
    world.hubspot.faults.fail_next(100, 429, TOO_MANY, match="contacts/search")

    assert leadloop("run", "--once").code == 1
    assert world.contact(ANN)["leadloop_stage"] == world.sf_lead(ANN)["Leadloop_Stage__c"] == "nurture"


def test_logs_json_without_personal_data(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    world.hubspot.faults.bad_record("contacts", "leadloop_owner", "sam@sales.example", "INVALID_OPTION")

    done = leadloop("run", "--once")

    lines = [json.loads(line) for line in done.err.splitlines()]
    assert {"connected", "moved", "refused"} <= {line["event"] for line in lines}
    assert {line["to"] for line in lines if line["event"] == "moved"} == {"mql", "distributed"}
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert "@" not in done.err
    assert "Arbor" not in done.err


def test_the_first_start_remembers_nothing_when_it_fails(
    world: World, leadloop: Shell, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/fresh.db"
    leadloop("run", "--once", LEADLOOP_DATABASE_URL=url, LEADLOOP_HUBSPOT__PORTAL_ID="1")

    database = Database.open(url)
    try:
        with database.read() as conn:
            assert applied_configuration(conn) is None
    finally:
        database.close()


@contextmanager
def working(service: Service) -> Iterator[Service]:
    """The service at work on a thread of its own; stopped, and without a failure, at the end."""
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(service.run)
        try:
            yield service
        finally:
            service.stop()
            done.result(WAIT_SECONDS)


def test_is_ready_once_every_side_was_looked_at(live: Live) -> None:
    with working(live.service()) as service:
        eventually(lambda: service.not_ready() is None)
        kind, page = service.metrics()

    assert kind.startswith("text/plain")
    assert b'leadloop_last_poll_age_seconds{side="hubspot"}' in page
    assert service.not_ready() == "not connected yet"


def test_takes_up_a_configuration_that_was_applied(
    live: Live, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "LOOK_SECONDS", 0.1)
    with working(live.service()) as service:
        eventually(lambda: service.not_ready() is None)
        (folder / "leadloop.yaml").write_text("rules: [rules.yaml]\nread_before_handoff: true\n")

        answer = Shell(folder, live.environment)("apply", "--yes", "--json").json

        eventually(
            lambda: (connected := service.connected) and connected.installation.read_before_handoff is True
        )
        assert service.connected is not None
        assert service.connected.installation.configuration == answer["configuration"]
        eventually(lambda: service.not_ready() is None)


class Impatient(SystemClock):
    """Waits much shorter than it is told to, and goes as far ahead as it would have waited."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self._ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self._ahead_ms

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        self.waits.append(seconds)
        super().sleep(min(seconds, 0.05), wake)
        if wake is None or not wake.is_set():
            self._ahead_ms += int(1_000 * seconds)


def test_waits_for_a_platform_that_does_not_answer_yet(live: Live) -> None:
    live.sandbox.salesforce.faults.fail_next(5, 503, match="/services/data")
    clock = Impatient()

    with working(live.service(clock)) as service:
        eventually(lambda: service.not_ready() is None)

    assert max(clock.waits) >= 1


def test_stops_while_it_waits_to_connect(live: Live) -> None:
    live.sandbox.salesforce.faults.fail_next(10_000, 503)

    with working(live.service()):
        eventually(lambda: live.sandbox.salesforce.requests.count > 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_works_until_a_signal_and_loses_nothing(live: Live, folder: Path, number: int) -> None:
    hubspot = live.sandbox.hubspot
    process = Process(folder, live.environment, "--health-port", "0")
    try:
        url = process.said("health")["url"]
        assert url.startswith("http://127.0.0.1:")
        assert get(f"{url}/healthz") == (200, '{"status": "ok"}')
        eventually(lambda: get(f"{url}/readyz")[0] == 200)

        hubspot.create("contacts", email=ANN, lastname="Arbor", jobtitle="VP")
        eventually(lambda: live.stages_of(ANN) == ["nurture"])
        (contact,) = hubspot.rows("contacts")
        hubspot.update("contacts", str(contact["hs_object_id"]), num_conversion_events="1")
        eventually(lambda: live.stages_of(ANN) == ["distributed", "distributed"])

        page = get(f"{url}/metrics")[1]
        assert 'leadloop_moves_total{origin="mql",target="distributed"} 1.0' in page
        assert get(f"{url}/nowhere")[0] == 404
    finally:
        code = process.signalled(number)

    assert code == 0
    assert process.lines[-1]["event"] == "stopped"
    with live.database.read() as conn:
        assert all(queue.state != "in_flight" for queue in outbox.counts(conn))


def test_a_health_port_that_is_taken_is_told(world: World, leadloop: Shell) -> None:
    taken = int(world.sandbox.hubspot_url.rpartition(":")[2])

    answer = leadloop("run", "--health-port", str(taken))

    assert answer.code == 2
    assert answer.err == (
        f"--health-port {taken} on 127.0.0.1 cannot be used (Address already in use): choose another one "
        "(0 takes any that is free), or correct --health-host.\n"
    )


def test_an_edited_folder_waits_for_apply(world: World, leadloop: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text("rules: [rules.yaml]\nread_before_handoff: true\n")

    done = leadloop("run", "--once")

    assert "leadloop apply" in done.err
    with world.database.read() as conn:
        applied = applied_configuration(conn)
    assert applied is not None
    assert applied.version == configuration().version
