"""`leadloop check` tells everything that is wrong with a folder; `leadloop init` writes one that is right."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from connector.brake import KINDS, BrakeLimits
from connector.cli.init import preset_names
from connector.configuration import load_configuration, presets
from connector.schemas import schemas
from tests.cli.shell import Shell
from tests.demo.leads_csv import write_csv
from tests.docs.pages import ROOT

FILES = {
    "leadloop.yaml",
    "mappings/lead.yaml",
    "mappings/salesforce.yaml",
    "mappings/hubspot.yaml",
    "rules/default.yaml",
    *(f"schemas/{name}" for name in schemas()),
}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder_is_complete_and_in_order(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "conf"

    made = shell("init", str(folder))
    checked = shell("--config", str(folder), "check")

    assert made.code == 0
    assert files_in(folder) == FILES
    assert checked.code == 0
    assert checked.out.startswith(f"{folder} is in order (version ")
    assert shell("check", LEADLOOP_CONFIG=str(folder)).out == checked.out


def test_a_new_folder_decides_as_the_shipped_configuration(shell: Shell, tmp_path: Path) -> None:
    shell("init", str(tmp_path / "conf"))

    made, shipped = load_configuration(tmp_path / "conf"), load_configuration(None)

    assert dict(made.mapping.fields) == dict(shipped.mapping.fields)
    assert made.rules.reasons == shipped.rules.reasons
    assert made.brake == shipped.brake == BrakeLimits()
    assert all(kind in (tmp_path / "conf/leadloop.yaml").read_text() for kind in KINDS)


def test_init_asks_before_it_writes_over_anything(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text("# mine\n")

    declined = shell("init", str(folder), typed="n\n")

    assert declined.code == 1
    assert "has leadloop.yaml already" in declined.out
    assert files_in(folder) == {"leadloop.yaml"}
    assert (folder / "leadloop.yaml").read_text() == "# mine\n"
    assert shell("init", str(folder), "--yes").code == 0
    assert files_in(folder) == FILES


def test_init_writes_all_or_nothing(shell: Shell, folder: Path) -> None:
    (folder / "rules").write_text("a file where a folder is to be")

    answer = shell("init", str(folder))

    assert answer.code == 2
    assert answer.err.endswith("Nothing was written.\n")
    assert files_in(folder) == {"rules"}
    assert not (folder / "mappings").exists()


def test_init_names_a_file_that_stands_where_the_folder_is_to_be(shell: Shell, folder: Path) -> None:
    (folder / "conf").write_text("mine")

    answer = shell("init", str(folder / "conf"))

    assert answer.code == 2
    assert answer.err == (
        f"{folder / 'conf'} cannot be written (Not a directory): choose another folder, or change its "
        "permissions. Nothing was written.\n"
    )
    assert (folder / "conf").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_init_names_a_folder_that_cannot_be_written(shell: Shell, folder: Path) -> None:
    folder.chmod(0o500)
    try:
        answer = shell("init", str(folder / "conf"))
    finally:
        folder.chmod(0o700)

    assert answer.code == 2
    assert answer.err == (
        f"{folder / 'conf'} cannot be written (Permission denied): choose another folder, or change its "
        "permissions. Nothing was written.\n"
    )


def test_check_tells_every_error_with_its_place(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    shell("init", str(folder))
    lead = folder / "mappings/lead.yaml"
    lead.write_text(
        lead.read_text().replace("  company:        {type: text,", "  company:        {type: txt,")
    )
    salesforce = folder / "mappings/salesforce.yaml"
    salesforce.write_text(salesforce.read_text().replace("rating: Rating", "ratting: Rating"))

    answer = shell("--config", str(folder), "check")
    errors = shell("--config", str(folder), "check", "--json")

    assert answer.code == errors.code == 1
    assert errors.json["ok"] is False
    told = [line for line in answer.out.splitlines() if line.startswith("mappings/")]
    assert len(errors.json["errors"]) == len(told) >= 1
    for error, line in zip(errors.json["errors"], told, strict=True):
        assert line.startswith(f"{error['file']}:{error['line']}:{error['column']}: {error['message']}")
    assert "mappings/lead.yaml" in {error["file"] for error in errors.json["errors"]}


def test_check_judges_the_settings_in_the_file(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text("settings: {hubspot: {access_token: secret}}\n")

    answer = shell("check")

    assert answer.code == 1
    assert "hubspot.access_token is a credential" in answer.out
    assert "LEADLOOP_HUBSPOT__ACCESS_TOKEN" in answer.out


def test_check_without_a_folder_is_about_the_shipped_configuration(shell: Shell) -> None:
    assert shell("check").out.startswith("the shipped configuration is in order (version ")
    assert shell("check", "--json").json["ok"] is True


def test_check_leaves_nothing_behind(shell: Shell, folder: Path) -> None:
    shell("check")

    assert files_in(folder) == set()


def test_a_preset_is_written_under_its_name_and_checks_clean(shell: Shell, folder: Path) -> None:
    assert {*presets("rules"), "x-education"} == set(preset_names())
    for name in preset_names():
        made = shell("init", str(folder / name), "--preset", name, "--yes")
        checked = shell("--config", str(folder / name), "check")

        assert made.code == 0
        assert (folder / name / "rules" / f"{name}.yaml").exists()
        assert checked.code == 0, checked.out
        assert re.search(r" (\d+) cases passed\.$", checked.out.strip()), checked.out
        assert f"rules/{name}.yaml" in made.out


def test_a_preset_with_mappings_of_its_own_brings_them_and_its_table_of_columns(
    shell: Shell, folder: Path
) -> None:
    shell("init", str(folder), "--preset", "x-education", "--yes")
    professional = {"Lead Source": "Reference", "What is your current occupation": "Working Professional"}
    leads = write_csv(folder / "export.csv", professional, {"Lead Source": "google"})

    columns = str(folder / "mappings/csv.yaml")
    tried = shell("try", str(leads), "--mapping", columns, "--stage", "nurture", "--json")

    assert tried.code == 0, tried.err
    assert "occupation" in (folder / "mappings/lead.yaml").read_text()
    stages = [json.loads(line)["stage"] for line in tried.out.splitlines()]
    assert stages == ["mql", "nurture"]


def test_the_folder_of_an_example_is_complete_by_itself(shell: Shell) -> None:
    for example in sorted((ROOT / "mappings" / "examples").iterdir()):
        checked = shell("--config", str(example), "check")

        assert checked.code == 0, checked.out
        assert "cases passed" in checked.out


def test_the_sources_that_a_new_folder_shows_in_comments_can_be_used_as_they_are(
    shell: Shell, folder: Path
) -> None:
    shell("init", str(folder))
    main = folder / "leadloop.yaml"
    before, _, shown = main.read_text().partition("# sources:\n")
    shown, _, after = shown.partition("\n\n")
    main.write_text(f"{before}sources:\n{shown.replace('# ', '')}\n\n{after}")
    rules = folder / "rules" / "default.yaml"
    rule = "    - {rule: long chat, on: chat, when: activity.minutes >= 5, points: 10}\n"
    rules.write_text(rules.read_text().replace("  engagement:\n", f"  engagement:\n{rule}", 1))

    checked = shell("--config", str(folder), "check")

    assert checked.code == 0, checked.out


def test_an_unknown_preset_is_told_with_the_nearest_and_all_others(shell: Shell, folder: Path) -> None:
    answer = shell("init", str(folder / "conf"), "--preset", "defalt")

    assert answer.code == 2
    assert answer.err.startswith('There is no preset "defalt"; did you mean "default"? Presets: ')
    assert not (folder / "conf").exists()


def test_the_help_names_every_preset(shell: Shell) -> None:
    said = shell("init", "--help").out

    assert all(name in said for name in preset_names())


def test_the_page_about_commands_says_what_every_preset_is_for() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| \[`([\w-]+)`\]\(\.\./rules/", page, re.MULTILINE)) == set(preset_names())


def test_every_new_file_says_which_schema_it_has(shell: Shell, folder: Path) -> None:
    shell("init", str(folder), "--yes")

    for path in folder.rglob("*.yaml"):
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.partition("=")[2]).resolve().is_file()


def test_rules_without_a_route_are_a_mistake_since_every_mql_would_wait(shell: Shell, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "leadloop.yaml").write_text("rules: [rules.yaml]\n")
    (folder / "rules.yaml").write_text("gates: {mql: {}}\n")
    answer = shell("--config", str(folder), "check")
    assert answer.code == 1
    assert "rules.yaml:1:1: no route gives an MQL to anybody; write routes: [{route: everyone" in answer.out


def test_an_interval_of_an_object_that_is_not_mapped_is_told_with_its_place(
    shell: Shell, folder: Path
) -> None:
    (folder / "leadloop.yaml").write_text(
        "settings:\n  salesforce:\n    poll_seconds_of: {Account: 900, Leads: 30}\n  hubspot:\n"
        "    poll_seconds_of: {contacts: 45}\n"
    )
    known = "known: CampaignMember, Contact, Lead, Opportunity, OpportunityContactRole"
    answer = shell("check", "--json")
    assert answer.code == 1
    assert [
        (error["line"], error["column"], error["message"], error["hint"]) for error in answer.json["errors"]
    ] == [
        (3, 23, 'the mapping has no object "Account" of salesforce', known),
        (3, 37, 'the mapping has no object "Leads" of salesforce', 'did you mean "Lead"?'),
    ]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SALESFORCE__POLL_SECONDS", "0", "greater than or equal to 1"),
        ("SALESFORCE__POLL_SECONDS_OF", "Task:900", "must be a JSON object, such as"),
        ("SALESFORCE__POLL_SECONDS_OF", '{"Leed": 900}', 'did you mean "Lead"?'),
        ("SALESFORCE__OVERLAP_SECONDS", "-1", "greater than or equal to 0"),
        ("SALESFORCE__STREAM_OBJECTS", "Lead;Contact", "should match pattern"),
        ("SALESFORCE__STREAM_CHANNEL", "Leads", "should match pattern"),
        ("SALESFORCE__WEBHOOK_SECRET", "guess", "must be 20 or more letters"),
        ("HUBSPOT__HANDOFF_RESERVE_PERCENT", "120", "less than or equal to 90"),
        ("HUBSPOT__QUOTA_PERCENT", "0", "greater than or equal to 1"),
        ("HUBSPOT__ARCHIVED_SECONDS", "often", "valid number"),
        ("HUBSPOT__JOURNAL", "perhaps", "valid boolean"),
        ("VERIFY_HOURS", "-1", "greater than or equal to 0"),
        ("WEBHOOKS__PORT", "70000", "less than or equal to 65535"),
        ("WEBHOOKS__PUBLIC_URL", "acme", "must be an address such as"),
        ("WEBHOOKS__MAX_EVENTS", "0", "greater than or equal to 1"),
        ("WEBHOOKS__CERTIFICATE_FILE", "cert.pem", "LEADLOOP_WEBHOOKS__PRIVATE_KEY_FILE is not set"),
        ("WEBHOOKS__MAX_BODY", "1", "did you mean LEADLOOP_WEBHOOKS__MAX_BODY_BYTES?"),
    ],
)
def test_a_wrong_setting_is_a_problem_that_names_the_variable(
    shell: Shell, name: str, value: str, told: str
) -> None:
    variable = f"LEADLOOP_{name}"

    answer = shell("check", **{variable: value})
    as_json = shell("check", "--json", **{variable: value})

    assert answer.code == as_json.code == 1
    assert told in answer.err
    assert "is in order" not in answer.out
    (sentence,) = as_json.json["settings"]
    assert sentence == answer.err.rstrip("\n")
    assert "LEADLOOP_" in sentence


def test_certificates_that_cannot_be_used_are_a_problem(shell: Shell, folder: Path) -> None:
    (folder / "empty.pem").write_text("")
    names = ("CERTIFICATE_FILE", "PRIVATE_KEY_FILE")
    files = {f"LEADLOOP_WEBHOOKS__{name}": "empty.pem" for name in names}

    answer = shell("check", LEADLOOP_WEBHOOKS__PORT="8443", **files)

    assert answer.code == 1
    assert "empty.pem do not go together" in answer.err


def test_who_writes_the_rules_needs_no_credentials(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text(
        "settings: {salesforce: {stream: true}, hubspot: {journal: true}}\n"
    )

    assert shell("check").code == 0
    live = shell("check", "--live")
    assert live.code == 1
    assert "LEADLOOP_" in live.err
