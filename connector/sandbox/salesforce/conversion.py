"""Lead conversion: a lead becomes a contact of an account, with an opportunity or without.

The real API offers it only over SOAP and Apex, so here it is a Python call and a control endpoint. Source:
facts/salesforce.md 9.3 and the public page of convertLead(): into an existing record only empty fields are
filled. This file must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.sandbox.salesforce import stamps
from connector.sandbox.salesforce.derived import copy_person
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.saving import Save, insert, update, writable_row
from connector.sandbox.salesforce.schema import ObjectSpec, Row
from connector.sandbox.salesforce.world import World

_TO_CONTACT = {
    **{
        name: name
        for name in (
            "FirstName",
            "LastName",
            "Salutation",
            "Title",
            "Phone",
            "MobilePhone",
            "Fax",
            "Email",
            "Description",
            "LeadSource",
            "HasOptedOutOfEmail",
            "HasOptedOutOfFax",
            "DoNotCall",
        )
    },
    **{part: f"Mailing{part}" for part in ("Street", "City", "State", "PostalCode", "Country")},
}
_TO_ACCOUNT = {
    "Company": "Name",
    **{
        name: name
        for name in ("Phone", "Fax", "Website", "Industry", "AnnualRevenue", "NumberOfEmployees", "Rating")
    },
    **{part: f"Billing{part}" for part in ("Street", "City", "State", "PostalCode", "Country")},
}
_TO_OPPORTUNITY = {"LeadSource": "LeadSource"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """What to convert a lead into. Without `status`: the first converted one. Without `contact_id` or
    `account_id`: new ones. `opportunity_name` None: no opportunity. `owner_id`: who owns what is new; needed
    when a queue owns the lead."""

    lead_id: str
    status: str | None = None
    opportunity_name: str | None = None
    account_id: str | None = None
    contact_id: str | None = None
    owner_id: str | None = None
    overwrite_lead_source: bool = False


@dataclass(frozen=True, slots=True)
class ConvertResult:
    """The ids that the lead became."""

    lead_id: str
    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert(world: World, wanted: Conversion, by_user: str) -> ConvertResult:
    """Convert one lead, wholly or not at all. Raises Refusal."""
    lead = writable_row(world, world.objects["Lead"], wanted.lead_id)
    if lead.get("IsConverted"):
        raise Refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
    status = _status(world, wanted)
    owner_id = wanted.owner_id or lead["OwnerId"]
    if not owner_id.startswith("005"):
        message = (
            "Converted objects can only be owned by users. If the lead is not owned by a user, you must "
            "specify a user for the Owner field."
        )
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", message, ["OwnerId"])
    save = Save(by_user)
    with world.transaction():
        result = _create(world, wanted, lead, owner_id, save)
        _close_lead(world, lead, status, result, by_user)
        _move_children(world, lead["Id"], result)
    return result


def _status(world: World, wanted: Conversion) -> str:
    converted = [each.name for each in world.statuses if each.converted]
    status = wanted.status or converted[0]
    if status not in converted:
        raise Refusal("INVALID_STATUS", f"invalid convertedStatus: {status}", ["Status"])
    return status


def _create(world: World, wanted: Conversion, lead: Row, owner_id: str, save: Save) -> ConvertResult:
    objects = world.objects
    owner = {"OwnerId": owner_id}
    contact = world.live(wanted.contact_id)
    account_id = wanted.account_id or (contact or {}).get("AccountId")
    if account_id is None:
        fields = _carried(lead, objects["Account"], _TO_ACCOUNT, {})
        account_id = insert(world, objects["Account"], {**fields, **owner}, save)
    else:
        _fill(world, objects["Account"], account_id, lead, _TO_ACCOUNT, {}, save)
    to_account = {"AccountId": account_id}
    if wanted.contact_id is None:
        fields = _carried(lead, objects["Contact"], _TO_CONTACT, {})
        contact_id = insert(world, objects["Contact"], {**fields, **to_account, **owner}, save)
    else:
        contact_id = wanted.contact_id
        more = dict(to_account)
        if wanted.overwrite_lead_source and lead.get("LeadSource"):
            more["LeadSource"] = lead["LeadSource"]
        _fill(world, objects["Contact"], contact_id, lead, _TO_CONTACT, more, save)
    opportunity_id = None
    if wanted.opportunity_name is not None:
        fields = _carried(lead, objects["Opportunity"], _TO_OPPORTUNITY, {}) | {
            "Name": wanted.opportunity_name,
            "StageName": next(stage.name for stage in world.stages if not stage.closed),
            "CloseDate": stamps.end_of_quarter(stamps.day_of_ms(world.now_ms())),
            "ContactId": contact_id,
        }
        opportunity_id = insert(world, objects["Opportunity"], {**fields, **to_account, **owner}, save)
    return ConvertResult(lead["Id"], account_id, contact_id, opportunity_id)


def _carried(lead: Row, spec: ObjectSpec, standard: Mapping[str, str], filled: Row) -> Row:
    """The lead's values for the fields of the target that are still blank: the standard ones by the map, the
    custom ones by name."""
    pairs = list(standard.items()) + [(name, name) for name in lead if name.endswith("__c")]
    fields: Row = {}
    for source, target in pairs:
        value = lead.get(source)
        known = spec.fields.get(target)
        if known is None or value is None or not known.createable:
            continue
        if filled.get(target) is None or (filled[target] is False and value is True):
            fields[target] = value
    return fields


def _fill(
    world: World,
    spec: ObjectSpec,
    row_id: str,
    lead: Row,
    standard: Mapping[str, str],
    more: Row,
    save: Save,
) -> None:
    row = writable_row(world, spec, row_id)
    fields = _carried(lead, spec, standard, row)
    fields |= {name: value for name, value in more.items() if row.get(name) != value}
    update(world, spec, row_id, fields, save)


def _close_lead(world: World, lead: Row, status: str, result: ConvertResult, by_user: str) -> None:
    now = world.now_stamp()
    closed = {
        **lead,
        "Status": status,
        "IsConverted": True,
        "ConvertedDate": now[:10],
        "ConvertedAccountId": result.account_id,
        "ConvertedContactId": result.contact_id,
        "IsUnreadByOwner": False,
        "LastModifiedDate": now,
        "LastModifiedById": by_user,
        "SystemModstamp": now,
    }
    if result.opportunity_id is not None:
        closed["ConvertedOpportunityId"] = result.opportunity_id
    world.put("Lead", closed)


def _move_children(world: World, lead_id: str, result: ConvertResult) -> None:
    now = world.now_stamp()
    contact = world.row(result.contact_id)
    held = {each["CampaignId"] for each in world.children("CampaignMember", "ContactId", result.contact_id)}
    for member in world.children("CampaignMember", "LeadId", lead_id):
        if member["CampaignId"] in held or contact is None:
            continue
        moved = {**member, "ContactId": result.contact_id, "SystemModstamp": now, "LastModifiedDate": now}
        copy_person(moved, contact)
        world.put("CampaignMember", moved)
    for object_name in ("Task", "Event"):
        for activity in world.children(object_name, "WhoId", lead_id):
            moved = {**activity, "WhoId": result.contact_id, "AccountId": result.account_id}
            world.put(object_name, {**moved, "SystemModstamp": now})
