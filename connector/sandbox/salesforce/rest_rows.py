"""Single records over REST: create, read, update, upsert, delete, by id or by an external id.

Source: facts/salesforce.md 4. This file must not handle several records at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.sandbox.salesforce import ids, refusals, removal, saving, stamps
from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.describe import describe_brief
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.schema import FieldSpec, ObjectSpec, Row
from connector.sandbox.salesforce.values import read_value

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg


def of_object(org: SalesforceOrg, spec: ObjectSpec, call: Call) -> Answer:
    """`sobjects/Lead`: create one, or tell about the object."""
    if call.method == "POST":
        row_id = saving.insert(org, spec, call.json_object(), call.save)
        return _created(spec, call, row_id, {"id": row_id, "success": True, "errors": []})
    if call.method == "GET":
        newest = list(org.tables[spec.name].rows.values())[:-6:-1]
        recent = [{**_attributes(spec, call, row["Id"]), "Id": row["Id"]} for row in newest]
        return Answer(body={"objectDescribe": describe_brief(spec, call.base), "recentItems": recent})
    raise refusals.method_not_allowed(call.method, "HEAD,GET,POST")


def of_row(org: SalesforceOrg, spec: ObjectSpec, text: str, call: Call) -> Answer:
    """`sobjects/Lead/{id}`."""
    row_id = ids.canonical(text)
    if call.method == "GET":
        row = org.live(row_id)
        if row_id is None or row is None or org.object_of_id(row_id) is not spec:
            if row_id is None:
                message = f"Provided external ID field does not exist or is not accessible: {text}"
                raise refusals.not_found(message)
            raise refusals.not_found()
        return _shown(org, spec, row, call)
    if call.method not in ("PATCH", "DELETE"):
        raise refusals.method_not_allowed(call.method, "HEAD,GET,PATCH,DELETE")
    if row_id is None:
        raise Refusal("MALFORMED_ID", f"malformed id {text}", [])
    if call.method == "DELETE":
        removal.delete(org, spec, row_id, call.user_id)
        return Answer(204)
    body = call.json_object()
    if "Id" in body or "id" in body:
        raise Refusal("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    _check_unmodified(saving.writable_row(org, spec, row_id), call)
    saving.update(org, spec, row_id, body, call.save)
    return Answer(204)


def of_key(org: SalesforceOrg, spec: ObjectSpec, name: str, text: str, call: Call) -> Answer:
    """`sobjects/Lead/{external id field}/{value}`: upsert, read, delete."""
    field = key_field(org, spec, name)
    if field is None:
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise refusals.not_found(message)
    found = saving.rows_with_key(org, spec, field.name, text)
    if len(found) > 1:
        urls = [f"{call.base}/sobjects/{spec.name}/{row_id}" for row_id in found]
        raise Refusal("DUPLICATE_EXTERNAL_ID", "more than one record found", status=300, body=urls)
    if call.method == "PATCH":
        return _upserted(org, spec, field, text, found, call)
    if not found:
        raise refusals.not_found()
    if call.method == "GET":
        return _shown(org, spec, org.tables[spec.name].rows[found[0]], call)
    if call.method == "DELETE":
        removal.delete(org, spec, found[0], call.user_id)
        return Answer(204)
    raise refusals.method_not_allowed(call.method, "HEAD,GET,PATCH,DELETE")


def key_field(org: SalesforceOrg, spec: ObjectSpec, name: str) -> FieldSpec | None:
    """The field of this name if records can be upserted by it."""
    field = org.find_field(spec, name)
    return field if field is not None and field.key else None


def _upserted(
    org: SalesforceOrg, spec: ObjectSpec, field: FieldSpec, text: str, found: list[str], call: Call
) -> Answer:
    body = call.json_object()
    named = next((key for key in body if key.lower() in (field.name.lower(), "id")), None)
    if named is not None:
        raise Refusal("INVALID_FIELD", f"The {named} field should not be specified in the sobject data.")
    if found:
        saving.update(org, spec, found[0], body, call.save)
        return Answer(body={"id": found[0], "success": True, "errors": [], "created": False})
    if field.type == "id" or call.query.get("updateOnly", "").lower() == "true":
        raise refusals.not_found()
    row_id = saving.insert(org, spec, {**body, field.name: read_value(field, text)}, call.save)
    return _created(spec, call, row_id, {"id": row_id, "success": True, "errors": [], "created": True})


def _created(spec: ObjectSpec, call: Call, row_id: str, body: dict[str, Any]) -> Answer:
    return Answer(201, body, {"Location": f"{call.base}/sobjects/{spec.name}/{row_id}"})


def _attributes(spec: ObjectSpec, call: Call, row_id: str) -> dict[str, Any]:
    return {"attributes": {"type": spec.name, "url": f"{call.base}/sobjects/{spec.name}/{row_id}"}}


def spelled(
    org: SalesforceOrg, spec: ObjectSpec, row: Row, names: list[str] | None, call: Call
) -> dict[str, Any]:
    """A record as JSON: the fields named (and its Id), or all. Raises Refusal for an unknown field."""
    full = org.full_row(spec, row)
    shown = _attributes(spec, call, row["Id"])
    if names is None:
        hidden = org.hidden(spec)
        return shown | {name: value for name, value in full.items() if name not in hidden}
    for name in names:
        field = org.find_field(spec, name)
        if field is None:
            raise refusals.no_such_column_to_read(name, spec.name)
        shown[field.name] = full[field.name]
    return {**shown, "Id": row["Id"]}


def field_names(text: str | None) -> list[str] | None:
    """The `fields` parameter as a list."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _shown(org: SalesforceOrg, spec: ObjectSpec, row: Row, call: Call) -> Answer:
    since_ms = stamps.read_http_date(call.headers.get("if-modified-since"))
    if since_ms is not None and (stamps.read_datetime(row["LastModifiedDate"]) or 0) <= since_ms:
        return Answer(304)
    return Answer(body=spelled(org, spec, row, field_names(call.query.get("fields")), call))


def _check_unmodified(row: Row, call: Call) -> None:
    since_ms = stamps.read_http_date(call.headers.get("if-unmodified-since"))
    if since_ms is not None and (stamps.read_datetime(row["LastModifiedDate"]) or 0) > since_ms:
        message = "The precondition given in one or more of the request-header fields evaluated to false"
        raise Refusal("PRECONDITION_FAILED", message, status=412)
