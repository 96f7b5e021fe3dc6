"""Single records of the HubSpot sandbox: creating, reading, updating, archiving, listing."""

from __future__ import annotations

import json

import pytest

from connector.clock import ManualClock
from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Wire

CONTACTS = "/crm/v3/objects/contacts"


def create(hubspot: Wire, **properties: str) -> str:
    reply = hubspot.post(CONTACTS, {"properties": properties})
    assert reply.status == 201, reply.body
    return str(reply.body["id"])


def invalid(body: dict[str, str]) -> dict[str, str]:
    """Property to error code, out of the JSON list inside the message."""
    prefix = "Property values were not valid: "
    assert body["message"].startswith(prefix)
    return {each["name"]: each["error"] for each in json.loads(body["message"].removeprefix(prefix))}


@pytest.mark.parametrize("path", [CONTACTS, "/crm/objects/2026-03/contacts", "/crm/objects/2026-09/contacts"])
def test_a_created_contact_comes_back_with_more_than_was_sent(hubspot: Wire, path: str) -> None:
    reply = hubspot.post(path, {"properties": {"email": "Ada@Engines.Example", "firstname": "Ada"}})
    assert reply.status == 201
    properties = reply.body["properties"]
    assert properties["email"] == "ada@engines.example"
    assert properties["lifecyclestage"] == "lead"
    assert properties["hs_object_source"] == "INTEGRATION"
    assert properties["hs_object_id"] == reply.body["id"]
    assert reply.body["createdAt"] == reply.body["updatedAt"] == "2026-09-21T14:13:20.000Z"
    assert reply.body["archived"] is False
    assert all(isinstance(value, str) for value in properties.values())


def test_only_requested_properties_are_shown_and_unknown_ones_left_out(hubspot: Wire) -> None:
    record_id = create(hubspot, email="a@x.example")
    reply = hubspot.get(f"{CONTACTS}/{record_id}", properties=["phone", "no_such_thing"])
    assert set(reply.body["properties"]) == {"createdate", "hs_object_id", "lastmodifieddate", "phone"}
    assert reply.body["properties"]["phone"] is None


def test_a_contact_is_found_by_primary_and_by_additional_address(
    hubspot: Wire, portal: HubSpotPortal
) -> None:
    record_id = portal.create("contacts", email="a@x.example", hs_additional_emails="old@x.example")
    for address in ("a@x.example", "OLD@x.example"):
        assert hubspot.get(f"{CONTACTS}/{address}", idProperty="email").body["id"] == record_id


def test_an_update_answers_with_what_was_sent_and_not_the_whole_record(hubspot: Wire) -> None:
    record_id = create(hubspot, email="a@x.example", company="Engines")
    reply = hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"phone": "1", "jobtitle": ""}})
    assert reply.status == 200
    assert reply.body["properties"]["phone"] == "1"
    assert reply.body["properties"]["jobtitle"] is None
    assert "company" not in reply.body["properties"]


def test_equal_values_do_not_move_the_modified_date(hubspot: Wire, clock: ManualClock) -> None:
    record_id = create(hubspot, email="a@x.example", firstname="Ada")
    clock.advance(60)
    same = hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"firstname": "Ada", "phone": ""}})
    assert same.body["updatedAt"] == "2026-09-21T14:13:20.000Z"
    other = hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"firstname": "Augusta"}})
    assert (
        other.body["updatedAt"] == other.body["properties"]["lastmodifieddate"] == "2026-09-21T14:14:20.000Z"
    )


def test_an_empty_text_clears_and_null_is_refused(hubspot: Wire) -> None:
    record_id = create(hubspot, email="a@x.example", phone="1")
    assert hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"phone": None}}).status == 400
    assert hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"phone": ""}}).status == 200
    reply = hubspot.get(f"{CONTACTS}/{record_id}", properties="phone")
    assert reply.body["properties"]["phone"] is None


def test_all_bad_values_of_a_record_are_named_and_nothing_is_stored(
    hubspot: Wire, portal: HubSpotPortal
) -> None:
    reply = hubspot.post(
        CONTACTS,
        {
            "properties": {
                "firstname": "Ada",
                "email": "not an address",
                "missing": "1",
                "hs_object_id": "7",
                "hs_is_unworked": "true",
                "lifecyclestage": "Lead",
                "leadloop_score": "many",
                "leadloop_stage_since": "yesterday",
                "hubspot_owner_id": "1",
            }
        },
    )
    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")
    assert invalid(reply.body) == {
        "email": "INVALID_EMAIL",
        "missing": "PROPERTY_DOESNT_EXIST",
        "hs_object_id": "READ_ONLY_VALUE",
        "hs_is_unworked": "READ_ONLY_VALUE",
        "lifecyclestage": "INVALID_OPTION",
        "leadloop_score": "INVALID_LONG",
        "leadloop_stage_since": "INVALID_DATE",
        "hubspot_owner_id": "INVALID_OPTION",
    }
    assert portal.rows("contacts") == []


