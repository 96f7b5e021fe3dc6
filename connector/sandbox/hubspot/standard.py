"""The object types, properties and options that a new portal has. Data, and the reading of it.

Names as in hubspot.md sections 8 to 12, plus the everyday ones of HubSpot's default contact, company and deal
properties. Nothing here is specific to leadloop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.sandbox.hubspot.definitions import Definition, Option, usual_field_type

LIFECYCLE_STAGES = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
_OPTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "lifecyclestage": LIFECYCLE_STAGES,
    "hs_lead_status": (
        ("NEW", "New"),
        ("OPEN", "Open"),
        ("IN_PROGRESS", "In Progress"),
        ("OPEN_DEAL", "Open Deal"),
        ("UNQUALIFIED", "Unqualified"),
        ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
        ("CONNECTED", "Connected"),
        ("BAD_TIMING", "Bad Timing"),
    ),
    "hs_analytics_source": tuple(
        (value, value.replace("_", " ").capitalize())
        for value in (
            "ORGANIC_SEARCH",
            "PAID_SEARCH",
            "EMAIL_MARKETING",
            "SOCIAL_MEDIA",
            "REFERRALS",
            "OTHER_CAMPAIGNS",
            "DIRECT_TRAFFIC",
            "OFFLINE",
            "PAID_SOCIAL",
            "AI_REFERRALS",
        )
    ),
    "hs_lead_type": (("NEW_BUSINESS", "New business"), ("UPSELL", "Upsell")),
    "hs_lead_label": (("WARM", "Warm"), ("HOT", "Hot"), ("COLD", "Cold")),
    "dealtype": (("newbusiness", "New Business"), ("existingbusiness", "Existing Business")),
    "company.industry": tuple(
        (value, value.replace("_", " ").capitalize())
        for value in ("COMPUTER_SOFTWARE", "EDUCATION_MANAGEMENT", "FINANCIAL_SERVICES", "HIGHER_EDUCATION",
                      "HOSPITAL_HEALTH_CARE", "INFORMATION_TECHNOLOGY_AND_SERVICES", "INTERNET", "RETAIL")
    ),
    "company.type": (
        ("PROSPECT", "Prospect"), ("PARTNER", "Partner"), ("RESELLER", "Reseller"), ("VENDOR", "Vendor"),
        ("OTHER", "Other"),
    ),
}  # fmt: skip

# One property a line: name, type, flags. Flags: ro = HubSpot alone sets it, calc = calculated,
# multi = several values, unique, owner/pipeline/stage = values live elsewhere, options=KEY.
_EVERY_OBJECT = """
hs_object_id                    number      ro unique
createdate                      datetime    ro
hs_merged_object_ids            enumeration ro multi
hs_object_source                string      ro
hs_object_source_id             string      ro
hs_object_source_label          string      ro
hs_object_source_user_id        number      ro
hs_created_by_user_id           number      ro
hs_updated_by_user_id           number      ro
hs_was_imported                 bool        ro
hubspot_owner_id                enumeration owner
hubspot_owner_assigneddate      datetime    ro
hubspot_team_id                 enumeration ro
hs_all_owner_ids                enumeration ro multi
notes_last_contacted            datetime    ro
notes_last_updated              datetime    ro
num_contacted_notes             number      ro
num_notes                       number      ro
hs_last_sales_activity_timestamp datetime   ro
"""
_CONTACT = """
email                           string      unique
firstname                       string
lastname                        string
salutation                      string
phone                           phone_number
mobilephone                     phone_number
fax                             string
jobtitle                        string
job_function                    string
seniority                       string
company                         string
website                         string
address                         string
city                            string
state                           string
zip                             string
country                         string
industry                        string
annualrevenue                   string
numemployees                    string
message                         string      area
hs_language                     string
hs_timezone                     string
lastmodifieddate                datetime    ro
closedate                       datetime
lifecyclestage                  enumeration options=lifecyclestage
hs_lead_status                  enumeration options=hs_lead_status
hs_additional_emails            enumeration ro multi
hs_calculated_merged_vids       enumeration ro calc multi
hs_email_domain                 string      ro calc
hs_full_name_or_email           string      ro calc
hs_searchable_calculated_phone_number string ro calc
hs_pipeline                     string      ro
hs_is_contact                   bool        ro calc
hs_is_unworked                  bool        ro calc
hs_email_optout                 bool        ro
hs_marketable_status            bool        ro
hs_marketable_until_renewal     bool        ro
hs_marketable_reason_type       string      ro
hs_email_open                   number      ro
hs_email_click                  number      ro
hs_email_delivered              number      ro
hs_email_bounce                 number      ro
hs_email_replied                number      ro
hs_email_last_open_date         datetime    ro
hs_email_last_click_date        datetime    ro
hs_email_last_send_date         datetime    ro
hs_sales_email_last_opened      datetime    ro
hs_sales_email_last_clicked     datetime    ro
hs_sales_email_last_replied     datetime    ro
hs_analytics_source             enumeration ro options=hs_analytics_source
hs_analytics_source_data_1      string      ro
hs_analytics_source_data_2      string      ro
hs_latest_source                enumeration ro options=hs_analytics_source
hs_latest_source_data_1         string      ro
hs_latest_source_data_2         string      ro
hs_latest_source_timestamp      datetime    ro
hs_analytics_first_timestamp    datetime    ro
hs_analytics_last_timestamp     datetime    ro
hs_analytics_first_url          string      ro
hs_analytics_last_url           string      ro
hs_analytics_first_referrer     string      ro
hs_analytics_last_referrer      string      ro
hs_analytics_first_touch_converting_campaign string ro
hs_analytics_last_touch_converting_campaign string ro
hs_analytics_num_page_views     number      ro
hs_analytics_num_visits         number      ro
hs_analytics_num_event_completions number   ro
hs_analytics_average_page_views number      ro
num_conversion_events           number      ro
num_unique_conversion_events    number      ro
first_conversion_date           datetime    ro
first_conversion_event_name     string      ro
recent_conversion_date          datetime    ro
recent_conversion_event_name    string      ro
num_associated_deals            number      ro calc
recent_deal_amount              number      ro calc
recent_deal_close_date          datetime    ro calc
associatedcompanyid             number      ro
hubspotscore                    number      ro calc
hs_v2_date_entered_current_stage datetime   ro calc
"""
_COMPANY = """
name                            string
domain                          string
website                         string
phone                           phone_number
address                         string
city                            string
state                           string
zip                             string
country                         string
industry                        enumeration options=company.industry
type                            enumeration options=company.type
numberofemployees               number
annualrevenue                   number
description                     string      area
lifecyclestage                  enumeration options=lifecyclestage
hs_lead_status                  enumeration options=hs_lead_status
hs_lastmodifieddate             datetime    ro
closedate                       datetime
num_associated_contacts         number      ro calc
num_associated_deals            number      ro calc
num_conversion_events           number      ro
hs_pipeline                     string      ro
hs_v2_date_entered_current_stage datetime   ro calc
"""
_DEAL = """
dealname                        string
amount                          number
pipeline                        enumeration pipeline
dealstage                       enumeration stage
dealtype                        enumeration options=dealtype
closedate                       datetime
description                     string      area
closed_lost_reason              string      area
closed_won_reason               string      area
hs_lastmodifieddate             datetime    ro
hs_is_closed                    bool        ro calc
hs_is_closed_won                bool        ro calc
hs_is_closed_lost               bool        ro calc
hs_deal_stage_probability       number      ro calc
num_associated_contacts         number      ro calc
"""
_LEAD = """
hs_lead_name                    string
hs_lead_type                    enumeration options=hs_lead_type
hs_lead_label                   enumeration options=hs_lead_label
hs_pipeline                     enumeration pipeline
hs_pipeline_stage               enumeration stage
hs_primary_contact_id           number      ro calc
hs_lead_disqualification_reason string
hs_createdate                   datetime    ro
hs_lastmodifieddate             datetime    ro
"""


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One kind of record: the name in paths, its type id, and where it differs from the others."""

    name: str
    singular: str
    type_id: str
    modified: str
    created: str
    shown: tuple[str, ...]
    searched: tuple[str, ...]
    first_id: int
    properties: str
    versions_kept: int = 20
    group: str = "information"
    pipeline: str | None = None
    stage: str | None = None


