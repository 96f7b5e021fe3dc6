"""The values of the standard picklists, as a Developer Edition org has them. A `*` marks the default.

Source: recorded describes (facts/salesforce.md 9.1, 9.2, 10). The lead statuses and the opportunity stages
are rows of their own, since admins rename them. This file holds values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LeadStatus:
    """One status a lead can have. A lead gets a `converted` one only by conversion."""

    name: str
    converted: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of an opportunity, with what follows from it. `probability` in percent."""

    name: str
    probability: float
    category: str = "Pipeline"
    closed: bool = False
    won: bool = False


DEVELOPER_STATUSES: Final = (
    LeadStatus("Open - Not Contacted", default=True),
    LeadStatus("Working - Contacted"),
    LeadStatus("Closed - Converted", converted=True),
    LeadStatus("Closed - Not Converted"),
)
OTHER_STATUSES: Final = (
    LeadStatus("Contacted"),
    LeadStatus("Open", default=True),
    LeadStatus("Qualified", converted=True),
    LeadStatus("Unqualified"),
)
"""Another real org's statuses, to show that no name can be relied on."""

STAGES: Final = (
    Stage("Prospecting", 10),
    Stage("Qualification", 10),
    Stage("Needs Analysis", 20),
    Stage("Value Proposition", 50),
    Stage("Id. Decision Makers", 60),
    Stage("Perception Analysis", 70),
    Stage("Proposal/Price Quote", 75),
    Stage("Negotiation/Review", 90),
    Stage("Closed Won", 100, "Closed", closed=True, won=True),
    Stage("Closed Lost", 0, "Omitted", closed=True),
)

_INDUSTRIES = """Agriculture, Apparel, Banking, Biotechnology, Chemicals, Communications, Construction,
Consulting, Education, Electronics, Energy, Engineering, Entertainment, Environmental, Finance,
Food & Beverage, Government, Healthcare, Hospitality, Insurance, Machinery, Manufacturing, Media,
Not For Profit, Recreation, Retail, Shipping, Technology, Telecommunications, Transportation, Utilities,
Other"""

_TEXT: Final[Mapping[str, str]] = {
    "AccountType": "Prospect, Customer - Direct, Customer - Channel, Channel Partner / Reseller, "
    "Installation Partner, Technology Partner, Other",
    "CallType": "Internal, Inbound, Outbound",
    "CampaignStatus": "Planned*, In Progress, Completed, Aborted",
    "CampaignType": "Conference, Webinar, Trade Show, Public Relations, Partners, Referral Program, "
    "Advertisement, Banner Ads, Direct Mail, Email, Telemarketing, Other",
    "CleanStatus": "Matched, Different, Acknowledged, NotFound, Inactive, Pending, SelectMatch, Skipped",
    "EventSubtype": "Event",
    "ForecastCategory": "Omitted, Pipeline, BestCase, MostLikely, Forecast, Closed",
    "ForecastCategoryName": "Omitted, Pipeline, Best Case, Commit, Closed",
    "GeocodeAccuracy": "Address, NearAddress, Block, Street, ExtendedZip, Zip, Neighborhood, City, County, "
    "State, Unknown",
    "GroupEventType": "0*, 1, 2, 3",
    "GroupType": "Regular, Role, RoleAndSubordinates, Organization, Queue",
    "Industry": _INDUSTRIES,
    "LeadSource": "Web, Phone Inquiry, Partner Referral, Purchased List, Other",
    "LeadStatus": "",
    "MemberStatus": "Sent*, Responded",
    "OpportunityType": "Existing Customer - Upgrade, Existing Customer - Replacement, "
    "Existing Customer - Downgrade, New Customer",
    "Ownership": "Public, Private, Subsidiary, Other",
    "Rating": "Hot, Warm, Cold",
    "Role": "Business User, Decision Maker, Economic Buyer, Economic Decision Maker, Evaluator, "
    "Executive Sponsor, Influencer, Technical Buyer, Other",
    "Salutation": "Mr., Ms., Mrs., Dr., Prof., Mx.",
    "ShowAs": "Busy*, OutOfOffice, Free",
    "StageName": "",
    "Subject": "Call, Email, Meeting, Send Letter/Quote, Other",
    "TaskPriority": "High, Normal*, Low",
    "TaskStatus": "Not Started*, In Progress, Completed, Waiting on someone else, Deferred",
    "TaskSubtype": "Task*, Email, ListEmail, Cadence, Call, LinkedIn",
}

PICKLISTS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(value.strip() for value in text.split(",") if value.strip()) for name, text in _TEXT.items()
}
