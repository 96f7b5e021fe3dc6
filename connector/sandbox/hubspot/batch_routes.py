"""The batch calls of the object API (hubspot.md section 5): what fails whole, what fails in part, what is
silently absent. Stores through `writing` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.hubspot.calls import Answer, Call, batch_answer
from connector.sandbox.hubspot.crm import Crm, not_unique
from connector.sandbox.hubspot.inputs import links_of, sent_properties
from connector.sandbox.hubspot.problems import Problem, missing_records, no_such_path, not_valid
from connector.sandbox.hubspot.records import Origin, Record
from connector.sandbox.hubspot.rendering import UpdateView, created_body, record_body, shown
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.times import iso
from connector.sandbox.hubspot.writing import (
    Claims,
    check_required,
    check_unique,
    create,
    prepare,
    refuse_whole,
    update,
)

MOST_WITH_HISTORY = 50
TRACE = "objectWriteTraceId"


def batch(crm: Crm, table: Table, action: str, call: Call, origin: Origin) -> Answer:
    """`POST …/batch/{action}`. Raises Problem when the batch fails whole."""
    run = _ACTIONS.get(action)
    if run is None:
        raise no_such_path()
    return run(_Batch(crm, table, call, origin, iso(crm.now_ms())))


@dataclass(slots=True)
class _Batch:
    """One batch under way. `results` pairs record ids with bodies."""

    crm: Crm
    table: Table
    call: Call
    origin: Origin
    started: str
    results: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def add(self, body: dict[str, Any], trace_id: Any) -> None:
        if trace_id is not None:
            body[TRACE] = trace_id
        self.results.append((body["id"], body))

    def answer(self, status: int = 200) -> Answer:
        """The order of results is not documented to be that of the inputs, so here it never is: they are
        sorted by their ids read backwards."""
        results = [body for _, body in sorted(self.results, key=lambda pair: pair[0][::-1])]
        return batch_answer(self.started, iso(self.crm.now_ms()), results, self.errors, status)


def _is_partial(inputs: Sequence[Mapping[str, Any]]) -> bool:
    """Only when every input carries a trace id of its own does a batch write fail in part."""
    traces = [each.get(TRACE) for each in inputs]
    return all(traces) and len(set(traces)) == len(traces)


def _ids(inputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the inputs. Raises Problem 400 for one that is no text or comes twice (what HubSpot does
    then is unknown: never send it)."""
    ids = [each.get("id") for each in inputs]
    if not all(isinstance(each, str) and each for each in ids):
        raise not_valid("Invalid input JSON: every input needs an id, as a string")
    repeated = sorted({str(each) for each in ids if ids.count(each) > 1})
    if repeated:
        raise not_valid(f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique")
    return [str(each) for each in ids]


def _read(work: _Batch) -> Answer:
    body = work.call.json()
    inputs = work.call.inputs()
    history = [str(name) for name in body.get("propertiesWithHistory") or []]
    if history and len(inputs) > MOST_WITH_HISTORY:
        raise not_valid(
            "The maximum number of inputs supported in a batch request for property histories is "
            f"{MOST_WITH_HISTORY}, but {len(inputs)} were given"
        )
    crm, table = work.crm, work.table
    names = shown(crm, table, body.get("properties") or None)
    missing: list[str] = []
    for text in dict.fromkeys(_text_id(each) for each in inputs):
        record = crm.lookup(table, text, body.get("idProperty"), work.call.flag("archived"))
        if record is None:
            missing.append(text)
        else:
            work.add(record_body(crm, table, record, names, history), None)
    if missing:
        work.errors.append(missing_records(table.kind.type_id, missing))
    return work.answer()


def _text_id(given: Mapping[str, Any]) -> str:
    record_id = given.get("id")
    if not isinstance(record_id, str):
        raise not_valid("Invalid input JSON: every input needs an id, as a string")
    return record_id


def _create(work: _Batch) -> Answer:
    crm, table, inputs = work.crm, work.table, work.call.inputs()
    partial = _is_partial(inputs)
    claims: Claims | None = None if partial else {}
    ready: list[tuple[dict[str, str], list[Any], Any]] = []
    for each in inputs:
        try:
            changes = prepare(crm, table, sent_properties(each), None, rules=work.call.rules)
            links = links_of(crm, table, each)
            check_required(table, changes, links)
            check_unique(crm, table, changes, None, claims)
        except Problem as problem:
            if not partial:
                raise
            work.errors.append(problem.item(each[TRACE]))
            continue
        if partial:
            record = create(crm, table, changes, work.origin, links)
            work.add(created_body(crm, table, record), each[TRACE])
        else:
            ready.append((changes, links, each.get(TRACE)))
    for changes, links, trace_id in ready:
        record = create(crm, table, changes, work.origin, links)
        work.add(created_body(crm, table, record), trace_id)
    return work.answer(201)


def _update(work: _Batch) -> Answer:
    crm, table, inputs = work.crm, work.table, work.call.inputs()
    partial = _is_partial(inputs)
    claims: Claims | None = None if partial else {}
    view = UpdateView(crm, table)
    missing: list[str] = []
    missing_traces: list[str] = []
    ready: list[tuple[Record, dict[str, str], Mapping[str, Any]]] = []
    for text, each in zip(_ids(inputs), inputs, strict=True):
        id_property = each.get("idProperty")
        if id_property == "email" or (id_property and not table.is_unique(id_property)):
            raise not_unique(table, "update/upsert")
        record = crm.lookup(table, text, id_property)
        if record is None:
            if _is_missing(table, text, id_property):
                missing.append(text)
                missing_traces += [each[TRACE]] if each.get(TRACE) else []
            continue
        try:
            changes = prepare(crm, table, sent_properties(each), record, rules=work.call.rules)
            check_unique(crm, table, changes, record, claims)
        except Problem as problem:
            if not partial:
                raise
            work.errors.append(problem.item(each[TRACE]))
            continue
        if partial:
            update(crm, table, record, changes, work.origin)
            work.add(view.body(record, each["properties"]), each[TRACE])
        else:
            ready.append((record, changes, each))
    for record, changes, given in ready:
        update(crm, table, record, changes, work.origin)
        work.add(view.body(record, given["properties"]), given.get(TRACE))
    if missing:
        work.errors.append(missing_records(table.kind.type_id, missing, missing_traces))
    return work.answer()


def _is_missing(table: Table, text: str, id_property: str | None) -> bool:
    """Whether an input that finds no record is an error. Two kinds are silently absent instead (reported):
    a record that was merged away, and something that is no record id at all, such as an e-mail address."""
    return bool(id_property) or (text.isdecimal() and int(text) not in table.merged)


def _upsert(work: _Batch) -> Answer:
    """One conflict refuses the whole batch with 409 (reported). With `idProperty` email it is all or nothing
    (documented as "not partial", without saying more)."""
    crm, table, inputs = work.crm, work.table, work.call.inputs()
    _ids(inputs)
    by_email = any(each.get("idProperty") == "email" for each in inputs)
    partial = _is_partial(inputs) and not by_email
    claims: Claims = {}
    view = UpdateView(crm, table)
    ready: list[tuple[Record | None, dict[str, str], Mapping[str, Any]]] = []
    for each in inputs:
        name = each.get("idProperty")
        if name and name != "hs_object_id" and not table.is_unique(name):
            raise not_unique(table, "update/upsert")
        record = crm.lookup(table, each["id"], name)
        sent = sent_properties(each)
        if record is None and name and name != "hs_object_id":
            sent = {name: each["id"], **sent}
        elif record is None:
            work.errors.append(missing_records(table.kind.type_id, [each["id"]]))
            continue
        try:
            changes = prepare(crm, table, sent, record, rules=work.call.rules)
            if record is None:
                check_required(table, changes, ())
        except Problem as problem:
            if not partial:
                raise
            work.errors.append(problem.item(each[TRACE]))
            continue
        try:
            check_unique(crm, table, changes, record, claims)
        except Problem as problem:
            raise refuse_whole(problem) from problem
        ready.append((record, changes, each))
    for record, changes, given in ready:
        if record is None:
            new = create(crm, table, changes, work.origin)
            body = created_body(crm, table, new) | {"new": True}
            work.add(body, given.get(TRACE))
        else:
            update(crm, table, record, changes, work.origin)
            body = view.body(record, given["properties"]) | {"new": False}
            work.add(body, given.get(TRACE))
    return work.answer()


def _archive(work: _Batch) -> Answer:
    for text in (_text_id(each) for each in work.call.inputs()):
        record = work.crm.lookup(work.table, text)
        if record is not None:  # ids that are not there are not reported
            work.table.archive(record, work.crm.now_ms())
            work.crm.webhooks.note(work.crm, work.table, record.record_id, "deletion", changeFlag="DELETED")
    return Answer(204)


_ACTIONS = {"read": _read, "create": _create, "update": _update, "upsert": _upsert, "archive": _archive}
