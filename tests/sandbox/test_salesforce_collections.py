"""Collections: up to 200 records a call, each with a result of its own, in the order sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.salesforce_client import Client, error

LEAD = {"attributes": {"type": "Lead"}}


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def new_lead(name: str, **fields: Any) -> dict[str, Any]:
    return {**LEAD, "LastName": name, "Company": "C", **fields}


def test_create_answers_200_and_each_record_in_its_place(client: Client) -> None:
    records = [new_lead("Ada"), {**LEAD, "LastName": "no company"}, {"attributes": {"type": "Robot"}}, 7]
    answer = client.call("POST", "composite/sobjects", {"allOrNone": False, "records": records})
    first, second, third, fourth = answer.json()
    assert answer.status_code == 200
    assert first == {"id": client.org.rows("Lead")[0]["Id"], "success": True, "errors": []}
    assert second == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Company]",
                "fields": ["Company"],
            }
        ],
    }
    assert third["errors"][0]["statusCode"] == "INVALID_TYPE"
    assert fourth["errors"][0]["statusCode"] == "JSON_PARSER_ERROR"


def test_update_keeps_what_is_right_beside_what_is_wrong(client: Client) -> None:
    row_id, gone = client.lead(), client.lead()
    client.org.delete("Lead", gone)
    contact = client.org.insert("Contact", LastName="Byron")
    records = [
        {**LEAD, "id": row_id[:15], "City": "Rome"},
        {**LEAD, "Id": gone, "City": "Rome"},
        {**LEAD, "id": "00Q5g000000zzzzEAA", "City": "Rome"},
        {**LEAD, "City": "Rome"},
        {"Title": "Countess", "id": contact, "attributes": {"type": "Contact"}},
        {**LEAD, "id": "123", "City": "Rome"},
    ]
    results = client.call("PATCH", "composite/sobjects", {"records": records}).json()
    assert results[0] == {"id": row_id, "success": True, "errors": []}
    assert [each["errors"][0]["statusCode"] if each["errors"] else None for each in results] == [
        None,
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MISSING_ARGUMENT",
        None,
        "MALFORMED_ID",
    ]
    assert results[2] == {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_CROSS_REFERENCE_KEY",
                "message": "invalid cross reference id",
                "fields": [],
            }
        ],
    }
    assert client.org.get("Lead", row_id)["City"] == "Rome"
    assert client.org.get("Contact", contact)["Title"] == "Countess"


def test_the_same_id_twice_is_refused_both_times(client: Client) -> None:
    row_id = client.lead()
    records = [{**LEAD, "id": row_id, "City": "Rome"}, {**LEAD, "id": row_id[:15], "City": "Bonn"}]
    results = client.call("PATCH", "composite/sobjects", {"records": records}).json()
    assert [each["errors"][0]["statusCode"] for each in results] == ["DUPLICATE_VALUE"] * 2
    assert client.org.get("Lead", row_id)["City"] is None


def test_upsert_takes_the_key_in_the_record_and_tells_what_was_created(client: Client) -> None:
    known = client.lead(Leadloop_Id__c="L1")
    records = [
        {**LEAD, "Leadloop_Id__c": "l1", "City": "Rome"},
        new_lead("New", Leadloop_Id__c="L2"),
        new_lead("Keyless"),
        new_lead("Twin", Leadloop_Id__c="L3"),
        new_lead("Twin", Leadloop_Id__c="l3"),
        {"LastName": "untyped", "Leadloop_Id__c": "L4"},
    ]
    path = "composite/sobjects/Lead/Leadloop_Id__c"
    results = client.call("PATCH", path, {"records": records}).json()
    assert results[0] == {"id": known, "success": True, "errors": [], "created": False}
    assert results[1]["created"] is True
    assert [each["errors"][0]["statusCode"] for each in results[2:]] == [
        "MISSING_ARGUMENT",
        "DUPLICATE_VALUE",
        "DUPLICATE_VALUE",
        "JSON_PARSER_ERROR",
    ]
    assert results[3]["errors"][0]["message"] == "Duplicate external id specified: L3"
    assert results[5] == {
        "success": False,
        "created": False,
        "errors": [
            {
                "statusCode": "JSON_PARSER_ERROR",
                "message": "Nested object for polymorphic foreign key must have an attributes field "
                "before any other fields.",
                "fields": [],
            }
        ],
    }
    assert sorted(row["Leadloop_Id__c"] for row in client.org.rows("Lead")) == ["L2", "l1"]


def test_upsert_by_id_and_by_email(client: Client) -> None:
    known = client.lead(Email="a@x.example")
    records = [{**LEAD, "Id": known, "City": "Rome"}, {**new_lead("New"), "Id": None}]
    results = client.call("PATCH", "composite/sobjects/Lead/Id", {"records": records}).json()
    assert [each["created"] for each in results] == [False, True]
    client.lead(Email="twin@x.example")
    client.lead(Email="Twin@x.example")
    records = [
        {**LEAD, "Email": "A@x.example", "City": "Bonn"},
        {**LEAD, "Email": "twin@x.example", "City": "Bonn"},
    ]
    results = client.call("PATCH", "composite/sobjects/Lead/Email", {"records": records}).json()
    assert (results[0]["id"], results[0]["created"]) == (known, False)
    assert results[1]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"
    answer = client.call("PATCH", "composite/sobjects/Lead/City", {"records": []})
    assert error(answer) == (404, "NOT_FOUND")


def test_all_or_none_takes_everything_back(client: Client) -> None:
    row_id = client.lead(City="Rome")
    before = client.org.to_json()["rows"]
    records = [new_lead("Ada"), {**LEAD, "LastName": "no company"}]
    results = client.call("POST", "composite/sobjects", {"allOrNone": True, "records": records}).json()
    assert results[0] == {
        "success": False,
        "errors": [
            {
                "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "message": "Record rolled back because not all records were valid and the request was using "
                "AllOrNone header",
                "fields": [],
            }
        ],
    }
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    records = [{**LEAD, "id": row_id, "City": "Bonn"}, {**LEAD, "id": "123"}]
    client.call("PATCH", "composite/sobjects", {"allOrNone": True, "records": records})
    assert client.org.to_json()["rows"] == before
    assert (
        client.records("SELECT Id FROM Lead WHERE City = 'Rome' ORDER BY SystemModstamp")[0]["Id"] == row_id
    )
    records = [new_lead("Ada"), new_lead("Bob")]
    results = client.call("POST", "composite/sobjects", {"allOrNone": True, "records": records}).json()
    assert [each["success"] for each in results] == [True, True]


def test_delete(client: Client) -> None:
    one, two = client.lead(), client.lead()
    results = client.call("DELETE", f"composite/sobjects?ids={one},{two[:15]},{one}&allOrNone=false").json()
    assert results[0] == {"id": one, "success": True, "errors": []}
    assert results[1]["id"] == two
    assert results[2]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert client.org.rows("Lead") == []


def test_retrieve_leaves_a_null_in_the_place_of_what_is_missing(client: Client) -> None:
    one, gone, contact = client.lead(City="Rome"), client.lead(), client.org.insert("Contact", LastName="B")
    client.org.delete("Lead", gone)
    body = {"ids": [gone, one, contact, "123"], "fields": ["City"]}
    found = client.call("POST", "composite/sobjects/Lead", body).json()
    attributes = {"type": "Lead", "url": f"/services/data/v62.0/sobjects/Lead/{one}"}
    assert found == [None, {"attributes": attributes, "City": "Rome", "Id": one}, None, None]
    assert client.get(f"composite/sobjects/Lead?ids={one}&fields=City").json() == [found[1]]


def test_the_limits_of_a_call(client: Client) -> None:
    records = [new_lead(f"N{number}") for number in range(201)]
    answer = client.call("POST", "composite/sobjects", {"records": records})
    assert error(answer) == (400, "EXCEEDED_ID_LIMIT")
    assert client.org.rows("Lead") == []
    assert all(
        each["success"] for each in client.call("POST", "composite/sobjects", {"records": records[1:]}).json()
    )
    contact = {"attributes": {"type": "Contact"}, "LastName": "B"}
    mixed = [new_lead("A"), contact] * 6
    assert error(client.call("POST", "composite/sobjects", {"records": mixed})) == (400, "LIMIT_EXCEEDED")


def test_a_whole_collection_counts_as_one_call(client: Client) -> None:
    client.call("POST", "composite/sobjects", {"records": [new_lead(f"N{number}") for number in range(50)]})
    assert client.get("limits").json()["DailyApiRequests"] == {"Max": 15000, "Remaining": 14998}
    assert client.org.requests.by_kind["POST", "composite/sobjects"] == 1
