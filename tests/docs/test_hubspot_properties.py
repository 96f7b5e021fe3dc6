"""deploy/hubspot/properties.json makes a HubSpot account have what the mapping writes and the sandbox has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.clock import ManualClock
from connector.configuration import load_configuration
from connector.sandbox import HUBSPOT_ACCESS_TOKEN
from connector.sandbox.host import Sandbox
from connector.sandbox.hubspot.leadloop_fields import add_leadloop_fields
from connector.sandbox.hubspot.portal import HubSpotPortal
from tests.docs.pages import ROOT
from tests.docs.salesforce_metadata import fields_of

TEXT = (ROOT / "deploy" / "hubspot" / "properties.json").read_text(encoding="utf-8")
BODY: dict[str, Any] = json.loads(TEXT)
PROPERTIES: dict[str, dict[str, Any]] = {each["name"]: each for each in BODY["inputs"]}
SPECS = ROOT.parent / "shared" / "data" / "hubspot" / "specs"
NOW_MS = 1_800_000_000_000


@pytest.fixture
def bare() -> Iterator[Sandbox]:
    """A sandbox without leadloop's properties, as a new account is."""
    with Sandbox(ManualClock(NOW_MS)) as sandbox:
        yield sandbox


def create_all(sandbox: Sandbox) -> requests.Response:
    """Send the file, as the page says."""
    return requests.post(
        f"{sandbox.hubspot_url}/crm/v3/properties/contacts/batch/create",
        headers={"Authorization": f"Bearer {HUBSPOT_ACCESS_TOKEN}", "Content-Type": "application/json"},
        data=TEXT.encode(),
        timeout=10,
    )


def test_the_properties_are_those_of_the_mapping() -> None:
    mapped = load_configuration(None).mapping.sides["hubspot"].objects["contacts"]

    assert set(PROPERTIES) == {pair.native for pair in mapped.outputs}


def test_a_hubspot_without_them_takes_them_all_in_one_call(bare: Sandbox) -> None:
    answer = create_all(bare)

    assert answer.status_code == 201, answer.text
    assert {each["name"] for each in answer.json()["results"]} == set(PROPERTIES)
    ready = HubSpotPortal(ManualClock(NOW_MS))
    add_leadloop_fields(ready)
    for name in PROPERTIES:
        made = bare.hubspot.crm.table("contacts").definitions[name]
        wanted = ready.crm.table("contacts").definitions[name]
        assert (made.type, made.unique, made.allowed, made.writable) == (
            wanted.type,
            wanted.unique,
            wanted.allowed,
            True,
        ), name


def test_sent_twice_they_are_refused_by_name(bare: Sandbox) -> None:
    create_all(bare)
    answer = create_all(bare)

    assert answer.status_code == 409
    assert answer.json()["category"] == "OBJECT_ALREADY_EXISTS"


def test_they_say_the_same_as_the_fields_in_salesforce() -> None:
    deployed = {name.removesuffix("__c").lower(): field for name, field in fields_of("Lead").items()}

    only_here = {
        "leadloop_outcome",
        "leadloop_closed_reason",
        "leadloop_amount",
    }  # the CRM has the opportunity itself
    assert set(PROPERTIES) == set(deployed) | only_here
    for name in deployed:
        body = PROPERTIES[name]
        assert body["label"] == deployed[name].label
        if "options" in body:
            assert [each["value"] for each in body["options"]] == list(deployed[name].values)
            assert [each["label"] for each in body["options"]] == list(deployed[name].labels)


def test_none_of_them_can_be_put_on_a_form() -> None:
    assert {body["formField"] for body in PROPERTIES.values()} == {False}


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_each_body_has_the_shape_of_hubspots_specification(version: str) -> None:
    path: Path = SPECS / version / "properties.json"
    if not path.exists():
        pytest.skip("HubSpot's published specifications are not on this machine")
    schemas = json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"]
    for body in PROPERTIES.values():
        assert_shape(body, schemas["PropertyCreate"])
        for option in body.get("options", ()):
            assert_shape(option, schemas["OptionInput"])


def assert_shape(body: dict[str, Any], schema: dict[str, Any]) -> None:
    """All that is required is there, nothing unknown is, and every choice is one of those offered."""
    assert set(schema["required"]) <= set(body)
    assert set(body) <= set(schema["properties"])
    for name, value in body.items():
        choices = schema["properties"][name].get("enum")
        assert choices is None or value in choices, f"{name}: {value}"
