"""Merging and privacy deletion in the HubSpot sandbox."""

from __future__ import annotations

from connector.clock import ManualClock
from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Wire

CONTACTS = "/crm/v3/objects/contacts"


def two(portal: HubSpotPortal) -> tuple[str, str]:
    one = portal.create("contacts", email="a@x.example", firstname="Ada", leadloop_id="L1")
    other = portal.create(
        "contacts", email="b@x.example", firstname="B", phone="1", lifecyclestage="customer", leadloop_id="L2"
    )
    return one, other


def test_a_merge_makes_a_new_record_that_names_the_old_ones(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock
) -> None:
    one, other = two(portal)
    clock.advance(60)
    reply = hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": one, "objectIdToMerge": other})
    assert reply.status == 200
    survivor = reply.body["id"]
    assert survivor not in (one, other)
    row = portal.get("contacts", survivor)
    assert set((row["hs_merged_object_ids"] or "").split(";")) == {one, other}
    assert (row["email"], row["hs_additional_emails"]) == ("a@x.example", "b@x.example")
    assert (row["firstname"], row["phone"], row["lifecyclestage"]) == ("Ada", "1", "customer")
    assert row["leadloop_id"] == "L1"
    assert row["createdate"] == "2026-09-21T14:13:20.000Z"
    assert row["lastmodifieddate"] == "2026-09-21T14:14:20.000Z"
    assert portal.find("contacts", "leadloop_id", "L2") is None
    assert portal.find("contacts", "email", "b@x.example") == survivor
    for gone in (one, other):
        assert hubspot.get(f"{CONTACTS}/{gone}").status == 404
        assert hubspot.get(f"{CONTACTS}/{gone}", archived="true").status == 404


def test_chains_of_merges_keep_all_old_ids(portal: HubSpotPortal) -> None:
    one, other = two(portal)
    third = portal.create("contacts", email="c@x.example")
    first = portal.merge(one, other)
    last = portal.merge(third, first)
    old = (portal.get("contacts", last)["hs_merged_object_ids"] or "").split(";")
    assert set(old) == {one, other, third, first}


def test_a_portal_can_follow_old_ids_and_keep_the_primary_one(hubspot: Wire, portal: HubSpotPortal) -> None:
    one, other = two(portal)
    portal.crm.keep_primary_id = True
    portal.crm.follow_merged_ids = True
    assert portal.merge(one, other) == one
    assert portal.get("contacts", one)["hs_merged_object_ids"] == other
    assert hubspot.get(f"{CONTACTS}/{other}").body["id"] == one


def test_associations_move_to_the_survivor(portal: HubSpotPortal, hubspot: Wire) -> None:
    one, other = two(portal)
    deal = portal.create("deals", dealname="Engine")
    portal.associate("contacts", other, "deals", deal)
    survivor = portal.merge(one, other)
    body = hubspot.get(f"/crm/v4/objects/deals/{deal}/associations/contacts").body
    assert [each["toObjectId"] for each in body["results"]] == [survivor]


def test_more_than_250_identities_are_refused_with_414(hubspot: Wire, portal: HubSpotPortal) -> None:
    many = ";".join(str(number) for number in range(249))
    one = portal.create("contacts", email="a@x.example", hs_merged_object_ids=many)
    other = portal.create("contacts", email="b@x.example")
    reply = hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": one, "objectIdToMerge": other})
    assert reply.status == 414
    assert reply.body["message"] == "Cannot have more than 250 identities on a profile"


def test_a_merge_with_a_missing_or_the_same_record_is_refused(hubspot: Wire, portal: HubSpotPortal) -> None:
    one, _ = two(portal)
    for other, status in (("77", 404), (one, 400)):
        body = {"primaryObjectId": one, "objectIdToMerge": other}
        assert hubspot.post(f"{CONTACTS}/merge", body).status == status


def test_a_privacy_delete_is_for_ever_and_blocks_the_addresses(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example", hs_additional_emails="b@x.example")
    body = {"objectId": "a@x.example", "idProperty": "email"}
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", body).status == 204
    assert hubspot.get(f"{CONTACTS}/{record_id}").status == 404
    assert hubspot.get(f"{CONTACTS}/{record_id}", archived="true").status == 404
    for address in ("a@x.example", "B@x.example"):
        assert hubspot.post(CONTACTS, {"properties": {"email": address}}).status == 400


def test_an_unknown_address_goes_on_the_blocklist(hubspot: Wire, portal: HubSpotPortal) -> None:
    body = {"objectId": "Never@x.example", "idProperty": "email"}
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", body).status == 204
    assert hubspot.post(CONTACTS, {"properties": {"email": "never@x.example"}}).status == 400
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": "77"}).status == 404


def test_an_archived_contact_can_be_deleted_for_privacy(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    portal.archive("contacts", record_id)
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": record_id}).status == 204
    assert portal.rows("contacts", archived=True) == []
