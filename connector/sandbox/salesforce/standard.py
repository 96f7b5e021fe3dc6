"""The standard objects of a new org, put together from their tables.

Which objects the sandbox knows is decided here and nowhere else. This file holds no rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from connector.sandbox.salesforce import standard_activity, standard_people, standard_sales, standard_setup
from connector.sandbox.salesforce.picklists import PICKLISTS, LeadStatus, Stage
from connector.sandbox.salesforce.schema import ObjectSpec, field_table

_AUDIT: Final = """
CreatedDate              datetime - d
CreatedById              reference User d @CreatedBy
LastModifiedDate         datetime - d
LastModifiedById         reference User d @LastModifiedBy
SystemModstamp           datetime - d
"""

_OBJECTS: Final = (
    # name, key prefix, table, what can be done with its rows: create, update, delete, undelete, merge
    ("Lead", "00Q", standard_people.LEAD, "cudzm"),
    ("Contact", "003", standard_people.CONTACT, "cudzm"),
    ("Account", "001", standard_sales.ACCOUNT, "cudzm"),
    ("Opportunity", "006", standard_sales.OPPORTUNITY, "cudz"),
    ("OpportunityContactRole", "00K", standard_sales.OPPORTUNITY_CONTACT_ROLE, "cud"),
    ("Campaign", "701", standard_sales.CAMPAIGN, "cudz"),
    ("CampaignMember", "00v", standard_people.CAMPAIGN_MEMBER, "cud"),
    ("Task", "00T", standard_activity.TASK, "cudz"),
    ("Event", "00U", standard_activity.EVENT, "cudz"),
    ("User", "005", standard_setup.USER, "cu"),
    ("Group", "00G", standard_setup.GROUP, "cud"),
    ("LeadStatus", "01J", standard_setup.LEAD_STATUS, ""),
    ("OpportunityStage", "01k", standard_setup.OPPORTUNITY_STAGE, ""),
    ("Organization", "00D", standard_setup.ORGANIZATION, "u"),
)

_PLURALS: Final = {
    "Opportunity": "Opportunities",
    "OpportunityContactRole": "Opportunity Contact Role",
    "LeadStatus": "Lead Status Value",
}

NAME_FIELDS: Final = frozenset(
    {
        "Alias",
        "Email",
        "FirstName",
        "Id",
        "IsActive",
        "LastName",
        "Name",
        "Phone",
        "ProfileId",
        "Title",
        "Type",
        "UserRoleId",
        "Username",
    }
)
"""What can be asked for through a reference that may point at several objects (Owner of a Lead, Who of a
Task): the fields of the entity `Name` in the public object reference. `Type` is the object pointed at."""


def standard_objects(statuses: Sequence[LeadStatus], stages: Sequence[Stage]) -> dict[str, ObjectSpec]:
    """Fresh specifications of every standard object, by name."""
    objects = {
        name: ObjectSpec(
            name,
            prefix,
            field_table(table + _AUDIT, PICKLISTS),
            plural=_PLURALS.get(name, ""),
            createable="c" in can,
            updateable="u" in can,
            deletable="d" in can,
            undeletable="z" in can,
            mergeable="m" in can,
        )
        for name, prefix, table, can in _OBJECTS
    }
    use_statuses(objects["Lead"], statuses)
    stage_name = objects["Opportunity"].fields["StageName"]
    objects["Opportunity"].add(replace(stage_name, picklist=tuple(stage.name for stage in stages)))
    return objects


def use_statuses(lead: ObjectSpec, statuses: Sequence[LeadStatus]) -> None:
    """Make these the statuses a lead can have. Raises ValueError unless one is the default and one means
    converted."""
    default = [status.name for status in statuses if status.default]
    if len(default) != 1 or not any(status.converted for status in statuses):
        raise ValueError("lead statuses need exactly one default and at least one converted value")
    names = tuple(status.name for status in statuses)
    lead.add(replace(lead.fields["Status"], picklist=names, default=default[0]))
