"""What the commands and the metrics tell of deadlines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.metrics import Metrics
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.wiring import choose_configuration
from connector.worker.passes import Pass, look
from tests.cli.shell import Shell
from tests.connector.deadline_stage import ANN, BOSS, SAM, DeadlineStage, first_response


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[DeadlineStage]:
    with DeadlineStage(tmp_path, first_response(f"on_breach: escalate, to: {BOSS}")) as made:
        choose_configuration(made.world.database, made.world.config, made.world.clock.now_ms())
        yield made


@pytest.fixture
def leadloop(stage: DeadlineStage, tmp_path: Path, folder: Path) -> Shell:
    for name, text in stage.world.config.documents.items():
        if not name.startswith("preset:"):
            (folder / name).write_text(text, encoding="utf-8")
    return Shell(
        folder,
        {
            "LEADLOOP_DATABASE_URL": f"sqlite:///{tmp_path}/leadloop.db",
            "LEADLOOP_SALESFORCE__BASE_URL": stage.world.sandbox.salesforce_url,
            "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
            "LEADLOOP_HUBSPOT__BASE_URL": stage.world.sandbox.hubspot_url,
            "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
        },
        stage.world.clock,
    )


def test_explain_tells_the_deadline_and_its_history(stage: DeadlineStage, leadloop: Shell) -> None:
    stage.hand_over()
    stage.until("2027-01-15T11:02:00Z")

    told = leadloop("explain", ANN, "--json").json

    assert told["deadline"] == {
        "deadline": "first response",
        "stage": "distributed",
        "owner": SAM,
        "since": "2027-01-15T08:01:00Z",
        "due": "2027-01-15T12:01:00Z",
        "state": "due soon",
        "shown_in_the_crm": True,
    }
    assert [(row["what"], row["at"], row["owner"]) for row in told["deadline_events"]] == [
        ("started", "2027-01-15T08:01:00Z", SAM),
        ("reminded", "2027-01-15T11:02:00Z", SAM),
    ]
    assert told["next_due_at"] == "2027-01-15T12:01:00Z"
    page = leadloop("explain", ANN).out
    assert "due soon, due 2027-01-15 12:01:00, counted from 2027-01-15 08:01:00" in " ".join(page.split())
    assert "Deadlines\n" in page


def test_plan_tells_what_a_breach_would_lead_to(stage: DeadlineStage, leadloop: Shell) -> None:
    stage.hand_over()
    stage.pass_until("2027-01-15T12:05:00Z")
    look(stage.world.leadloop, Pass())

    told = leadloop("plan", ANN, "--json").json

    assert [(change["what"], change["owner"]) for change in told["deadline_changes"]] == [("breached", SAM)]
    assert told["deadline"]["state"] == "breached"
    why = {item["field"]: item["why"] for write in told["writes"] for item in write["fields"]}
    assert why["OwnerId"] == "owner: escalated to them"
    assert why["Leadloop_Response_State__c"] == "leadloop's response state"
    assert "breached" in leadloop("plan", ANN).out


def test_status_counts_the_deadlines_of_a_day(stage: DeadlineStage, leadloop: Shell) -> None:
    assert leadloop("status", "--json").json["deadlines_in_24_hours"] == {}
    stage.hand_over()
    stage.until("2027-01-15T13:00:00Z")
    assert leadloop("status", "--json").json["deadlines_in_24_hours"] == {"started": 1, "breached": 1}
    assert "1 started, 1 breached" in leadloop("status").out


def test_breaches_are_a_metric(stage: DeadlineStage) -> None:
    metrics = Metrics(stage.world.database, stage.world.clock, [], dict)
    stage.world.leadloop.on_event = metrics.count
    stage.hand_over()
    stage.until("2027-01-15T13:00:00Z")
    assert 'leadloop_deadline_breaches_total{deadline="first response"} 1.0' in metrics.text().decode()
