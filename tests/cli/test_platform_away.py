"""A platform that is away for a while: nothing is lost, the other goes on, and `status` says what is so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.people import ANN, ann_asks_for_prices
from tests.cli.shell import Shell
from tests.world import World

PAGE = "<html><head><title>Down for maintenance</title></head><body>We are back soon.</body></html>"
HTML = {"content-type": "text/html"}
UNAVAILABLE = [{"message": "Server Unavailable", "errorCode": "SERVER_UNAVAILABLE"}]


def handed_over(world: World) -> None:
    """Ann is sales' turn, in both systems."""
    ann_asks_for_prices(world)
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "distributed"


def salesforce_turns_her_down(world: World) -> None:
    given = {"Leadloop_Verdict__c": "rejected", "Leadloop_Rejection_Reason__c": "timing"}
    world.salesforce.update("Lead", world.sf_lead(ANN)["Id"], **given)


def rows_of(leadloop: Shell, side: str) -> dict[str, str]:
    """What `leadloop status` prints about a side, by the first column."""
    text = leadloop("status").out
    part = text.split(f"\n{side}\n")[1].split("\n\n")[0]
    pairs = [line.strip().split("  ", 1) for line in part.splitlines() if "  " in line.strip()]
    return {name: value.strip() for name, value in pairs}


def told(leadloop: Shell, side: str) -> dict[str, Any]:
    found: dict[str, Any] = leadloop("status", "--json").json["sides"][side]
    return found


def test_an_account_that_is_moved_is_left_alone_until_then(world: World, leadloop: Shell) -> None:
    handed_over(world)
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Bonn")
    world.hubspot.faults.fail_next(1_000, 477, headers={"Retry-After": "7200"})
    began_ms = world.clock.now_ms()
    world.work(minutes=5)
    world.hubspot.requests.reset()
    salesforce_turns_her_down(world)
    world.work(minutes=100, every_seconds=300)

    assert world.hubspot.requests.count == 0
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "nurture", "the other side goes on"
    assert world.lead(ANN).stage == "nurture"
    rows = rows_of(leadloop, "hubspot")
    assert rows["PAUSED"] == "HubSpot is moving the account to another region"
    assert rows["… since"] == "2027-01-15 10:06:30, until 2027-01-15 12:06:30"
    assert "… asks again at" not in rows, "it has said how long it takes"
    assert rows["pending writes"] == "handoff 1"
    assert "PAUSED" not in rows_of(leadloop, "salesforce")
    paused = told(leadloop, "hubspot")["paused"]
    assert paused["asks_again_at"] is None
    assert told(leadloop, "salesforce")["paused"] is None

    world.hubspot.faults.clear()
    world.later(seconds=(began_ms - world.clock.now_ms()) / 1_000 + 7_230)
    world.work(minutes=3)
    assert told(leadloop, "hubspot")["paused"] is None
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert world.contact(ANN)["leadloop_rejection_reason"] == "timing"
    assert world.sf_lead(ANN)["City"] == "Bonn"
    assert world.verify(repair=False).unexplained == 0


def test_a_move_that_takes_longer_than_was_said_is_waited_for_again(world: World, leadloop: Shell) -> None:
    handed_over(world)
    world.hubspot.faults.fail_next(1_000, 477)
    world.work(minutes=90, every_seconds=300)
    assert rows_of(leadloop, "hubspot")["PAUSED"] == "HubSpot is moving the account to another region"
    assert world.hubspot.requests.by_status[477] == 2, "one an hour"


AWAY = [
    ("hubspot", 503, PAGE, HTML, "HubSpot gave no usable answer (HTTP 503)"),
    ("hubspot", 200, PAGE, HTML, "HubSpot gave no usable answer (HTTP 200)"),
    ("hubspot", 503, None, {"Retry-After": "86400"}, "HubSpot gave no usable answer (HTTP 503)"),
    (
        "salesforce", 503, PAGE, HTML,
        "Salesforce answered with a page instead of data (HTTP 503): maintenance or an outage",
    ),
    (
        "salesforce", 200, PAGE, HTML,
        "Salesforce answered with a page instead of data (HTTP 200): maintenance or an outage",
    ),
    ("salesforce", 503, UNAVAILABLE, {}, "Salesforce: it is unavailable (SERVER_UNAVAILABLE)"),
    (
        "salesforce", 302, PAGE, {**HTML, "location": "https://maintenance.example/"},
        "Salesforce answered with a redirect (HTTP 302): maintenance, or a wrong instance URL",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("side", "status", "body", "headers", "reason"), AWAY)
def test_maintenance_loses_nothing_and_stops_the_other_side_in_nothing(
    world: World,
    leadloop: Shell,
    side: str,
    status: int,
    body: object,
    headers: dict[str, str],
    reason: str,
) -> None:
    handed_over(world)
    away = getattr(world, side)
    # what happens on the platform that is there, and what happened on the other just before
    if side == "hubspot":
        world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Bonn")
        salesforce_turns_her_down(world)
    else:
        salesforce_turns_her_down(world)
        world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], city="Bonn")
    away.faults.fail_next(100_000, status, body=body, headers=headers)
    world.work(minutes=2)
    away.requests.reset()
    world.work(minutes=10)

    # each kind of call asks twice a minute at most: reads or searches, and writes
    assert away.requests.count <= 4 * 10
    rows = rows_of(leadloop, side)
    assert reason.startswith(rows["PAUSED"].rstrip("…"))
    assert told(leadloop, side)["paused"]["reason"] == reason
    assert rows["… since"].endswith("until it answers again")
    assert told(leadloop, side)["paused"]["asks_again_at"] is not None
    other = "salesforce" if side == "hubspot" else "hubspot"
    assert told(leadloop, other)["paused"] is None
    if side == "hubspot":
        assert world.lead(ANN).stage == "nurture"
        assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "nurture"

    away.faults.clear()
    world.work(minutes=20, every_seconds=120)
    assert told(leadloop, side)["paused"] is None
    assert world.contact(ANN)["leadloop_stage"] == world.sf_lead(ANN)["Leadloop_Stage__c"] == "nurture"
    assert world.contact(ANN)["leadloop_rejection_reason"] == "timing"
    assert world.sf_lead(ANN)["City"] == "Bonn"
    assert told(leadloop, side)["pending_writes"] == {}
    assert world.verify(repair=False).unexplained == 0
