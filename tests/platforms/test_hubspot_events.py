"""Events of HubSpot's webhooks: which records each documented type tells of."""

from __future__ import annotations

from typing import Any

import pytest

from connector.platforms.hubspot.events import MalformedEvent, read_event


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("contact.creation", {"objectId": 1}, [("contacts", "1", "read")]),
        ("contact.propertyChange", {"objectId": 546500061938}, [("contacts", "546500061938", "read")]),
        ("contact.deletion", {"objectId": 1}, [("contacts", "1", "deleted")]),
        ("contact.restore", {"objectId": 1}, [("contacts", "1", "restored")]),
        ("contact.privacyDeletion", {"objectId": 1}, [("contacts", "1", "forget")]),
        ("company.creation", {"objectId": 1}, [("companies", "1", "read")]),
        ("deal.propertyChange", {"objectId": "7"}, [("deals", "7", "read")]),
        ("object.creation", {"objectId": 1, "objectTypeId": "0-1"}, [("contacts", "1", "read")]),
        ("object.deletion", {"objectId": 1, "objectTypeId": "0-3"}, [("deals", "1", "deleted")]),
        ("object.restore", {"objectId": 1, "objectTypeId": "0-136"}, [("leads", "1", "restored")]),
        ("object.creation", {"objectId": 1, "objectTypeId": "2-14"}, [("2-14", "1", "read")]),
        (
            "contact.merge",
            {"objectId": 3, "newObjectId": 3, "primaryObjectId": 1, "mergedObjectIds": [1, 2]},
            [("contacts", "3", "merged"), ("contacts", "1", "merged"), ("contacts", "2", "merged")],
        ),
        (
            "object.merge",
            {"objectTypeId": "0-1", "primaryObjectId": 1, "mergedObjectIds": [2], "newObjectId": None},
            [("contacts", "1", "merged"), ("contacts", "2", "merged")],
        ),
        (
            "contact.associationChange",
            {"associationType": "CONTACT_TO_COMPANY", "fromObjectId": 1, "toObjectId": 2},
            [("contacts", "1", "read"), ("companies", "2", "read")],
        ),
        (
            "object.associationChange",
            {"objectTypeId": "0-3", "associationTypeId": 3, "fromObjectId": 5, "toObjectId": 2},
            [("deals", "5", "read"), ("contacts", "2", "read")],
        ),
        ("ticket.creation", {"objectId": 1}, []),
        ("conversation.privacyDeletion", {"objectId": 1}, []),
        ("contact.levitation", {}, []),
    ],
)
def test_what_an_event_tells_of(
    kind: str, given: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert read_event({"subscriptionType": kind, **given}) == expected
    assert read_event({"eventType": kind, **given}) == expected


def test_what_our_own_app_changed_is_read_back() -> None:
    """Or the first read after a write could show a person's edit, which would pass for HubSpot's spelling."""
    ours = {"appId": 9393361, "changeSource": "INTEGRATION", "sourceId": "9393361", "objectId": 1}

    assert read_event({"subscriptionType": "contact.propertyChange", **ours}) == [("contacts", "1", "read")]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"subscriptionType": None},
        {"subscriptionType": ["contact.creation"]},
        {"subscriptionType": "contact.creation"},
        {"subscriptionType": "contact.privacyDeletion", "objectId": "a@b.example"},
        {"subscriptionType": "object.creation", "objectId": 1, "objectTypeId": 1},
        {"subscriptionType": "contact.merge", "mergedObjectIds": "12"},
        {
            "subscriptionType": "contact.associationChange",
            "associationType": "CONTACT_TO_DEAL",
            "fromObjectId": 1,
        },
    ],
    ids=repr,
)
def test_what_lacks_what_its_type_has_is_malformed(event: dict[str, Any]) -> None:
    with pytest.raises(MalformedEvent):
        read_event(event)