def test_values_are_stored_as_hubspot_spells_them(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.add_property("contacts", "born", "date")
    portal.add_property("contacts", "wants", "enumeration", field_type="checkbox", options=["a", "b", "c"])
    portal.add_property("contacts", "vip", "bool")
    owner = portal.add_owner("Rosa@sales.example")
    record_id = create(
        hubspot,
        email="a@x.example",
        born="1772668800000",
        wants="c;a;c",
        vip="true",
        leadloop_score="5000.00",
        leadloop_stage_since="2026-03-05T01:00:00+01:00",
        hubspot_owner_id=owner,
    )
    row = portal.get("contacts", record_id)
    assert row["born"] == "2026-03-05"
    assert row["wants"] == "c;a"
    assert row["vip"] == "true"
    assert row["leadloop_score"] == "5000.00"
    assert row["leadloop_stage_since"] == "2026-03-05T00:00:00.000Z"
    assert row["hubspot_owner_id"] == owner
    assert hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"born": "1772668800001"}}).status == 400
    assert hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"vip": "True"}}).status == 400


def test_creating_an_address_twice_names_the_existing_contact(hubspot: Wire) -> None:
    record_id = create(hubspot, email="a@x.example")
    reply = hubspot.post(CONTACTS, {"properties": {"email": "A@x.example"}})
    assert (reply.status, reply.body["category"]) == (409, "CONFLICT")
    assert reply.body["message"] == f"Contact already exists. Existing ID: {record_id}"


def test_an_additional_address_is_taken_too_and_the_second_id_is_its_holder(
    hubspot: Wire, portal: HubSpotPortal
) -> None:
    holder = portal.create(
        "contacts", email="a@x.example", hs_additional_emails="old@x.example;older@x.example"
    )
    other = create(hubspot, email="b@x.example")
    reply = hubspot.patch(f"{CONTACTS}/{other}", {"properties": {"email": "older@x.example"}})
    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")
    assert reply.body["message"].endswith(
        f"value=older@x.example}} on {other}. {holder} already has that value."
    )
    created = hubspot.post(CONTACTS, {"properties": {"email": "old@x.example"}})
    assert created.status == 400
    half_made = int(created.body["message"].split("} on ")[1].split(".")[0])
    assert half_made not in {int(row["id"] or 0) for row in portal.rows("contacts")}


def test_a_secondary_address_can_become_the_primary_one(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example", hs_additional_emails="b@x.example")
    hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"email": "b@x.example"}})
    row = portal.get("contacts", record_id)
    assert (row["email"], row["hs_additional_emails"]) == ("b@x.example", "a@x.example")
    assert hubspot.post(CONTACTS, {"properties": {"email": "a@x.example"}}).status == 400


def test_a_unique_property_identifies_and_is_taken_once(hubspot: Wire) -> None:
    record_id = create(hubspot, email="a@x.example", leadloop_id="L1")
    assert hubspot.get(f"{CONTACTS}/L1", idProperty="leadloop_id").body["id"] == record_id
    reply = hubspot.post(CONTACTS, {"properties": {"email": "b@x.example", "leadloop_id": "L1"}})
    assert reply.status == 400
    assert "propertyName=leadloop_id, value=L1} on " in reply.body["message"]
    assert reply.body["message"].endswith(f" {record_id} already has that value.")
    assert hubspot.get(f"{CONTACTS}/x", idProperty="firstname").status == 400


def test_a_contact_needs_an_address_or_a_name(hubspot: Wire) -> None:
    assert hubspot.post(CONTACTS, {"properties": {"phone": "1"}}).status == 400


def test_an_archived_record_is_only_in_the_recycle_bin_and_can_be_restored(
    hubspot: Wire, portal: HubSpotPortal
) -> None:
    record_id = create(hubspot, email="a@x.example")
    assert hubspot.call("DELETE", f"{CONTACTS}/{record_id}").status == 204
    missing = hubspot.get(f"{CONTACTS}/{record_id}")
    assert (missing.status, missing.body["message"]) == (404, "resource not found")
    assert hubspot.get(CONTACTS).body["results"] == []
    for spelling in ("true", "True"):
        bin_ = hubspot.get(CONTACTS, archived=spelling).body["results"]
        assert [(each["id"], each["archived"]) for each in bin_] == [(record_id, True)]
        assert bin_[0]["archivedAt"] == "2026-09-21T14:13:20.000Z"
    assert hubspot.get(f"{CONTACTS}/{record_id}", archived="true").status == 200
    again = create(hubspot, email="a@x.example")  # the address is free again
    hubspot.call("DELETE", f"{CONTACTS}/{again}")
    portal.restore("contacts", record_id)
    assert hubspot.get(f"{CONTACTS}/{record_id}").status == 200


