"""What can be made to go wrong, loudly and quietly, from Python and from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from connector.sandbox.faults import Rewrite
from tests.sandbox.salesforce_client import Client, error


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_the_next_calls_fail_with_salesforces_usual_bodies(client: Client) -> None:
    usual = {
        401: "INVALID_SESSION_ID",
        403: "REQUEST_LIMIT_EXCEEDED",
        503: "SERVER_UNAVAILABLE",
        500: "UNKNOWN_EXCEPTION",
    }
    for status, code in usual.items():
        client.org.faults.fail_next(1, status)
        assert error(client.get("limits")) == (status, code)
    page = {"status": 503, "count": 1, "body": "<html>Down for maintenance</html>"}
    client.control("faults", {"fail_next": page | {"headers": {"Content-Type": "text/html"}}})
    answer = client.get("limits")
    assert (answer.status_code, answer.text) == (503, "<html>Down for maintenance</html>")
    assert client.get("limits").status_code == 200
    assert client.org.quota.used == 1


def test_an_answer_is_lost_after_the_work_was_done(client: Client) -> None:
    client.org.faults.lose_answer(match="POST /services/data/v62.0/sobjects")
    with pytest.raises(requests.ConnectionError):
        client.call("POST", "sobjects/Lead", {"LastName": "Byron", "Company": "C"})
    assert [row["LastName"] for row in client.org.rows("Lead")] == ["Byron"]
    client.org.faults.lose_answer(work=False)
    with pytest.raises(requests.ConnectionError):
        client.call("POST", "sobjects/Lead", {"LastName": "Lost", "Company": "C"})
    assert len(client.org.rows("Lead")) == 1


def test_the_quota_is_used_up_until_it_is_not(client: Client) -> None:
    client.control("faults", {"quota_exhausted": True})
    answer = client.get("limits")
    assert error(answer) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=15000/15000"
    client.org.faults.quota_exhausted = False
    assert client.get("limits").status_code == 200


def test_one_bad_record_in_a_batch(client: Client) -> None:
    ids = [client.lead(LastName=f"N{number}") for number in range(3)]
    client.org.faults.bad_record("Lead", "LastName", "N1", "UNABLE_TO_LOCK_ROW", "unable to obtain access")
    records = [{"attributes": {"type": "Lead"}, "id": row_id, "City": "Rome"} for row_id in ids]
    results = client.call("PATCH", "composite/sobjects", {"records": records}).json()
    assert [each["success"] for each in results] == [True, False, True]
    expected = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain access", "fields": []}
    assert results[1]["errors"] == [expected]
    client.org.faults.clear()
    assert client.call("PATCH", f"sobjects/Lead/{ids[1]}", {"City": "Rome"}).status_code == 204


def test_late_rows_appear_with_their_old_stamp(client: Client) -> None:
    changed = client.lead(City="Rome", Email="old@x.example")
    client.clock.advance(100)
    client.org.faults.visibility_lag_seconds = 30
    client.org.update("Lead", changed, City="Bonn", Email="new@x.example")
    new = client.lead(City="Bonn")
    stamp = client.org.get("Lead", new)["SystemModstamp"]
    by_city = "SELECT Id, City, SystemModstamp FROM Lead WHERE City = '{}'"
    everything = "SELECT Id FROM Lead ORDER BY SystemModstamp, Id"
    since = "SELECT Id FROM Lead WHERE SystemModstamp >= 2026-01-05T08:01:40Z"

    (row,) = client.records(by_city.format("Rome"))
    assert (row["Id"], row["SystemModstamp"]) == (changed, "2026-01-05T08:00:00.000+0000")
    assert client.records(by_city.format("Bonn")) == []
    assert client.records(since) == []
    assert [row["Id"] for row in client.records(everything)] == [changed]
    assert [row["Id"] for row in client.records("SELECT Id FROM Lead WHERE Email = 'old@x.example'")] == [
        changed
    ]
    assert client.soql("SELECT COUNT() FROM Lead").json()["totalSize"] == 1
    # by id the row shows as it is
    assert client.get(f"sobjects/Lead/{changed}").json()["City"] == "Bonn"

    client.clock.advance(31)
    rows = client.records(by_city.format("Bonn") + " ORDER BY Id")
    assert [row["Id"] for row in rows] == [changed, new]
    assert {row["SystemModstamp"] for row in rows} == {stamp} == {"2026-01-05T08:01:40.000+0000"}
    assert [row["Id"] for row in client.records(since)] == [changed, new]
    assert client.records(by_city.format("Rome")) == []


def test_several_late_changes_of_one_row_appear_one_by_one(client: Client) -> None:
    row_id = client.lead(City="A")
    client.org.faults.visibility_lag_seconds = 30
    seen = []
    for city in ("B", "C"):
        client.clock.advance(20)
        client.org.update("Lead", row_id, City=city)
    for _ in range(4):
        seen.append(client.records("SELECT City FROM Lead")[0]["City"])
        client.clock.advance(11)
    assert seen == ["A", "B", "B", "C"]


def test_values_are_quietly_rewritten_on_save(client: Client) -> None:
    client.org.faults.rewrite_on_save = [
        Rewrite("Lead", "Title", "truncate", 5),
        Rewrite("Lead", "City", "trim"),
        Rewrite("Lead", "Email", "lower"),
        Rewrite("Lead", "AnnualRevenue", "round", -3),
        Rewrite("Lead", "Phone", "replace", [r"\D", ""]),
        Rewrite("Lead", "Rating", "set", "Hot"),
    ]
    sent = {
        "Title": "Countess",
        "City": " Rome ",
        "Email": "A@X.example",
        "Phone": "(1) 2-3",
        "Rating": "Cold",
    }
    row_id = client.lead()
    assert client.call("PATCH", f"sobjects/Lead/{row_id}", {**sent, "AnnualRevenue": 1600}).status_code == 204
    row = client.org.get("Lead", row_id)
    assert (row["Title"], row["City"], row["Email"]) == ("Count", "Rome", "a@x.example")
    assert (row["AnnualRevenue"], row["Phone"], row["Rating"]) == (2000, "123", "Hot")


def test_a_hidden_field_does_not_exist_for_the_api(client: Client) -> None:
    row_id = client.lead(Phone="1")
    client.control("faults", {"hidden_fields": [["Lead", "Phone"]]})
    assert error(client.soql("SELECT Phone FROM Lead")) == (400, "INVALID_FIELD")
    assert error(client.soql("SELECT Id FROM Lead WHERE Phone = '1'")) == (400, "INVALID_FIELD")
    answer = client.call("PATCH", f"sobjects/Lead/{row_id}", {"Phone": "2"})
    assert answer.json()[0]["message"] == "No such column 'Phone' on sobject of type Lead"
    assert "Phone" not in client.get(f"sobjects/Lead/{row_id}").json()
    fields = client.get("sobjects/Lead/describe").json()["fields"]
    assert "Phone" not in {field["name"] for field in fields}
    client.org.faults.clear()
    assert client.records("SELECT Phone FROM Lead")[0]["Phone"] == "1"


def test_requests_are_counted_by_kind_and_control_calls_are_not(client: Client) -> None:
    row_id = client.lead(Leadloop_Id__c="L1")
    client.get(f"sobjects/Lead/{row_id}")
    client.get("sobjects/Lead/Leadloop_Id__c/L1")
    client.soql("SELECT Id FROM Lead")
    client.soql("SELECT Id FROM Lead")
    client.control("records", {"object": "Lead", "fields": {"LastName": "B", "Company": "C"}})
    assert client.org.requests.count == 4
    assert dict(client.org.requests.by_kind) == {
        ("GET", "sobjects/Lead/{id}"): 1,
        ("GET", "sobjects/Lead/Leadloop_Id__c/{value}"): 1,
        ("GET", "query"): 2,
    }
