"""The report on either kind of database: the same figures, and plain data."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from connector.clock import DAY_MS
from connector.report import history
from connector.report.context import DEFAULT_FIELDS
from connector.report.findings import findings
from connector.report.period import period_of
from connector.report.report import Wanted, report
from connector.store import quarantine
from connector.store.database import Database
from connector.store.links import Link, put_links
from connector.store.quarantine import Refusal
from tests.report.seeded import lives, store
from tests.world import START_MS, configuration

NOW = Wanted(period_of(None, None, None, START_MS // DAY_MS))


@pytest.fixture
def company(database: Database) -> Database:
    store(database, islice(lives(START_MS, 120), 400))
    with database.begin() as conn:
        history.rebuild(conn, DEFAULT_FIELDS)
    return database


def test_both_kinds_of_database_give_plain_data_that_adds_up(company: Database) -> None:
    with company.read() as conn:
        data = report(conn, configuration(), NOW, START_MS)

    assert json.loads(json.dumps(data)) == data
    assert data["mqls"]["now"]["made"] == sum(part["made"] for part in data["quality"]["parts"]) > 50
    (first_response,) = data["deadlines"]["deadlines"]
    assert first_response["breached"] == sum(row["breached"] for row in data["deadlines"]["owners"]) > 0
    assert data["untouched"]["number"] == sum(row["number"] for row in data["untouched"]["owners"]) > 0
    assert {row["kind"] for row in data["disagreements"]["fields"]} == {"left alone", "not written"}


def test_a_refused_value_is_a_disagreement(company: Database) -> None:
    lead_id = next(lives(START_MS, 120)).state.lead_id
    with company.begin() as conn:
        put_links(conn, [Link("hubspot", "contacts", "551", lead_id, "primary")])
        quarantine.put(conn, [Refusal("hubspot", "contacts", "551", "state", "h", "INVALID", "no state", 1)])
    with company.read() as conn:
        found = report(conn, configuration(), NOW, START_MS)["disagreements"]

    (refused,) = [row for row in found["list"] if row["kind"] == "refused"]
    assert (refused["field"], refused["told"]) == ("state", "hubspot refuses it: no state")
    assert refused["records"] == ["hubspot:contacts:551"]


def test_a_dimension_with_very_many_values_is_cut_with_the_rest_in_one_row(database: Database) -> None:
    store(database, islice(lives(START_MS, 120, breadth=60), 600))
    with database.begin() as conn:
        history.rebuild(conn, DEFAULT_FIELDS)
    with database.read() as conn:
        data = report(conn, configuration(), NOW, START_MS)

    rows = data["by"]["campaign"]
    assert (len(rows), rows[-1]["value"]) == (101, "(others)")
    assert sum(row["made"] for row in rows) == data["mqls"]["now"]["made"]


def test_nobody_is_told_to_look_at_a_gate_that_makes_no_mql(company: Database) -> None:
    with company.read() as conn:
        data = report(conn, configuration(), NOW, START_MS)
    row = next(row for row in data["rules"] if row["acceptance"]["of"])
    few = {**row["acceptance"], "of": 1}
    data["rules"] = [
        {**row, "rule": name, "part": "gate", "compared": "below", "acceptance": few}
        for name in ("mql gate", "nurture gate", "qualification gate")
    ]
    told = " ".join(findings(data, "unspecified")["to_do"])
    assert "“mql gate”" in told
    assert "nurture gate" not in told
    assert "qualification gate" not in told
