"""What a new org holds before anybody works in it: its own record, two users, statuses and stages.

This file must not be used once the org is at work, but for changed statuses.
"""

from __future__ import annotations

from connector.sandbox.salesforce.schema import Row
from connector.sandbox.salesforce.world import World

_LOCALE: Row = {
    "TimeZoneSidKey": "UTC",
    "LocaleSidKey": "en_US",
    "LanguageLocaleKey": "en_US",
    "EmailEncodingKey": "UTF-8",
}


def user_row(name: str, email: str, username: str | None, active: bool) -> Row:
    """The fields of a user as an admin enters them."""
    first, _, last = name.rpartition(" ")
    return {
        "FirstName": first or None,
        "LastName": last,
        "Email": email,
        "Username": username or email,
        "Alias": name.replace(" ", "").lower()[:8],
        "CommunityNickname": email.partition("@")[0][:40],
        "IsActive": active,
        **_LOCALE,
    }


def fill_new_org(world: World, name: str, username: str) -> tuple[str, str]:
    """Put in what every org starts with. Returns the ids of the administrator and of the API's user."""
    spec = world.objects["User"]
    admin_id, api_id = world.new_id(spec), world.new_id(spec)
    for row_id, who, email, login in (
        (admin_id, "Ada Admin", "admin@sandbox.example", None),
        (api_id, "Integration User", username, username),
    ):
        row = {key: value for key, value in user_row(who, email, login, True).items() if value is not None}
        _put(world, "User", {**row, "Id": row_id, "Name": who, "UserType": "Standard"}, admin_id)
    organization = {
        "Id": world.organization_id,
        "Name": name,
        "Country": "US",
        "PrimaryContact": "Ada Admin",
        "DefaultLocaleSidKey": "en_US",
        "TimeZoneSidKey": "UTC",
        "LanguageLocaleKey": "en_US",
        "FiscalYearStartMonth": 1,
        "OrganizationType": "Developer Edition",
        "InstanceName": "SBX1",
        "IsSandbox": True,
        "IsReadOnly": False,
    }
    _put(world, "Organization", organization, admin_id)
    save_statuses(world, admin_id)
    for place, stage in enumerate(world.stages, start=1):
        row = {
            "MasterLabel": stage.name,
            "ApiName": stage.name,
            "IsActive": True,
            "SortOrder": place,
            "IsClosed": stage.closed,
            "IsWon": stage.won,
            "ForecastCategory": stage.category,
            "ForecastCategoryName": stage.category,
            "DefaultProbability": float(stage.probability),
        }
        _put(
            world,
            "OpportunityStage",
            {"Id": world.new_id(world.objects["OpportunityStage"]), **row},
            admin_id,
        )
    return admin_id, api_id


def save_statuses(world: World, by_user: str | None = None) -> None:
    """Make the LeadStatus rows those of `world.statuses`."""
    table = world.tables["LeadStatus"]
    user = by_user or next(iter(world.tables["User"].rows))
    for row_id in list(table.rows):
        table.remove(row_id)
    for place, status in enumerate(world.statuses, start=1):
        row = {
            "MasterLabel": status.name,
            "ApiName": status.name,
            "SortOrder": place,
            "IsDefault": status.default,
            "IsConverted": status.converted,
        }
        _put(world, "LeadStatus", {"Id": world.new_id(world.objects["LeadStatus"]), **row}, user)


def _put(world: World, object_name: str, row: Row, by_user: str) -> None:
    now = world.now_stamp()
    audit = {
        "CreatedDate": now,
        "CreatedById": by_user,
        "LastModifiedDate": now,
        "LastModifiedById": by_user,
        "SystemModstamp": now,
    }
    world.put(object_name, {**row, **audit})
