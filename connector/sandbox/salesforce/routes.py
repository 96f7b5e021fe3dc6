"""From the path of a call to the resource that answers it. Source: facts/salesforce.md 3 to 8, 14.

A trailing slash makes no difference. This file must not answer anything itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.sandbox.salesforce import (
    refusals,
    rest_changes,
    rest_collections,
    rest_composite,
    rest_metadata,
    rest_rows,
)
from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.schema import ObjectSpec
from connector.sandbox.salesforce.soql_run import run_query

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg


def dispatch(org: SalesforceOrg, call: Call) -> Answer:
    """Answer a call. Raises Refusal."""
    match call.parts:
        case ("query" | "queryAll" as kind, *rest):
            return _query(org, call, kind, rest)
        case ("sobjects",):
            return rest_metadata.describe_all(org, call)
        case ("sobjects", name, *rest):
            return _sobject(org, call, _object(org, name), rest)
        case ("jobs", "query", *rest):
            return org.bulk.answer(call, rest)
        case ("composite", *rest):
            return _composite(org, call, rest)
        case ("limits",):
            return rest_metadata.limits(org)
        case ("limits", "recordCount"):
            return rest_metadata.record_count(org, call)
        case ():
            return rest_metadata.resources(call)
    raise refusals.not_found()


def kind_of_path(path: str) -> str:
    """A path with ids, keys and locators replaced, for counting: `sobjects/Lead/{id}`."""
    parts = path.strip("/").split("/")
    if parts[:2] != ["services", "data"] or len(parts) < 4:
        return path.strip("/")
    match parts[3:]:
        case ["query" | "queryAll" as kind, _]:
            return f"{kind}/{{locator}}"
        case ["jobs", "query", _, *rest]:
            return "/".join(["jobs/query/{id}", *rest])
        case ["sobjects", name, "describe" | "updated" | "deleted" as kind]:
            return f"sobjects/{name}/{kind}"
        case ["sobjects", name, _]:
            return f"sobjects/{name}/{{id}}"
        case ["sobjects", name, field, _]:
            return f"sobjects/{name}/{field}/{{value}}"
    return "/".join(parts[3:])


def _object(org: SalesforceOrg, name: str) -> ObjectSpec:
    spec = org.find_object(name)
    if spec is None:
        raise refusals.not_found()
    return spec


def _query(org: SalesforceOrg, call: Call, kind: str, rest: list[str]) -> Answer:
    if call.method != "GET":
        raise refusals.method_not_allowed(call.method, "HEAD,GET")
    if len(rest) == 1:
        return Answer(body=org.cursors.next_page(rest[0], call.base))
    if rest:
        raise refusals.not_found()
    text = call.query.get("q")
    if not text:
        raise refusals.Refusal("MALFORMED_QUERY", "A query string has to be specified")
    found = run_query(org, text, call.version, deleted_too=kind == "queryAll")
    return Answer(body=org.cursors.first_page(found, call.base, call.batch_size))


def _sobject(org: SalesforceOrg, call: Call, spec: ObjectSpec, rest: list[str]) -> Answer:
    match rest:
        case []:
            return rest_rows.of_object(org, spec, call)
        case ["describe"]:
            return rest_metadata.describe_one(org, spec, call)
        case ["updated" | "deleted" as kind]:
            return rest_changes.changed(org, spec, kind, call)
        case [row_id]:
            return rest_rows.of_row(org, spec, row_id, call)
        case [field, value]:
            return rest_rows.of_key(org, spec, field, value, call)
    raise refusals.not_found()


def _composite(org: SalesforceOrg, call: Call, rest: list[str]) -> Answer:
    if rest[:1] == ["sobjects"]:
        match rest[1:]:
            case []:
                return rest_collections.of_records(org, call)
            case [name]:
                return rest_collections.of_object(org, _object(org, name), call)
            case [name, field]:
                return rest_collections.of_key(org, _object(org, name), field, call)
    if call.method != "POST":
        raise refusals.method_not_allowed(call.method, "HEAD,GET,POST")
    if not rest:
        return rest_composite.composite(org, call, dispatch)
    if rest == ["batch"]:
        return rest_composite.batch(org, call, dispatch)
    raise refusals.not_found()
