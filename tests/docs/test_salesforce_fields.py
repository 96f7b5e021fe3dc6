"""What deploy/salesforce puts into an org is what the mapping writes and what the sandbox has."""

from __future__ import annotations

import json

import pytest

from connector.claims import REASON_NEEDED
from connector.configuration import Configuration, load_configuration
from connector.sandbox.salesforce.leadloop_fields import leadloop_fields
from connector.settings import load_settings
from tests.docs.salesforce_metadata import MAIN, OBJECTS, SOURCE, DeployedField, access_of, fields_of

SPECS = {spec.name: spec for spec in leadloop_fields()}
DESCRIBED_AS = {"Text": "string", "Number": "double", "DateTime": "datetime", "Picklist": "picklist"}
"""Metadata type to the type that describe tells."""


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    """The shipped presets."""
    return load_configuration(None)


@pytest.mark.parametrize("object_name", OBJECTS)
def test_the_fields_are_those_of_the_mapping(object_name: str, configuration: Configuration) -> None:
    mapped = configuration.mapping.sides["salesforce"].objects[object_name]
    natives = {pair.native for pair in mapped.outputs}
    verdict = mapped.verdict
    assert verdict is not None
    assert verdict.reason is not None
    natives |= {verdict.field, verdict.reason.native, str(verdict.comment)}

    assert set(fields_of(object_name)) == natives


@pytest.mark.parametrize("object_name", OBJECTS)
def test_each_field_is_as_the_sandbox_has_it(object_name: str) -> None:
    deployed = fields_of(object_name)

    assert set(deployed) == set(SPECS)
    for name, field in deployed.items():
        spec = SPECS[name]
        assert DESCRIBED_AS[field.type] == spec.type, name
        assert field.unique is spec.unique, name
        assert field.external_id is spec.external_id, name
        assert field.case_sensitive is spec.case_sensitive, name
        assert field.required is not spec.nillable, name
        assert field.restricted is spec.restricted, name
        assert (field.precision, field.scale) == (spec.precision, spec.scale), name
        if field.type == "Text":
            assert field.length == spec.length, name
        if spec.restricted:
            assert field.values == spec.picklist, name


@pytest.mark.parametrize("object_name", OBJECTS)
def test_no_text_of_the_mapping_is_longer_than_its_field(
    object_name: str, configuration: Configuration
) -> None:
    deployed = fields_of(object_name)
    for pair in configuration.mapping.sides["salesforce"].objects[object_name].outputs:
        if pair.max_length is not None:
            assert pair.max_length <= deployed[pair.native].length, pair.native


def test_the_reasons_are_those_of_the_shipped_rules(configuration: Configuration) -> None:
    """And what stands in the field while leadloop asks for one."""
    for object_name in OBJECTS:
        field = fields_of(object_name)["Leadloop_Rejection_Reason__c"]
        assert set(field.values) == {*configuration.rules.reasons, REASON_NEEDED}


def test_both_objects_have_the_same_fields() -> None:
    """A Lead's values can be carried over to its Contact by Salesforce's own lead field mapping."""
    assert fields_of("Lead") == fields_of("Contact")


@pytest.mark.parametrize("field", fields_of("Lead").values(), ids=lambda field: field.name)
def test_every_field_says_what_it_is_within_salesforces_limits(field: DeployedField) -> None:
    assert 0 < len(field.label) <= 40
    assert 0 < len(field.help) <= 255


def test_the_integration_user_may_write_every_field() -> None:
    access = access_of("Leadloop_Integration")

    assert set(access) == {f"{name}.{field}" for name in OBJECTS for field in fields_of(name)}
    assert all(each.readable and each.editable for each in access.values())


def test_sales_may_write_its_verdict_and_nothing_else(configuration: Configuration) -> None:
    access = access_of("Leadloop_Sales")
    editable = {name.partition(".")[2] for name, each in access.items() if each.editable}
    verdict = configuration.mapping.sides["salesforce"].objects["Lead"].verdict
    assert verdict is not None
    assert verdict.reason is not None

    assert set(access) == set(access_of("Leadloop_Integration"))
    assert all(each.readable for each in access.values())
    assert editable == {verdict.field, verdict.reason.native, verdict.comment}


def test_the_project_is_one_that_the_salesforce_cli_deploys() -> None:
    project = json.loads((SOURCE / "sfdx-project.json").read_text(encoding="utf-8"))
    settings = load_settings({}, {})

    assert (SOURCE / project["packageDirectories"][0]["path"]) in MAIN.parents
    assert project["sourceApiVersion"] == settings.salesforce.api_version
