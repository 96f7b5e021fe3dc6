"""A restart keeps the org; the control endpoints let outsiders set it up."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from connector.clock import ManualClock
from connector.sandbox.salesforce import DuplicateRule, Refusal, SalesforceOrg, ValidationRule
from connector.sandbox.salesforce.picklists import OTHER_STATUSES
from tests.sandbox.salesforce_client import START_MS, Client, error


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_an_org_survives_as_json() -> None:
    clock = ManualClock(START_MS)
    org = SalesforceOrg(clock)
    org.add_leadloop_fields()
    org.set_lead_statuses(OTHER_STATUSES)
    org.add_validation_rule(ValidationRule("Lead", "city", "City = 'Rome'", "Not Rome", "City"))
    org.add_duplicate_rule(DuplicateRule("Contact", "Alert"))
    org.assignment_owner = org.add_queue("Inbound")
    lead = org.insert("Lead", LastName="Byron", Company="C", Leadloop_Id__c="L1", Email="a@x.example")
    gone = org.insert("Lead", LastName="Gone", Company="C")
    org.delete("Lead", gone)
    saved = orjson.loads(orjson.dumps(org.to_json()))

    again = SalesforceOrg(clock)
    again.from_json(saved)
    assert orjson.loads(orjson.dumps(again.to_json())) == saved
    assert again.get("Lead", lead) == org.get("Lead", lead)
    assert [row["Id"] for row in again.query("SELECT Id FROM Lead WHERE Leadloop_Id__c = 'l1'")] == [lead]
    assert [row["Id"] for row in again.query("SELECT Id FROM Lead ORDER BY SystemModstamp")] == [lead]
    with pytest.raises(Refusal, match="Not Rome"):
        again.update("Lead", lead, City="Rome")
    with pytest.raises(Refusal, match="DUPLICATE_VALUE"):
        again.insert("Lead", LastName="B", Company="C", Leadloop_Id__c="L1")
    with pytest.raises(Refusal, match="DUPLICATES_DETECTED"):
        again.insert("Contact", LastName="B", Email="A@x.example")
    new = again.insert("Lead", LastName="New", Company="C")
    assert new not in (lead, gone)
    assert again.get("Lead", new)["Status"] == "Open"


def test_another_orgs_state_is_not_taken() -> None:
    clock = ManualClock(START_MS)
    saved = SalesforceOrg(clock).to_json()
    with pytest.raises(ValueError, match="is of org"):
        SalesforceOrg(clock, "00D5g000000SBX2").from_json(saved)
    with pytest.raises(ValueError, match="format"):
        SalesforceOrg(clock).from_json({**saved, "format": 99})


def test_outsiders_set_up_fields_rules_people_and_settings(client: Client) -> None:
    field = {
        "object": "Lead",
        "name": "Tier__c",
        "type": "picklist",
        "picklist": ["A", "B"],
        "required": True,
    }
    assert client.control("fields", field).json() == {"added": "Tier__c"}
    rule = {"object": "Lead", "name": "a", "when": "Tier__c = 'A'", "message": "No As"}
    client.control("validation-rules", rule)
    client.control("duplicate-rules", {"object": "Lead", "name": "Alert"})
    queue = client.control("people", {"queue": "Inbound"}).json()["id"]
    rep = client.control("people", {"name": "Rosa Rep", "email": "rosa@sales.example"}).json()["id"]
    client.control("settings", {"assignment_owner": queue, "daily_limit": 99, "page_size": 2})
    lead = {"LastName": "B", "Company": "C"}
    assert error(client.call("POST", "sobjects/Lead", lead)) == (400, "REQUIRED_FIELD_MISSING")
    answer = client.call("POST", "sobjects/Lead", {**lead, "Tier__c": "A"})
    assert answer.json()[0]["message"] == "No As"
    made = client.call("POST", "sobjects/Lead", {**lead, "Tier__c": "B"}).json()["id"]
    assert client.org.get("Lead", made)["OwnerId"] == queue
    assert client.org.get("User", rep)["Email"] == "rosa@sales.example"
    assert (client.org.daily_limit, client.org.page_size) == (99, 2)
    client.control("validation-rules", {"object": "Lead", "name": "a", "remove": True})
    assert client.call("POST", "sobjects/Lead", {**lead, "Tier__c": "A"}).status_code == 201


def test_outsiders_work_with_records_as_a_person_does(client: Client) -> None:
    def records(**body: object) -> object:
        return client.control("records", {"object": "Lead", **body}).json()

    made = client.control(
        "records",
        {"records": [{"object": "Lead", "fields": {"LastName": name, "Company": "C"}} for name in "AB"]},
    ).json()["ids"]
    row_id = made[0]
    assert records(action="update", id=row_id, fields={"City": "Rome"}) == {"id": row_id}
    assert client.org.get("Lead", row_id)["City"] == "Rome"
    assert client.org.get("Lead", row_id)["LastModifiedById"] == client.org.admin_id
    client.clock.advance(60)
    records(action="touch", id=row_id)
    row = client.org.get("Lead", row_id)
    assert row["SystemModstamp"] > row["LastModifiedDate"]
    records(action="delete", id=row_id)
    records(action="undelete", id=row_id)
    assert len(client.org.rows("Lead")) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("records", {"object": "Lead", "action": "paint", "id": "x"}, 400),
        ("records", {"fields": {}}, 400),
        ("records", {"object": "Robot", "fields": {}}, 404),
        ("fields", {"object": "Lead", "name": "Tier"}, 400),
        ("fields", {"object": "Lead", "name": "Tier__c", "type": "colour"}, 400),
        ("validation-rules", {"object": "Lead", "name": "x", "when": "Nope = 1", "message": ""}, 400),
        ("records", ["x"], 400),
        ("nothing", {}, 404),
    ],
)
def test_what_the_control_endpoints_do_not_understand(
    client: Client, path: str, body: object, status: int
) -> None:
    answer = client.control(path, body)
    assert answer.status_code == status
    assert answer.json()[0]["message"]