OBJECT_TYPES = (
    ObjectType(
        "contacts", "contact", "0-1", "lastmodifieddate", "createdate",
        ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        ("firstname", "lastname", "email", "phone", "company"),
        551_000_000_001, _CONTACT, 45, "contactinformation",
    ),
    ObjectType(
        "companies", "company", "0-2", "hs_lastmodifieddate", "createdate",
        ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        ("name", "domain", "phone", "website"),
        18_000_000_001, _COMPANY, group="companyinformation",
    ),
    ObjectType(
        "deals", "deal", "0-3", "hs_lastmodifieddate", "createdate",
        ("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id",
         "pipeline"),
        ("dealname", "description"),
        36_000_000_001, _DEAL, group="dealinformation", pipeline="pipeline", stage="dealstage",
    ),
    ObjectType(
        "leads", "lead", "0-136", "hs_lastmodifieddate", "hs_createdate",
        ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        ("hs_lead_name",),
        72_000_000_001, _LEAD, group="leadinformation", pipeline="hs_pipeline", stage="hs_pipeline_stage",
    ),
)  # fmt: skip


def object_type(name: str) -> ObjectType | None:
    """The object type of a path segment: plural, singular or type id."""
    return _BY_NAME.get(name)


_BY_NAME = {name: each for each in OBJECT_TYPES for name in (each.name, each.singular, each.type_id)}


def standard_definitions(kind: ObjectType) -> dict[str, Definition]:
    """The properties of a new portal's objects of this type."""
    lines = f"{_EVERY_OBJECT}{kind.properties}".split("\n")
    found = [_definition(kind, line.split()) for line in lines if line]
    if any(definition.name == "lifecyclestage" for definition in found):
        found += [
            _definition(kind, [f"hs_lifecyclestage_{stage}_date", "datetime", "ro"])
            for stage, _ in LIFECYCLE_STAGES
        ]
    return {definition.name: definition for definition in found}


def _definition(kind: ObjectType, words: list[str]) -> Definition:
    name, type_name, *flags = words
    options: tuple[Option, ...] = ()
    for flag in flags:
        if flag.startswith("options="):
            options = tuple(Option(value, label) for value, label in _OPTIONS[flag.removeprefix("options=")])
    reference = next((flag.upper() for flag in flags if flag in ("owner", "pipeline", "stage")), None)
    field_type = usual_field_type(type_name)
    if "multi" in flags:
        field_type = "checkbox"
    elif "area" in flags:
        field_type = "textarea"
    elif name == "lifecyclestage":
        field_type = "radio"
    return Definition(
        name,
        name.removeprefix("hs_").replace("_", " ").capitalize(),
        type_name,
        field_type,
        kind.group,
        options,
        calculated="calc" in flags,
        read_only="ro" in flags,
        unique="unique" in flags,
        reference=reference,
    )
