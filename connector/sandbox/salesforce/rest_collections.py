"""Up to 200 records in one call: create, update, upsert, delete, retrieve, each with a result of its own.

The HTTP status is 200 also when every record failed. Source: facts/salesforce.md 5. This file must not check
values; it only keeps the results in step with what was sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from connector.sandbox.salesforce import ids, refusals, removal, saving
from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.refusals import NO_OBJECT_HINT, Refusal, bad_json
from connector.sandbox.salesforce.rest_rows import field_names, key_field, spelled
from connector.sandbox.salesforce.saving import Save
from connector.sandbox.salesforce.schema import FieldSpec, ObjectSpec

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

Json = dict[str, Any]
Step = Callable[[], tuple[str, bool | None]]
"""Carries out one record: its id, and for an upsert whether it was created."""

MOST_RECORDS = 200
MOST_RETRIEVED = 2_000
MOST_CHUNKS = 10


def of_records(org: SalesforceOrg, call: Call) -> Answer:
    """`composite/sobjects`: create, update, delete."""
    if call.method == "DELETE":
        listed = call.required("ids").split(",")
        _check_count(listed)
        all_or_none = call.query.get("allOrNone", "").lower() == "true"
        return _carried_out(org, [_deletion(org, text.strip(), call) for text in listed], all_or_none)
    if call.method == "GET":
        raise refusals.not_found()
    if call.method not in ("POST", "PATCH"):
        raise refusals.method_not_allowed(call.method, "HEAD,GET,POST,PATCH,DELETE")
    records, all_or_none = _records(call)
    save = call.save
    if call.method == "POST":
        return _carried_out(org, [_creation(org, record, save) for record in records], all_or_none)
    repeated = _repeated(
        [ids.canonical(_id_of(record)) if isinstance(record, dict) else None for record in records]
    )
    steps = [_change(org, record, repeated, save) for record in records]
    return _carried_out(org, steps, all_or_none)


def of_object(org: SalesforceOrg, spec: ObjectSpec, call: Call) -> Answer:
    """`composite/sobjects/Lead`: retrieve by id."""
    if call.method == "POST":
        body = call.json_object()
        listed, names = body.get("ids"), body.get("fields")
    elif call.method == "GET":
        listed, names = call.required("ids").split(","), field_names(call.required("fields"))
    else:
        raise refusals.method_not_allowed(call.method, "HEAD,GET,POST")
    if not isinstance(listed, list) or not isinstance(names, list) or not names:
        raise Refusal("MISSING_ARGUMENT", "The ids and fields parameters are required")
    _check_count(listed, MOST_RETRIEVED)
    found: list[Json | None] = []
    for text in listed:
        row_id = ids.canonical(text)
        row = org.live(row_id) if row_id in org.tables[spec.name].rows else None
        found.append(None if row is None else spelled(org, spec, row, names, call))
    return Answer(body=found)


def of_key(org: SalesforceOrg, spec: ObjectSpec, name: str, call: Call) -> Answer:
    """`composite/sobjects/Lead/{external id field}`: upsert."""
    if call.method != "PATCH":
        raise refusals.method_not_allowed(call.method, "PATCH")
    field = key_field(org, spec, name)
    if field is None:
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise refusals.not_found(message)
    records, all_or_none = _records(call)
    keys = [
        None if not isinstance(record, dict) or (key := _key_of(record, field)) is None else str(key).lower()
        for record in records
    ]
    repeated = _repeated(keys)
    save = call.save
    steps = [
        _upsert(org, spec, field, record, key in repeated, save)
        for record, key in zip(records, keys, strict=True)
    ]
    return _carried_out(org, steps, all_or_none, upsert=True)


def _records(call: Call) -> tuple[list[Any], bool]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list):
        raise Refusal("MISSING_ARGUMENT", "The records parameter is required")
    _check_count(records)
    kinds = [_kind(record) for record in records]
    if sum(1 for _ in groupby(kinds)) > MOST_CHUNKS:
        message = (
            f"Cannot have more than {MOST_CHUNKS} chunks in a single operation. Please rearrange the data to "
            "reduce chunking."
        )
        raise Refusal("LIMIT_EXCEEDED", message)
    return records, body.get("allOrNone") is True


def _check_count(records: Sequence[Any], most: int = MOST_RECORDS) -> None:
    if len(records) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise Refusal("EXCEEDED_ID_LIMIT", message)


def _kind(record: Any) -> str | None:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    return kind if isinstance(kind, str) else None


def _object_of(org: SalesforceOrg, record: Any) -> ObjectSpec:
    kind = _kind(record)
    if kind is None:
        raise bad_json(
            "Nested object for polymorphic foreign key must have an attributes field before any other fields."
        )
    spec = org.find_object(kind)
    if spec is None:
        raise Refusal("INVALID_TYPE", f"sObject type '{kind}' is not supported. {NO_OBJECT_HINT}")
    return spec


def _id_of(record: Json) -> Any:
    return record.get("id", record.get("Id"))


def _repeated(keys: Sequence[str | None]) -> frozenset[str]:
    return frozenset(key for key, count in Counter(keys).items() if count > 1 and key is not None)


def _creation(org: SalesforceOrg, record: Any, save: Save) -> Step:
    def step() -> tuple[str, None]:
        return saving.insert(org, _object_of(org, record), record, save), None

    return step


def _change(org: SalesforceOrg, record: Any, repeated: frozenset[str], save: Save) -> Step:
    def step() -> tuple[str, None]:
        spec = _object_of(org, record)
        given = _id_of(record)
        if given is None:
            raise Refusal("MISSING_ARGUMENT", "Id not specified in an update call")
        row_id = _known_id(given)
        if row_id in repeated:
            raise Refusal("DUPLICATE_VALUE", f"duplicate id in list: {row_id}")
        body = {name: value for name, value in record.items() if name not in ("id", "Id")}
        saving.update(org, spec, row_id, body, save)
        return row_id, None

    return step


def _known_id(given: Any) -> str:
    row_id = ids.canonical(given)
    if row_id is None:
        raise Refusal("MALFORMED_ID", f"malformed id {given}")
    return row_id


def _deletion(org: SalesforceOrg, text: str, call: Call) -> Step:
    def step() -> tuple[str, None]:
        row_id = _known_id(text)
        spec = org.object_of_id(row_id)
        if spec is None:
            raise refusals.no_such_row()
        removal.delete(org, spec, row_id, call.user_id)
        return row_id, None

    return step


def _key_of(record: Json, field: FieldSpec) -> Any:
    if field.type == "id":
        return _id_of(record)
    return next((value for name, value in record.items() if name.lower() == field.name.lower()), None)


def _upsert(
    org: SalesforceOrg, spec: ObjectSpec, field: FieldSpec, record: Any, repeated: bool, save: Save
) -> Step:
    def step() -> tuple[str, bool]:
        if _object_of(org, record) is not spec:
            raise Refusal("INVALID_TYPE", f"all records of this call must be of type {spec.name}")
        body = {name: value for name, value in record.items() if name not in ("id", "Id")}
        key = _key_of(record, field)
        if repeated:
            raise Refusal("DUPLICATE_VALUE", f"Duplicate external id specified: {key}", [field.name])
        if field.type == "id" and key is not None:
            row_id = _known_id(key)
            saving.update(org, spec, row_id, body, save)
            return row_id, False
        if key is None or key == "":
            if field.type != "id":
                raise Refusal("MISSING_ARGUMENT", f"{field.name} not specified", [])
            return saving.insert(org, spec, body, save), True
        found = saving.rows_with_key(org, spec, field.name, key)
        if len(found) > 1:
            message = f"{field.name}: more than one record found for external id field: {found}"
            raise Refusal("DUPLICATE_EXTERNAL_ID", message, [])
        if not found:
            return saving.insert(org, spec, body, save), True
        saving.update(org, spec, found[0], body, save)
        return found[0], False

    return step


def _carried_out(
    org: SalesforceOrg, steps: Sequence[Step], all_or_none: bool, upsert: bool = False
) -> Answer:
    if not all_or_none:
        return Answer(body=[_result(step, upsert)[0] for step in steps])
    with org.transaction() as roll_back:
        results = [_result(step, upsert) for step in steps]
        if all(done for _, done in results):
            return Answer(body=[result for result, _ in results])
        roll_back()
    rolled_back = Refusal(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using AllOrNone header",
    )
    return Answer(body=[_failed(rolled_back, upsert) if done else result for result, done in results])


def _result(step: Step, upsert: bool) -> tuple[Json, bool]:
    try:
        row_id, created = step()
    except Refusal as refusal:
        return _failed(refusal, upsert), False
    result: Json = {"id": row_id, "success": True, "errors": []}
    if upsert:
        result["created"] = created
    return result, True


def _failed(refusal: Refusal, upsert: bool) -> Json:
    if upsert:
        return {"success": False, "created": False, "errors": [refusal.item]}
    return {"success": False, "errors": [refusal.item]}
