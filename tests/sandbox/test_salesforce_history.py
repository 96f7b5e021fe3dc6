"""The field history of the sandbox's Salesforce: kept of the fields that an admin has chosen, and of no
others."""

from __future__ import annotations

import pytest

from connector.clock import ManualClock
from connector.sandbox.salesforce import SalesforceOrg
from connector.sandbox.salesforce.refusals import Refusal

ASKED = (
    "SELECT LeadId, Field, OldValue, NewValue, CreatedDate, CreatedById FROM LeadHistory "
    "ORDER BY CreatedDate DESC"
)


def made(org: SalesforceOrg) -> str:
    return org.insert("Lead", LastName="Lee", FirstName="Ann", Company="Acme", Description="long ago")


def test_an_org_that_tracks_nothing_has_no_history() -> None:
    org = SalesforceOrg(ManualClock(0))
    org.update("Lead", made(org), FirstName="Anna")
    with pytest.raises(Refusal):
        org.query(ASKED)


def test_each_change_of_a_tracked_field_says_who_made_it_when() -> None:
    clock = ManualClock(1_790_000_000_000)
    org = SalesforceOrg(clock)
    org.track("Lead", ["FirstName", "Description"])
    sam = org.add_user("Sam", "sam@sales.example")
    lead = made(org)
    clock.advance(5)
    org.update("Lead", lead, by_user=sam, FirstName="Anna", Phone="1")
    clock.advance(5)
    org.update("Lead", lead, by_user=sam, FirstName=None, Description="long")

    rows = [{name: row[name] for name in ("Field", "OldValue", "NewValue")} for row in org.query(ASKED)]
    assert rows[2] == {"Field": "FirstName", "OldValue": "Ann", "NewValue": "Anna"}
    assert {"Field": "FirstName", "OldValue": "Anna", "NewValue": None} in rows[:2]
    assert {"Field": "Description", "OldValue": None, "NewValue": None} in rows[:2], "long texts are not kept"
    assert {row["CreatedById"] for row in org.query(ASKED)} == {sam}
    assert {row["LeadId"] for row in org.query(ASKED)} == {lead}


def test_what_is_tracked_survives_a_restart() -> None:
    org = SalesforceOrg(ManualClock(0))
    org.track("Lead", ["FirstName"])
    lead = made(org)
    org.update("Lead", lead, FirstName="Anna")
    again = SalesforceOrg(ManualClock(0))
    again.from_json(org.to_json())
    again.update("Lead", lead, FirstName="Annie")
    assert [row["NewValue"] for row in again.rows("LeadHistory")] == ["Anna", "Annie"]
