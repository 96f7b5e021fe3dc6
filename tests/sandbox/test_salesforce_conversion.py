"""What people do with records: conversion, merge, delete, undelete, campaigns, opportunities."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.sandbox.salesforce import OTHER_STATUSES, Refusal, ValidationRule
from tests.sandbox.salesforce_client import Client, error

NOW = "2026-01-05T08:00:10.000+0000"


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_a_lead_becomes_contact_account_and_opportunity(client: Client) -> None:
    org = client.org
    rep = org.add_user("Rosa Rep", "rosa@sales.example")
    lead = client.lead(
        FirstName="Ada",
        Email="ada@x.example",
        Street="1 Via Appia",
        LeadSource="Web",
        Website="https://x.example",
        OwnerId=rep,
        Leadloop_Id__c="L1",
        Leadloop_Score__c=7,
        HasOptedOutOfEmail=True,
    )
    client.clock.advance(10)
    result = org.convert_lead(lead, opportunity_name="Engine deal")
    assert result.opportunity_id is not None
    row = org.get("Lead", lead)
    assert (row["IsConverted"], row["ConvertedDate"], row["Status"]) == (
        True,
        "2026-01-05",
        "Closed - Converted",
    )
    assert (row["ConvertedContactId"], row["ConvertedAccountId"]) == (result.contact_id, result.account_id)
    assert row["ConvertedOpportunityId"] == result.opportunity_id
    assert row["SystemModstamp"] == row["LastModifiedDate"] == NOW
    contact = org.get("Contact", result.contact_id)
    carried: dict[str, object] = {
        "Name": "Ada Byron",
        "Email": "ada@x.example",
        "MailingStreet": "1 Via Appia",
        "OwnerId": rep,
    }
    carried |= {"AccountId": result.account_id, "Leadloop_Id__c": "L1", "Leadloop_Score__c": 7}
    carried |= {"HasOptedOutOfEmail": True}
    assert {name: contact[name] for name in carried} == carried
    account = org.get("Account", result.account_id)
    assert (account["Name"], account["Website"]) == ("Engines", "https://x.example")
    opportunity = org.get("Opportunity", result.opportunity_id)
    expected = {"Name": "Engine deal", "StageName": "Prospecting", "CloseDate": "2026-03-31"}
    expected |= {"LeadSource": "Web", "AccountId": result.account_id, "OwnerId": rep}
    assert {name: opportunity[name] for name in expected} == expected
    (role,) = org.rows("OpportunityContactRole")
    assert (role["ContactId"], role["IsPrimary"]) == (result.contact_id, True)


def test_conversion_into_existing_records_fills_only_what_is_blank(client: Client) -> None:
    org = client.org
    account = org.insert("Account", Name="Engines Ltd")
    contact = org.insert("Contact", LastName="Byron", Phone="1", LeadSource="Other", AccountId=account)
    lead = client.lead(
        Phone="2", Title="Countess", LeadSource="Web", Leadloop_Id__c="L1", Website="x.example"
    )
    result = org.convert_lead(lead, contact_id=contact)
    assert (result.contact_id, result.account_id, result.opportunity_id) == (contact, account, None)
    row = org.get("Contact", contact)
    assert (row["Phone"], row["Title"], row["LeadSource"]) == ("1", "Countess", "Other")
    assert row["Leadloop_Id__c"] == "L1"
    assert org.get("Account", account)["Name"] == "Engines Ltd"
    assert org.get("Account", account)["Website"] == "x.example"
    assert org.rows("Opportunity") == []
    other = client.lead(LeadSource="Phone Inquiry")
    org.convert_lead(other, contact_id=contact, overwrite_lead_source=True)
    assert org.get("Contact", contact)["LeadSource"] == "Phone Inquiry"


def test_a_converted_lead_is_read_only_over_the_api(client: Client) -> None:
    lead = client.lead(Leadloop_Id__c="L1")
    client.org.convert_lead(lead)
    answer = client.call("PATCH", f"sobjects/Lead/{lead}", {"City": "Rome"})
    assert (answer.status_code, answer.json()) == (
        400,
        [
            {
                "message": "cannot reference converted lead",
                "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD",
                "fields": [],
            }
        ],
    )
    answer = client.call("PATCH", "sobjects/Lead/Leadloop_Id__c/L1", {"City": "Rome"})
    assert error(answer) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")
    (row,) = client.records("SELECT IsConverted, ConvertedContact.Name FROM Lead WHERE IsConverted = true")
    assert row["ConvertedContact"]["Name"] == "Byron"
    client.org.edit_converted_leads = True
    assert client.call("PATCH", f"sobjects/Lead/{lead}", {"City": "Rome"}).status_code == 204


def test_what_a_conversion_is_refused_for(client: Client) -> None:
    org = client.org
    queue = org.add_queue("Inbound")
    lead = client.lead(OwnerId=queue)
    with pytest.raises(Refusal, match="can only be owned by users"):
        org.convert_lead(lead)
    with pytest.raises(Refusal, match="INVALID_STATUS"):
        org.convert_lead(lead, "Working - Contacted", owner_id=org.admin_id)
    org.convert_lead(lead, owner_id=org.admin_id)
    with pytest.raises(Refusal, match="CANNOT_UPDATE_CONVERTED_LEAD"):
        org.convert_lead(lead)


def test_a_conversion_that_fails_half_way_leaves_nothing_behind(client: Client) -> None:
    client.org.add_validation_rule(ValidationRule("Contact", "title", "Title = null", "A title, please"))
    lead = client.lead()
    before = client.org.to_json()["rows"]
    answer = client.control("convert", {"lead_id": lead, "opportunity_name": "Deal"})
    assert error(answer) == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert client.org.to_json()["rows"] == before


def test_conversion_over_the_control_endpoint(client: Client) -> None:
    lead = client.lead()
    result = client.control("convert", {"lead_id": lead, "opportunity_name": "Deal"}).json()
    assert result["lead_id"] == lead
    assert client.org.get("Opportunity", result["opportunity_id"])["Name"] == "Deal"


def test_an_org_may_call_its_statuses_otherwise(client: Client) -> None:
    client.org.set_lead_statuses(OTHER_STATUSES)
    lead = client.lead()
    assert client.org.get("Lead", lead)["Status"] == "Open"
    client.org.convert_lead(lead)
    assert client.org.get("Lead", lead)["Status"] == "Qualified"
    text = "SELECT ApiName, IsConverted, IsDefault, SortOrder FROM LeadStatus ORDER BY SortOrder"
    rows = [(row["ApiName"], row["IsConverted"], row["IsDefault"]) for row in client.records(text)]
    assert rows == [
        ("Contacted", False, False),
        ("Open", False, True),
        ("Qualified", True, False),
        ("Unqualified", False, False),
    ]


def test_conversion_moves_memberships_and_activities_to_the_contact(client: Client) -> None:
    org = client.org
    lead = client.lead(Email="a@x.example")
    campaign = org.insert("Campaign", Name="Fair")
    member = org.insert("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
    task = org.insert("Task", WhoId=lead, Subject="Call")
    assert org.get("CampaignMember", member)["HasResponded"] is True
    client.clock.advance(10)
    result = org.convert_lead(lead)
    row = org.get("CampaignMember", member)
    assert (row["LeadId"], row["ContactId"], row["Type"]) == (lead, result.contact_id, "Contact")
    assert row["SystemModstamp"] == NOW
    assert org.get("Task", task)["WhoId"] == result.contact_id
    assert org.get("Task", task)["SystemModstamp"] == NOW


def test_a_person_joins_a_campaign_once(client: Client) -> None:
    lead, campaign = client.lead(), client.org.insert("Campaign", Name="Fair")
    body = {"CampaignId": campaign, "LeadId": lead}
    assert client.call("POST", "sobjects/CampaignMember", body).status_code == 201
    answer = client.call("POST", "sobjects/CampaignMember", body)
    assert answer.json() == [
        {"message": "Already a campaign member.", "errorCode": "DUPLICATE_VALUE", "fields": []}
    ]
    answer = client.call("POST", "sobjects/CampaignMember", {"CampaignId": campaign})
    assert error(answer) == (400, "REQUIRED_FIELD_MISSING")


def test_a_merge_deletes_the_loser_with_the_winners_id_and_moves_its_children(client: Client) -> None:
    org = client.org
    winner, loser = client.lead(), client.lead(Leadloop_Id__c="L2", Title="Countess")
    task = org.insert("Task", WhoId=loser, Subject="Call")
    campaigns = [org.insert("Campaign", Name=name) for name in ("Fair", "Fete")]
    for person in (winner, loser):
        org.insert("CampaignMember", CampaignId=campaigns[0], LeadId=person)
    org.insert("CampaignMember", CampaignId=campaigns[1], LeadId=loser)
    client.clock.advance(10)
    org.merge(winner, loser, Leadloop_Id__c="L2")
    row = org.get("Lead", loser)
    assert (row["IsDeleted"], row["MasterRecordId"], row["SystemModstamp"]) == (True, winner, NOW)
    assert org.get("Lead", winner)["Leadloop_Id__c"] == "L2"
    assert org.get("Lead", winner)["SystemModstamp"] == NOW
    assert org.get("Task", task)["WhoId"] == winner
    assert {(row["CampaignId"], row["LeadId"]) for row in org.rows("CampaignMember")} == {
        (campaign, winner) for campaign in campaigns
    }


def test_a_merge_takes_three_records_of_one_kind_at_most(client: Client) -> None:
    leads = [client.lead() for _ in range(4)]
    contact = client.org.insert("Contact", LastName="B")
    for losers in (leads[1:], [leads[0]], [contact]):
        before = client.org.to_json()["rows"]
        with pytest.raises(Refusal):
            client.org.merge(leads[0], *losers)
        assert client.org.to_json()["rows"] == before
    answer = client.control("merge", {"master": leads[0], "losers": leads[1:3]})
    assert answer.status_code == 200
    assert [row["Id"] for row in client.org.rows("Lead")] == [leads[0], leads[3]]


def test_undelete_brings_a_row_back_under_its_id(client: Client) -> None:
    lead = client.lead(Leadloop_Id__c="L1")
    client.org.delete("Lead", lead)
    client.org.undelete("Lead", lead)
    assert client.org.get("Lead", lead)["IsDeleted"] is False
    client.org.delete("Lead", lead)
    client.lead(Leadloop_Id__c="l1")
    with pytest.raises(Refusal, match="DUPLICATE_VALUE"):
        client.org.undelete("Lead", lead)
    client.org.purge("Lead", lead)
    assert client.records("SELECT Id FROM Lead WHERE IsDeleted = true", "queryAll") == []


def test_children_go_with_their_parent(client: Client) -> None:
    org = client.org
    result = org.convert_lead(client.lead(), opportunity_name="Deal")
    org.delete("Account", result.account_id)
    left = {name: org.rows(name) for name in ("Contact", "Opportunity", "OpportunityContactRole")}
    assert left == {"Contact": [], "Opportunity": [], "OpportunityContactRole": []}


def test_an_opportunitys_outcome_follows_its_stage(client: Client) -> None:
    org = client.org
    body = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30", "Amount": 1000}
    deal = client.call("POST", "sobjects/Opportunity", body).json()["id"]

    def shown() -> tuple[object, ...]:
        row = org.get("Opportunity", deal)
        names = ("IsClosed", "IsWon", "Probability", "ForecastCategoryName", "ExpectedRevenue")
        return tuple(row[name] for name in names)

    assert shown() == (False, False, 10, "Pipeline", 100)
    org.update("Opportunity", deal, StageName="Closed Won")
    assert shown() == (True, True, 100, "Closed", 1000)
    org.update("Opportunity", deal, StageName="Closed Lost", Amount=None)
    assert shown() == (True, False, 0, "Omitted", None)
    org.update("Opportunity", deal, StageName="In Progress")
    assert shown()[:2] == (False, False)
    assert org.get("Opportunity", deal)["Fiscal"] == "2026 2"


def test_an_opportunitys_contact_becomes_its_primary_role(client: Client) -> None:
    contact = client.org.insert("Contact", LastName="Byron")
    body = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30", "ContactId": contact}
    deal = client.call("POST", "sobjects/Opportunity", body).json()["id"]
    text = "SELECT OpportunityId, Contact.Name FROM OpportunityContactRole WHERE IsPrimary = true"
    (role,) = client.records(text)
    assert (role["OpportunityId"], role["Contact"]["Name"]) == (deal, "Byron")
    answer = client.call("PATCH", f"sobjects/Opportunity/{deal}", {"ContactId": contact})
    assert error(answer) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_past_activity_dates_the_person_and_moves_only_the_system_stamp(client: Client) -> None:
    org = client.org
    lead = client.lead()
    client.clock.advance(10)
    org.insert("Task", WhoId=lead, Subject="Call", Status="Completed", ActivityDate="2026-01-04")
    row = org.get("Lead", lead)
    assert (row["LastActivityDate"], row["SystemModstamp"]) == ("2026-01-04", NOW)
    assert row["LastModifiedDate"] == "2026-01-05T08:00:00.000+0000"
    event = org.insert("Event", WhoId=lead, Subject="Visit", StartDateTime="2026-01-09T10:00:00Z")
    assert org.get("Event", event)["ActivityDate"] == "2026-01-09"
    assert org.get("Lead", lead)["LastActivityDate"] == "2026-01-04"
