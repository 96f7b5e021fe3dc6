"""The HubSpot sandbox answers as HubSpot was recorded to answer, and as its published specs require."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Reply, Wire

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "hubspot"
CONTACTS = "/crm/v3/objects/contacts"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded data is not in {DATA}")


def recorded(name: str) -> Any:
    return json.loads((DATA / "captured-errors" / f"{name}.json").read_text())


def shape(body: Any, name: str = "") -> Any:
    """A body with every value replaced by its type; property values and ids do not matter, their names do
    not either. Lists by their first item."""
    if isinstance(body, dict):
        if name == "properties":
            return "properties"
        return {key: shape(value, key) for key, value in body.items() if key not in ("correlationId", "url")}
    if isinstance(body, list):
        return [shape(body[0])] if body else []
    return type(body).__name__


def skeleton(message: str) -> str:
    """A message without the values in it."""
    message = re.sub(r"value=[^}]*", "value=V", message)
    return re.sub(r"\d{2,}", "N", message)


def read_missing(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    return hubspot.post(
        f"{CONTACTS}/batch/read", {"idProperty": "email", "inputs": [{"id": "meows@loudly.example"}]}
    )


def read_partial(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    portal.create("contacts", email="a@x.example")
    inputs = [{"id": f"{name}@x.example"} for name in "abc"]
    return hubspot.post(f"{CONTACTS}/batch/read", {"idProperty": "email", "inputs": inputs})


def create_partial(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    inputs = [
        {"properties": {"firstname": "Ada"}, "objectWriteTraceId": "1"},
        {"properties": {"firstname": "Ada", "missing": "1"}, "objectWriteTraceId": "2"},
    ]
    reply = hubspot.post(f"{CONTACTS}/batch/create", {"inputs": inputs})
    for result in reply.body["results"]:
        del result["objectWriteTraceId"]  # in HubSpot's specs, though not in its example
    return reply


def associate_missing(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    deal = portal.create("deals", dealname="Engine")
    pair = {"from": {"id": "9993051"}, "to": {"id": deal}, "type": "contact_to_deal"}
    return hubspot.post("/crm/v3/associations/contact/deal/batch/create", {"inputs": [pair]})


def take_address(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    one, _ = (portal.create("contacts", email=f"{name}@x.example") for name in "ab")
    return hubspot.patch(f"{CONTACTS}/{one}", {"properties": {"email": "b@x.example"}})


def create_twice(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    portal.create("contacts", email="a@x.example")
    return hubspot.post(CONTACTS, {"properties": {"email": "a@x.example"}})


def use_up_the_day(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    portal.faults.quota_exhausted = True
    return hubspot.get(CONTACTS)


def lack_a_scope(hubspot: Wire, portal: HubSpotPortal) -> Reply:
    portal.access.add_token("narrow", scopes=[])
    hubspot.token = "narrow"
    return hubspot.post("/crm/v3/objects/companies", {"properties": {"name": "x"}})


@pytest.mark.parametrize(
    ("name", "status", "provoke"),
    [
        ("207_batch_read_none_found", 207, read_missing),
        ("207_batch_read_partial", 207, read_partial),
        ("207_batch_create_multistatus_official_doc", 207, create_partial),
        ("207_v3_association_from_not_found", 207, associate_missing),
        ("400_email_already_on_other_contact", 400, take_address),
        ("409_contact_exists", 409, create_twice),
        ("429_daily_official_doc", 429, use_up_the_day),
        ("403_missing_scopes_reported", 403, lack_a_scope),
    ],
)
def test_errors_look_as_they_were_recorded(
    hubspot: Wire,
    portal: HubSpotPortal,
    name: str,
    status: int,
    provoke: Callable[[Wire, HubSpotPortal], Reply],
) -> None:
    expected = recorded(name)
    reply = provoke(hubspot, portal)
    assert reply.status == status
    assert shape(reply.body) == shape(expected)
    if status != 207:
        assert skeleton(reply.body["message"]) == skeleton(expected["message"])
        assert reply.body.get("category") == expected.get("category")
    else:
        told, wanted = reply.body["errors"][0], expected["errors"][0]
        assert skeleton(told["message"]) == skeleton(wanted["message"])
        assert (told["category"], told.get("subCategory")) == (wanted["category"], wanted.get("subCategory"))


@cache
def spec(version: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "specs" / version / f"{name}.json").read_text())
    return found


def violations(document: dict[str, Any], schema: dict[str, Any], body: Any, place: str = "") -> list[str]:
    """Where a body lacks what a schema requires, or has something of another type. Enough of OpenAPI for
    these specs; null stands for absent, as HubSpot uses it."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    kind = schema.get("type")
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if kind in types and not isinstance(body, types[kind]):
        return [f"{place}: {type(body).__name__} is no {kind}"]
    if isinstance(body, list):
        items = schema.get("items", {})
        return [
            each for n, item in enumerate(body) for each in violations(document, items, item, f"{place}[{n}]")
        ]
    if not isinstance(body, dict):
        if "enum" in schema and body not in schema["enum"]:
            return [f"{place}: {body!r} is none of {schema['enum']}"]
        return []
    found = [f"{place}.{name} is missing" for name in schema.get("required", []) if name not in body]
    known = schema.get("properties", {})
    for name, value in body.items():
        if name in known and value is not None:
            found += violations(document, known[name], value, f"{place}.{name}")
        elif name not in known and known and "additionalProperties" not in schema:
            found.append(f"{place}.{name} is unknown")
    return found


