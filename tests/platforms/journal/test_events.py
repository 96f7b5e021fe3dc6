"""Events of HubSpot's webhooks journal: which records each action tells of; what is subscribed to."""

from __future__ import annotations

from typing import Any

import pytest

from connector.platforms.hubspot.events import MalformedEvent
from connector.platforms.hubspot.journal_events import occurred_ms, read_journal_event
from connector.platforms.hubspot.journal_subscriptions import needed

CONTACT = {"objectTypeId": "0-1", "objectId": 7}


@pytest.mark.parametrize(
    ("action", "given", "expected"),
    [
        ("CREATE", CONTACT, [("contacts", "7", "read")]),
        ("UPDATE", {**CONTACT, "propertyChanges": {"email": "x"}}, [("contacts", "7", "read")]),
        ("DELETE", CONTACT, [("contacts", "7", "deleted")]),
        ("RESTORE", CONTACT, [("contacts", "7", "restored")]),
        ("GDPR_DELETE", CONTACT, [("contacts", "7", "forget")]),
        ("GDPR_DELETE", {"objectId": "7"}, [("contacts", "7", "forget")]),
        ("GDPR_DELETE", {"objectTypeId": "0-2", "objectId": 7}, []),
        ("UPDATE", {"objectTypeId": "0-3", "objectId": "546500061938"}, [("deals", "546500061938", "read")]),
        ("CREATE", {"objectTypeId": "2-14", "objectId": 1}, [("2-14", "1", "read")]),
        (
            "MERGE",
            {"objectTypeId": "0-1", "objectId": 9, "primaryObjectId": 1, "mergedObjectIds": [2, 1]},
            [("contacts", "1", "merged"), ("contacts", "9", "merged"), ("contacts", "2", "merged")],
        ),
        (
            "MERGE",
            {**CONTACT, "newObjectId": 9, "mergedObjectIds": ["2"]},
            [("contacts", "9", "merged"), ("contacts", "7", "merged"), ("contacts", "2", "merged")],
        ),
        (
            "ASSOCIATION_ADDED",
            {"fromObjectTypeId": "0-1", "fromObjectId": 1, "toObjectTypeId": "0-2", "toObjectId": 2},
            [("contacts", "1", "read"), ("companies", "2", "read")],
        ),
        ("SNAPSHOT", CONTACT, []),
        ("APP_UNINSTALL", {}, []),
        ("LEVITATE", CONTACT, []),
    ],
)
def test_what_an_event_tells_of(
    action: str, given: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert read_journal_event({"action": action, **given}) == expected


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": 7, **CONTACT},
        {"action": "UPDATE", "objectTypeId": "0-1"},
        {"action": "UPDATE", "objectTypeId": "0-1", "objectId": True},
        {"action": "UPDATE", "objectTypeId": "0-1", "objectId": "1/../2"},
        {"action": "UPDATE", "objectTypeId": "../0", "objectId": 7},
        {"action": "UPDATE", "objectId": 7},
        {"action": "DELETE", "objectTypeId": "0-1", "objectId": None},
        {"action": "GDPR_DELETE"},
        {"action": "MERGE", "objectTypeId": "0-1"},
        {"action": "ASSOCIATION_ADDED", "fromObjectTypeId": "0-1", "fromObjectId": 1},
    ],
)
def test_an_event_that_names_no_record_is_malformed(event: dict[str, Any]) -> None:
    with pytest.raises(MalformedEvent):
        read_journal_event(event)


@pytest.mark.parametrize("action", ["CREATE", "UPDATE"])
def test_a_change_by_our_own_app_is_read_too(action: str) -> None:
    """Until what was written has been seen, an edit by a person can be taken for what became of it."""
    ours = {**CONTACT, "changeSource": "INTEGRATION", "sourceId": "42"}

    assert read_journal_event({"action": action, **ours}) == [("contacts", "7", "read")]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2027-01-15T08:00:00.000Z", 1_800_000_000_000),
        ("2027-01-15T08:00:00+00:00", 1_800_000_000_000),
        (1_800_000_000_000, 1_800_000_000_000),
        ("yesterday", None),
        ("2027-01-15T08:00:00", None),
        (True, None),
        (None, None),
    ],
)
def test_when_it_happened(moment: object, expected: int | None) -> None:
    assert occurred_ms({"occurredAt": moment}) == expected


def test_what_is_mapped_is_subscribed_to() -> None:
    wanted = needed({"deals": ("amount",), "contacts": ("email", "lastmodifieddate", "phone")})

    records = ["CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE"]
    ends = ["ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"]
    bodies = [each.body("62515", []) for each in wanted]
    assert [(each["subscriptionType"], each["objectTypeId"], each["actions"]) for each in bodies] == [
        ("OBJECT", "0-3", records),
        ("ASSOCIATION", "0-3", ends),
        ("ASSOCIATION", "0-1", ends),
        ("OBJECT", "0-1", records),
        ("GDPR_PRIVACY_DELETION", "0-1", ["GDPR_DELETE"]),
    ]
    assert bodies[0]["properties"] == ["amount"]
    assert bodies[1]["associatedObjectTypeIds"] == ["0-1"]
    assert bodies[2]["associatedObjectTypeIds"] == ["0-3"]
    assert bodies[3]["properties"] == ["email", "phone"]
    assert {each["portalId"] for each in bodies} == {62515}
    assert all(each.is_met("62515", bodies) for each in wanted)
    assert not any(each.is_met("62516", bodies) for each in wanted)


def test_what_a_lead_of_the_leads_object_is_about_is_subscribed_to() -> None:
    (leads,) = needed({"leads": ("hs_lead_name",)})

    assert leads.body("62515", [])["properties"] == ["hs_lead_name", "hs_primary_contact_id"]


@pytest.mark.parametrize(
    "change",
    [
        {"actions": ["CREATE", "UPDATE"]},
        {"properties": ["email"]},
        {"properties": None},
        {"portalId": 1},
        {"deletedAt": "2027-01-15T08:00:00Z"},
        {"objectIds": [1, 2]},
    ],
)
def test_a_subscription_that_tells_less_is_not_enough_and_what_others_had_stays(
    change: dict[str, Any],
) -> None:
    (wanted,) = needed({"deals": ("amount", "dealstage")})
    whole = wanted.body("62515", [])
    found = [{**whole, "properties": ["amount", "dealstage", "theirs"], **change}]

    assert not wanted.is_met("62515", found)
    sent = wanted.body("62515", found)
    assert wanted.is_met("62515", [sent])
    if set(change) <= {"actions"}:
        assert sent["properties"] == ["amount", "dealstage", "theirs"]
