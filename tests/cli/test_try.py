"""`leadloop try` says what the folder's rules make of leads in a file or a database; it writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.configuration import shipped
from connector.json_stream import json_objects
from tests.cli.people import ann_asks_for_prices
from tests.cli.shell import Shell
from tests.world import RULES, World

HEAD = "email,last_name,job_title,employees\n"
ANN = "ann@acme.example,Lee,Director of IT,500\n"


@pytest.fixture
def ours(shell: Shell, folder: Path) -> Shell:
    """A shell in a folder with small rules."""
    (folder / "leadloop.yaml").write_text("rules: [rules.yaml]\n")
    (folder / "rules.yaml").write_text(RULES)
    return shell


def put(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_a_csv_file_by_canonical_names(ours: Shell, folder: Path) -> None:
    file = put(folder, "leads.csv", HEAD + ANN + "bob@acme.example,,Student,\n")

    answer = ours("try", file)

    assert answer.code == 0
    assert " ".join(answer.out.split()) == (
        "lead stage fit eng score why "
        "ann@acme.example nurture 40 0 40 lacks 30 more engagement points "
        "bob@acme.example qualification 0 0 0 lacks 20 more fit points, 30 more engagement points "
        "2 leads: nurture 1, qualification 1."
    )


@pytest.mark.parametrize("form", ["list", "lines"])
def test_json_leads_bring_their_activities(ours: Shell, folder: Path, form: str) -> None:
    ann = {
        "email": "ann@acme.example",
        "last_name": "Lee",
        "job_title": "Director",
        "employees": 500,
        "activities": [{"kind": "form_submission", "at": "2 days ago"}],
    }
    leads = [ann, {"email": "bob@acme.example", "stage": "nurture"}]
    text = json.dumps(leads, indent=1) if form == "list" else "\n".join(map(json.dumps, leads))

    answer = ours("try", put(folder, "leads.json", text), "--json")

    found = [json.loads(line) for line in answer.out.splitlines()]
    assert [(item["lead"], item["stage"], item["score"], item["route"]) for item in found] == [
        ("ann@acme.example", "mql", 70, "everyone"),
        ("bob@acme.example", "nurture", 0, None),
    ]
    assert [rule["rule"] for rule in found[0]["fired"]] == ["senior title", "large company", "form"]


def test_who_cannot_be_reached_lacks_that_before_any_points(ours: Shell, folder: Path) -> None:
    file = put(folder, "leads.csv", HEAD + ",Lee,Director of IT,500\n")

    found = json.loads(ours("try", file, "--json").out)

    assert found["stage"] == "inquiry"
    assert found["missing_for_mql"] == ["an email", "30 more engagement points"]


def test_the_summary_counts(ours: Shell, folder: Path) -> None:
    file = put(folder, "leads.csv", HEAD + ANN * 3 + "x@rival.example,,,\n")

    data = ours("try", file, "--summary", "--json").json

    assert data["leads"] == 4
    assert data["stages"] == {"nurture": 3, "qualification": 1}
    assert data["fired"] == {"senior title": 3, "large company": 3}
    assert "  nurture        3  75 %\n" in ours("try", file, "--summary").out


def test_columns_of_other_names_are_read_by_a_mapping(ours: Shell, folder: Path) -> None:
    put(folder, "csv.yaml", "columns: {email: E-Mail, job_title: Role, last_name: Name, employees: Size}\n")
    file = put(folder, "leads.csv", "E-Mail,Role,Name,Size\nann@acme.example,Head of IT,Lee,300\n")

    for mapping in ("csv.yaml", "."):
        found = json.loads(ours("try", file, "--mapping", mapping, "--json", "--stage", "nurture").out)
        assert (found["stage"], found["fit"]) == ("nurture", 40)


def test_stages_are_shown_in_the_teams_words(ours: Shell, folder: Path) -> None:
    put(folder, "leadloop.yaml", "rules: [rules.yaml]\nvocabulary: seven-stages\n")
    file = put(folder, "leads.csv", HEAD + ANN)

    assert "Nurturing" in ours("try", file).out
    assert json.loads(ours("try", file, "--json").out)["stage"] == "nurture"


def test_a_value_that_a_picklist_does_not_have_is_told_and_blank(ours: Shell, folder: Path) -> None:
    lead = shipped("mappings", "lead")
    line = next(text for text in lead.splitlines() if text.strip().startswith("rating:"))
    put(folder, "lead.yaml", lead.replace(line, line.rstrip("}").rstrip() + ", values: [Hot, Cold]}"))
    (folder / "leadloop.yaml").write_text(
        'mappings: [lead.yaml, "preset:salesforce", "preset:hubspot"]\nrules: [rules.yaml]\n'
    )
    file = put(folder, "leads.csv", "email,rating\nann@acme.example,Warm\nbob@acme.example,Hot\n")

    answer = ours("try", file, "--json")

    assert answer.code == 0
    assert (
        answer.err == 'leads.csv:2: rating: "Warm" is not one of the values of this field; taken as blank\n'
    )


def test_a_value_that_cannot_be_read_is_told_and_blank(ours: Shell, folder: Path) -> None:
    file = put(folder, "leads.csv", HEAD + "ann@acme.example,Lee,Director,many\n")

    answer = ours("try", file, "--json")

    assert answer.code == 0
    assert answer.err == 'leads.csv:2: employees: "many" is no number; taken as blank\n'
    assert json.loads(answer.out)["fit"] == 20


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "", "a.csv is empty: its first line must name the columns."),
        ("a.csv", "colour,size\nred,1\n", "a.csv:1: none of the columns is a field of lead.yaml"),
        ("a.csv", "email,email\n", 'a.csv:1: the column "email" is there twice.'),
        ("a.csv", "email,phone\na@b.example\n", "a.csv:2: this row has fewer values than there are columns."),
        ("a.csv", "email\na@b.example,1\n", "a.csv:2: this row has more values than there are columns."),
        ("a.json", '[{"email": "a@b.example"},\n {"emial": 1}]', 'a.json:2: unknown field "emial"; did you'),
        ("a.json", '[{"email": "a@b.example"},\n {oops}]', "a.json:2: this is not valid JSON"),
        ("a.json", '[{"email": "a@b.example"}', "a.json:1: the list has no end: a ] is missing."),
        ("a.json", "[1]", "a.json:1: a lead must be an object, with its fields by name."),
        ("a.json", '{"stage": "mqll"}', 'a.json:1: unknown stage "mqll"; did you mean "mql"?'),
        ("a.json", '{"activities": [{"at": "today"}]}', "a.json:1: kind is missing."),
        (
            "a.json",
            '{"activities": [{"kind": "visti"}]}',
            "a.json:1: no configured source gives the activity",
        ),
        ("a.json", '{"activities": 5}', "a.json:1: activities is not of its form: "),
        ("a.json", '{"activities": ["visit"]}', "a.json:1: activities is not of its form: "),
        ("a.json", '{"cycle": "second"}', "a.json:1: cycle is a whole number from 1 on."),
        ("a.json", '{"cycle": 0}', "a.json:1: cycle is a whole number from 1 on."),
        (
            "a.json",
            '{"employees": ' + "9" * 5_000 + "}",
            "a.json:1: a number in this lead has too many digits.",
        ),
        ("a.json", '[{"email": "a@b.example"}]\n[{}]', "a.json:2: there is more behind the end of the list."),
        ("a.json", '{"exists_on": "hubspot"}', "a.json:1: exists_on is a list of sides."),
        ("a.json", '{"exists_on": ["hubspt"]}', 'a.json:1: unknown side "hubspt"; did you mean "hubspot"?'),
        ("a.json", '{"origin": "moon"}', 'a.json:1: unknown side "moon"; known: hubspot, salesforce.'),
        (
            "a.json",
            '{"rejections": [{"reason": "timming"}]}',
            'a.json:1: unknown reason "timming"; did you mean "timing"?',
        ),
        (
            "a.json",
            '{"rejections": [{"reason": "timing", "when": "today"}]}',
            'a.json:1: a rejection has no "when"; known: at, cycle, reason, score.',
        ),
        (
            "a.json",
            '{"rejections": [{"reason": "timing", "score": "high"}]}',
            "a.json:1: the score of a rejection is a whole number.",
        ),
        (
            "a.json",
            '{"activities": [{"kind": "form_submission", "detail": "Pricing"}]}',
            'a.json:1: an activity has no "detail"; known: at, attributes, kind.',
        ),
        (
            "a.json",
            '{"activities": [{"kind": "form_submission", "attributes": {"detial": "Pricing"}}]}',
            'a.json:1: the activity "form_submission" has no "detial"; did you mean "detail"?',
        ),
        (
            "a.json",
            '{"activities": [{"kind": "form_submission", "attributes": {"detail": 5}}]}',
            'a.json:1: the attribute "detail": a text is ',
        ),
        (
            "a.csv",
            "email;last_name\na@b.example;Lee\n",
            "they are parted by semicolons; save it with commas.",
        ),
        ("a.csv", "Last Name\nLee\n", 'rename them ("Last Name" to last_name), or say with --mapping'),
        ("a.txt", '[{"email": "a@b.example"}]', "if the file is JSON, let its name end in .json."),
        ("a.csv", 'email\na@b.example\n"c@b.example\n', "a.csv:3: this is no CSV file that can be read: "),
        ("a.json", '{"created": Infinity}', "a.json:1: created is not of its form: "),
        ("a.json", '{"rejections": [{"reason": "x", "at": "soon"}]}', "a.json:1: "),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_line(
    ours: Shell, folder: Path, name: str, text: str, told: str
) -> None:
    answer = ours("try", put(folder, name, text))

    assert answer.code == 2
    assert told in answer.err


def test_a_file_that_is_not_there_or_not_text_is_told(ours: Shell, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"email\n\xff\xfe\n")

    assert ours("try", "none.csv").err == "none.csv cannot be read: No such file or directory.\n"
    assert ours("try", "a.csv").err.startswith("a.csv is not UTF-8 (byte ")
    assert ours("try", "none.csv").code == ours("try", "a.csv").code == 2


def test_an_unknown_stage_to_begin_in_is_told(ours: Shell) -> None:
    assert ours("try", "a.csv", "--stage", "mqll").err.endswith('no stage "mqll"; did you mean "mql"?\n')


def test_an_option_that_would_do_nothing_is_told(world: World, leadloop: Shell, tmp_path: Path) -> None:
    database = str(tmp_path / "leadloop.db")

    assert leadloop("try", database, "--stage", "nurture").err.startswith("--stage is for files: ")
    assert leadloop("try", database, "--mapping", "csv.yaml").err.startswith("--mapping is for CSV files: ")
    assert leadloop("try", "a.json", "--mapping", "csv.yaml").err.startswith("--mapping is for CSV files: ")
    assert leadloop("try", database, "--stage", "nurture").code == 2


def test_json_is_read_as_a_stream(tmp_path: Path) -> None:
    """The first lead is there before the file has been read to its end."""
    path = tmp_path / "many.json"
    path.write_text("[" + ",\n".join(['{"a": "' + "x" * 1_000 + '"}'] * 1_000) + "]")

    with path.open() as file:
        objects = json_objects(path, file)
        assert next(objects)[0] == 1
        assert file.buffer.tell() < 200_000
        assert [line for line, _ in objects] == list(range(2, 1_001))


def test_a_database_shows_what_the_folders_rules_would_change(
    world: World, leadloop: Shell, folder: Path, tmp_path: Path
) -> None:
    world.hubspot.create("contacts", email="ann@acme.example", lastname="Lee", jobtitle="Director")
    world.run()
    assert world.lead("ann@acme.example").stage == "nurture"
    path = folder / "rules.yaml"
    path.write_text(path.read_text().replace("mql: {fit: 20, engagement: 30}", "mql: {fit: 20}"))

    answer = leadloop("try", str(tmp_path / "leadloop.db"))
    data = leadloop("try", f"sqlite:///{tmp_path}/leadloop.db", "--summary", "--json").json

    assert answer.code == 0
    row = next(line for line in answer.out.splitlines() if "ann@acme.example" in line)
    assert row.split() == ["ann@acme.example", "nurture", "20", "→", "20", "mql,", "MQL", "gained"]
    assert data == {
        "leads": 1,
        "scores_changed": 0,
        "stages_changed": [{"applied": "nurture", "folder": "mql", "leads": 1}],
        "mqls_gained": 1,
        "mqls_lost": 0,
    }
    assert world.lead("ann@acme.example").stage == "nurture"


def test_leads_that_sales_has_already_are_no_mqls_gained_or_lost(
    world: World, leadloop: Shell, folder: Path, tmp_path: Path
) -> None:
    ann_asks_for_prices(world)
    world.run()
    assert world.lead("ann@acme.example").stage == "distributed"
    path = folder / "rules.yaml"
    path.write_text(
        path.read_text().replace("mql: {fit: 20, engagement: 30}", "mql: {fit: 20, engagement: 40}")
    )

    answer = leadloop("try", str(tmp_path / "leadloop.db"))

    assert answer.code == 0
    assert "ann@acme.example" not in answer.out
    assert ["MQLs", "lost", "0"] in [line.split() for line in answer.out.splitlines()]


def test_a_database_that_is_not_there_is_told(ours: Shell) -> None:
    answer = ours("try", "sqlite:///none.db")

    assert answer.code == 2
    assert answer.err.startswith("There is no database at ")


def test_a_lead_goes_as_far_as_leadloop_takes_it(
    world: World, ours: Shell, folder: Path, tmp_path: Path
) -> None:
    leads = [
        {"email": "dee@acme.example", "last_name": "Lee", "job_title": "Director"},
        {"email": "nan@acme.example"},
        {"email": "spy@rival.example", "company": "Rival Inc"},
        {"email": "joe@acme.example", "last_name": "Jo", "description": "wants a demo"},
    ]
    native = {"last_name": "lastname", "job_title": "jobtitle"}
    for lead in leads:
        if "description" not in lead:  # HubSpot's preset maps none
            world.hubspot.create(
                "contacts", **{native.get(name, name): value for name, value in lead.items()}
            )
    world.run()

    answer = ours("try", put(folder, "leads.json", json.dumps(leads)), "--json")

    tried = {item["lead"]: item["stage"] for item in map(json.loads, answer.out.splitlines())}
    assert tried.pop("joe@acme.example") == "mql"
    assert tried == {email: world.lead(email).stage.value for email in tried}
    assert set(tried.values()) == {"nurture", "qualification", "disqualified"}
