"""Query pages: sizes, locators, snapshots, deleted rows, and the indexes under a poll."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.clock import ManualClock
from connector.sandbox.salesforce.table import Table
from tests.sandbox.salesforce_client import Client, error

DAY_SECONDS = 86_400


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def follow(client: Client, page: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.http.get(client.url + page["nextRecordsUrl"], timeout=10).json()
    return found


def fill(client: Client, count: int) -> list[str]:
    return [client.lead(LastName=f"N{number:04d}") for number in range(count)]


def test_pages_of_2000_with_a_locator_whose_suffix_alone_changes(client: Client) -> None:
    ids = fill(client, 4_086)
    first = client.soql("SELECT Id FROM Lead ORDER BY Id").json()
    second = follow(client, first)
    third = follow(client, second)
    assert [len(page["records"]) for page in (first, second, third)] == [2_000, 2_000, 86]
    assert [page["totalSize"] for page in (first, second, third)] == [4_086] * 3
    assert [page["done"] for page in (first, second, third)] == [False, False, True]
    locator, _, place = first["nextRecordsUrl"].rpartition("-")
    assert locator.startswith("/services/data/v62.0/query/0r8")
    assert (place, second["nextRecordsUrl"]) == ("2000", f"{locator}-4000")
    assert "nextRecordsUrl" not in third
    assert [row["Id"] for page in (first, second, third) for row in page["records"]] == ids


@pytest.mark.parametrize(("asked", "given"), [("500", 500), ("10", 200), ("9000", 600)])
def test_the_batch_size_asked_for_is_kept_within_200_and_2000(client: Client, asked: str, given: int) -> None:
    fill(client, 600)
    answer = client.soql("SELECT Id FROM Lead", **{"Sforce-Query-Options": f"batchSize={asked}"})
    assert len(answer.json()["records"]) == given


def test_a_long_text_halves_the_page(client: Client) -> None:
    fill(client, 1_001)
    assert len(client.soql("SELECT Id, Description FROM Lead").json()["records"]) == 1_000
    assert len(client.soql("SELECT Id, Street FROM Lead").json()["records"]) == 1_001


def test_a_page_shows_values_of_its_own_time_and_skips_what_went_meanwhile(client: Client) -> None:
    client.org.page_size = 2
    ids = fill(client, 4)
    first = client.soql("SELECT Id, City FROM Lead WHERE City = null ORDER BY Id").json()
    client.org.update("Lead", ids[2], City="Rome")
    client.org.delete("Lead", ids[3])
    second = follow(client, first)
    assert [(row["Id"], row["City"]) for row in second["records"]] == [(ids[2], "Rome")]
    assert (second["totalSize"], second["done"]) == (4, True)


def test_a_locator_dies_after_two_days_or_was_never_alive(client: Client) -> None:
    client.org.page_size = 2
    fill(client, 5)
    first = client.soql("SELECT Id FROM Lead").json()
    assert len(follow(client, first)["records"]) == 2
    assert len(follow(client, first)["records"]) == 2
    client.clock.advance(2 * DAY_SECONDS + 1)
    for path in (first["nextRecordsUrl"], "/services/data/v62.0/query/0r8nonsense-2000"):
        answer = client.http.get(client.url + path, timeout=10)
        assert error(answer) == (400, "INVALID_QUERY_LOCATOR")


def test_query_all_shows_deleted_and_merged_rows(client: Client) -> None:
    kept, deleted, loser = fill(client, 3)
    client.org.delete("Lead", deleted)
    client.org.merge(kept, loser)
    text = "SELECT Id, IsDeleted, MasterRecordId FROM Lead ORDER BY Id"
    assert [row["Id"] for row in client.records(text)] == [kept]
    rows = {row["Id"]: row for row in client.records(text, "queryAll")}
    assert (rows[kept]["IsDeleted"], rows[kept]["MasterRecordId"]) == (False, None)
    assert (rows[deleted]["IsDeleted"], rows[deleted]["MasterRecordId"]) == (True, None)
    assert (rows[loser]["IsDeleted"], rows[loser]["MasterRecordId"]) == (True, kept)


def test_limit_is_the_total_size(client: Client) -> None:
    fill(client, 5)
    page = client.soql("SELECT Id FROM Lead ORDER BY SystemModstamp LIMIT 3").json()
    assert (page["totalSize"], page["done"], len(page["records"])) == (3, True, 3)


def test_a_query_string_must_be_there(client: Client) -> None:
    assert error(client.get("query")) == (400, "MALFORMED_QUERY")
    assert error(client.call("POST", "query", {"q": "SELECT Id FROM Lead"})) == (405, "METHOD_NOT_ALLOWED")


_STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "remove"]), st.integers(0, 5), st.integers(0, 4)), max_size=40
)


@settings(max_examples=200, deadline=None)
@given(steps=_STEPS, low=st.integers(0, 4), high=st.integers(0, 4))
def test_the_stamp_order_is_what_sorting_all_rows_would_give(
    steps: list[tuple[str, int, int]], low: int, high: int
) -> None:
    table = Table(ManualClock(0).now_ms, lambda: 0)
    table.index("Email")
    for action, row, second in steps:
        if action == "put":
            stamp, email = f"2026-01-01T00:00:0{second}", f"{row % 2}@X"
            table.put(f"id{row}", {"Id": f"id{row}", "SystemModstamp": stamp, "Email": email})
        else:
            table.remove(f"id{row}")
    stamps = (f"2026-01-01T00:00:0{low}", f"2026-01-01T00:00:0{high}")
    expected = sorted(
        (row["SystemModstamp"], row_id)
        for row_id, row in table.rows.items()
        if stamps[0] <= row["SystemModstamp"] <= stamps[1]
    )
    found = table.order.between(*stamps, table.rows)
    assert [row["Id"] for row in found] == [row_id for _, row_id in expected]
    everyone = set(table.postings["Email"].of("0@x")) | set(table.postings["Email"].of("1@x"))
    assert everyone == set(table.rows)
