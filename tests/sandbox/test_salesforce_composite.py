"""Composite and batch: several requests in one, references between them, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.salesforce_client import Client, error

BASE = "/services/data/v62.0"


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def part(method: str, path: str, reference: str, body: Any = None, **more: Any) -> dict[str, Any]:
    request = {"method": method, "url": f"{BASE}/{path}", "referenceId": reference, **more}
    return request if body is None else {**request, "body": body}


def composite(client: Client, *parts: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    answer = client.call("POST", "composite", {"compositeRequest": list(parts), **options})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["compositeResponse"]
    return found


def test_later_subrequests_use_what_earlier_ones_gave(client: Client) -> None:
    results = composite(
        client,
        part("POST", "sobjects/Account", "account", {"Name": "Engines"}),
        part("POST", "sobjects/Contact", "contact", {"LastName": "Byron", "AccountId": "@{account.id}"}),
        part("GET", "sobjects/Contact/@{contact.id}?fields=AccountId", "read"),
        part("GET", "query?q=SELECT Id FROM Contact WHERE AccountId = '@{account.id}'", "query"),
        part("PATCH", "sobjects/Contact/@{query.records[0].Id}", "update", {"Title": "Countess"}),
    )
    account, contact, read, query, update = results
    assert [each["httpStatusCode"] for each in results] == [201, 201, 200, 200, 204]
    assert account["httpHeaders"] == {"Location": f"{BASE}/sobjects/Account/{account['body']['id']}"}
    assert read["body"]["AccountId"] == account["body"]["id"]
    assert query["body"]["records"][0]["Id"] == contact["body"]["id"]
    assert update == {"body": None, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "update"}
    assert client.org.get("Contact", contact["body"]["id"])["Title"] == "Countess"


def test_one_that_fails_leaves_the_others_alone(client: Client) -> None:
    results = composite(
        client,
        part("POST", "sobjects/Lead", "bad", {"LastName": "B"}),
        part("POST", "sobjects/Lead", "good", {"LastName": "B", "Company": "C"}),
        part("GET", "sobjects/Lead/@{bad.id}", "lost"),
    )
    assert [each["httpStatusCode"] for each in results] == [400, 201, 400]
    assert results[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert results[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert len(client.org.rows("Lead")) == 1


def test_all_or_none_rolls_back(client: Client) -> None:
    row_id = client.lead(City="Rome")
    results = composite(
        client,
        part("PATCH", f"sobjects/Lead/{row_id}", "change", {"City": "Bonn"}),
        part("POST", "sobjects/Lead", "bad", {"LastName": "B"}),
        allOrNone=True,
    )
    assert [each["httpStatusCode"] for each in results] == [400, 400]
    assert results[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert results[1]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert client.org.get("Lead", row_id)["City"] == "Rome"


def test_five_queries_and_25_subrequests_are_the_most(client: Client) -> None:
    queries = [part("GET", "query?q=SELECT Id FROM Lead", f"q{number}") for number in range(6)]
    assert error(client.call("POST", "composite", {"compositeRequest": queries})) == (400, "LIMIT_EXCEEDED")
    assert len(composite(client, *queries[1:])) == 5
    reads = [part("GET", "limits", f"r{number}") for number in range(26)]
    assert error(client.call("POST", "composite", {"compositeRequest": reads})) == (400, "LIMIT_EXCEEDED")
    assert len(composite(client, *reads[1:])) == 25
    twice = [part("GET", "limits", "same")] * 2
    assert error(client.call("POST", "composite", {"compositeRequest": twice})) == (400, "INVALID_INPUT")


def test_a_composite_counts_once_and_a_batch_by_its_parts(client: Client) -> None:
    composite(client, *(part("GET", "limits", f"r{number}") for number in range(10)))
    assert client.org.quota.used == 1
    requests = [{"method": "GET", "url": "v62.0/limits"}] * 4
    client.call("POST", "composite/batch", {"batchRequests": requests})
    assert client.org.quota.used == 5


def test_the_choice_about_assignment_reaches_the_subrequests(client: Client) -> None:
    client.org.assignment_owner = client.org.add_queue("Inbound")
    body = {"compositeRequest": [part("POST", "sobjects/Lead", "made", {"LastName": "B", "Company": "C"})]}
    client.call("POST", "composite", body, headers={"Sforce-Auto-Assign": "FALSE"})
    client.call("POST", "composite", body)
    owners = [row["OwnerId"] for row in client.org.rows("Lead")]
    assert owners == [client.org.integration_user_id, client.org.assignment_owner]


def test_pages_of_a_query_inside_a_composite_go_on_outside(client: Client) -> None:
    for _ in range(3):
        client.lead()
    client.org.page_size = 2
    (page,) = composite(client, part("GET", "query/?q=SELECT+Id+FROM+Lead", "q"))
    assert (len(page["body"]["records"]), page["body"]["done"]) == (2, False)
    following = client.http.get(client.url + page["body"]["nextRecordsUrl"], timeout=10).json()
    assert (len(following["records"]), following["done"]) == (1, True)


def test_batch_parts_commit_by_themselves(client: Client) -> None:
    requests = [
        {"method": "POST", "url": "v62.0/sobjects/Lead", "richInput": {"LastName": "B", "Company": "C"}},
        {"method": "POST", "url": "v62.0/sobjects/Lead", "richInput": {"LastName": "B"}},
        {"method": "GET", "url": "/services/data/v62.0/query?q=SELECT COUNT() FROM Lead"},
    ]
    body = client.call("POST", "composite/batch", {"batchRequests": requests}).json()
    assert body["hasErrors"] is True
    assert [each["statusCode"] for each in body["results"]] == [201, 400, 200]
    assert body["results"][2]["result"]["totalSize"] == 1
    body = client.call("POST", "composite/batch", {"batchRequests": requests[1:], "haltOnError": True}).json()
    assert [each["statusCode"] for each in body["results"]] == [400, 412]
    assert body["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
