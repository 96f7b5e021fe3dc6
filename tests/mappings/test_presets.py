"""The shipped presets: they load, they are complete, and they say what the design says about stages."""

from __future__ import annotations

from importlib import resources

import pytest

from mappings.document import LEADLOOP_FIELDS
from mappings.mapping import Mapping, load_mapping
from mappings.object_mapping import ObjectMapping
from mappings.source import Source
from mappings.stage_fields import StageField
from mappings.stages import Stage
from tests.mappings.documents import People

DESIGN_SALESFORCE = {
    "lead_id": "Leadloop_Id__c", "stage": "Leadloop_Stage__c", "stage_since": "Leadloop_Stage_Since__c",
    "cycle": "Leadloop_Cycle__c", "score": "Leadloop_Score__c", "fit": "Leadloop_Fit__c",
    "engagement": "Leadloop_Engagement__c", "grade": "Leadloop_Grade__c",
    "score_reasons": "Leadloop_Score_Reasons__c",
    "owner": "Leadloop_Owner__c", "response_due": "Leadloop_Response_Due__c",
    "response_state": "Leadloop_Response_State__c", "rejected_by": "Leadloop_Rejected_By__c",
    "rejected_at": "Leadloop_Rejected_At__c", "nurture_track": "Leadloop_Nurture_Track__c",
}  # fmt: skip
"""The leadloop fields of the design, without the three that sales fills in."""

STANDARD = {
    "Lead": "Email FirstName LastName Salutation Title Company Phone MobilePhone Website Street City State "
    "PostalCode Country Description LeadSource Industry Rating AnnualRevenue NumberOfEmployees OwnerId "
    "Status HasOptedOutOfEmail DoNotCall CreatedDate",
    "Contact": "Email FirstName LastName Salutation Title Phone MobilePhone MailingStreet MailingCity "
    "MailingState MailingPostalCode MailingCountry Description LeadSource OwnerId HasOptedOutOfEmail "
    "DoNotCall CreatedDate",
    "Opportunity": "Name StageName IsClosed IsWon Amount CloseDate CreatedDate OwnerId",
    "OpportunityContactRole": "Role IsPrimary CreatedDate",
    "contacts": "email firstname lastname salutation jobtitle phone mobilephone company website industry "
    "annualrevenue address city state zip country hs_email_optout hubspot_owner_id hs_analytics_source "
    "lifecyclestage hs_lead_status createdate num_conversion_events recent_conversion_date "
    "recent_conversion_event_name hs_analytics_num_page_views hs_analytics_num_visits hs_email_open "
    "hs_email_click hs_email_bounce",
}


def preset(name: str) -> Source:
    return Source(
        f"{name}.yaml", (resources.files("mappings") / "presets" / f"{name}.yaml").read_text("utf-8")
    )


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return load_mapping([preset("lead"), preset("salesforce"), preset("hubspot")])


def objects(mapping: Mapping) -> dict[str, ObjectMapping]:
    return {name: mapped for side in mapping.sides.values() for name, mapped in side.objects.items()}


@pytest.mark.parametrize("name", list(STANDARD))
def test_the_standard_fields_are_mapped(mapping: Mapping, name: str) -> None:
    assert set(STANDARD[name].split()) <= set(objects(mapping)[name].natives)


@pytest.mark.parametrize("name", ["Lead", "Contact"])
def test_the_leadloop_fields_of_salesforce(mapping: Mapping, name: str) -> None:
    mapped = objects(mapping)[name]
    assert {pair.canonical: pair.native for pair in mapped.outputs} == DESIGN_SALESFORCE
    assert mapped.verdict is not None
    assert mapped.verdict.field == "Leadloop_Verdict__c"
    assert mapped.verdict.reason is not None
    assert mapped.verdict.reason.native == "Leadloop_Rejection_Reason__c"
    assert mapped.verdict.comment == "Leadloop_Rejection_Comment__c"
    assert mapped.output("score_reasons").max_length == 255  # type: ignore[union-attr]  # it is there


def test_the_leadloop_fields_of_hubspot(mapping: Mapping) -> None:
    contact = objects(mapping)["contacts"]
    assert {pair.canonical: pair.native for pair in contact.outputs} == {
        name: f"leadloop_{name.removeprefix('lead_')}" for name in LEADLOOP_FIELDS
    }
    assert contact.verdict is None


def test_a_contact_is_preferred_and_has_no_status(mapping: Mapping) -> None:
    assert [mapped.object for mapped in mapping.sides["salesforce"].person_objects] == ["Contact", "Lead"]
    contact = objects(mapping)["Contact"]
    assert contact.stage_fields == ()
    owner = contact.pair("owner")
    assert owner is not None
    assert not owner.writes  # routing never changes who owns a Contact


def test_salesforce_gets_leads_once_they_are_mqls_and_hubspot_those_of_sales(mapping: Mapping) -> None:
    salesforce = mapping.sides["salesforce"].object_for_create
    hubspot = mapping.sides["hubspot"].object_for_create
    assert salesforce is not None
    assert salesforce.object == "Lead"
    assert salesforce.create is not None
    assert salesforce.create.when == 'stage in ["mql", "distributed", "accepted", "qualified"]'
    assert set(salesforce.create.defaults) == {"last_name", "company"}
    assert hubspot is not None
    assert hubspot.create is not None
    assert hubspot.create.when == 'origin == "salesforce" and not is_blank(email)'


DEVELOPER_EDITION = {
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
}
OTHER_ORG = {"Open", "Contacted", "Qualified", "Unqualified"}


def field(mapping: Mapping, name: str, index: int = 0) -> StageField:
    return objects(mapping)[name].stage_fields[index]


