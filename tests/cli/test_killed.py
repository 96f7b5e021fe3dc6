"""`leadloop run` is killed with a batch under way, and started again: nothing lost, nothing made twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from connector.sandbox.faults import Faults
from connector.store import leads as lead_store
from connector.store import outbox
from tests.cli.live import Live, Process, eventually

PEOPLE = 250
"""More than fit into one batch to either platform."""


def kill_in_the_second(faults: Faults, path: str, process: Process, *, carried_out: bool) -> None:
    """SIGKILL while the platform has the second request to `path`, which it then carries out, or does not."""
    usual = faults.take
    met: list[str] = []

    def take(method: str, asked: str, body: bytes) -> list[object]:
        if path in asked:
            met.append(asked)
            if len(met) == 2:
                process.signalled(signal.SIGKILL)
                if not carried_out:
                    faults.fail_next(1, 503, match=path)
        return list(usual(method, asked, body))

    faults.take = take  # type: ignore[method-assign,assignment]  # the sandbox asks it for each request


@pytest.mark.parametrize(
    ("side", "path", "carried_out"),
    [("hubspot", "contacts/batch/create", True), ("salesforce", "composite/sobjects", False)],
)
def test_what_was_under_way_is_finished_and_nobody_is_made_twice(
    live: Live, folder: Path, side: str, path: str, carried_out: bool
) -> None:
    salesforce, hubspot = live.sandbox.salesforce, live.sandbox.hubspot
    faults = hubspot.faults if side == "hubspot" else salesforce.faults
    first = Process(folder, live.environment)
    first.said("started")  # who comes from now on is new
    assert first.signalled(signal.SIGTERM) == 0
    for number in range(PEOPLE):  # sales' own leads: updated in Salesforce, created in HubSpot
        salesforce.insert("Lead", LastName=f"No {number}", Company="Acme", Email=f"n{number}@acme.example")

    process = Process(folder, live.environment)
    kill_in_the_second(faults, path, process, carried_out=carried_out)
    assert process.ended() == -signal.SIGKILL

    again = Process(folder, live.environment)
    try:
        eventually(lambda: done(live))
        assert again.said("taken over")["writes"] > 0
    finally:
        again.signalled(signal.SIGTERM)

    leads, contacts = salesforce.rows("Lead"), hubspot.rows("contacts")
    assert len(leads) == len(contacts) == PEOPLE
    ids = {row["Email"]: row["Leadloop_Id__c"] for row in leads}
    assert {row["email"]: row["leadloop_id"] for row in contacts} == ids
    assert len(set(ids.values())) == PEOPLE
    with live.database.read() as conn:
        assert outbox.counts(conn) == {}
        assert lead_store.count_by_stage(conn) == {"nurture": PEOPLE}


def done(live: Live) -> bool:
    """Whether everybody is in step, and nothing waits."""
    rows = [*live.sandbox.salesforce.rows("Lead"), *live.sandbox.hubspot.rows("contacts")]
    stages = [row.get("Leadloop_Stage__c") or row.get("leadloop_stage") for row in rows]
    with live.database.read() as conn:
        return stages == ["nurture"] * (2 * PEOPLE) and not outbox.counts(conn)
