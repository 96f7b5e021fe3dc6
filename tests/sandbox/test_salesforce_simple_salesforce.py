"""The real client, simple-salesforce, over real HTTP: what it can do there, it can do here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id, format_soql

from connector.sandbox import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET, SALESFORCE_USERNAME
from tests.sandbox.salesforce_client import Client


class PlainHttp(HTTPAdapter):
    """Sends to the sandbox what the client, which knows only https, wants to send elsewhere."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = self.url + "/" + str(request.url).split("://", 1)[1].partition("/")[2]
        return super().send(request, *args, **options)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture
def session(client: Client) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", PlainHttp(client.url))
        yield session


@pytest.fixture
def sf(client: Client, session: requests.Session) -> Any:
    """A client with a session made elsewhere. Any: its objects are made up by attribute."""
    url = client.url.replace("http:", "https:")
    return Salesforce(session_id=client.org.session_id, instance_url=url, session=session, version="62.0")


def test_records_from_create_to_delete(client: Client, sf: Any) -> None:
    made = sf.Lead.create({"LastName": "O'Hara", "Company": "C", "Email": "a@x.example"})
    assert made["success"] is True
    assert sf.Lead.get(made["id"])["LastName"] == "O'Hara"
    assert sf.Lead.update(made["id"], {"City": "Rome"}) == 204
    key = format_external_id("Leadloop_Id__c", "a/b")
    assert sf.Lead.upsert(key, {"LastName": "B", "Company": "C"}) == 201
    assert sf.Lead.upsert(key, {"City": "Bonn"}) == 200
    assert sf.Lead.get_by_custom_id("Leadloop_Id__c", "a/b")["City"] == "Bonn"
    found = sf.query(format_soql("SELECT Id FROM Lead WHERE LastName = {}", "o'hara"))
    assert [row["Id"] for row in found["records"]] == [made["id"]]
    assert sf.Lead.delete(made["id"]) == 204
    assert len(client.org.rows("Lead")) == 1


def test_all_pages_of_a_query(client: Client, sf: Any) -> None:
    client.org.page_size = 2
    ids = [client.lead() for _ in range(5)]
    assert [row["Id"] for row in sf.query_all_iter("SELECT Id FROM Lead ORDER BY Id")] == ids
    client.org.delete("Lead", ids[0])
    assert len(sf.query_all("SELECT Id FROM Lead", include_deleted=True)["records"]) == 5


def test_metadata_limits_and_changes(client: Client, sf: Any) -> None:
    row_id, deleted = client.lead(), client.lead()
    client.org.delete("Lead", deleted)
    client.clock.advance(600)
    assert "Leadloop_Id__c" in {field["name"] for field in sf.Lead.describe()["fields"]}
    assert {"Lead", "User"} <= {each["name"] for each in sf.describe()["sobjects"]}
    assert sf.limits()["DailyApiRequests"]["Max"] == 15_000
    span = datetime(2026, 1, 5, 8, 0, tzinfo=UTC), datetime(2026, 1, 5, 8, 10, tzinfo=UTC)
    assert sf.Lead.updated(*span)["ids"] == [row_id]
    assert sf.Lead.deleted(*span)["deletedRecords"][0]["id"] == deleted
    assert sf.Lead.metadata()["objectDescribe"]["name"] == "Lead"


def test_collections_and_composite_through_restful(client: Client, sf: Any) -> None:
    records = [{"attributes": {"type": "Lead"}, "LastName": "B", "Company": "C", "Leadloop_Id__c": "L1"}]
    path = "composite/sobjects/Lead/Leadloop_Id__c"
    made = sf.restful(path, method="PATCH", json={"allOrNone": False, "records": records})
    assert made[0]["created"] is True
    url = "/services/data/v62.0/query/?q=SELECT+Id+FROM+Lead"
    request = {"compositeRequest": [{"method": "GET", "url": url, "referenceId": "q"}]}
    answer = sf.restful("composite", method="POST", json=request)
    assert answer["compositeResponse"][0]["body"]["records"][0]["Id"] == made[0]["id"]


def test_refusals_become_its_exceptions(client: Client, sf: Any) -> None:
    for _ in range(2):
        client.lead(Email="a@x.example")
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Lead.create({"LastName": "B"})
    refusal: Any = refused.value.content
    assert refusal[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    with pytest.raises(SalesforceResourceNotFound):
        sf.Lead.get("00Q5g000000zzzzEAA")
    with pytest.raises(SalesforceMoreThanOneRecord) as several:
        sf.Lead.upsert("Email/a@x.example", {"City": "Rome"})
    content: Any = several.value.content
    assert len(content) == 2
    client.org.faults.quota_exhausted = True
    with pytest.raises(SalesforceRefusedRequest):
        sf.limits()
    client.org.faults.clear()
    client.org.faults.fail_next(1, 401)
    with pytest.raises(SalesforceExpiredSession):
        sf.limits()


def test_its_logins(client: Client, session: requests.Session) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    client.org.auth.trust(public)
    by_jwt: Any = Salesforce(
        username=SALESFORCE_USERNAME,
        consumer_key=SALESFORCE_CLIENT_ID,
        privatekey=private.decode(),
        session=session,
        version="62.0",
    )
    by_secret: Any = Salesforce(
        consumer_key=SALESFORCE_CLIENT_ID,
        consumer_secret=SALESFORCE_CLIENT_SECRET,
        domain="acme.my",
        session=session,
        version="62.0",
    )
    for logged_in in (by_jwt, by_secret):
        (row,) = logged_in.query("SELECT Id, Name, IsSandbox FROM Organization")["records"]
        assert row["Id"] == client.org.organization_id
    client.org.faults.expire_tokens()
    # the client logs in again by itself, once
    assert by_secret.limits()["DailyApiRequests"]["Max"] == 15_000
