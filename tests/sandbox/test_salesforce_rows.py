"""Single records over REST: create, read, update, upsert, delete, and every refusal with its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox.salesforce import DuplicateRule, ValidationRule, custom_field
from tests.sandbox.salesforce_client import Client, error


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_create_answers_201_with_the_place_of_the_record(client: Client) -> None:
    answer = client.call("POST", "sobjects/Lead/", {"LastName": "Byron", "Company": "Engines"})
    row_id = answer.json()["id"]
    assert answer.status_code == 201
    assert answer.json() == {"id": row_id, "success": True, "errors": []}
    assert answer.headers["Location"] == f"/services/data/v62.0/sobjects/Lead/{row_id}"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert row_id.startswith("00Q")
    assert len(row_id) == 18


def test_a_new_lead_gets_its_defaults_and_its_audit_fields(client: Client) -> None:
    sent = {"FirstName": "Ada", "LastName": "Byron", "Company": "Engines", "City": "London", "Email": ""}
    row_id = client.call("POST", "sobjects/Lead", sent).json()["id"]
    row = client.get(f"sobjects/Lead/{row_id}").json()
    now = "2026-01-05T08:00:00.000+0000"
    expected = {
        "attributes": {"type": "Lead", "url": f"/services/data/v62.0/sobjects/Lead/{row_id}"},
        "Id": row_id,
        "IsDeleted": False,
        "MasterRecordId": None,
        "Name": "Ada Byron",
        "Email": None,
        "Status": "Open - Not Contacted",
        "IsConverted": False,
        "OwnerId": client.org.integration_user_id,
        "PhotoUrl": f"/services/images/photo/{row_id}",
        "CreatedDate": now,
        "CreatedById": client.org.integration_user_id,
        "LastModifiedDate": now,
        "LastModifiedById": client.org.integration_user_id,
        "SystemModstamp": now,
        "Leadloop_Id__c": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["Address"] == {
        "city": "London",
        "country": None,
        "geocodeAccuracy": None,
        "latitude": None,
        "longitude": None,
        "postalCode": None,
        "state": None,
        "street": None,
    }


def test_read_gives_the_fields_asked_for_and_the_id(client: Client) -> None:
    row_id = client.lead(Email="a@x.example")
    answer = client.get(f"sobjects/lead/{row_id[:15]}?fields=email,LastName")
    assert answer.json() == {
        "attributes": {"type": "Lead", "url": f"/services/data/v62.0/sobjects/Lead/{row_id}"},
        "Email": "a@x.example",
        "LastName": "Byron",
        "Id": row_id,
    }
    assert error(client.get(f"sobjects/Lead/{row_id}?fields=Nope")) == (400, "INVALID_FIELD")


def test_update_answers_204_with_nothing_and_moves_the_stamp(client: Client) -> None:
    row_id = client.lead(Title="Countess", Phone="1")
    client.clock.advance(90)
    answer = client.call(
        "PATCH", f"sobjects/Lead/{row_id}", {"Title": None, "city": "Rome", "FirstName": "A"}
    )
    assert (answer.status_code, answer.content) == (204, b"")
    row = client.org.get("Lead", row_id)
    assert (row["Title"], row["City"], row["Name"], row["Phone"]) == (None, "Rome", "A Byron", "1")
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-01-05T08:01:30.000+0000"
    assert row["LastModifiedById"] == client.org.integration_user_id
    assert row["CreatedDate"] == "2026-01-05T08:00:00.000+0000"


def test_delete_then_the_record_is_gone_for_reads_and_writes(client: Client) -> None:
    row_id = client.lead()
    assert client.call("DELETE", f"sobjects/Lead/{row_id}").status_code == 204
    assert error(client.get(f"sobjects/Lead/{row_id}")) == (404, "NOT_FOUND")
    assert error(client.call("PATCH", f"sobjects/Lead/{row_id}", {"City": "x"})) == (404, "ENTITY_IS_DELETED")
    assert error(client.call("DELETE", f"sobjects/Lead/{row_id}")) == (404, "ENTITY_IS_DELETED")


def test_an_id_that_never_was(client: Client) -> None:
    never = "00Q5g000000zzzzEAA"
    assert error(client.get(f"sobjects/Lead/{never}")) == (404, "NOT_FOUND")
    answer = client.call("PATCH", f"sobjects/Lead/{never}", {"City": "x"})
    assert (answer.status_code, answer.json()) == (
        404,
        [{"message": "invalid cross reference id", "errorCode": "INVALID_CROSS_REFERENCE_KEY", "fields": []}],
    )
    assert error(client.call("PATCH", "sobjects/Lead/123", {"City": "x"})) == (400, "MALFORMED_ID")


def test_other_objects_and_methods(client: Client) -> None:
    assert error(client.get("sobjects/Robot/x")) == (404, "NOT_FOUND")
    assert error(client.get("tooling/query")) == (404, "NOT_FOUND")
    assert error(client.call("PUT", f"sobjects/Lead/{client.lead()}", {})) == (405, "METHOD_NOT_ALLOWED")
    assert error(client.call("POST", "sobjects/LeadStatus", {})) == (400, "INVALID_TYPE_FOR_OPERATION")
    assert error(client.call("POST", "sobjects/Lead", [1])) == (400, "JSON_PARSER_ERROR")
    raw = client.http.post(client.base + "sobjects/Lead", data=b'{"LastName":', timeout=10)
    assert error(raw) == (400, "JSON_PARSER_ERROR")
    assert error(client.call("POST", "sobjects/Lead")) == (400, "JSON_PARSER_ERROR")


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """An org in which each test works on a lead of its own."""
    with Client() as client:
        yield client


@pytest.mark.parametrize(
    ("fields", "code", "message", "named"),
    [
        ({"Company": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Company]", ["Company"]),
        ({"foo": 1}, "INVALID_FIELD", "No such column 'foo' on sobject of type Lead", None),
        (
            {"Name": "x", "ConvertedDate": "2026-01-01"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: Name, ConvertedDate. Please check the security settings of this "
            "field and verify that it is read/write for your profile or permission set.",
            ["Name", "ConvertedDate"],
        ),
        (
            {"FirstName": "x" * 41},
            "STRING_TOO_LONG",
            f"First Name: data value too large: {'x' * 41} (max length=40)",
            ["FirstName"],
        ),
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody", ["Email"]),
        (
            {"Leadloop_Stage__c": "won"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Leadloop Stage: bad value for restricted picklist field: won",
            ["Leadloop_Stage__c"],
        ),
        (
            {"AnnualRevenue": "banana"},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of currency from VALUE_STRING value banana or request may be "
            "missing a required field at [line:1, column:2]",
            None,
        ),
        ({"City": 5}, "JSON_PARSER_ERROR", "instance of string from VALUE_NUMBER_INT value 5", None),
        ({"DoNotCall": None}, "JSON_PARSER_ERROR", "instance of boolean from VALUE_NULL", None),
        ({"NumberOfEmployees": 1.5}, "JSON_PARSER_ERROR", "instance of int", None),
        ({"EmailBouncedDate": "2026-01-01"}, "JSON_PARSER_ERROR", "instance of datetime", None),
        ({"Leadloop_Stage_Since__c": "2026-13-01T00:00:00Z"}, "JSON_PARSER_ERROR", "datetime", None),
        ({"City": {"a": 1}}, "JSON_PARSER_ERROR", "START_OBJECT", None),
        (
            {"Leadloop_Score__c": 10_000_000},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "value outside of valid range",
            ["Leadloop_Score__c"],
        ),
        ({"OwnerId": "bob"}, "MALFORMED_ID", "Owner Id: id value of incorrect type: bob", ["OwnerId"]),
        ({"OwnerId": "0015g0000000001AAA"}, "MALFORMED_ID", "id value of incorrect type", ["OwnerId"]),
        ({"OwnerId": "0055g00000000zzAAA"}, "INVALID_CROSS_REFERENCE_KEY", "invalid", ["OwnerId"]),
        ({"Status": "Closed - Converted"}, "INVALID_STATUS", "convert", ["Status"]),
        ({"Id": "00Q5g0000000001EAA"}, "INVALID_FIELD", "The Id field should not be specified", None),
    ],
)
def test_what_an_update_is_refused_for(
    shared: Client, fields: dict[str, Any], code: str, message: str, named: list[str] | None
) -> None:
    row_id = shared.lead(Title="Countess")
    before = shared.org.get("Lead", row_id)
    shared.clock.advance(5)
    answer = shared.call("PATCH", f"sobjects/Lead/{row_id}", {"Title": "Baroness", **fields})
    (only,) = answer.json()
    assert (answer.status_code, only["errorCode"]) == (400, code)
    assert message in only["message"]
    assert only.get("fields") == named
    assert shared.org.get("Lead", row_id) == before


def test_what_a_create_needs(client: Client) -> None:
    answer = client.call("POST", "sobjects/Lead", {"Email": "a@x.example"})
    assert answer.json() == [
        {
            "message": "Required fields are missing: [LastName, Company]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName", "Company"],
        }
    ]
    answer = client.call("POST", "sobjects/Opportunity", {"Name": "Deal"})
    assert answer.json()[0]["fields"] == ["StageName", "CloseDate"]


def test_standard_picklists_take_any_value(client: Client) -> None:
    row_id = client.lead(LeadSource="Carrier pigeon", Status="Brooding")
    assert client.org.get("Lead", row_id)["Status"] == "Brooding"
    assert client.org.get("Lead", row_id)["LeadSource"] == "Carrier pigeon"


def test_values_are_kept_as_salesforce_keeps_them(client: Client) -> None:
    client.org.add_field("Lead", custom_field("Rate__c", "number", precision=6, scale=2))
    row_id = client.lead(
        NumberOfEmployees="10000",
        AnnualRevenue=900750000.4,
        Rate__c=2.345,
        Leadloop_Stage_Since__c="2026-01-05T09:30:15.987+01:00",
        DoNotCall="true",
        Street="1 Via\nAppia 🏛",
    )
    row = client.get(f"sobjects/Lead/{row_id}").json()
    assert row["NumberOfEmployees"] == 10000
    assert row["AnnualRevenue"] == 900750000
    assert row["Rate__c"] == 2.35
    assert row["Leadloop_Stage_Since__c"] == "2026-01-05T08:30:15.000+0000"
    assert row["DoNotCall"] is True
    assert row["Street"] == "1 Via\nAppia 🏛"


def test_upsert_by_an_external_id_creates_and_then_updates(client: Client) -> None:
    path = "sobjects/Lead/Leadloop_Id__c/a%2Fb%20c"
    first = client.call("PATCH", path, {"LastName": "Byron", "Company": "Engines"})
    row_id = first.json()["id"]
    assert (first.status_code, first.json()) == (
        201,
        {"id": row_id, "success": True, "errors": [], "created": True},
    )
    assert first.headers["Location"].endswith(row_id)
    again = client.call("PATCH", path.upper().replace("SOBJECTS", "sobjects"), {"City": "Rome"})
    assert (again.status_code, again.json()) == (
        200,
        {"id": row_id, "success": True, "errors": [], "created": False},
    )
    row = client.get(path).json()
    assert (row["Leadloop_Id__c"], row["City"]) == ("a/b c", "Rome")
    assert client.call("DELETE", path).status_code == 204
    assert error(client.get(path)) == (404, "NOT_FOUND")


def test_upsert_refusals(client: Client) -> None:
    body = {"LastName": "Byron", "Company": "Engines"}
    answer = client.call("PATCH", "sobjects/Lead/City/Rome", body)
    assert (answer.status_code, answer.json()) == (
        404,
        [
            {
                "message": "Provided external ID field does not exist or is not accessible: City",
                "errorCode": "NOT_FOUND",
            }
        ],
    )
    path = "sobjects/Lead/Leadloop_Id__c/x"
    assert error(client.call("PATCH", path, {**body, "Leadloop_Id__c": "x"})) == (400, "INVALID_FIELD")
    assert error(client.call("PATCH", path + "?updateOnly=true", body)) == (404, "NOT_FOUND")
    assert client.org.rows("Lead") == []


def test_an_upsert_that_matches_several_answers_300_with_their_urls(client: Client) -> None:
    twins = [client.lead(Email="a@x.example"), client.lead(Email="A@X.example")]
    answer = client.call("PATCH", "sobjects/Lead/Email/a%40x.example", {"City": "Rome"})
    assert answer.status_code == 300
    assert answer.json() == [f"/services/data/v62.0/sobjects/Lead/{row_id}" for row_id in twins]


def test_a_unique_value_belongs_to_one_record_in_any_letter_case(client: Client) -> None:
    first = client.lead(Leadloop_Id__c="abc")
    body = {"LastName": "B", "Company": "C", "Leadloop_Id__c": "ABC"}
    answer = client.call("POST", "sobjects/Lead", body)
    assert answer.json() == [
        {
            "message": "duplicate value found: Leadloop_Id__c duplicates value on record with id: "
            + first[:15],
            "errorCode": "DUPLICATE_VALUE",
            "fields": [],
        }
    ]
    client.org.update("Lead", first, Leadloop_Id__c="ABC")
    client.org.delete("Lead", first)
    assert client.call("POST", "sobjects/Lead", body).status_code == 201


def test_a_validation_rule_refuses_with_the_admins_own_text(client: Client) -> None:
    client.org.add_validation_rule(
        ValidationRule("Lead", "phone", "Status = 'Working - Contacted' AND Phone = null", "Telefon fehlt")
    )
    client.org.add_validation_rule(ValidationRule("Lead", "city", "City = 'Rome'", "Not Rome", "City"))
    row_id = client.lead()
    answer = client.call("PATCH", f"sobjects/Lead/{row_id}", {"Status": "Working - Contacted"})
    assert (answer.status_code, answer.json()) == (
        400,
        [{"message": "Telefon fehlt", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": []}],
    )
    answer = client.call("PATCH", f"sobjects/Lead/{row_id}", {"City": "rome"})
    assert answer.json()[0]["fields"] == ["City"]
    body = {"Status": "Working - Contacted", "Phone": "1"}
    assert client.call("PATCH", f"sobjects/Lead/{row_id}", body).status_code == 204
    client.org.remove_validation_rule("Lead", "city")
    assert client.call("PATCH", f"sobjects/Lead/{row_id}", {"City": "rome"}).status_code == 204


def test_an_inactive_user_cannot_own(client: Client) -> None:
    gone = client.org.add_user("Gone Rep", "gone@sales.example", active=False)
    answer = client.call("PATCH", f"sobjects/Lead/{client.lead()}", {"OwnerId": gone})
    assert error(answer) == (400, "INACTIVE_OWNER_OR_USER")


def test_the_assignment_rule_runs_unless_the_header_forbids_it(client: Client) -> None:
    row_id = client.lead()
    rep = client.org.add_user("Rosa Rep", "rosa@sales.example")
    client.org.assignment_owner = client.org.add_queue("Inbound")
    path = f"sobjects/Lead/{row_id}"
    client.call("PATCH", path, {"OwnerId": rep}, headers={"Sforce-Auto-Assign": "FALSE"})
    assert client.org.get("Lead", row_id)["OwnerId"] == rep
    client.call("PATCH", path, {"City": "Rome"})
    assert client.org.get("Lead", row_id)["OwnerId"] == client.org.assignment_owner
    body = {"LastName": "B", "Company": "C"}
    for header, owner in ((None, client.org.assignment_owner), ("false", client.org.integration_user_id)):
        made = client.call("POST", "sobjects/Lead", body, headers={"Sforce-Auto-Assign": header})
        assert client.org.get("Lead", made.json()["id"])["OwnerId"] == owner


def test_duplicate_rules_name_the_matches_under_the_misspelled_key(client: Client) -> None:
    client.org.add_duplicate_rule(DuplicateRule("Lead", "Alert"))
    known = client.org.insert("Contact", LastName="Byron", Email="a@x.example")
    body = {"LastName": "B", "Company": "C", "Email": "A@x.example"}
    answer = client.call("POST", "sobjects/Lead", body)
    (only,) = answer.json()
    assert (answer.status_code, only["errorCode"]) == (400, "DUPLICATES_DETECTED")
    (match,) = only["duplicateResut"]["matchResults"]
    assert match["entityType"] == "Contact"
    assert match["matchRecords"][0]["record"]["Id"] == known
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true; runAsCurrentUser=true"}
    assert client.call("POST", "sobjects/Lead", body, headers=allow).status_code == 201
    client.org.add_duplicate_rule(DuplicateRule("Lead", "Block", allow_save=False))
    assert error(client.call("POST", "sobjects/Lead", body, headers=allow)) == (400, "DUPLICATES_DETECTED")


def test_conditional_headers(client: Client) -> None:
    row_id = client.lead()
    path = f"sobjects/Lead/{row_id}"
    now, earlier = "Mon, 05 Jan 2026 08:00:00 GMT", "Mon, 05 Jan 2026 07:59:00 GMT"
    assert client.get(path, headers={"If-Modified-Since": now}).status_code == 304
    assert client.get(path, headers={"If-Modified-Since": earlier}).status_code == 200
    body = {"City": "Rome"}
    assert client.call("PATCH", path, body, headers={"If-Unmodified-Since": earlier}).status_code == 412
    assert client.call("PATCH", path, body, headers={"If-Unmodified-Since": now}).status_code == 204


def test_a_parent_can_be_named_by_its_key(client: Client) -> None:
    client.org.add_field("Account", custom_field("Code__c", "text", external_id=True, unique=True))
    account = client.org.insert("Account", Name="Engines", Code__c="E1")
    sent = {"LastName": "Byron", "Account": {"attributes": {"type": "Account"}, "Code__c": "e1"}}
    row_id = client.call("POST", "sobjects/Contact", sent).json()["id"]
    assert client.org.get("Contact", row_id)["AccountId"] == account
    sent["Account"] = {"Code__c": "none"}
    assert error(client.call("POST", "sobjects/Contact", sent)) == (400, "INVALID_FIELD")
    owner = {"LastName": "B", "Company": "C", "Owner": {"Username": "x"}}
    assert error(client.call("POST", "sobjects/Lead", owner)) == (400, "JSON_PARSER_ERROR")