def answer_of(document: dict[str, Any], path: str, method: str, reply: Reply) -> Any:
    """The spec's content of an answer. 2026-09 has folded 207 into the answer of a success."""
    answers = document["paths"][path][method.lower()]["responses"]
    statuses = [str(reply.status)] if reply.status != 207 else ["207", "200", "201"]
    found = [answers[status] for status in statuses if status in answers]
    assert found, (method, path, reply.status, reply.body)
    (content,) = found[0]["content"].values()
    return content


VERSIONS = [("v3", "/crm/v3/{}"), ("2026-03", "/crm/{}/2026-03"), ("2026-09", "/crm/{}/2026-09")]


@pytest.mark.parametrize(("version", "base"), VERSIONS)
def test_answers_have_what_the_specs_require(
    hubspot: Wire, portal: HubSpotPortal, version: str, base: str
) -> None:
    owner = portal.add_owner("rosa@sales.example", "Rosa", "Rep")
    one = portal.create("contacts", email="a@x.example", hubspot_owner_id=owner)
    two = portal.create("contacts", email="b@x.example")
    contacts = base.format("objects") + "/contacts"
    update = {"id": one, "properties": {"phone": "1"}, "objectWriteTraceId": "1"}
    create = {"properties": {"email": "c@x.example"}, "objectWriteTraceId": "1"}
    upsert = {**update, "id": "L1", "idProperty": "leadloop_id"}
    missing = {**update, "id": "77", "objectWriteTraceId": "2"}
    history = {"properties": ["email"], "propertiesWithHistory": ["email"], "inputs": [{"id": one}]}
    calls: list[tuple[str, str, str, str, Any]] = [
        ("contacts", "", "GET", contacts, None),
        ("contacts", "", "POST", contacts, {"properties": {"email": "d@x.example"}}),
        ("contacts", "/{contactId}", "GET", f"{contacts}/{one}", None),
        ("contacts", "/{contactId}", "PATCH", f"{contacts}/{one}", {"properties": {"fax": "1"}}),
        ("contacts", "/batch/read", "POST", f"{contacts}/batch/read", history),
        ("contacts", "/batch/update", "POST", f"{contacts}/batch/update", {"inputs": [update]}),
        ("contacts", "/batch/create", "POST", f"{contacts}/batch/create", {"inputs": [create]}),
        ("contacts", "/batch/upsert", "POST", f"{contacts}/batch/upsert", {"inputs": [upsert]}),
        ("contacts", "/batch/update", "POST", f"{contacts}/batch/update", {"inputs": [update, missing]}),
        ("contacts", "/search", "POST", f"{contacts}/search", {"limit": 1}),
        ("contacts", "/merge", "POST", f"{contacts}/merge", {"primaryObjectId": one, "objectIdToMerge": two}),
        ("properties", "/{objectType}", "GET", base.format("properties") + "/contacts", None),
        ("pipelines", "/{objectType}", "GET", base.format("pipelines") + "/deals", None),
        ("crmOwners", "", "GET", base.format("owners"), None),
    ]
    bases = {"properties": "properties", "pipelines": "pipelines", "crmOwners": "owners"}
    for name, ending, method, path, body in calls:
        reply = hubspot.call(method, path, body)
        document = spec(version, name)
        written = (contacts if name == "contacts" else base.format(bases[name])) + ending
        if written not in document["paths"]:  # 2026-09 has one path for all objects
            written = written.replace("/contacts", "/{objectType}").replace("{contactId}", "{objectId}")
        content = answer_of(document, written, method, reply)
        found = violations(document, content["schema"], reply.body)
        # the specs require keys of error items that no recording has
        found = [each for each in found if not re.search(r"\.errors\[\d\]\.(errors|links) is missing", each)]
        assert found == [], (method, path)


@pytest.mark.parametrize("version", ["v3", "2026-03"])
def test_account_details_have_what_the_specs_require(hubspot: Wire, version: str) -> None:
    document = spec(version, "accountInfo")
    for path in (f"/account-info/{version}/details", f"/account-info/{version}/api-usage/daily/private-apps"):
        (content,) = document["paths"][path]["get"]["responses"]["200"]["content"].values()
        assert violations(document, content["schema"], hubspot.get(path).body) == []


@pytest.mark.parametrize(("version", "base"), [("v4", "/crm/v4"), ("2026-09", "/crm")])
def test_association_answers_have_what_the_specs_require(
    hubspot: Wire, portal: HubSpotPortal, version: str, base: str
) -> None:
    contact, company = portal.create("contacts", email="a@x.example"), portal.create("companies", name="x")
    portal.associate("contacts", contact, "companies", company)
    document = spec(version, "associations")
    family = f"{base}/associations" + ("" if version == "v4" else f"/{version}")
    kinds = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    pair = {"from": {"id": contact}, "to": {"id": company}, "types": kinds}
    for action, given in (("read", {"id": contact}), ("create", pair), ("associate/default", pair)):
        reply = hubspot.post(f"{family}/contacts/companies/batch/{action}", {"inputs": [given]})
        written = f"{family}/{{fromObjectType}}/{{toObjectType}}/batch/{action}"
        content = answer_of(document, written, "POST", reply)
        assert violations(document, content["schema"], reply.body) == []
