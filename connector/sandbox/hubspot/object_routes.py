"""The object API without its batches: single records, lists, search, merge, privacy delete."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from connector.sandbox.hubspot.batch_routes import batch
from connector.sandbox.hubspot.calls import Answer, Call
from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.inputs import links_of, sent_properties
from connector.sandbox.hubspot.merging import merge, privacy_delete
from connector.sandbox.hubspot.problems import no_such_path, not_valid, wrong_method
from connector.sandbox.hubspot.records import Origin
from connector.sandbox.hubspot.rendering import (
    UpdateView,
    associations_body,
    created_body,
    record_body,
    shown,
)
from connector.sandbox.hubspot.search import parse_query, run
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.writing import check_required, check_unique, create, prepare, update

MOST_A_PAGE = 100
MOST_WITH_HISTORY = 50


def objects(crm: Crm, call: Call, origin: Origin) -> Answer:
    """`/crm/v3/objects/{type}/…`. Raises Problem."""
    table = crm.table(call.parts[0])
    match (call.method, *call.parts[1:]):
        case ("GET",):
            return _list(crm, table, call)
        case ("POST",):
            return _create(crm, table, call, origin)
        case ("POST", "search"):
            return _search(crm, table, call)
        case ("POST", "merge"):
            return _merge(crm, table, call)
        case ("POST", "gdpr-delete") if table.kind.name == "contacts":
            return _privacy_delete(crm, table, call)
        case ("POST", "batch", action):
            return batch(crm, table, action, call, origin)
        case ("GET", record_id):
            return _get(crm, table, record_id, call)
        case ("PATCH", record_id):
            return _update(crm, table, record_id, call, origin)
        case ("DELETE", record_id):
            return _archive(crm, table, record_id)
        case (_,) | (_, _) | (_, "batch", _):
            raise wrong_method()
    raise no_such_path()


def _list(crm: Crm, table: Table, call: Call) -> Answer:
    history = call.texts("propertiesWithHistory") or []
    limit = call.number("limit", 10, MOST_WITH_HISTORY if history else MOST_A_PAGE)
    after = call.text("after")
    if after is not None and not after.isdecimal():
        raise not_valid(f"after must be a record id, not {after}")
    ids = table.archived_ids if call.flag("archived") else table.live_ids
    start = bisect_left(ids, int(after)) if after else 0
    names = shown(crm, table, call.texts("properties"))
    targets = call.texts("associations") or []
    results = []
    for record_id in ids[start : start + limit]:
        record = table.records[record_id]
        body = record_body(crm, table, record, names, history)
        if targets and (linked := associations_body(crm, table, record, targets)):
            body["associations"] = linked
        results.append(body)
    answer: dict[str, Any] = {"results": results}
    if start + limit < len(ids):
        following = str(ids[start + limit])  # `after` is the next record's id (hubspot.md section 7)
        link = f"https://api.hubapi.com/crm/v3/objects/{table.kind.name}?limit={limit}&after={following}"
        answer["paging"] = {"next": {"after": following, "link": link}}
    return Answer(200, answer)


def _get(crm: Crm, table: Table, record_id: str, call: Call) -> Answer:
    record = crm.find(table, record_id, call.text("idProperty"), call.flag("archived"))
    names = shown(crm, table, call.texts("properties"))
    body = record_body(crm, table, record, names, call.texts("propertiesWithHistory") or [])
    if linked := associations_body(crm, table, record, call.texts("associations") or []):
        body["associations"] = linked
    return Answer(200, body)


def _create(crm: Crm, table: Table, call: Call, origin: Origin) -> Answer:
    body = call.json()
    changes = prepare(crm, table, sent_properties(body), None, rules=call.rules)
    links = links_of(crm, table, body)
    check_required(table, changes, links)
    check_unique(crm, table, changes, None)
    return Answer(201, created_body(crm, table, create(crm, table, changes, origin, links)))


def _update(crm: Crm, table: Table, record_id: str, call: Call, origin: Origin) -> Answer:
    record = crm.find(table, record_id, call.text("idProperty"))
    sent = sent_properties(call.json())
    changes = prepare(crm, table, sent, record, rules=call.rules)
    check_unique(crm, table, changes, record)
    update(crm, table, record, changes, origin)
    return Answer(200, UpdateView(crm, table).body(record, sent))


def _archive(crm: Crm, table: Table, record_id: str) -> Answer:
    record = crm.lookup(table, record_id)
    if record is None:
        crm.find(table, record_id, archived=True)  # archiving twice is no error
    else:
        table.archive(record, crm.now_ms())
        crm.webhooks.note(crm, table, record.record_id, "deletion", changeFlag="DELETED")
    return Answer(204)


def _search(crm: Crm, table: Table, call: Call) -> Answer:
    query = parse_query(crm, table, call.json())
    found = run(crm, table, query)
    names = shown(crm, table, query.properties)
    body: dict[str, Any] = {
        "total": found.total,
        "results": [record_body(crm, table, record, names) for record in found.records],
    }
    if found.after is not None:
        body["paging"] = {"next": {"after": str(found.after)}}
    return Answer(200, body)


def _merge(crm: Crm, table: Table, call: Call) -> Answer:
    body = call.json()
    primary = crm.find(table, str(body.get("primaryObjectId", "")))
    other = crm.find(table, str(body.get("objectIdToMerge", "")))
    return Answer(200, created_body(crm, table, merge(crm, table, primary, other)))


def _privacy_delete(crm: Crm, table: Table, call: Call) -> Answer:
    body = call.json()
    text, id_property = str(body.get("objectId", "")), body.get("idProperty")
    address = text if id_property == "email" else None
    record = crm.lookup(table, text, id_property) or crm.lookup(table, text, archived=True)
    if record is None and address is None:
        crm.find(table, text)
    privacy_delete(crm, table, record, address)
    return Answer(204)