@pytest.mark.parametrize(
    ("offered", "early", "working", "lost"),
    [
        (DEVELOPER_EDITION, "Open - Not Contacted", "Working - Contacted", "Closed - Not Converted"),
        (OTHER_ORG, "Open", "Contacted", "Unqualified"),
    ],
)
def test_both_sets_of_lead_statuses(
    mapping: Mapping, offered: set[str], early: str, working: str, lost: str
) -> None:
    narrowed = mapping.offered({("salesforce", "Lead"): {"Status": offered}})
    status = narrowed.sides["salesforce"].objects["Lead"].stage_fields[0]
    for stage in (Stage.INQUIRY, Stage.QUALIFICATION, Stage.NURTURE, Stage.MQL, Stage.DISTRIBUTED):
        assert status.spelling(stage) == early
    assert status.spelling(Stage.ACCEPTED) == working
    assert status.spelling(Stage.DISQUALIFIED) == lost
    assert status.spelling(Stage.OPPORTUNITY) is None  # only a conversion sets it
    assert status.values[working].means is Stage.ACCEPTED
    assert status.values[lost].means == "rejected"
    assert status.compatible(lost, Stage.NURTURE) is True
    assert status.compatible(lost, Stage.MQL) is False


@pytest.mark.parametrize(
    ("stage", "outcome", "native"),
    [
        (Stage.INQUIRY, None, "lead"),
        (Stage.QUALIFICATION, None, "lead"),
        (Stage.NURTURE, None, "lead"),
        (Stage.DISQUALIFIED, None, "lead"),
        (Stage.MQL, None, "marketingqualifiedlead"),
        (Stage.DISTRIBUTED, None, "marketingqualifiedlead"),
        (Stage.ACCEPTED, None, "salesqualifiedlead"),
        (Stage.QUALIFIED, None, "salesqualifiedlead"),
        (Stage.OPPORTUNITY, None, "opportunity"),
        (Stage.CLOSED, "won", "customer"),
        (Stage.CLOSED, "lost", None),
    ],
)
def test_the_lifecycle_stage(mapping: Mapping, stage: Stage, outcome: str | None, native: str | None) -> None:
    lifecycle = field(mapping, "contacts")
    assert lifecycle.native == "lifecyclestage"
    assert not lifecycle.claims
    assert lifecycle.backward == "clear_first"
    assert lifecycle.spelling(stage, outcome) == native  # type: ignore[arg-type]  # an outcome


def test_the_lifecycle_stage_is_never_taken_from_an_opportunity_on(mapping: Mapping) -> None:
    lifecycle = field(mapping, "contacts")
    assert lifecycle.never_from == {"opportunity", "customer", "evangelist", "other"}
    assert lifecycle.compatible("subscriber", Stage.INQUIRY) is True
    assert lifecycle.compatible("subscriber", Stage.QUALIFICATION) is False
    order = "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist other"
    assert list(lifecycle.values) == order.split()


def test_the_hubspot_lead_status_is_marketings_word(mapping: Mapping) -> None:
    status = field(mapping, "contacts", 1)
    assert status.native == "hs_lead_status"
    assert status.claims
    means = {native: value.means for native, value in status.values.items() if value.means is not None}
    assert means == {"NEW": Stage.NURTURE, "OPEN": Stage.MQL, "UNQUALIFIED": Stage.DISQUALIFIED}
    assert set(status.values) == {
        "NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED",
        "BAD_TIMING",
    }  # fmt: skip
    spelled = {stage: status.spelling(stage, "won") for stage in Stage}
    assert spelled[Stage.NURTURE] == "NEW"
    assert spelled[Stage.DISTRIBUTED] == "OPEN"
    assert spelled[Stage.ACCEPTED] == spelled[Stage.QUALIFIED] == "IN_PROGRESS"
    assert spelled[Stage.OPPORTUNITY] == "OPEN_DEAL"
    assert spelled[Stage.CLOSED] is None
    assert spelled[Stage.DISQUALIFIED] == "UNQUALIFIED"


def test_every_spelling_goes_with_its_stage(mapping: Mapping) -> None:
    for mapped in objects(mapping).values():
        for stage_field in mapped.stage_fields:
            for stage in Stage:
                for outcome in ("won", "lost"):
                    native = stage_field.spelling(stage, outcome)  # type: ignore[arg-type]  # an outcome
                    assert native is None or stage_field.compatible(native, stage), (
                        stage_field.native,
                        stage,
                    )


def test_a_real_row_is_read(mapping: Mapping) -> None:
    """Values of Salesforce's own sample data, as recorded from a developer org."""
    row = {
        "LastName": "Boxer", "FirstName": "Bertha", "Salutation": "Ms.",
        "Title": "Director of Vendor Relations", "Company": "Farmers Coop. of Florida",
        "Street": "321 Westcott Building", "City": "Tallahassee",
        "State": "FL", "PostalCode": "32306", "Country": "USA", "Phone": "(850) 644-4200",
        "MobilePhone": None, "Email": "bertha@fcof.net", "Website": None,
        "LeadSource": "Web", "Industry": "Agriculture",
        "Rating": "Hot", "AnnualRevenue": 900750000, "NumberOfEmployees": None,
        "CreatedDate": "2023-05-03T10:34:07.000+0000",
    }  # fmt: skip
    read = objects(mapping)["Lead"].read(row, People())
    assert read.unreadable == {}
    assert read.values["phone"] == "+18506444200"
    assert read.values["country"] == "US"
    assert read.values["created_in_crm"] == "2023-05-03T10:34:07Z"
    assert read.values["employees"] is None
    spelled = objects(mapping)["contacts"].write(read.values, People())
    assert spelled.no_spelling == {}
    assert spelled.fields["country"] == "United States"
