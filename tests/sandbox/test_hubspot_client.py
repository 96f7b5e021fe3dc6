"""HubSpot's own Python client works against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot import HubSpot

from connector.sandbox import (
    HUBSPOT_ACCESS_TOKEN,
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_PORTAL_ID,
    HUBSPOT_REFRESH_TOKEN,
)
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.server import Server

SECONDS = 5.0


@pytest.fixture
def client(hubspot_server: Server) -> Any:
    return HubSpot(access_token=HUBSPOT_ACCESS_TOKEN, retry=False, host=hubspot_server.url)


def test_single_records(client: Any, portal: HubSpotPortal) -> None:
    api = client.crm.contacts.basic_api
    made, status, headers = api.create_with_http_info(
        {"properties": {"email": "a@x.example"}}, _request_timeout=SECONDS
    )
    assert (status, made.properties["lifecyclestage"]) == (201, "lead")
    assert headers["x-hubspot-ratelimit-max"] == "190"
    api.update(made.id, {"properties": {"firstname": "Ada"}}, _request_timeout=SECONDS)
    read = api.get_by_id(
        "a@x.example", id_property="email", properties=["firstname"], _request_timeout=SECONDS
    )
    assert (read.id, read.properties["firstname"]) == (made.id, "Ada")
    page = api.get_page(limit=10, archived=False, _request_timeout=SECONDS)
    assert [each.id for each in page.results] == [made.id]
    other = portal.create("contacts", email="b@x.example")
    merged = api.merge({"primaryObjectId": made.id, "objectIdToMerge": other}, _request_timeout=SECONDS)
    api.archive(merged.id, _request_timeout=SECONDS)
    assert [each.id for each in api.get_page(archived=True).results] == [merged.id]


def test_batches_tell_207_apart(client: Any, portal: HubSpotPortal) -> None:
    api = client.crm.contacts.batch_api
    record_id = portal.create("contacts", email="a@x.example")
    inputs = [{"id": record_id, "properties": {"phone": "1"}}, {"id": "77", "properties": {"phone": "1"}}]
    traced = [{**each, "objectWriteTraceId": str(number)} for number, each in enumerate(inputs)]
    body, status, _ = api.update_with_http_info({"inputs": traced}, _request_timeout=SECONDS)
    assert (status, type(body).__name__) == (207, "BatchResponseSimplePublicObjectWithErrors")
    assert body.results[0].object_write_trace_id == "0"
    assert body.errors[0].context["objectWriteTraceId"] == ["1"]
    read = api.read(
        {
            "idProperty": "email",
            "properties": ["phone"],
            "propertiesWithHistory": ["phone"],
            "inputs": [{"id": "a@x.example"}],
        },
        _request_timeout=SECONDS,
    )
    assert read.results[0].properties["phone"] == "1"
    upserted = api.upsert(
        {"inputs": [{"id": "L1", "idProperty": "leadloop_id", "properties": {"firstname": "B"}}]},
        _request_timeout=SECONDS,
    )
    assert upserted.results[0].new is True


def test_a_refused_call_raises_with_status_and_body(client: Any, portal: HubSpotPortal) -> None:
    existing = portal.create("contacts", email="a@x.example")
    with pytest.raises(Exception, match="Conflict") as raised:
        client.crm.contacts.basic_api.create({"properties": {"email": "a@x.example"}})
    assert raised.value.status == 409  # type: ignore[attr-defined]  # the client's own exception class
    assert f"Existing ID: {existing}" in raised.value.body  # type: ignore[attr-defined]  # as above


def test_search_owners_properties_pipelines_and_associations(client: Any, portal: HubSpotPortal) -> None:
    contact = portal.create("contacts", email="a@x.example")
    deal = portal.create("deals", dealname="Engine", dealstage="closedwon")
    portal.associate("contacts", contact, "deals", deal)
    owner = portal.add_owner("rosa@sales.example")
    found = client.crm.contacts.search_api.do_search(
        {
            "filterGroups": [
                {"filters": [{"propertyName": "email", "operator": "EQ", "value": "a@x.example"}]}
            ],
            "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
            "properties": ["email"],
            "limit": 200,
        }
    )
    assert (found.total, found.results[0].id) == (1, contact)
    assert client.crm.owners.owners_api.get_page(limit=100).results[0].id == owner
    names = {each.name for each in client.crm.properties.core_api.get_all("contacts").results}
    assert {"email", "lifecyclestage", "leadloop_stage"} <= names
    (pipeline,) = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert pipeline.stages[5].metadata["probability"] == "1.0"
    linked = client.crm.associations.v4.batch_api.get_page("contacts", "deals", {"inputs": [{"id": contact}]})
    assert linked.results[0].to[0].to_object_id == deal
    assert (
        client.crm.deals.basic_api.get_by_id(deal, properties=["hs_is_closed_won"]).properties[
            "hs_is_closed_won"
        ]
        == "true"
    )


def test_oauth_and_dated_paths_through_the_client(client: Any, hubspot_server: Server) -> None:
    tokens = client.oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id=HUBSPOT_CLIENT_ID,
        client_secret=HUBSPOT_CLIENT_SECRET,
        refresh_token=HUBSPOT_REFRESH_TOKEN,
    )
    assert tokens.expires_in == 1_800
    details = client.api_request(
        {"base_url": hubspot_server.url, "path": "/account-info/2026-03/details", "method": "GET"}
    )
    assert details.json()["portalId"] == HUBSPOT_PORTAL_ID
