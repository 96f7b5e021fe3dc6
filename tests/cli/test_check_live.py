"""`leadloop check --live` asks both platforms whether they have what is mapped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector.configuration import shipped
from tests.cli.shell import Answer, Shell
from tests.connector.switched_on import with_objects
from tests.world import World

MAPPINGS = "mappings: [lead.yaml, salesforce.yaml, hubspot.yaml]\nrules: [rules.yaml]\n"


@pytest.fixture
def own(leadloop: Shell, folder: Path) -> Shell:
    """A shell in a folder with mappings of its own."""
    (folder / "leadloop.yaml").write_text(MAPPINGS)
    for name in ("lead", "salesforce", "hubspot"):
        (folder / f"{name}.yaml").write_text(shipped("mappings", name))
    return leadloop


def change(folder: Path, name: str, old: str, new: str) -> int:
    """Edit a file; the line that changed."""
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def lines(answer: Answer) -> list[str]:
    """The problems, without excerpts."""
    return [line for line in answer.out.splitlines() if re.match(r"[\w.]+\.yaml:\d+:\d+:", line)]


def test_what_the_sandboxes_have_is_in_order(own: Shell) -> None:
    answer = own("check", "--live")

    assert answer.code == 0
    assert "Both platforms have what is mapped" in answer.out
    assert all(": warning: " in line for line in lines(answer))


def test_a_field_that_does_not_exist_is_an_error_at_its_line(own: Shell, folder: Path) -> None:
    first = change(folder, "salesforce.yaml", "rating: Rating", "rating: Ratng")
    second = change(folder, "hubspot.yaml", "job_title: jobtitle", "job_title: jobtitel")

    answer = own("check", "--live")

    assert answer.code == 1
    errors = [line for line in lines(answer) if "warning" not in line]
    assert errors == [
        f'salesforce.yaml:{first}:15: salesforce has no field Lead.Ratng; did you mean "Rating"?',
        f'hubspot.yaml:{second}:18: hubspot has no field contacts.jobtitel; did you mean "jobtitle"?',
    ]
    assert f"{first:>5} |       rating: Ratng\n      |               ^\n" in answer.out


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "salesforce.yaml",
            "created_in_crm: {field: CreatedDate, direction: read}",
            "created_in_crm: CreatedDate",
            'CreatedDate is read-only here; use "direction: read"',
        ),
        (
            "salesforce.yaml",
            "employees: {field: NumberOfEmployees}",
            "last_sales_touch: {field: NumberOfEmployees}",
            "a datetime cannot be written to NumberOfEmployees, an int",
        ),
        (
            "salesforce.yaml",
            "first_name: {field: FirstName, max_length: 40,",
            "first_name: {field: FirstName, max_length: 400,",
            "FirstName takes 40 characters, not 400; max_length: 40",
        ),
        (
            "salesforce.yaml",
            "      company: {field: Company, max_length: 255, too_long: truncate}\n",
            "",
            "salesforce needs Company to create a record of Lead",
        ),
        (
            "hubspot.yaml",
            "counter: hs_email_open,",
            "counter: jobtitle,",
            "",
        ),
        (
            "hubspot.yaml",
            "lead:                   {stages: [inquiry, qualification, nurture, disqualified]}",
            "leed:                   {stages: [inquiry, qualification, nurture, disqualified]}",
            "offers no value that is written for inquiry, qualification, nurture, disqualified",
        ),
        (
            "hubspot.yaml",
            "lead_id: leadloop_id",
            "lead_id: leadlop_id",
            "hubspot has no field contacts.leadlop_id; create it",
        ),
    ],
)
def test_what_a_platform_would_refuse_is_an_error(
    own: Shell, folder: Path, name: str, old: str, new: str, message: str
) -> None:
    change(folder, name, old, new)
    if "needs Company" in message:
        change(folder, name, '        company: "[not provided]"\n', "")

    answer = own("check", "--live")

    if message:
        assert answer.code == 1
        assert any(message in line and "warning" not in line for line in lines(answer)), answer.out
    else:  # a text property may hold a number
        assert answer.code == 0


def test_what_leadloop_can_do_without_is_a_warning(own: Shell, folder: Path) -> None:
    line = change(folder, "hubspot.yaml", "OFFLINE: Offline", "OFLINE: Offline")
    change(folder, "salesforce.yaml", '        last_name: "[unknown]"\n', "")

    answer = own("check", "--live")

    assert answer.code == 0
    told = "\n".join(lines(answer))
    offered = 'hs_analytics_source does not offer "OFLINE"; did you mean "OFFLINE"?'
    assert f"hubspot.yaml:{line}:19: warning: {offered}" in told
    assert "warning: LastName is required, and leads without last_name would be refused" in told


def test_as_json_warnings_stand_beside_errors(own: Shell, folder: Path) -> None:
    change(folder, "salesforce.yaml", "rating: Rating", "rating: Ratng")

    found = own("check", "--live", "--json").json

    assert found["ok"] is False
    assert [error["message"] for error in found["errors"]] == ["salesforce has no field Lead.Ratng"]
    assert found["warnings"]
    assert found["asked_platforms"] is True


def test_without_credentials_the_setting_is_named(shell: Shell) -> None:
    answer = shell("check", "--live")

    assert answer.code == 2
    assert answer.err.startswith("No Salesforce credentials: set LEADLOOP_SALESFORCE__")


def test_a_platform_that_is_away_is_told(own: Shell) -> None:
    answer = own("check", "--live", LEADLOOP_HUBSPOT__BASE_URL="http://127.0.0.1:9")

    assert answer.code == 1
    assert "127.0.0.1:9" in answer.err


def test_a_broken_folder_is_told_before_anybody_is_asked(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text("brakes: {}\n")

    answer = shell("check", "--live")

    assert answer.code == 1
    assert answer.out.startswith('leadloop.yaml:1:1: unknown key "brakes"; did you mean "brake"?')


def test_an_activity_that_the_user_may_not_see_is_a_warning_and_its_fields_are_checked(
    own: Shell, folder: Path
) -> None:
    line = change(folder, "salesforce.yaml", "  CampaignMember:", "  CampainMember:")

    answer = own("check", "--live")

    assert answer.code == 0
    assert [told for told in lines(answer) if "CampainMember" in told] == [
        f"salesforce.yaml:{line}:3: warning: salesforce has no object CampainMember; "
        "known: Contact, Lead, Opportunity, OpportunityContactRole"
    ]

    change(folder, "salesforce.yaml", "  CampainMember:", "  CampaignMember:")
    line = change(folder, "salesforce.yaml", "at: FirstRespondedDate", "at: FirstRespondedOn")

    answer = own("check", "--live")

    assert answer.code == 1
    assert any(
        told.startswith(f"salesforce.yaml:{line}:")
        and "salesforce has no field CampaignMember.FirstRespondedOn" in told
        for told in lines(answer)
    )


def test_what_one_platform_lacks_is_told_though_the_other_cannot_be_asked(own: Shell, folder: Path) -> None:
    change(folder, "salesforce.yaml", "rating: Rating", "rating: Ratng")

    answer = own("check", "--live", LEADLOOP_HUBSPOT__ACCESS_TOKEN="wrong")

    assert answer.code == 2
    assert "salesforce has no field Lead.Ratng" in answer.out
    assert "HubSpot does not accept the token" in answer.err


def test_as_json_a_platform_that_could_not_be_asked_is_named(own: Shell) -> None:
    answer = own("check", "--live", "--json", LEADLOOP_HUBSPOT__BASE_URL="http://127.0.0.1:9")

    assert answer.code == 1
    assert answer.json["ok"] is False
    assert [one["side"] for one in answer.json["unanswered"]] == ["hubspot"]
    assert "127.0.0.1:9" in answer.json["unanswered"][0]["message"]


# the objects of HubSpot that are switched on by hand


@pytest.fixture
def switched_on(own: Shell, folder: Path) -> Shell:
    """The same, with deals, companies and leads of HubSpot."""
    (folder / "hubspot.yaml").write_text(with_objects("deals", "companies", "leads"))
    return own


def test_objects_that_are_switched_on_are_in_order(switched_on: Shell) -> None:
    answer = switched_on("check", "--live")
    assert answer.code == 0, answer.out
    assert "Both platforms have what is mapped" in answer.out


def test_an_object_that_the_token_may_not_read_is_an_error_that_names_the_scope(
    switched_on: Shell, folder: Path, world: World
) -> None:
    every = {f"crm.{kind}.{name}.read" for kind in ("objects", "schemas") for name in ("contacts", "leads")}
    every |= {"crm.schemas.deals.read", "crm.objects.owners.read"}
    world.hubspot.access.add_token("small-token", every)
    text = (folder / "hubspot.yaml").read_text().splitlines()

    answer = switched_on("check", "--live", LEADLOOP_HUBSPOT__ACCESS_TOKEN="small-token")

    assert answer.code == 1
    errors = [line for line in lines(answer) if "warning" not in line]
    assert errors == [
        f"hubspot.yaml:{text.index('  ' + name + ':') + 1}:3: hubspot does not let leadloop read {name}: the "
        f"HubSpot token lacks the scopes crm.{kind}.{name}.read: grant them"
        for name, kind in (("deals", "objects"), ("companies", "schemas"))
    ]


def test_stages_that_the_account_does_not_have_are_told_and_those_that_nobody_mapped(
    switched_on: Shell, folder: Path
) -> None:
    change(folder, "hubspot.yaml", "appointmentscheduled: qualified", "appointmentsheduled: qualified")
    change(folder, "hubspot.yaml", "connected-stage-id: ", "connectd-stage-id: ")

    answer = switched_on("check", "--live")

    assert answer.code == 0
    told = "\n".join(lines(answer))
    assert 'dealstage does not offer "appointmentsheduled"; did you mean "appointmentscheduled"?' in told
    assert 'hs_pipeline_stage does not offer "connectd-stage-id"' in told
    assert "nothing is said of the stages connected-stage-id: what sales does there is not seen" in told
