"""`leadloop streams` and the streams of `leadloop run`: what is followed, by whom, and what a kill costs."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from connector.sandbox import HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET
from connector.sandbox.salesforce.pubsub_server import PubSubServer
from connector.store.inbox import due_hints
from connector.store.schema import leases
from connector.store.settings_values import put_value
from connector.store.streams import stream_places
from tests.cli.live import Live, Process, eventually
from tests.cli.shell import Shell

TOPICS = 3


@contextmanager
def streaming(live: Live) -> Iterator[dict[str, str]]:
    """The environment of a process that follows the sandbox's Salesforce."""
    live.sandbox.salesforce.changes.select("Lead", "Contact", "Opportunity")
    server = PubSubServer(live.sandbox.salesforce, keepalive_seconds=0.3)
    try:
        yield {
            **live.environment,
            "LEADLOOP_SALESFORCE__STREAM": "true",
            "LEADLOOP_SALESFORCE__STREAM_URL": server.url,
        }
    finally:
        server.stop()


def begun(live: Live) -> bool:
    """Whether each topic has a position."""
    with live.database.read() as conn:
        place = stream_places(conn).get("salesforce")
    return place is not None and len(json.loads(place.position or "{}")) == TOPICS


def told(live: Live) -> set[str]:
    with live.database.read() as conn:
        return {hint.record_id for hint in due_hints(conn, "salesforce", 2**62, 1_000_000)}


def test_a_running_leadloop_learns_of_a_change_long_before_it_looks(live: Live, folder: Path) -> None:
    never = "86400"
    with streaming(live) as environment:
        process = Process(
            folder,
            environment
            | {"LEADLOOP_HUBSPOT__POLL_SECONDS": never, "LEADLOOP_SALESFORCE__POLL_SECONDS": never},
        )
        try:
            process.said("started")
            eventually(lambda: begun(live))
            live.sandbox.salesforce.insert("Lead", LastName="Bell", Company="Acme", Email="bo@acme.example")

            eventually(lambda: live.stages_of("bo@acme.example") == ["nurture", "nurture"])

            changes = live.sandbox.salesforce.changes
            changes.select()  # its event is lost
            live.sandbox.salesforce.insert("Lead", LastName="Day", Company="Acme", Email="di@acme.example")
            changes.select("Lead", "Contact", "Opportunity")
            changes.tell_gap("Lead", "GAP_OVERFLOW")
            eventually(lambda: live.stages_of("di@acme.example") == ["nurture", "nurture"])
            assert process.said("stream missed")["objects"] == ["Lead"]

            shown = Shell(folder, environment)("status", "--json").json["sides"]
            assert shown["salesforce"]["stream"]["followed"] is True
            assert shown["salesforce"]["stream"]["age_seconds"] <= 60
            assert shown["salesforce"]["stream"]["lost_at"] is None
            assert shown["hubspot"]["stream"] is None
            text = Shell(folder, environment)("status").out
            assert "stream" in text
            assert "followed, up to " in text
        finally:
            assert process.signalled(signal.SIGTERM) == 0
    assert "@" not in json.dumps(process.lines)
    shown = Shell(folder, environment)("status", "--json").json["sides"]["salesforce"]["stream"]
    assert shown["followed"] is False


def test_a_process_that_is_killed_loses_nothing(live: Live, folder: Path) -> None:
    with live.database.begin() as conn:
        put_value(conn, "account:salesforce", live.sandbox.salesforce.organization_id)
    entered: list[str] = []
    enough = threading.Event()

    def enter() -> None:
        while not enough.is_set() and len(entered) < 20_000:
            number = len(entered)
            entered.append(live.sandbox.salesforce.insert("Lead", LastName=f"L{number}", Company="Acme"))

    people = threading.Thread(target=enter)
    with streaming(live) as environment:
        first = Process(folder, environment, name="streams")
        try:
            eventually(lambda: begun(live))
            people.start()
            eventually(lambda: len(told(live)) > 100)
        finally:
            assert first.signalled(signal.SIGKILL) == -signal.SIGKILL
        eventually(lambda: len(entered) > len(told(live)) + 50)
        enough.set()
        people.join()
        with live.database.begin() as conn:
            conn.execute(update(leases).values(until_ms=0))  # a minute later
        second = Process(folder, environment, name="streams")
        try:
            eventually(lambda: set(entered) <= told(live))
        finally:
            assert second.signalled(signal.SIGTERM) == 0


