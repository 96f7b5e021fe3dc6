"""What a platform's metadata says against a mapping: everything that leadloop would be refused is found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connector.configuration import Configuration, compile_documents, shipped
from connector.metadata_check import check_metadata
from connector.object_check import Finding
from connector.platforms.protocol import Metadata
from mappings.document import SideDocument
from mappings.source import Source, parse, validate
from tests.world import World

MAIN = "mappings: [lead.yaml, salesforce.yaml, hubspot.yaml]\nrules: [rules.yaml]\n"
BARE = """\
gates:
  mql: {score: 0}
routes:
  - {route: all, owner: rosa@sales.example}
"""
RULES = (
    BARE
    + """\
score:
  fit:
    - {rule: employees, when: employees > 10, points: 30}
grades: {fit: {A: 20, B: 10}}
nurture:
  tracks:
    - {track: newsletter}
"""
)


@dataclass(frozen=True)
class Checked:
    """Both platforms as they are, to be changed by each test."""

    platforms: Mapping[str, Metadata]

    def __call__(
        self,
        side: str,
        field: str,
        change: Mapping[str, Any],
        *,
        edit: tuple[str, str] = ("", ""),
        lead: tuple[str, str] = ("", ""),
        rules: str = "",
    ) -> list[str]:
        """What is told besides what the platforms as they are tell, when `field` is described otherwise."""
        configuration = _configured({side: edit, "lead": lead}, rules)
        found = _findings(side, self.platforms[side], configuration)
        name, native = field.split(".")
        objects = dict(self.platforms[side].objects)
        objects[name] = {**objects[name], native: replace(objects[name][native], **change)}
        changed = _findings(side, Metadata(objects), configuration)
        return [_told(item) for item in changed if _told(item) not in map(_told, found)]


def _configured(edits: Mapping[str, tuple[str, str]], rules: str) -> Configuration:
    documents = {"leadloop.yaml": MAIN, "rules.yaml": rules or BARE}
    for name in ("lead", "salesforce", "hubspot"):
        old, new = edits.get(name, ("", ""))
        text = shipped("mappings", name)
        assert old in text
        documents[f"{name}.yaml"] = text.replace(old, new, 1) if old else text
    return compile_documents(documents)


def _findings(side: str, metadata: Metadata, configuration: Configuration) -> list[Finding]:
    text = configuration.documents[f"{side}.yaml"]
    document = parse(Source(f"{side}.yaml", text))
    mapped = validate(SideDocument, document)
    return check_metadata(document, mapped, metadata, configuration.mapping.fields, configuration.rules)


def _told(finding: Finding) -> str:
    hint = f"; {finding.error.hint}" if finding.error.hint else ""
    message = re.sub(r" \(in line \d+, which \*\w+ stands for\)", "", finding.error.message)
    return f"{'warning: ' if finding.warning else ''}{message}{hint}"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    """The metadata of both sandboxes."""
    folder: Path = tmp_path_factory.mktemp("metadata")
    with World(folder) as world:
        yield Checked(
            {
                name: platform.describe(list(world.config.mapping.sides[name].objects))
                for name, platform in world.leadloop.platforms.items()
            }
        )


@pytest.mark.parametrize(
    ("field", "change", "told"),
    [
        (
            "Lead.Leadloop_Stage__c",
            {"type": "string", "options": None, "length": 5},
            "Leadloop_Stage__c takes 5 characters; leadloop writes up to 13",
        ),
        (
            "Lead.Leadloop_Stage_Since__c",
            {"type": "string", "length": 10},
            "Leadloop_Stage_Since__c takes 10 characters; leadloop writes up to 20",
        ),
        (
            "Lead.Leadloop_Score_Reasons__c",
            {"type": "picklist", "options": ("Hot",), "restricted": True},
            "Leadloop_Score_Reasons__c takes none but its own values; leadloop writes a text",
        ),
        (
            "Lead.Leadloop_Stage__c",
            {"updateable": False},
            "Leadloop_Stage__c is read-only here; let leadloop's user edit it",
        ),
        (
            "Lead.Leadloop_Verdict__c",
            {"updateable": False, "createable": False},
            "Leadloop_Verdict__c is read-only here: an old rejection could not be cleared for a new hand-off"
            "; let leadloop's user edit it",
        ),
        (
            "Lead.Leadloop_Verdict__c",
            {"type": "boolean", "options": None},
            "Leadloop_Verdict__c is a boolean: no verdict can stand there",
        ),
        (
            "Lead.Leadloop_Rejection_Reason__c",
            {"type": "string", "options": None, "length": 5},
            "Leadloop_Rejection_Reason__c takes 5 characters; leadloop writes up to 13",
        ),
        (
            "Lead.Leadloop_Rejection_Reason__c",
            {"type": "double", "options": None},
            "Leadloop_Rejection_Reason__c is a double: no reason can stand there",
        ),
        (
            "Lead.Status",
            {"type": "boolean", "options": None},
            "Status is a boolean: no stage can be kept there",
        ),
        (
            "Lead.Status",
            {"type": "string", "options": None, "length": 8},
            "Status takes 8 characters; leadloop writes up to 22",
        ),
        (
            "Lead.Company",
            {"type": "picklist", "options": ("Acme",), "restricted": True},
            'Company does not offer "[not provided]"',
        ),
        ("Opportunity.IsWon", {"type": "date"}, "a boolean cannot be read from IsWon, a date"),
        (
            "CampaignMember.FirstRespondedDate",
            {"type": "boolean"},
            "FirstRespondedDate is a boolean, not a date",
        ),
        ("Lead.OwnerId", {"type": "date"}, "an owner cannot be written to OwnerId, a date"),
    ],
)
def test_what_salesforce_would_refuse_or_never_tell_is_an_error(
    checked: Checked, field: str, change: Mapping[str, Any], told: str
) -> None:
    assert checked("salesforce", field, change) == [told]


@pytest.mark.parametrize(
    ("field", "change", "told"),
    [
        (
            "contacts.hs_lead_status",
            {"type": "bool", "options": None},
            "hs_lead_status is a bool: no stage can be kept there",
        ),
        (
            "contacts.recent_conversion_date",
            {"type": "bool"},
            "recent_conversion_date is a bool, not a date",
        ),
        (
            "contacts.leadloop_outcome",
            {"options": ("won",)},
            'leadloop_outcome does not offer "lost"; add the values there',
        ),
        ("contacts.createdate", {"type": "bool"}, "createdate is a bool, not a date"),
        (
            "contacts.leadloop_score",
            {"type": "enumeration", "options": ("1", "2"), "restricted": True},
            "leadloop_score takes none but its own values; leadloop writes a number",
        ),
    ],
)
def test_what_hubspot_would_refuse_or_never_tell_is_an_error(
    checked: Checked, field: str, change: Mapping[str, Any], told: str
) -> None:
    assert told in checked("hubspot", field, change)


def test_grades_and_tracks_of_the_rules_are_held_against_a_picklist(checked: Checked) -> None:
    grade = {"type": "enumeration", "options": ("A", "C"), "restricted": True}
    track = {"type": "enumeration", "options": ("events",), "restricted": True}
    add = "; add the values there"

    assert checked("hubspot", "contacts.leadloop_grade", grade, rules=RULES) == [
        f'leadloop_grade does not offer "B"{add}'
    ]
    assert checked("hubspot", "contacts.leadloop_nurture_track", track, rules=RULES) == [
        f'leadloop_nurture_track does not offer "newsletter"{add}'
    ]
    assert checked("hubspot", "contacts.leadloop_nurture_track", track) == []


def test_a_restricted_reason_without_the_question_for_a_reason_is_a_warning(checked: Checked) -> None:
    reasons = {"options": ("timing",), "restricted": True}

    told = checked("salesforce", "Lead.Leadloop_Rejection_Reason__c", reasons)

    question = 'Leadloop_Rejection_Reason__c does not offer "reason needed"'
    assert any(line.startswith(f"warning: {question}") for line in told)


def test_further_addresses_that_a_portal_does_not_have_are_a_warning(checked: Checked) -> None:
    contacts = dict(checked.platforms["hubspot"].objects["contacts"])
    del contacts["hs_additional_emails"]
    objects = {**checked.platforms["hubspot"].objects, "contacts": contacts}

    found = [_told(each) for each in _findings("hubspot", Metadata(objects), _configured({}, ""))]

    assert [told for told in found if "hs_additional_emails" in told] == [
        "warning: hubspot has no field contacts.hs_additional_emails"
    ]


def test_values_of_a_canonical_field_that_a_restricted_picklist_lacks_are_an_error(checked: Checked) -> None:
    told = checked(
        "salesforce",
        "Lead.Rating",
        {"options": ("Hot", "Cold"), "restricted": True},
        lead=(
            "rating:      {type: picklist, policy: salesforce}",
            "rating:      {type: picklist, policy: salesforce, values: [Hot, Warm, cold]}",
        ),
    )

    assert told == [
        'Rating does not offer "Warm", which rating may hold; add the values there, or say in a table how '
        "they are spelled"
    ]


def test_a_text_that_could_be_longer_than_its_field_is_a_warning(checked: Checked) -> None:
    told = checked(
        "salesforce",
        "Lead.Title",
        {"length": 64},
        edit=(
            "job_title: {field: Title, max_length: 128, too_long: truncate}\n      phone: {field: Phone, "
            "max_length: 40}\n      mobile_phone: {field: MobilePhone, max_length: 40}\n      company",
            "job_title: Title\n      company",
        ),
    )

    assert told == [
        "warning: Title takes 64 characters; a longer text would be refused; max_length: 64, and if it may "
        "be cut, too_long: truncate"
    ]


def test_a_text_field_may_hold_numbers_yes_and_no_and_dates(checked: Checked) -> None:
    for field in ("Lead.NumberOfEmployees", "Lead.HasOptedOutOfEmail", "Lead.CreatedDate"):
        assert checked("salesforce", field, {"type": "string"}) == []
