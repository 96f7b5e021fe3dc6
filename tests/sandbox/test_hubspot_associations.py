"""Associations that people make and end in HubSpot, and what else that moves there."""

from __future__ import annotations

import pytest

from connector.clock import ManualClock
from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Wire

PRIMARY = 1


def linked(hubspot: Wire, origin: str, record_id: str, target: str) -> list[str]:
    """As the v4 batch read tells it."""
    body = {"inputs": [{"id": record_id}]}
    answer = hubspot.post(f"/crm/v4/associations/{origin}/{target}/batch/read", body).body
    return [each["toObjectId"] for result in answer["results"] for each in result["to"]]


def test_an_association_that_is_ended_is_gone_on_both_ends(portal: HubSpotPortal, hubspot: Wire) -> None:
    deal, ann = portal.create("deals", dealname="A"), portal.create("contacts", email="ann@acme.example")
    portal.associate("deals", deal, "contacts", ann)
    assert (linked(hubspot, "deals", deal, "contacts"), linked(hubspot, "contacts", ann, "deals")) == (
        [ann],
        [deal],
    )
    body = {"from": "deals", "from_id": deal, "to": "contacts", "to_id": ann}
    assert hubspot.post("/_sandbox/dissociate", body).status == 200
    assert (linked(hubspot, "deals", deal, "contacts"), linked(hubspot, "contacts", ann, "deals")) == ([], [])


def test_a_primary_company_and_a_primary_contact_are_properties_while_they_last(
    portal: HubSpotPortal,
) -> None:
    ann = portal.create("contacts", email="ann@acme.example")
    ben = portal.create("contacts", email="ben@acme.example")
    acme, lead = portal.create("companies", name="Acme"), portal.create("leads", hs_lead_name="Ann")
    portal.associate("contacts", ann, "companies", acme, PRIMARY)
    portal.associate("leads", lead, "contacts", ben)
    portal.associate("leads", lead, "contacts", ann)
    assert portal.get("contacts", ann)["associatedcompanyid"] == acme
    assert portal.get("leads", lead)["hs_primary_contact_id"] == ann

    portal.dissociate("contacts", ann, "companies", acme)
    portal.dissociate("leads", lead, "contacts", ann)
    assert portal.get("contacts", ann)["associatedcompanyid"] is None
    assert portal.get("leads", lead)["hs_primary_contact_id"] == ben


@pytest.mark.parametrize("touching", [False, True])
def test_whether_an_association_moves_the_modified_date_is_a_switch(
    portal: HubSpotPortal, hubspot: Wire, clock: ManualClock, touching: bool
) -> None:
    assert hubspot.post("/_sandbox/settings", {"touch_on_associate": touching}).status == 200
    deal, ann = portal.create("deals", dealname="A"), portal.create("contacts", email="ann@acme.example")

    def stamps() -> list[str | None]:
        deals, contacts = portal.get("deals", deal), portal.get("contacts", ann)
        return [deals["hs_lastmodifieddate"], contacts["lastmodifieddate"]]

    for act in (portal.associate, portal.dissociate):
        before = stamps()
        clock.advance(5)
        act("deals", deal, "contacts", ann)
        assert [one != other for one, other in zip(before, stamps(), strict=True)] == [touching, touching]