def test_two_processes_one_follows_and_the_other_takes_over(live: Live, folder: Path) -> None:
    with live.database.begin() as conn:
        put_value(conn, "account:salesforce", live.sandbox.salesforce.organization_id)
    with streaming(live) as environment:
        first = Process(folder, environment, name="streams")
        eventually(lambda: begun(live))
        second = Process(folder, environment, name="streams")
        try:
            second.said("stream standby")
        finally:
            assert first.signalled(signal.SIGTERM) == 0
        try:
            assert second.said("stream followed")["anew"] is False
            lead = live.sandbox.salesforce.insert("Lead", LastName="Bell", Company="Acme")
            eventually(lambda: told(live) == {lead})
        finally:
            assert second.signalled(signal.SIGTERM) == 0


def test_before_anything_has_connected_it_waits(live: Live, folder: Path) -> None:
    with streaming(live) as environment:
        process = Process(folder, environment, name="streams")
        try:
            assert "start a worker once" in process.said("not connected yet")["reason"]
        finally:
            assert process.signalled(signal.SIGTERM) == 0


def test_a_platform_that_does_not_answer_holds_up_no_other(live: Live, folder: Path) -> None:
    sandbox = live.sandbox
    with live.database.begin() as conn:
        put_value(conn, "account:salesforce", sandbox.salesforce.organization_id)
        put_value(conn, "account:hubspot", str(sandbox.hubspot.portal_id))
    sandbox.hubspot.faults.fail_next(1_000, 503)
    journal = {
        "LEADLOOP_HUBSPOT__CLIENT_ID": HUBSPOT_CLIENT_ID,
        "LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
        "LEADLOOP_HUBSPOT__JOURNAL": "true",
    }
    with streaming(live) as environment:
        process = Process(folder, environment | journal, name="streams")
        try:
            assert process.said("not connected yet")["side"] == "hubspot"
            assert process.said("started")["streams"] == ["salesforce"]
            eventually(lambda: begun(live))
            lead = sandbox.salesforce.insert("Lead", LastName="Bell", Company="Acme")
            eventually(lambda: told(live) == {lead})
        finally:
            assert process.signalled(signal.SIGTERM) == 0


def test_a_database_of_another_org_is_refused(live: Live, folder: Path) -> None:
    with live.database.begin() as conn:
        put_value(conn, "account:salesforce", "00D000000000009EAA")
    with streaming(live) as environment:
        done = Shell(folder, environment)("streams")

    assert done.code == 2
    assert "This database belongs to the salesforce account 00D000000000009EAA" in done.err


def test_with_no_stream_switched_on_it_says_how(live: Live, folder: Path) -> None:
    done = Shell(folder, live.environment)("streams")

    assert done.code == 2
    assert "No stream is switched on." in done.err
    assert "LEADLOOP_SALESFORCE__STREAM is not set" in done.err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LEADLOOP_SALESFORCE__STREAM_URL", "http://api.pubsub.example:7443", "must begin with https://"),
        ("LEADLOOP_SALESFORCE__STREAM_CHANNEL", "Leads", "should match pattern"),
        ("LEADLOOP_SALESFORCE__STREAM_OBJECTS", "Lead;Contact", "should match pattern"),
        ("LEADLOOP_SALESFORCE__STREAM", "perhaps", "should be a valid boolean"),
    ],
)
def test_wrong_settings_are_told_by_name(live: Live, folder: Path, name: str, value: str, said: str) -> None:
    done = Shell(folder, {**live.environment, "LEADLOOP_SALESFORCE__STREAM": "true", name: value})("streams")

    assert done.code == 2
    assert name in done.err
    assert said in done.err
