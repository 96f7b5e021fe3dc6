"""Several requests in one: composite with references between them, and batch.

A composite counts as one call and may hold 25 subrequests, of which 5 are queries or collections; of a batch
each subrequest counts. Source: facts/salesforce.md 6. This file must not know what the subrequests do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.refusals import Refusal, bad_json, not_found

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

Json = dict[str, Any]
Dispatch = Callable[["SalesforceOrg", Call], Answer]

MOST_SUBREQUESTS = 25
MOST_QUERIES = 5

_REFERENCE = re.compile(r"@\{([^}]+)\}")
_SHOWN_HEADERS = ("Location", "ETag", "Last-Modified")
_HALTED = Refusal(
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)


def composite(org: SalesforceOrg, call: Call, dispatch: Dispatch) -> Answer:
    """`POST composite`. Raises Refusal when the request as a whole is not acceptable."""
    body = call.json_object()
    wanted = _subrequests(body, "compositeRequest")
    names = [each.get("referenceId") for each in wanted]
    if len(set(names)) != len(names) or not all(isinstance(name, str) and name for name in names):
        raise Refusal("INVALID_INPUT", "each subrequest needs a referenceId of its own")
    queries = sum(_is_query(str(each.get("url", ""))) for each in wanted)
    if queries > MOST_QUERIES:
        message = f"The limit of {MOST_QUERIES} query and collection subrequests was exceeded"
        raise Refusal("LIMIT_EXCEEDED", message)
    if body.get("allOrNone") is not True:
        return Answer(body={"compositeResponse": _run(org, call, wanted, dispatch)})
    with org.transaction() as roll_back:
        results = _run(org, call, wanted, dispatch)
        if all(result["httpStatusCode"] < 400 for result in results):
            return Answer(body={"compositeResponse": results})
        roll_back()
    for result in results:
        if result["httpStatusCode"] < 400:
            result |= {"body": _HALTED.body, "httpHeaders": {}, "httpStatusCode": 400}
    return Answer(body={"compositeResponse": results})


def batch(org: SalesforceOrg, call: Call, dispatch: Dispatch) -> Answer:
    """`POST composite/batch`: independent subrequests, each of which commits by itself."""
    body = call.json_object()
    halt = body.get("haltOnError") is True
    results: list[Json] = []
    failed = False
    for each in _subrequests(body, "batchRequests"):
        if failed and halt:
            halted = Refusal("BATCH_PROCESSING_HALTED", "Batch processing halted as requested.")
            results.append({"statusCode": 412, "result": halted.body})
            continue
        url = "/services/data/" + str(each.get("url", "")).lstrip("/").removeprefix("services/data/")
        answer = _answered(org, call, str(each.get("method")), url, each.get("richInput"), {}, dispatch)
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    org.quota.count(max(0, len(results) - 1))
    return Answer(body={"hasErrors": failed, "results": results})


def _subrequests(body: Json, key: str) -> list[Json]:
    wanted = body.get(key)
    if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
        raise bad_json(f"{key} must be a list of subrequests")
    if len(wanted) > MOST_SUBREQUESTS:
        message = f"The limit of {MOST_SUBREQUESTS} subrequests was exceeded"
        raise Refusal("LIMIT_EXCEEDED", message)
    return wanted


def _is_query(url: str) -> bool:
    parts = url.partition("?")[0].strip("/").split("/")[3:]
    return parts[:1] in (["query"], ["queryAll"]) or parts[:2] == ["composite", "sobjects"]


def _run(org: SalesforceOrg, call: Call, wanted: list[Json], dispatch: Dispatch) -> list[Json]:
    bodies: dict[str, Any] = {}
    results = []
    for each in wanted:
        name = each["referenceId"]
        try:
            url = _filled(str(each.get("url", "")), bodies)
            sent = _filled(each.get("body"), bodies)
            headers = each.get("httpHeaders") or {}
            answer = _answered(org, call, str(each.get("method")), url, sent, headers, dispatch)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body)
        if answer.status < 400:
            bodies[name] = answer.body
        shown = {key: value for key, value in answer.headers.items() if key in _SHOWN_HEADERS}
        results.append(
            {
                "body": answer.body,
                "httpHeaders": shown,
                "httpStatusCode": answer.status,
                "referenceId": name,
            }
        )
    return results


def _answered(
    org: SalesforceOrg,
    call: Call,
    method: str,
    url: str,
    body: Any,
    headers: Mapping[str, str],
    dispatch: Dispatch,
) -> Answer:
    path, _, query = url.partition("?")
    parts = path.strip("/").split("/")
    inside_itself = parts[3:] in (["composite"], ["composite", "batch"])
    if parts[:2] != ["services", "data"] or len(parts) < 3 or inside_itself:
        return Answer(404, not_found().body)
    inner = Call(
        method,
        parts[2].removeprefix("v"),
        tuple(unquote(part) for part in parts[3:] if part),
        dict(parse_qsl(query, keep_blank_values=True)),
        {**_inherited(call.headers), **{name.lower(): str(value) for name, value in headers.items()}},
        call.user_id,
        body=body,
    )
    try:
        return dispatch(org, inner)
    except Refusal as refusal:
        return Answer(refusal.status, refusal.body)


def _inherited(headers: Mapping[str, str]) -> dict[str, str]:
    """The choice made by these headers holds for the whole transaction."""
    return {name: value for name, value in headers.items() if name.startswith("sforce-")}


def _filled(value: Any, bodies: Mapping[str, Any]) -> Any:
    """The value with every `@{name.path}` replaced. Raises Refusal for a reference to nothing."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole is not None:
            return _looked_up(whole[1], bodies)
        return _REFERENCE.sub(lambda match: str(_looked_up(match[1], bodies)), value)
    if isinstance(value, dict):
        return {key: _filled(each, bodies) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, bodies) for each in value]
    return value


def _looked_up(path: str, bodies: Mapping[str, Any]) -> Any:
    name, *steps = re.findall(r"[^.\[\]]+", path)
    try:
        found = bodies[name]
        for step in steps:
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (KeyError, IndexError, TypeError, ValueError):
        message = f"Invalid reference specified. No value for {path} found in {name}"
        raise Refusal("PROCESSING_HALTED", message) from None
    return found
