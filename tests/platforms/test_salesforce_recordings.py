"""The Salesforce adapter on real recordings: describes, pages, collections, counts, composite answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from connector.clock import ManualClock
from connector.platforms.errors import Refused
from connector.platforms.protocol import FreeMeter, RecordWrite, Written
from connector.platforms.salesforce.adapter import Salesforce
from connector.platforms.salesforce.ids import id18
from connector.platforms.salesforce.metadata import fields_of
from connector.platforms.salesforce.records import Columns
from connector.platforms.salesforce.soql import changed_since, quoted, where_in
from connector.settings import load_settings
from tests.platforms.recordings import CUMULUS, RESTFORCE, exchanges, json_of, needs_recordings

SHARED = f"{CUMULUS}/tests/shared_cassettes"
BULK = f"{CUMULUS}/tasks/bulkdata/tests/cassettes"


@pytest.fixture
def there(httpserver: HTTPServer) -> Iterator[Salesforce]:
    environment = {
        "LEADLOOP_SALESFORCE__BASE_URL": httpserver.url_for("").rstrip("/"),
        "LEADLOOP_SALESFORCE__SESSION_ID": "s",
    }
    adapter = Salesforce(
        load_settings({}, environment).salesforce, "crm", FreeMeter(), ManualClock(1_790_000_000_000)
    )
    yield adapter
    adapter.close()


def _describe(name: str) -> Any:
    ((_, _, _, _, answer),) = exchanges(f"{SHARED}/GET_sobjects_{name}_describe.yaml")
    return json.loads(answer)


def _parts(*parts: tuple[int, Any]) -> dict[str, Any]:
    return {
        "compositeResponse": [
            {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": f"r{at}"}
            for at, (status, body) in enumerate(parts)
        ]
    }


@needs_recordings
def test_a_recorded_lead_describe() -> None:
    fields = fields_of(_describe("Lead"))
    assert {name for name, field in fields.items() if field.required} == {"LastName", "Company"}
    assert (fields["LastName"].length, fields["Company"].length) == (80, 255)
    assert fields["Status"].options == (
        "Open - Not Contacted",
        "Working - Contacted",
        "Closed - Converted",
        "Closed - Not Converted",
    )
    assert not fields["Status"].restricted
    assert fields["Email"].type == "email"
    assert not fields["IsConverted"].updateable
    assert not fields["SystemModstamp"].createable
    # compound: cannot be written, and its value is no single value
    assert "Address" not in fields


@needs_recordings
def test_recorded_describes_come_in_one_call_and_unknown_objects_are_left_out(
    there: Salesforce, httpserver: HTTPServer
) -> None:
    names = ["Lead", "Contact", "Opportunity", "OpportunityContactRole"]
    missing = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    body = _parts(*((200, _describe(name)) for name in names), (404, missing))
    httpserver.expect_oneshot_request("/services/data/v62.0/composite", "POST").respond_with_json(body)
    described = there.describe([*names, "Nonsuch"])
    assert set(described.objects) == set(names)
    assert described.objects["Opportunity"]["StageName"].options is not None
    assert described.objects["OpportunityContactRole"]["ContactId"].type == "reference"


@needs_recordings
def test_recorded_collections_answers_become_results(there: Salesforce, httpserver: HTTPServer) -> None:
    calls = [
        (method, json.loads(sent), answer)
        for method, address, sent, _, answer in exchanges(
            f"{BULK}/TestUpdatesIntegrationTests.test_updates_task.yaml"
        )
        if method == "PATCH" and address.endswith("/composite/sobjects")
    ]
    assert calls
    for _, sent, answer in calls:
        httpserver.expect_oneshot_request(
            "/services/data/v62.0/composite/sobjects", "PATCH"
        ).respond_with_data(answer, content_type="application/json;charset=UTF-8")
        writes = [
            RecordWrite(
                record["Id"],
                record["attributes"]["type"],
                record["Id"],
                {name: value for name, value in record.items() if name not in ("Id", "attributes")},
            )
            for record in sent["records"]
        ]
        for result in there.write(writes):
            assert isinstance(result.outcome, Written)
            assert result.outcome.record_id == result.token
            assert not result.outcome.created


@needs_recordings
def test_a_recorded_upsert_tells_created_from_found(there: Salesforce, httpserver: HTTPServer) -> None:
    calls = [
        (json.loads(sent)["records"], answer)
        for method, address, sent, _, answer in exchanges(f"{BULK}/TestUpsert.test_simple_upsert__rest.yaml")
        if method == "PATCH" and address.endswith("/Contact/Email")
    ]
    created: list[bool] = []
    for records, answer in calls:
        httpserver.expect_oneshot_request(
            "/services/data/v62.0/composite/sobjects/Contact/Email", "PATCH"
        ).respond_with_data(answer, content_type="application/json")
        writes = [
            RecordWrite(
                record["Email"],
                "Contact",
                None,
                {name: value for name, value in record.items() if name != "attributes"},
                "Email",
            )
            for record in records
        ]
        for result in there.write(writes):
            assert isinstance(result.outcome, Written)
            assert id18(result.outcome.record_id) == result.outcome.record_id
            created.append(result.outcome.created)
    assert True in created
    assert False in created


@needs_recordings
def test_recorded_pages_are_followed(there: Salesforce, httpserver: HTTPServer) -> None:
    first = json_of(f"{RESTFORCE}/sobject/query_paginated_first_page_response.json")
    last = json_of(f"{RESTFORCE}/sobject/query_paginated_last_page_response.json")
    httpserver.expect_oneshot_request("/services/data/v62.0/composite", "POST").respond_with_json(
        _parts((200, first), (200, {"totalSize": 0, "done": True, "records": []}))
    )
    httpserver.expect_oneshot_request("/services/data/v26.0/query/01gD").respond_with_json(last)
    rows, none = there._queries(["a", "b"], False, 1, "read")  # type: ignore[arg-type]  # any lane
    assert [row["Text_Label"] for row in rows] == ["First Page", "Last Page"]
    assert none == []


@needs_recordings
def test_recorded_counts(there: Salesforce, httpserver: HTTPServer) -> None:
    path = f"{BULK}/TestUpdatesIntegrationTests.test_updates_task.yaml"
    answers = [answer for _, address, *_, answer in exchanges(path) if "recordCount" in address]
    httpserver.expect_oneshot_request("/services/data/v62.0/limits/recordCount").respond_with_data(
        answers[0], content_type="application/json"
    )
    assert there.count(["Account", "Lead"]) == {"Account": 0, "Lead": 0}


@needs_recordings
def test_recorded_rows_become_observations_of_the_mapped_fields_alone() -> None:
    path = f"{BULK}/TestUpdatesIntegrationTests.test_updates_task.yaml"
    pages = [
        json.loads(answer) for _, address, *_, answer in exchanges(path) if "SELECT+Id%2CName" in address
    ]
    rows = [
        {
            **row,
            "SystemModstamp": "2023-05-03T10:37:48.000+0000",
            "IsDeleted": False,
            "LastModifiedById": "0055i000007S72zAAC",
            "MasterRecordId": None,
        }
        for row in pages[0]["records"]
    ]
    seen = Columns.of("Account", ["Name"]).observe(rows, "crm", 7)
    assert [each.fields for each in seen] == [{"Name": row["Name"]} for row in pages[0]["records"]]
    assert {each.stamp_ms for each in seen} == {1_683_110_268_000}
    assert {each.modified_by for each in seen} == {"0055i000007S72zAAC"}


def test_a_system_column_that_is_mapped_stays() -> None:
    row = {
        "attributes": {},
        "Id": "00Q5i00000GAqYdEAL",
        "SystemModstamp": "2023-05-03T10:37:48.000+0000",
        "IsDeleted": False,
        "LastModifiedById": "0055i000007S72zAAC",
        "MasterRecordId": None,
        "IsConverted": True,
        "ConvertedContactId": "003x",
        "ConvertedAccountId": "001x",
        "ConvertedOpportunityId": None,
        "Title": "",
    }
    (seen,) = Columns.of("Lead", ["IsConverted", "Title"]).observe([row], "crm", 7)
    assert seen.fields == {"IsConverted": True, "Title": None}
    assert seen.converted
    assert seen.refs == {"Contact": ("003x",), "Account": ("001x",)}


@pytest.mark.parametrize("name", ["Email; drop", "a.b.c", "", "1x", "Email FROM User"])
def test_a_name_that_cannot_be_quoted_is_refused(name: str) -> None:
    with pytest.raises(Refused) as caught:
        Columns.of("Lead", [name])
    assert caught.value.fields == (name,)
    with pytest.raises(Refused):
        Columns.of(name, ["Email"])


def test_statements() -> None:
    columns = Columns.of("OpportunityContactRole", ["Role"])
    assert changed_since(columns, 1_683_110_047_999) == (
        "SELECT Id, SystemModstamp, IsDeleted, LastModifiedById, ContactId, OpportunityId, Role "
        "FROM OpportunityContactRole WHERE SystemModstamp >= 2023-05-03T10:34:07Z ORDER BY SystemModstamp, Id"
    )
    assert where_in(columns, "Id", ["a", "b'\\"]).endswith("WHERE Id IN ('a', 'b\\'\\\\')")
    assert quoted("a\n\t'") == "'a\\n\\t\\''"


@pytest.mark.parametrize(
    ("short", "long"),
    [("00Q5i00000GAqYd", "00Q5i00000GAqYdEAL"), ("0055i000007S72z", "0055i000007S72zAAC")],
)
def test_ids_of_15_characters_grow_to_18(short: str, long: str) -> None:
    assert id18(short) == long
    assert id18(long) == long
