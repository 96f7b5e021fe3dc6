"""Properties, pipelines, owners and associations of the HubSpot sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Wire

PROPERTIES = "/crm/v3/properties/contacts"


def definitions(hubspot: Wire, path: str = PROPERTIES) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in hubspot.get(path).body["results"]}


@pytest.mark.parametrize(
    "path", [PROPERTIES, "/crm/properties/2026-03/contacts", "/crm/properties/2026-09/0-1"]
)
def test_default_properties_say_what_can_be_written(hubspot: Wire, path: str) -> None:
    found = definitions(hubspot, path)
    assert found["email"]["hasUniqueValue"] is True
    assert found["lastmodifieddate"]["modificationMetadata"]["readOnlyValue"] is True
    assert (found["lastmodifieddate"]["type"], found["lastmodifieddate"]["fieldType"]) == ("datetime", "date")
    assert found["hs_is_unworked"]["calculated"] is True
    assert found["hubspot_owner_id"]["externalOptions"] is True
    assert found["hs_lead_status"]["modificationMetadata"]["readOnlyOptions"] is False
    assert [each["value"] for each in found["hs_lead_status"]["options"]] == [
        "NEW",
        "OPEN",
        "IN_PROGRESS",
        "OPEN_DEAL",
        "UNQUALIFIED",
        "ATTEMPTED_TO_CONTACT",
        "CONNECTED",
        "BAD_TIMING",
    ]
    assert [each["value"] for each in found["lifecyclestage"]["options"]][:2] == ["subscriber", "lead"]
    assert found["leadloop_id"]["hasUniqueValue"] is True
    assert found["leadloop_id"]["hubspotDefined"] is False


def test_a_property_can_be_created_archived_and_brought_back_by_its_name(hubspot: Wire) -> None:
    body = {
        "name": "region",
        "label": "Region",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "contactinformation",
        "options": [
            {"label": "West", "value": "west", "displayOrder": 1, "hidden": False},
            {"label": "East", "value": "east", "displayOrder": 0, "hidden": False},
        ],
    }
    created = hubspot.post(PROPERTIES, body)
    assert created.status == 201
    assert [each["value"] for each in created.body["options"]] == ["east", "west"]
    again = hubspot.post(PROPERTIES, body)
    assert (again.status, again.body["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert again.body["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert hubspot.call("DELETE", f"{PROPERTIES}/region").status == 204
    assert "region" not in definitions(hubspot)
    assert hubspot.get(f"{PROPERTIES}/region").status == 404
    assert hubspot.post(PROPERTIES, body).status == 201
    assert "region" in definitions(hubspot)


def test_new_options_replace_the_old_ones(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.add_property("contacts", "region", "enumeration", options=["west", "east"])
    options = [{"label": "North", "value": "north", "hidden": False}]
    reply = hubspot.patch(f"{PROPERTIES}/region", {"options": options})
    assert [each["value"] for each in reply.body["options"]] == ["north"]
    contact = {"properties": {"firstname": "Ada", "region": "west"}}
    assert hubspot.post("/crm/v3/objects/contacts", contact).status == 400
    assert hubspot.patch(f"{PROPERTIES}/hs_analytics_source", {"options": options}).status == 400


def test_bad_definitions_and_the_eleventh_unique_property_are_refused(hubspot: Wire) -> None:
    body = {"label": "X", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    assert hubspot.post(PROPERTIES, {**body, "name": "Not Allowed"}).status == 400
    assert hubspot.post(PROPERTIES, {**body, "name": "x", "type": "unicorn"}).status == 400
    unique = [{**body, "name": f"u{number}", "hasUniqueValue": True} for number in range(10)]
    assert hubspot.post(f"{PROPERTIES}/batch/create", {"inputs": unique[:9]}).status == 201
    assert hubspot.post(PROPERTIES, unique[9]).status == 400  # leadloop_id is one


def test_the_default_deal_pipeline_tells_won_and_lost_by_text(hubspot: Wire) -> None:
    for path in ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-09/deals"):
        (pipeline,) = hubspot.get(path).body["results"]
        stages = {each["id"]: each["metadata"] for each in pipeline["stages"]}
        assert pipeline["id"] == "default"
        assert stages["closedwon"] == {"isClosed": "true", "probability": "1.0"}
        assert stages["closedlost"] == {"isClosed": "true", "probability": "0.0"}
    assert hubspot.get("/crm/v3/pipelines/deals/nope").status == 404


def test_owners_are_listed_without_those_who_left(hubspot: Wire, portal: HubSpotPortal) -> None:
    rosa = portal.add_owner("Rosa@sales.example", "Rosa", "Rep")
    max_ = portal.add_owner("max@sales.example")
    portal.deactivate_owner(max_)
    for path in ("/crm/v3/owners/", "/crm/v3/owners", "/crm/owners/2026-03"):
        (found,) = hubspot.get(path, limit=100).body["results"]
        assert (found["id"], found["email"], found["firstName"]) == (rosa, "rosa@sales.example", "Rosa")
        assert str(found["userId"]) != found["id"]
    (gone,) = hubspot.get("/crm/v3/owners", archived="true").body["results"]
    assert (gone["id"], gone["archived"], gone["userId"]) == (max_, True, None)
    assert hubspot.get("/crm/v3/owners", email="ROSA@sales.example").body["results"][0]["id"] == rosa
    assert hubspot.get(f"/crm/v3/owners/{rosa}").status == 200
    assert hubspot.get("/crm/v3/owners/1").status == 404


@pytest.fixture
def contact_and_companies(portal: HubSpotPortal) -> tuple[str, str, str]:
    contact = portal.create("contacts", email="a@x.example")
    return contact, portal.create("companies", name="One"), portal.create("companies", name="Two")


def type_ids(hubspot: Wire, path: str) -> dict[str, list[int]]:
    results = hubspot.get(path).body["results"]
    return {each["toObjectId"]: [kind["typeId"] for kind in each["associationTypes"]] for each in results}


def test_linking_is_not_the_same_as_making_primary(
    hubspot: Wire, portal: HubSpotPortal, contact_and_companies: tuple[str, str, str]
) -> None:
    contact, one, other = contact_and_companies
    link = f"/crm/v4/objects/contacts/{contact}/associations"
    assert (
        hubspot.call("PUT", f"/crm/v4/objects/contact/{contact}/associations/default/company/{one}").status
        == 200
    )
    assert type_ids(hubspot, f"{link}/companies") == {one: [279]}
    assert portal.get("contacts", contact)["associatedcompanyid"] is None
    primary = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    assert hubspot.call("PUT", f"{link}/companies/{one}", primary).status == 201
    assert hubspot.call("PUT", f"{link}/companies/{other}", primary).status == 201
    assert type_ids(hubspot, f"{link}/companies") == {one: [279], other: [1, 279]}
    assert type_ids(hubspot, f"/crm/v4/objects/companies/{other}/associations/contacts") == {
        contact: [2, 280]
    }
    assert portal.get("contacts", contact)["associatedcompanyid"] == other
    assert hubspot.call("DELETE", f"{link}/companies/{other}").status == 204
    assert type_ids(hubspot, f"{link}/companies") == {one: [279]}


@pytest.mark.parametrize("base", ["/crm/v4/associations", "/crm/associations/2026-09"])
def test_associations_in_batches(
    hubspot: Wire, contact_and_companies: tuple[str, str, str], base: str
) -> None:
    contact, one, other = contact_and_companies
    kinds = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    pairs = [{"from": {"id": contact}, "to": {"id": each}, "types": kinds} for each in (one, other, "77")]
    created = hubspot.post(f"{base}/contacts/companies/batch/create", {"inputs": pairs})
    assert (created.status, len(created.body["results"]), created.body["numErrors"]) == (207, 2, 1)
    read = hubspot.post(f"{base}/contacts/companies/batch/read", {"inputs": [{"id": contact}, {"id": "77"}]})
    assert read.status == 207
    (found,) = read.body["results"]
    assert found["from"] == {"id": contact}
    assert {each["toObjectId"] for each in found["to"]} == {one, other}
    assert read.body["errors"][0]["context"] == {"fromObjectId": ["77"]}
    gone = {"inputs": [{"from": {"id": contact}, "to": [{"id": one}]}]}
    archived = hubspot.post(f"{base}/contacts/companies/batch/archive", gone)
    assert archived.status == (204 if "v4" in base else 200)
    rest = hubspot.post(f"{base}/companies/contacts/batch/read", {"inputs": [{"id": one}, {"id": other}]})
    assert [each["from"]["id"] for each in rest.body["results"]] == [other]


def test_a_default_batch_and_v3_answer_both_directions(
    hubspot: Wire, portal: HubSpotPortal, contact_and_companies: tuple[str, str, str]
) -> None:
    contact, one, _ = contact_and_companies
    pair = {"from": {"id": contact}, "to": {"id": one}}
    path = "/crm/v4/associations/contacts/companies/batch/associate/default"
    assert len(hubspot.post(path, {"inputs": [pair]}).body["results"]) == 2
    deal = portal.create("deals", dealname="Engine")
    v3 = hubspot.post(
        "/crm/v3/associations/contact/deal/batch/create",
        {"inputs": [{"from": {"id": contact}, "to": {"id": deal}, "type": "contact_to_deal"}]},
    )
    assert v3.status == 201
    assert [each["type"] for each in v3.body["results"]] == ["contact_to_deal", "deal_to_contact"]


def test_associations_can_be_made_with_the_record_and_read_with_it(
    hubspot: Wire, contact_and_companies: tuple[str, str, str]
) -> None:
    contact, _, _ = contact_and_companies
    link = {
        "to": {"id": contact},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}],
    }
    deal = hubspot.post(
        "/crm/v3/objects/deals", {"properties": {"dealname": "Engine"}, "associations": [link]}
    )
    assert deal.status == 201
    body = hubspot.get(f"/crm/v3/objects/contacts/{contact}", associations="deals,companies").body
    expected = {"deals": {"results": [{"id": deal.body["id"], "type": "contact_to_deal"}]}}
    assert body["associations"] == expected
    listed = hubspot.get("/crm/v3/objects/contacts", associations="deals").body["results"]
    assert listed[0]["associations"] == expected
    missing = {**link, "to": {"id": "77"}}
    refused = hubspot.post("/crm/v3/objects/deals", {"properties": {}, "associations": [missing]})
    assert refused.status == 400


def test_a_lead_needs_a_name_and_a_contact(
    hubspot: Wire, portal: HubSpotPortal, contact_and_companies: tuple[str, str, str]
) -> None:
    contact, _, _ = contact_and_companies
    link = {
        "to": {"id": contact},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}],
    }
    named = {"properties": {"hs_lead_name": "Ada"}}
    assert hubspot.post("/crm/v3/objects/leads", named).status == 400
    made = hubspot.post("/crm/v3/objects/leads", {**named, "associations": [link]})
    assert made.status == 201
    assert portal.get("leads", made.body["id"])["hs_primary_contact_id"] == contact
