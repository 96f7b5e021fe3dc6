"""Bulk API 2.0 queries of the sandbox org: what a job is, its pages, and what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
import requests

from connector.clock import ManualClock
from connector.sandbox import SALESFORCE_SESSION_ID
from connector.sandbox.salesforce.org import SalesforceOrg
from connector.sandbox.server import serve

PATH = "/services/data/v62.0/jobs/query"
SELECT = "SELECT Id, LastName, HasOptedOutOfEmail, CreatedDate FROM Lead"


class Bulk:
    """An org with five leads, over HTTP."""

    def __init__(self, url: str, org: SalesforceOrg, clock: ManualClock) -> None:
        self.url, self.org, self.clock = url, org, clock
        self.ids = [org.insert("Lead", LastName=f'No "{at}"\nX', Company="Acme") for at in range(5)]

    def __call__(self, method: str, rest: str = "", **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {SALESFORCE_SESSION_ID}"}
        return requests.request(method, self.url + PATH + rest, headers=headers, timeout=10, **options)  # type: ignore[arg-type]  # as requests takes them

    def made(self, text: str = SELECT, operation: str = "query", **more: str) -> str:
        answer = self("POST", json={"operation": operation, "query": text, **more})
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "UploadComplete"
        return str(answer.json()["id"])

    def refused(self, method: str, rest: str = "", **options: object) -> str:
        answer = self(method, rest, **options)
        assert answer.status_code >= 400
        return str(answer.json()[0]["errorCode"])


@pytest.fixture
def bulk() -> Iterator[Bulk]:
    clock = ManualClock(1_800_000_000_000)
    org = SalesforceOrg(clock)
    server = serve(org.app())
    try:
        yield Bulk(server.url, org, clock)
    finally:
        server.stop()


def rows(answer: requests.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_a_job_is_done_after_a_while(bulk: Bulk) -> None:
    job = bulk.made()
    assert job.startswith("750")
    bulk.clock.advance(1)
    assert bulk("GET", f"/{job}").json()["state"] == "InProgress"
    assert bulk.refused("GET", f"/{job}/results") == "INVALIDJOBSTATE"
    bulk.clock.advance(1)
    told = bulk("GET", f"/{job}").json()
    assert (told["state"], told["numberRecordsProcessed"]) == ("JobComplete", 5)


def test_results_come_in_pages_of_quoted_csv(bulk: Bulk) -> None:
    job = bulk.made()
    bulk.clock.advance(2)
    first = bulk("GET", f"/{job}/results?maxRecords=3")
    assert first.headers["Content-Type"] == "text/csv"
    assert first.headers["Sforce-NumberOfRecords"] == "3"
    assert first.text.startswith('"Id","LastName","HasOptedOutOfEmail","CreatedDate"\n"00Q')
    locator = first.headers["Sforce-Locator"]
    second = bulk("GET", f"/{job}/results?maxRecords=3&locator={locator}")
    assert second.headers["Sforce-Locator"] == "null"
    found = rows(first) + rows(second)
    assert sorted(row["Id"] for row in found) == sorted(bulk.ids)
    assert {row["HasOptedOutOfEmail"] for row in found} == {"false"}
    assert {row["CreatedDate"] for row in found} == {"2027-01-15T08:00:00.000Z"}
    assert sorted(row["LastName"] for row in found)[0] == 'No "0"\nX'
    assert bulk.refused("GET", f"/{job}/results?locator=bm8") == "INVALIDLOCATOR"


def test_results_show_the_rows_as_they_were(bulk: Bulk) -> None:
    job = bulk.made("SELECT Id, LastName FROM Lead ORDER BY Id")
    bulk.clock.advance(2)
    bulk.org.update("Lead", bulk.ids[0], LastName="Later")
    assert rows(bulk("GET", f"/{job}/results"))[0]["LastName"] == 'No "0"\nX'


def test_query_all_shows_what_was_deleted(bulk: Bulk) -> None:
    bulk.org.delete("Lead", bulk.ids[0])
    live, everything = bulk.made(), bulk.made(operation="queryAll")
    bulk.clock.advance(2)
    assert len(rows(bulk("GET", f"/{live}/results"))) == 4
    assert len(rows(bulk("GET", f"/{everything}/results"))) == 5


def test_a_job_can_be_aborted_until_it_is_done_and_deleted_afterwards(bulk: Bulk) -> None:
    job, other = bulk.made(), bulk.made()
    assert bulk.refused("DELETE", f"/{job}") == "INVALIDJOBSTATE"
    assert bulk("PATCH", f"/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    bulk.clock.advance(2)
    assert bulk.refused("PATCH", f"/{other}", json={"state": "Aborted"}) == "INVALIDJOBSTATE"
    assert bulk("DELETE", f"/{other}").status_code == 204
    assert bulk.refused("GET", f"/{other}") == "NOT_FOUND"


def test_jobs_are_kept_seven_days_and_are_so_many_a_day(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bulk.made()
    monkeypatch.setattr("connector.sandbox.salesforce.bulk_query.MOST_JOBS_A_DAY", 1)
    assert bulk.refused("POST", json={"operation": "query", "query": SELECT}) == "EXCEEDEDQUOTA"
    bulk.clock.advance(7 * 86_400 + 1)
    assert bulk.refused("GET", f"/{job}") == "NOT_FOUND"
    bulk.made()


def test_a_job_fails_as_it_is_told_to(bulk: Bulk) -> None:
    bulk.org.bulk.failure = "InternalServerError : retries exhausted"
    job = bulk.made()
    bulk.clock.advance(2)
    told = bulk("GET", f"/{job}").json()
    assert (told["state"], told["errorMessage"]) == ("Failed", bulk.org.bulk.failure)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM LeadStatus", "INVALIDENTITY"),
        ("SELECT COUNT(Id) FROM Lead", "FEATURENOTENABLED"),
        ("SELECT Id FROM Lead LIMIT 5 OFFSET 2", "FEATURENOTENABLED"),
        ("SELECT Id, Address FROM Lead", "FEATURENOTENABLED"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Nonsuch__c FROM Lead", "INVALID_FIELD"),
        ("", "INVALIDJOB"),
    ],
)
def test_what_the_bulk_api_does_not_query_is_refused(bulk: Bulk, text: str, code: str) -> None:
    assert bulk.refused("POST", json={"operation": "query", "query": text}) == code
