"""Fields that Salesforce fills in from others when a row is saved, and what follows a save.

Names of people, the outcome of an opportunity's stage, campaign responses, closed tasks; the contact role
of a new opportunity, the last activity of a person. Source: facts/salesforce.md 8.1, 9.1, 9.2, 10. This file
must not check values that were sent, other than those only the platform may set.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.salesforce import stamps
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.schema import ObjectSpec, Row
from connector.sandbox.salesforce.world import World

_COMPOUNDS = {
    "Lead": {"Address": ""},
    "Contact": {"MailingAddress": "Mailing", "OtherAddress": "Other"},
    "Account": {"BillingAddress": "Billing", "ShippingAddress": "Shipping"},
    "Organization": {"Address": ""},
}
_ADDRESS_PARTS = (
    "City",
    "Country",
    "GeocodeAccuracy",
    "Latitude",
    "Longitude",
    "PostalCode",
    "State",
    "Street",
)
_WITH_PHOTO = frozenset({"Lead", "Contact", "Account"})
_PERSON_COPIES = (
    "Salutation",
    "Name",
    "FirstName",
    "LastName",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "LeadSource",
)


def computed(object_name: str, field: str, row: Row) -> Any:
    """The value of a field that is made up when it is read: compound addresses and the photo's URL."""
    if field == "PhotoUrl" and object_name in _WITH_PHOTO:
        return f"/services/images/photo/{row['Id']}"
    prefix = _COMPOUNDS[object_name][field]
    parts = {part[0].lower() + part[1:]: row.get(prefix + part) for part in _ADDRESS_PARTS}
    return None if all(value is None for value in parts.values()) else parts


def computed_fields(spec: ObjectSpec) -> frozenset[str]:
    """The names of the object's fields that `computed` answers for."""
    photo = {"PhotoUrl"} if spec.name in _WITH_PHOTO else set()
    return frozenset(photo | set(_COMPOUNDS.get(spec.name, {})))


def derive(world: World, object_name: str, row: Row, before: Row | None, sent: Row) -> None:
    """Fill in what follows from other fields, in place. Raises Refusal for what only Salesforce may set."""
    if object_name in ("Lead", "Contact", "User"):
        _name(row, before, sent)
        if object_name == "Lead":
            _refuse_converted_status(world, row, before)
    elif object_name == "Opportunity":
        _stage(world, row, before)
    elif object_name == "CampaignMember":
        _membership(world, row, before)
    elif object_name == "Task":
        _task(world, row, before)
    elif object_name == "Event":
        _event(row)


def follow_up(world: World, object_name: str, row: Row, before: Row | None) -> tuple[str, Row] | None:
    """What happens after the save. Returns the object and fields of a row that must be created now."""
    if object_name == "Opportunity" and before is None and row.get("ContactId"):
        role = {"OpportunityId": row["Id"], "ContactId": row["ContactId"], "IsPrimary": True}
        return "OpportunityContactRole", role
    if object_name in ("Task", "Event") and row.get("WhoId"):
        _last_activity(world, row)
    return None


def _name(row: Row, before: Row | None, sent: Row) -> None:
    if before is None or "FirstName" in sent or "LastName" in sent:
        parts = (row.get("FirstName"), row.get("LastName"))
        row["Name"] = " ".join(part for part in parts if part)


def _refuse_converted_status(world: World, row: Row, before: Row | None) -> None:
    status = row.get("Status")
    if row.get("IsConverted") or (before is not None and before.get("Status") == status):
        return
    if any(each.converted and each.name == status for each in world.statuses):
        raise Refusal("INVALID_STATUS", f"invalid status: {status}; convert the lead instead", ["Status"])


def _stage(world: World, row: Row, before: Row | None) -> None:
    moved = before is None or before.get("StageName") != row.get("StageName")
    if moved:
        stage = next((each for each in world.stages if each.name == row["StageName"]), None)
        row["IsClosed"] = stage.closed if stage else False
        row["IsWon"] = stage.won if stage else False
        sent_probability = before is None and row.get("Probability") is not None
        if stage and not sent_probability:
            row["Probability"] = float(stage.probability)
        row["ForecastCategory"] = row["ForecastCategoryName"] = stage.category if stage else "Pipeline"
        if before is not None:
            row["LastStageChangeDate"] = world.now_stamp()
    if row.get("Amount") is not None:
        row["ExpectedRevenue"] = row["Amount"] * (row.get("Probability") or 0.0) / 100
    else:
        row.pop("ExpectedRevenue", None)
    year, month = row["CloseDate"].split("-")[:2]
    quarter = (int(month) + 2) // 3
    row |= {"FiscalYear": int(year), "FiscalQuarter": quarter, "Fiscal": f"{year} {quarter}"}


def _membership(world: World, row: Row, before: Row | None) -> None:
    person_id = row.get("ContactId") or row.get("LeadId")
    person = world.live(person_id)
    if person is None or person_id is None:
        message = "Required fields are missing: [LeadId, ContactId]"
        raise Refusal("REQUIRED_FIELD_MISSING", message, ["LeadId", "ContactId"])
    if before is None:
        field = "ContactId" if row.get("ContactId") else "LeadId"
        for other in world.children("CampaignMember", field, person_id):
            if other["CampaignId"] == row["CampaignId"]:
                raise Refusal("DUPLICATE_VALUE", "Already a campaign member.", [])
    copy_person(row, person)
    row["HasResponded"] = row.get("Status") in world.responded
    if row["HasResponded"] and not row.get("FirstRespondedDate"):
        row["FirstRespondedDate"] = stamps.day_of_ms(world.now_ms())


def copy_person(row: Row, person: Row) -> None:
    """Let a campaign member show the person it stands for."""
    for field in _PERSON_COPIES:
        row.pop(field, None)
        if person.get(field) is not None:
            row[field] = person[field]
    is_lead = person["Id"].startswith("00Q")
    row |= {
        "LeadOrContactId": person["Id"],
        "LeadOrContactOwnerId": person["OwnerId"],
        "Type": "Lead" if is_lead else "Contact",
    }
    if is_lead and person.get("Company"):
        row["CompanyOrAccount"] = person["Company"]


def _task(world: World, row: Row, before: Row | None) -> None:
    closed = row.get("Status") == "Completed"
    if closed and not (before or {}).get("IsClosed"):
        row["CompletedDateTime"] = world.now_stamp()
    row["IsClosed"] = closed
    row["IsHighPriority"] = row.get("Priority") == "High"


def _event(row: Row) -> None:
    start = row.get("StartDateTime") or row.get("ActivityDateTime")
    if start:
        row |= {"StartDateTime": start, "ActivityDateTime": start, "ActivityDate": start[:10]}
    if row.get("EndDateTime"):
        row["EndDate"] = row["EndDateTime"][:10]


def _last_activity(world: World, activity: Row) -> None:
    """A past event or a closed task dates the person's last activity. That moves SystemModstamp only."""
    day = activity.get("ActivityDate") or activity["CreatedDate"][:10]
    person = world.live(activity["WhoId"])
    if person is None or not (activity.get("IsClosed") or day <= stamps.day_of_ms(world.now_ms())):
        return
    if (person.get("LastActivityDate") or "") < day:
        spec = world.object_of_id(person["Id"])
        if spec is not None:
            changed = {**person, "LastActivityDate": day, "SystemModstamp": world.now_stamp()}
            world.put(spec.name, changed)
