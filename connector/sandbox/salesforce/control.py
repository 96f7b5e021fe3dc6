"""The org's own control endpoints under `/_sandbox/`: what a person does in the browser, by POST.

No login, not counted, never failed. State, faults, requests and the clock are answered by the host, for both
platforms. This file must not hold rules of its own: it calls the org's Python API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from connector.sandbox.salesforce.calls import Answer
from connector.sandbox.salesforce.picklists import LeadStatus
from connector.sandbox.salesforce.refusals import Refusal, not_found
from connector.sandbox.salesforce.schema import custom_field
from connector.sandbox.salesforce.world import DuplicateRule, ValidationRule
from connector.sandbox.wording import of_keys

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

Json = dict[str, Any]


def answer(org: SalesforceOrg, method: str, parts: list[str], content: bytes) -> Answer:
    """Answer a control request. Raises Refusal, also for what is not understood."""
    name = "/".join(parts)
    action = ACTIONS.get(name) if method == "POST" else None
    if action is None:
        known = ", ".join(f"POST {each}" for each in ACTIONS)
        raise not_found(f"no control endpoint {method} {name}; there are: {known}")
    try:
        body = orjson.loads(content or b"{}")
        if not isinstance(body, dict):
            raise TypeError("the body must be a JSON object")
        return Answer(body=action(org, body))
    except (KeyError, TypeError, ValueError) as error:
        what = f"missing {error}" if isinstance(error, KeyError) else of_keys(error)
        raise Refusal("INVALID_INPUT", what) from error


def _records(org: SalesforceOrg, body: Json) -> Json:
    """`{"object", "action": insert|update|delete|undelete|purge|touch, "id", "fields", "by_user"}`, or a list
    of such under `records`. The fields of an insert may be given without an action."""
    if "records" in body:
        return {"ids": [_record(org, each) for each in body["records"]]}
    return {"id": _record(org, body)}


def _record(org: SalesforceOrg, body: Mapping[str, Any]) -> str:
    action, name, fields = body.get("action", "insert"), body["object"], body.get("fields") or {}
    by_user = body.get("by_user")
    if action == "insert":
        return org.insert(name, by_user=by_user, **fields)
    row_id = str(body["id"])
    match action:
        case "update":
            org.update(name, row_id, by_user=by_user, **fields)
        case "delete":
            org.delete(name, row_id, by_user=by_user)
        case "undelete":
            org.undelete(name, row_id, by_user=by_user)
        case "purge":
            org.purge(name, row_id)
        case "touch":
            org.touch(name, row_id, **fields)
        case _:
            raise ValueError(f"unknown action {action!r}")
    return row_id


def _convert(org: SalesforceOrg, body: Json) -> Json:
    """The arguments of `SalesforceOrg.convert_lead`."""
    return asdict(org.convert_lead(**body))


def _merge(org: SalesforceOrg, body: Json) -> Json:
    """`{"master", "losers": […], "fields"}`."""
    losers = body["losers"] if "losers" in body else [body["loser"]]
    org.merge(body["master"], *losers, by_user=body.get("by_user"), **body.get("fields") or {})
    return {"id": body["master"]}


def _fields(org: SalesforceOrg, body: Json) -> Json:
    """`{"object", "name", "type", …}` as `custom_field` takes them; or `{"leadloop": true}` for ours."""
    if body.get("leadloop"):
        org.add_leadloop_fields()
        return {"added": "leadloop"}
    options = {name: value for name, value in body.items() if name not in ("object", "name", "type")}
    spec = custom_field(body["name"], body.get("type", "string"), **options)
    org.add_field(body["object"], spec)
    return {"added": spec.name}


def _validation_rules(org: SalesforceOrg, body: Json) -> Json:
    """The attributes of `ValidationRule`; with `"remove": true` the rule goes."""
    if body.pop("remove", False):
        org.remove_validation_rule(body["object"], body["name"])
    else:
        org.add_validation_rule(ValidationRule(**body))
    return {"name": body["name"]}


def _duplicate_rules(org: SalesforceOrg, body: Json) -> Json:
    rule = DuplicateRule(**{**body, "against": tuple(body.get("against", ("Lead", "Contact")))})
    org.add_duplicate_rule(rule)
    return {"name": rule.name}


def _people(org: SalesforceOrg, body: Json) -> Json:
    """`{"queue": name}`, or `{"name", "email", "active"}` for a user."""
    if "queue" in body:
        return {"id": org.add_queue(body["queue"])}
    return {"id": org.add_user(body["name"], body["email"], body.get("active", True))}


def _outbound_messages(org: SalesforceOrg, body: Json) -> Json:
    """`{"url", "objects", "own"}`: with `own` also for what the integration user saves."""
    objects = body.get("objects", ("Lead", "Contact", "Opportunity"))
    org.outbound.set_up(body["url"], objects, None if body.get("own") else org.integration_user_id)
    return {"objects": list(objects)}


def _settings(org: SalesforceOrg, body: Json) -> Json:
    """`assignment_owner`, `daily_limit`, `page_size`, `statuses`, `certificate` (PEM, for JWT).

    Of Bulk API jobs: `bulk_seconds` (how long they take), `bulk_failure` (the message with which they fail;
    blank: they do not), `abort_bulk_jobs` (true: somebody aborts them all)."""
    if "assignment_owner" in body:
        org.assignment_owner = body["assignment_owner"]
    if "daily_limit" in body:
        org.daily_limit = int(body["daily_limit"])
    if "page_size" in body:
        org.page_size = org.bulk.page_size = int(body["page_size"])
    if "bulk_seconds" in body:
        org.bulk.seconds = float(body["bulk_seconds"])
    if "bulk_failure" in body:
        org.bulk.failure = str(body["bulk_failure"]) or None
    if body.get("abort_bulk_jobs"):
        for job_id in org.bulk.jobs:
            org.bulk.abort(job_id)
    if "statuses" in body:
        org.set_lead_statuses([LeadStatus(**each) for each in body["statuses"]])
    if "certificate" in body:
        org.auth.trust(body["certificate"])
    return {
        "assignment_owner": org.assignment_owner,
        "daily_limit": org.daily_limit,
        "page_size": org.page_size,
    }


def _change_events(org: SalesforceOrg, body: Json) -> Json:
    """`{"select": […]}` the objects whose changes are told; `{"channel": "Leads__chn", "of": […]}`;
    `{"gaps": true}`: changes are told as gaps; `{"gap": "GAP_UPDATE", "object", "ids"}`; `{"overflow":
    "Lead"}`; `{"reset": true}`: no replay id of before is known."""
    changes = org.changes
    if "select" in body:
        changes.select(*body["select"])
    if "channel" in body:
        changes.add_channel(body["channel"], *body["of"])
    if "gaps" in body:
        changes.gaps = bool(body["gaps"])
    if "gap" in body:
        changes.tell_gap(body["object"], body["gap"], *body["ids"])
    if "overflow" in body:
        changes.tell_gap(body["overflow"], "GAP_OVERFLOW")
    if body.get("reset"):
        changes.reset()
    return {"selected": sorted(changes.selected), "channels": changes.channels, "gaps": changes.gaps}


ACTIONS: Mapping[str, Callable[[SalesforceOrg, Json], Any]] = {
    "records": _records,
    "convert": _convert,
    "merge": _merge,
    "fields": _fields,
    "validation-rules": _validation_rules,
    "duplicate-rules": _duplicate_rules,
    "people": _people,
    "outbound-messages": _outbound_messages,
    "change-events": _change_events,
    "settings": _settings,
}
