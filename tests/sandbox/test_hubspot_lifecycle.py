"""Lifecycle stages in the HubSpot sandbox only move forward, for integrations."""

from __future__ import annotations

import pytest

from connector.clock import ManualClock
from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Wire

CONTACTS = "/crm/v3/objects/contacts"


def write(hubspot: Wire, record_id: str, stage: str) -> int:
    return hubspot.patch(f"{CONTACTS}/{record_id}", {"properties": {"lifecyclestage": stage}}).status


def test_a_backward_stage_is_answered_with_200_and_changes_nothing(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock
) -> None:
    record_id = portal.create("contacts", email="a@x.example", lifecyclestage="salesqualifiedlead")
    before = portal.get("contacts", record_id)
    clock.advance(60)
    assert write(hubspot, record_id, "lead") == 200
    assert portal.get("contacts", record_id) == before


def test_other_properties_of_a_backward_write_are_stored(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example", lifecyclestage="customer")
    body = {"inputs": [{"id": record_id, "properties": {"lifecyclestage": "lead", "phone": "1"}}]}
    reply = hubspot.post(f"{CONTACTS}/batch/update", body)
    assert reply.body["results"][0]["properties"]["lifecyclestage"] == "customer"
    assert portal.get("contacts", record_id)["phone"] == "1"


def test_a_cleared_stage_can_be_set_to_any(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example", lifecyclestage="salesqualifiedlead")
    assert write(hubspot, record_id, "") == 200
    assert portal.get("contacts", record_id)["lifecyclestage"] is None
    assert write(hubspot, record_id, "subscriber") == 200
    assert portal.get("contacts", record_id)["lifecyclestage"] == "subscriber"


def test_a_forward_stage_is_dated(hubspot: Wire, portal: HubSpotPortal, clock: ManualClock) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    clock.advance(60)
    write(hubspot, record_id, "marketingqualifiedlead")
    row = portal.get("contacts", record_id)
    assert row["hs_lifecyclestage_marketingqualifiedlead_date"] == str(clock.now_ms())
    assert row["hs_v2_date_entered_current_stage"] == "2026-09-21T14:14:20.000Z"
    assert row["hs_lifecyclestage_lead_date"] == str(clock.now_ms() - 60_000)


def test_a_person_may_move_it_back(portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example", lifecyclestage="customer")
    portal.update("contacts", record_id, lifecyclestage="lead")
    assert portal.get("contacts", record_id)["lifecyclestage"] == "lead"


def test_a_portal_can_refuse_backward_stages_loudly(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.crm.backward_lifecycle = "refuse"
    record_id = portal.create("contacts", email="a@x.example", lifecyclestage="customer")
    assert write(hubspot, record_id, "lead") == 400


def test_custom_stages_have_the_order_of_the_options(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.set_options("contacts", "lifecyclestage", ["lead", "1234567", "customer"])
    record_id = portal.create("contacts", email="a@x.example", lifecyclestage="1234567")
    write(hubspot, record_id, "lead")
    assert portal.get("contacts", record_id)["lifecyclestage"] == "1234567"
    assert write(hubspot, record_id, "salesqualifiedlead") == 400
    write(hubspot, record_id, "customer")
    assert portal.get("contacts", record_id)["lifecyclestage"] == "customer"


@pytest.mark.parametrize(("stage", "expected"), [("contractsent", "opportunity"), ("closedwon", "customer")])
def test_deal_sync_moves_contacts_forward(portal: HubSpotPortal, stage: str, expected: str) -> None:
    portal.crm.sync_deals = True
    contact = portal.create("contacts", email="a@x.example")
    deal = portal.create("deals", dealname="Engine")
    portal.associate("deals", deal, "contacts", contact)
    portal.update("deals", deal, dealstage=stage)
    assert portal.get("contacts", contact)["lifecyclestage"] == expected


def test_lead_status_takes_the_default_options_in_any_order(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    for status, expected in (("CONNECTED", 200), ("NEW", 200), ("new", 400), ("", 200)):
        body = {"properties": {"hs_lead_status": status}}
        assert hubspot.patch(f"{CONTACTS}/{record_id}", body).status == expected


def test_a_deals_stage_decides_whether_it_is_won(hubspot: Wire, portal: HubSpotPortal) -> None:
    bare = hubspot.post("/crm/v3/objects/deals", {"properties": {"dealname": "Engine", "amount": "100.50"}})
    assert bare.status == 201
    assert "dealstage" not in bare.body["properties"]
    deal = bare.body["id"]
    hubspot.patch(f"/crm/v3/objects/0-3/{deal}", {"properties": {"dealstage": "closedwon"}})
    row = portal.get("deals", deal)
    assert (row["pipeline"], row["hs_is_closed"], row["hs_is_closed_won"]) == ("default", "true", "true")
    assert hubspot.patch(f"/crm/v3/objects/deals/{deal}", {"properties": {"dealstage": "x"}}).status == 400
