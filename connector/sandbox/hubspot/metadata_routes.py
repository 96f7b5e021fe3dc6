"""Properties, property groups, pipelines, owners and account details (hubspot.md sections 3 and 11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.sandbox.hubspot.calls import Answer, Call, batch_answer
from connector.sandbox.hubspot.crm import Crm, Owner
from connector.sandbox.hubspot.definitions import TYPES, Definition, options_from, usual_field_type
from connector.sandbox.hubspot.limits import Limits
from connector.sandbox.hubspot.pipelines import Pipeline
from connector.sandbox.hubspot.problems import Problem, no_such_path, no_such_record, not_valid, wrong_method
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.times import iso

MOST_CUSTOM = 1_000
MOST_UNIQUE = 10


def properties(crm: Crm, call: Call) -> Answer:
    """`/crm/v3/properties/{type}/…`. Raises Problem."""
    table = crm.table(call.parts[0])
    match (call.method, *call.parts[1:]):
        case ("GET",):
            wanted = call.flag("archived")
            found = [each for each in _visible(crm, table) if each.archived == wanted]
            return Answer(200, {"results": [each.to_json() for each in found]})
        case ("POST",):
            return Answer(201, define(crm, table, call.json()).to_json())
        case ("POST", "batch", "create"):
            started = iso(crm.now_ms())
            made = [define(crm, table, each).to_json() for each in call.inputs()]
            return batch_answer(started, iso(crm.now_ms()), made, status=201)
        case ("POST", "batch", "read"):
            return _read_batch(crm, table, call)
        case ("GET", "groups"):
            return Answer(200, {"results": [_group(table)]})
        case ("GET", name):
            return Answer(200, _definition(crm, table, name).to_json())
        case ("PATCH", name):
            return Answer(200, _redefine(crm, table, name, call.json()).to_json())
        case ("DELETE", name):
            definition = _definition(crm, table, name)
            if definition.hubspot_defined:
                raise not_valid(f"{name} is defined by HubSpot and cannot be archived")
            definition.archived = True
            return Answer(204)
    raise wrong_method() if len(call.parts) < 4 else no_such_path()


def _visible(crm: Crm, table: Table) -> list[Definition]:
    name = table.kind.name
    return [each for each in table.definitions.values() if not crm.faults.is_hidden(name, each.name)]


def _definition(crm: Crm, table: Table, name: str) -> Definition:
    definition = table.definitions.get(name)
    if definition is None or definition.archived or crm.faults.is_hidden(table.kind.name, name):
        raise no_such_record()
    return definition


def _read_batch(crm: Crm, table: Table, call: Call) -> Answer:
    started = iso(crm.now_ms())
    by_name = {each.name: each for each in _visible(crm, table) if not each.archived}
    names = [str(each.get("name")) for each in call.inputs()]
    found = [by_name[name].to_json() for name in names if name in by_name]
    missing = [name for name in names if name not in by_name]
    errors: list[dict[str, Any]] = []
    if missing:
        errors.append(
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": "The following property names were not found",
                "context": {"ids": missing},
            }
        )
    return batch_answer(started, iso(crm.now_ms()), found, errors)


def define(crm: Crm, table: Table, body: Mapping[str, Any]) -> Definition:
    """Create a custom property; the name of an archived one restores it. Raises Problem."""
    name, type_name = str(body.get("name", "")), body.get("type")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name):
        raise not_valid(f"{name!r} is not a property name: lower-case letters, digits and _ only")
    missing = [key for key in ("label", "groupName", "type", "fieldType") if not body.get(key)]
    if missing or type_name not in TYPES:
        raise not_valid(f"A property needs label, groupName, fieldType and a type of {', '.join(TYPES)}")
    existing = table.definitions.get(name)
    if existing is not None and existing.archived:
        existing.archived = False
        return existing
    if existing is not None:
        raise Problem(
            409,
            f"A property named '{name}' already exists.",
            "OBJECT_ALREADY_EXISTS",
            {"subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS"},
        )
    custom = [each for each in table.definitions.values() if not each.hubspot_defined]
    unique = bool(body.get("hasUniqueValue"))
    if len(custom) >= MOST_CUSTOM or (unique and sum(each.unique for each in custom) >= MOST_UNIQUE):
        raise not_valid(f"The limit of custom properties ({MOST_CUSTOM}, unique {MOST_UNIQUE}) is reached")
    options = options_from(body.get("options") or [])
    if type_name == "bool" and not options:
        options = options_from(["true", "false"])
    definition = Definition(
        name,
        str(body["label"]),
        type_name,
        str(body.get("fieldType") or usual_field_type(type_name)),
        str(body["groupName"]),
        options,
        unique=unique,
        hubspot_defined=False,
        reference="OWNER" if body.get("externalOptions") else None,
        description=str(body.get("description") or ""),
        created_ms=crm.now_ms(),
    )
    table.add_definition(definition)
    return definition


def _redefine(crm: Crm, table: Table, name: str, body: Mapping[str, Any]) -> Definition:
    definition = _definition(crm, table, name)
    if "options" in body:
        if not definition.to_json()["modificationMetadata"]["readOnlyOptions"]:
            definition.set_options(options_from(body["options"]))  # replaces the list (hubspot.md section 11)
        else:
            raise not_valid(f"The options of {name} cannot be changed")
    definition.label = str(body.get("label", definition.label))
    definition.description = str(body.get("description", definition.description))
    return definition


def _group(table: Table) -> dict[str, Any]:
    return {"name": table.kind.group, "label": table.kind.group, "displayOrder": 0, "archived": False}


def pipelines(crm: Crm, call: Call) -> Answer:
    """`/crm/v3/pipelines/{type}/…`. Raises Problem."""
    if call.method != "GET":
        raise wrong_method()
    found = crm.pipelines.get(crm.table(call.parts[0]).kind.name, ())
    if len(call.parts) == 1:
        return Answer(200, {"results": [_pipeline(each) for each in found]})
    for each in found:
        if each.pipeline_id == call.parts[1]:
            body = _pipeline(each)
            if len(call.parts) == 2:
                return Answer(200, body)
            if call.parts[2:] == ("stages",):
                return Answer(200, {"results": body["stages"]})
    raise no_such_record()


def _pipeline(pipeline: Pipeline) -> dict[str, Any]:
    base = {"archived": False, "createdAt": iso(0), "updatedAt": iso(0)}
    stages = [
        {
            "id": stage.stage_id,
            "label": stage.label,
            "displayOrder": order,
            "metadata": {
                "isClosed": "true" if stage.is_closed else "false",
                "probability": stage.probability,
            },
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            **base,
        }
        for order, stage in enumerate(pipeline.stages)
    ]
    named = {"id": pipeline.pipeline_id, "label": pipeline.label, "displayOrder": 0}
    return {**named, "stages": stages, **base}


def owners(crm: Crm, call: Call) -> Answer:
    """`/crm/v3/owners`, with or without a slash at the end. Raises Problem."""
    if call.method != "GET":
        raise wrong_method()
    if call.parts:
        return Answer(200, _owner(crm, call).to_json())
    archived, email = call.flag("archived"), call.text("email")
    limit, after = call.number("limit", 100, 500), int(call.text("after") or 0)
    found = [
        owner
        for owner in sorted(crm.owners.values(), key=lambda each: each.owner_id)
        if owner.active != archived
        and owner.owner_id >= after
        and (not email or owner.email == email.lower())
    ]
    body: dict[str, Any] = {"results": [owner.to_json() for owner in found[:limit]]}
    if len(found) > limit:
        following = str(found[limit].owner_id)
        body["paging"] = {"next": {"after": following, "link": f"?after={following}"}}
    return Answer(200, body)


def _owner(crm: Crm, call: Call) -> Owner:
    wanted, by_user = call.parts[0], call.text("idProperty") == "userId"
    for owner in crm.owners.values():
        own_id = owner.user_id if by_user else owner.owner_id
        if str(own_id) == wanted and owner.active != call.flag("archived"):
            return owner
    raise no_such_record()


def account(crm: Crm, limits: Limits, account_type: str, call: Call) -> Answer:
    """`/account-info/v3/…`: who this portal is, and what is used of the day. Raises Problem."""
    if call.method != "GET":
        raise wrong_method()
    now = datetime.fromtimestamp(crm.now_ms() / 1_000, UTC).astimezone(ZoneInfo(limits.time_zone))
    if call.parts == ("details",):
        seconds = int((now.utcoffset() or now - now).total_seconds())
        sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
        return Answer(
            200,
            {
                "portalId": crm.portal_id,
                "accountType": account_type,
                "timeZone": limits.time_zone,
                "companyCurrency": "USD",
                "additionalCurrencies": [],
                "utcOffset": f"{sign}{minutes // 60:02d}:{minutes % 60:02d}",
                "utcOffsetMilliseconds": seconds * 1_000,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "na1",
            },
        )
    if call.parts == ("api-usage", "daily", "private-apps"):
        usage = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": limits.daily,
            "currentUsage": limits.used,
            "collectedAt": iso(crm.now_ms()),
            "fetchStatus": "SUCCESS",
        }
        return Answer(200, {"results": [usage]})
    raise no_such_path()
