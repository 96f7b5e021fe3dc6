"""The org's answers held against recorded traffic of real orgs: same keys, same values where they agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import yaml

from tests.sandbox.salesforce_client import RECORDED, Client, needs_recordings

pytestmark = needs_recordings()

CUMULUS = RECORDED / "SFDO-Tooling__CumulusCI" / "cumulusci"
RESTFORCE = RECORDED / "restforce__restforce" / "spec" / "fixtures"

AGREED = (
    "type",
    "soapType",
    "length",
    "byteLength",
    "precision",
    "scale",
    "digits",
    "nillable",
    "createable",
    "updateable",
    "defaultedOnCreate",
    "filterable",
    "sortable",
    "groupable",
    "aggregatable",
    "idLookup",
    "externalId",
    "unique",
    "caseSensitive",
    "restrictedPicklist",
    "compoundFieldName",
    "relationshipName",
    "nameField",
    "polymorphicForeignKey",
    "namePointing",
    "queryByDistance",
    "defaultValue",
    "extraTypeInfo",
)
KNOWN_DIFFERENCES = {
    # oddities of single fields that nothing depends on
    ("ActivityDate", "aggregatable"),
    ("ChannelProgramLevelName", "aggregatable"),
    ("ChannelProgramLevelName", "groupable"),
    ("ChannelProgramName", "aggregatable"),
    ("ChannelProgramName", "groupable"),
    ("Fiscal", "byteLength"),
    ("HasOpenActivity", "groupable"),
    ("HasOverdueTask", "groupable"),
    ("RecurrenceDayOfMonth", "digits"),
    ("RecurrenceDayOfWeekMask", "digits"),
    ("RecurrenceInterval", "digits"),
}


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def cassette(path: str) -> Any:
    return yaml.safe_load((CUMULUS / path).read_text("utf-8"))


def recorded_describe(name: str) -> dict[str, Any]:
    content = cassette(f"tests/shared_cassettes/GET_sobjects_{name}_describe.yaml")
    described: dict[str, Any] = orjson.loads(content["response"]["body"]["string"])
    return described


@pytest.mark.parametrize(
    "name", ["Lead", "Contact", "Account", "Opportunity", "OpportunityContactRole", "Event"]
)
def test_describes_agree_field_by_field(client: Client, name: str) -> None:
    recorded = recorded_describe(name)
    ours = client.get(f"sobjects/{name}/describe").json()
    assert set(recorded) - {"sobjectDescribeOption"} <= set(ours)
    flags = ("keyPrefix", "label", "createable", "updateable", "deletable", "undeletable", "mergeable")
    assert {flag: ours[flag] for flag in flags} == {flag: recorded[flag] for flag in flags}
    fields = {field["name"]: field for field in ours["fields"]}
    differing = []
    for field in recorded["fields"]:
        if field["name"].endswith("__c"):
            continue
        mine = fields[field["name"]]
        assert set(mine) == set(field)
        differing += [
            (field["name"], key, mine[key], field[key])
            for key in AGREED
            if mine[key] != field[key] and (field["name"], key) not in KNOWN_DIFFERENCES
        ]
        values = [value["value"] for value in field["picklistValues"]]
        # time zones and recurrence patterns are no business of a lead connector
        if not field["name"].startswith("Recurrence") and not set(values) <= {
            value["value"] for value in mine["picklistValues"]
        }:
            differing.append((field["name"], "picklistValues", mine["picklistValues"], values))
        if "Asset" not in field["referenceTo"]:
            assert set(mine["referenceTo"]) == set(field["referenceTo"])
    assert differing == []


def test_the_global_describe_has_the_recorded_shape(client: Client) -> None:
    content = cassette("tests/shared_cassettes/GET_sobjects_Global_describe.yaml")
    recorded = orjson.loads(content["response"]["body"]["string"])
    ours = client.get("sobjects").json()
    assert {key: ours[key] for key in ("encoding", "maxBatchSize")} == {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
    }
    by_name = {each["name"]: each for each in recorded["sobjects"]}
    for each in ours["sobjects"]:
        if each["name"] in by_name:
            known = by_name[each["name"]]
            assert set(each) == set(known)
            assert each["createable"] == known["createable"]
            assert each["deletable"] == known["deletable"]


def test_an_unchanged_describe_is_not_sent_again(client: Client) -> None:
    path = "utils/http/tests/cassettes/ManualEditTestCompositeParallelSalesforce.test_http_headers.yaml"
    interaction = cassette(path)["interactions"][0]
    recorded = orjson.loads(interaction["response"]["body"]["string"])["compositeResponse"][0]
    request = orjson.loads(interaction["request"]["body"])["compositeRequest"][0]
    request |= {"url": "/services/data/v62.0/sobjects"}
    request["httpHeaders"]["If-Modified-Since"] = "Mon, 05 Jan 2026 08:00:00 GMT"
    answer = client.call("POST", "composite", {"compositeRequest": [request]})
    (ours,) = answer.json()["compositeResponse"]
    assert set(ours) == set(recorded)
    assert (ours["body"], ours["httpStatusCode"]) == (None, 304)
    assert set(ours["httpHeaders"]) == set(recorded["httpHeaders"]) == {"ETag", "Last-Modified"}
    fresh = client.get("sobjects/Lead/describe").headers["Last-Modified"]
    since = {"If-Modified-Since": fresh}
    assert client.get("sobjects/Lead/describe", headers=since).status_code == 304
    client.clock.advance(1)
    client.org.add_leadloop_fields(["Account"])
    assert client.get("sobjects/Lead/describe", headers=since).status_code == 200


def test_counts_in_a_composite_and_an_unknown_object(client: Client) -> None:
    path = "utils/salesforce/tests/cassettes/TestCountSObjects.test_count_sobjects__errors.yaml"
    interaction = cassette(path)["interactions"][0]
    request = orjson.loads(interaction["request"]["body"].replace("vxx.0", "v62.0"))
    recorded = orjson.loads(interaction["response"]["body"]["string"])
    for number in range(17):
        client.org.insert("Account", Name=f"A{number}")
    assert client.call("POST", "composite", request).json() == recorded


def test_an_unknown_resource_in_a_composite(client: Client) -> None:
    path = "utils/http/tests/cassettes/TestCompositeParallelSalesforce.test_errors.yaml"
    (interaction,) = cassette(path)["interactions"]
    request = orjson.loads(interaction["request"]["body"].replace("vxx.0", "v62.0"))
    answer = client.call("POST", "composite", request)
    assert answer.json() == orjson.loads(interaction["response"]["body"]["string"])


def replay(client: Client, path: str) -> int:
    """Send every recorded write, and hold each result against the recorded one but for its id. Returns how
    many records were compared."""
    compared = 0
    ours_of: dict[str, str] = {}
    for interaction in cassette(path)["interactions"]:
        request = interaction.get("request")
        if request is None or request["method"] == "GET" or "/composite/sobjects" not in request["uri"]:
            continue
        place = request["uri"].partition("/services/data/vxx.0/")[2]
        sent = request["body"]
        for theirs_id, our_id in ours_of.items():
            sent = sent.replace(theirs_id, our_id)
        ours = client.call(request["method"], place, orjson.loads(sent))
        assert ours.status_code == interaction["response"]["status"]["code"]
        recorded = orjson.loads(interaction["response"]["body"]["string"])
        assert len(ours.json()) == len(recorded)
        for mine, theirs in zip(ours.json(), recorded, strict=True):
            assert list(mine) == list(theirs)
            assert {**mine, "id": ""} == {**theirs, "id": ""}
            ours_of[theirs["id"]] = mine["id"]
            compared += 1
    return compared


def test_recorded_upserts_have_the_recorded_results(client: Client) -> None:
    found = replay(client, "tasks/bulkdata/tests/cassettes/TestUpsert.test_simple_upsert__rest.yaml")
    assert found > 10


def test_recorded_upserts_by_id_have_the_recorded_results(client: Client) -> None:
    name = "TestUpsert.test_upsert_complex_external_id_field_rest__duplicate_error.yaml"
    assert replay(client, f"tasks/bulkdata/tests/cassettes/{name}") > 10


def test_recorded_updates_have_the_recorded_results(client: Client) -> None:
    path = "tasks/bulkdata/tests/cassettes/TestUpdatesIntegrationTests.test_updates_task.yaml"
    for interaction in cassette(path)["interactions"]:
        request = interaction.get("request", {})
        if request.get("method") != "PATCH":
            continue
        body = orjson.loads(request["body"])
        for record in body["records"]:
            record["Id"] = client.org.insert("Account", Name="Account")
        ours = client.call("PATCH", "composite/sobjects", body).json()
        recorded = orjson.loads(interaction["response"]["body"]["string"])
        assert [{**each, "id": ""} for each in ours] == [{**each, "id": ""} for each in recorded]
        # recorded: a number may be sent as text
        assert {row["NumberOfEmployees"] for row in client.org.rows("Account")} == {10_000}
        return
    pytest.fail("the recording has no update")


def fixture(path: str) -> Any:
    return orjson.loads((RESTFORCE / path).read_bytes())


def test_errors_are_worded_as_recorded(client: Client) -> None:
    answer = client.http.get(client.base + "limits", headers={"Authorization": "Bearer x"}, timeout=10)
    assert (answer.status_code, answer.json()) == (401, fixture("expired_session_response.json"))
    answer = client.call("PATCH", "sobjects/Lead/Namez/x", {"City": "Rome"})
    assert (answer.status_code, answer.json()) == (404, fixture("sobject/upsert_error_response.json"))
    answer = client.get("sobjects/Whizbang/describe")
    assert (answer.status_code, answer.json()) == (
        404,
        fixture("sobject/sobject_describe_error_response.json"),
    )
    answer = client.get("sobjects/Lead/23foo")
    assert (answer.status_code, answer.json()) == (404, fixture("sobject/sobject_find_error_response.json"))
    recorded = orjson.dumps(fixture("sobject/write_error_response.json")).replace(b"Bar", b"Lead")
    answer = client.call("PATCH", f"sobjects/Lead/{client.lead()}", {"foo": 1})
    assert (answer.status_code, answer.json()) == (400, orjson.loads(recorded))


def test_answers_have_the_recorded_keys(client: Client) -> None:
    made = client.call("POST", "sobjects/Lead", {"LastName": "B", "Company": "C"}).json()
    assert set(made) == set(fixture("sobject/create_success_response.json"))
    client.org.delete("Lead", made["id"])
    client.clock.advance(300)
    span = "?start=2026-01-05T08:00:00Z&end=2026-01-05T08:04:00Z"
    updated, deleted = (client.get(f"sobjects/Lead/{kind}{span}").json() for kind in ("updated", "deleted"))
    assert set(updated) == set(fixture("sobject/get_updated_success_response.json"))
    recorded = fixture("sobject/get_deleted_success_response.json")
    assert set(deleted) == set(recorded)
    assert set(deleted["deletedRecords"][0]) == set(recorded["deletedRecords"][0])
    granted = client.http.post(
        f"{client.url}/services/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": client.org.auth.client_id,
            "client_secret": client.org.auth.client_secret,
        },
        timeout=10,
    ).json()
    assert set(fixture("auth_success_response.json")) <= set(granted)
    versions = client.http.get(f"{client.url}/services/data", timeout=10).json()
    assert set(versions[0]) == set(fixture("services_data_success_response.json")[0])
    twins = [client.lead(Email="a@x.example") for _ in range(2)]
    answer = client.call("PATCH", "sobjects/Lead/Email/a%40x.example", {"City": "Rome"})
    several = fixture("sobject/upsert_multiple_error_response.json")
    assert [type(each) for each in answer.json()] == [type(each) for each in several]
    assert len(answer.json()) == len(twins)


def test_the_organization_row_has_recorded_fields(client: Client) -> None:
    content = cassette("tests/shared_cassettes/GET_sobjects_Organization.yaml")
    recorded = orjson.loads(content["response"]["body"]["string"])
    ours = client.get(f"sobjects/Organization/{client.org.organization_id}").json()
    assert set(ours) <= set(recorded)
    assert (ours["OrganizationType"], ours["IsSandbox"]) == ("Developer Edition", True)