def test_list_pages_start_at_the_next_records_id(hubspot: Wire) -> None:
    ids = [create(hubspot, email=f"{number}@x.example") for number in range(5)]
    first = hubspot.get(CONTACTS, limit=2, archived="False").body
    assert [each["id"] for each in first["results"]] == ids[:2]
    assert first["paging"]["next"]["after"] == ids[2]
    last = hubspot.get(CONTACTS, limit=100, after=ids[2]).body
    assert [each["id"] for each in last["results"]] == ids[2:]
    assert "paging" not in last
    assert hubspot.get(CONTACTS, limit=101).status == 400
    assert hubspot.get(CONTACTS, limit=51, propertiesWithHistory="email").status == 400


def test_history_tells_who_set_what_when_newest_first(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock
) -> None:
    record_id = create(hubspot, email="a@x.example", firstname="Ada")
    clock.advance(10)
    portal.update("contacts", record_id, firstname="Augusta", phone="1")
    clock.advance(10)
    hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"firstname": ""}})
    reply = hubspot.get(f"{CONTACTS}/{record_id}", propertiesWithHistory=["firstname", "phone", "fax"])
    history = reply.body["propertiesWithHistory"]
    assert [(each["value"], each["timestamp"], each["sourceType"]) for each in history["firstname"]] == [
        ("", "2026-09-21T14:13:40.000Z", "INTEGRATION"),
        ("Augusta", "2026-09-21T14:13:30.000Z", "CRM_UI"),
        ("Ada", "2026-09-21T14:13:20.000Z", "INTEGRATION"),
    ]
    assert history["firstname"][0]["sourceId"] == "424242"
    assert history["firstname"][1]["sourceId"].startswith("userId:")
    assert [each["value"] for each in history["phone"]] == ["1"]
    assert history["fax"] == []


def test_a_blank_from_long_ago_reads_as_an_empty_text(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = create(hubspot, email="a@x.example")
    portal.leave_empty("contacts", record_id, "phone")
    assert hubspot.get(f"{CONTACTS}/{record_id}", properties="phone").body["properties"]["phone"] == ""


def test_validation_rules_are_enforced_from_2026_09_on_only(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.add_validation_rule("contacts", "phone", r"\+\d+", "write it with the country code")
    body = {"properties": {"firstname": "Ada", "phone": "555"}}
    assert hubspot.post(CONTACTS, body).status == 201
    assert hubspot.post("/crm/objects/2026-03/contacts", body).status == 201
    refused = hubspot.post("/crm/objects/2026-09/contacts", body)
    assert refused.status == 400
    assert "write it with the country code" in refused.body["message"]


def test_a_hidden_property_does_not_exist_for_the_integration(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example", phone="1")
    portal.faults.hidden_fields.add(("contacts", "phone"))
    assert "phone" not in hubspot.get(f"{CONTACTS}/{record_id}", properties="phone,email").body["properties"]
    names = {each["name"] for each in hubspot.get("/crm/v3/properties/contacts").body["results"]}
    assert "phone" not in names
    assert "email" in names
    refused = hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"phone": "2"}})
    assert invalid(refused.body) == {"phone": "PROPERTY_DOESNT_EXIST"}


def test_malformed_json_and_unknown_objects_are_400_and_unknown_paths_404(hubspot: Wire) -> None:
    assert hubspot.call("POST", CONTACTS, b"{").status == 400
    assert hubspot.post(CONTACTS, {"properies": {}}).status == 400
    assert hubspot.get("/crm/v3/objects/unicorns").status == 400
    for path in ("/crm/v3/unicorns", "/crm/objects/2025-01/contacts", "/crm/v4/objects/contacts"):
        assert hubspot.get(path).status == 404
    assert hubspot.call("PUT", CONTACTS).status == 405


def test_a_url_that_is_too_long_is_414(hubspot: Wire) -> None:
    assert hubspot.get(CONTACTS, properties="x" * 17_000).status == 414


def test_form_submissions_count_conversions(portal: HubSpotPortal, clock: ManualClock) -> None:
    record_id = portal.submit_form("ada@x.example", "Demo request", firstname="Ada")
    clock.advance(60)
    assert portal.submit_form("ADA@x.example", "Newsletter") == record_id
    row = portal.get("contacts", record_id)
    assert row["num_conversion_events"] == "2"
    assert row["first_conversion_event_name"] == "Demo request"
    assert row["recent_conversion_event_name"] == "Newsletter"
    assert row["recent_conversion_date"] == "2026-09-21T14:14:20.000Z"
    assert row["firstname"] == "Ada"
