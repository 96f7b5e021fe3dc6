"""`leadloop schema`: editors accept what leadloop accepts, and mark what it refuses for its shape."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connector.cli.init import folder_texts
from connector.schemas import schema_of, schemas
from mappings.source import Source, parse
from mappings.validation import validate
from rules.document import RulesDocument
from tests.cli.shell import Shell

ROOT = Path(str(resources.files("mappings"))).parent
SHIPPED = sorted(
    path
    for pattern in ("mappings/presets/*", "mappings/examples/*/*", "mappings/vocabularies/*", "rules/*/*")
    for path in ROOT.glob(f"{pattern}.yaml")
)

SIDE = "side: x\nplatform: x\nkind: crm\n"


def faults(name: str, text: str) -> list[str]:
    """What an editor would mark."""
    validator = Draft202012Validator(schemas()[schema_of(name, text)])
    return [error.message for error in validator.iter_errors(parse(Source(name, text)).data)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_document_is_accepted(path: Path) -> None:
    assert faults(path.name, path.read_text(encoding="utf-8")) == []


def test_every_file_of_a_new_folder_is_accepted() -> None:
    for name, text in folder_texts().items():
        if name.endswith(".yaml"):
            assert faults(name.rpartition("/")[2], text) == [], name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("leadloop.yaml", "brakes: {}"),
        ("leadloop.yaml", "brake: {limits: {mqls: {share: 1, at_least: 1}}}"),
        ("leadloop.yaml", "brake: {window_minutes: 0}"),
        ("leadloop.yaml", "settings: {hubspot: {access_token: x}}"),
        ("leadloop.yaml", "settings: {log_level: loud}"),
        ("leadloop.yaml", "mappings: lead.yaml"),
        ("lead.yaml", "fields: {email: {type: emial, policy: hubspot}}"),
        ("lead.yaml", "fields: {email: {policy: hubspot}}"),
        ("side.yaml", SIDE + "objects: {Lead: {role: persn}}"),
        (
            "side.yaml",
            SIDE + "objects: {Lead: {role: person, leadloop: {stag: X}}}",
        ),
        (
            "side.yaml",
            SIDE + "objects: {Lead: {role: person, fields: {a: {field: A, tabel: {}}}}}",
        ),
        ("rules.yaml", "score: {fit: [{rule: a, when: b, point: 3}]}"),
        ("rules.yaml", "gates: {mqll: {}}"),
        ("rules.yaml", "cases: [{case: a, expect: {stage: mqll}}]"),
        ("rules.yaml", "cases: [{case: a, expect: {score: many}}]"),
        ("rules.yaml", "cases: [{case: a}]"),
        ("rules.yaml", "score: {engagement: [{rule: a, points: 3}]}"),
        ("rules.yaml", "score: {engagement: [{rule: a, on: null, points: 3}]}"),
        ("rules.yaml", "score: {engagement: [{rule: a, when: b, points: 3, half_life_days: 3}]}"),
        (
            "rules.yaml",
            "score: {engagement: [{rule: a, on: b, points: 3, half_life_days: 3, linear_days: 3}]}",
        ),
        ("rules.yaml", "score: {engagement: [{rule: a, on: b, points: 3, once: true, per_day: 2}]}"),
        ("rules.yaml", "score: {groups: {a: {}}}"),
        ("rules.yaml", "fast_track: [{rule: a}]"),
        ("rules.yaml", "grades: {fit: {A: 20}, score: {A: 20}}"),
        ("rules.yaml", "grades: {}"),
        ("rules.yaml", "gates: {mql: {any: [{fit: 20}]}}"),
        ("rules.yaml", "gates: {mql: {any: [{fit: 20}, {}]}}"),
        ("rules.yaml", "routes: [{route: a}]"),
        ("rules.yaml", "routes: [{route: a, owner: a@b.example, pool: [c@d.example]}]"),
        ("rules.yaml", "routes: [{route: a, owner: ann}]"),
        ("rules.yaml", "routes: [{route: a, pool: []}]"),
        ("rules.yaml", "routes: [{route: a, pool: [ann]}]"),
        ("rules.yaml", "nurture: {touches: []}"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: mql, within: 4h}]"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: nurture, within: 4 hours}]"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: mql, within: 4 business hours}]"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: mql, within: 4 hours, hours: b}]"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: mql, within: 4 hours, on_breach: escalate}]"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: mql, within: 4 hours, to: a@b.example}]"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: mql, within: 4 hours, on_breach: reroute}]"),
        ("rules.yaml", "deadlines: [{deadline: a, stage: mql, within: 4 hours, remind: 1 hour}]"),
        ("rules.yaml", "cases: [{case: a, expect: {}}]"),
        ("rules.yaml", "cases: [{case: a, expect: {fired: []}}]"),
        ("rules.yaml", "cases: [{case: a, expect: {stage: null}}]"),
        ("rules.yaml", "cases: [{case: a, expect: {score: {}}}]"),
        ("rules.yaml", "cases: [{case: a, expect: {score: {exactly: 3, at_least: 2}}}]"),
        ("words.yaml", "vocabulary: x\nlabels: {mql: MQL}"),
    ],
)
def test_known_mistakes_are_marked(name: str, text: str) -> None:
    assert faults(name, text)


@pytest.mark.parametrize(
    "text",
    [
        "score: {engagement: [{rule: a, on: b, when: null, points: 3, half_life_days: 3, linear_days: ~}]}",
        "score: {engagement: [{rule: a, when: b, points: 3, once: false, at_most: null}]}",
        "routes: [{route: a, owner: 'queue: Inbound Leads', pool: null}]",
        "routes: [{route: a, pool: [a@b.example, 'queue:x']}]",
        "deadlines: [{deadline: a, stage: distributed, within: 1 business day, hours: b}]",
        "deadlines: [{deadline: a, stage: distributed, within: 1 minute, on_breach: reroute}]",
        "deadlines: [{deadline: a, stage: mql, within: 90 minutes, remind: 5 minutes before}]",
        "deadlines: [{deadline: a, stage: accepted, within: 3 days, remind: [1 day before, 1 hour before]}]",
        "deadlines: [{deadline: a, stage: accepted, within: 3 days, on_breach: escalate, to: 'queue:x'}]",
        "deadlines: [{deadline: a, stage: accepted, within: 3 days, on_breach: nurture, reason: slow}]",
        "gates: {mql: {any: [{fit: 20}, {when: a}], margin: 3}}",
        "cases: [{case: a, expect: {grade: null, score: 3}}]",
    ],
)
def test_what_is_left_open_with_null_is_no_mistake(text: str) -> None:
    assert faults("rules.yaml", text) == []
    validate(RulesDocument, parse(Source("rules.yaml", text)))


def test_the_keys_of_every_document_say_what_they_are_for() -> None:
    for name, schema in schemas().items():
        for key, value in schema["properties"].items():
            assert value.get("description"), f"{name}: {key}"


def test_the_schemas_themselves_are_valid() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


def test_they_are_written_beside_the_configuration_or_where_one_says(shell: Shell, folder: Path) -> None:
    beside, elsewhere = shell("schema"), shell("schema", str(folder / "deep" / "er"))

    assert beside.code == elsewhere.code == 0
    for name, schema in schemas().items():
        assert json.loads((folder / "schemas" / name).read_text()) == schema
        assert (folder / "deep" / "er" / name).exists()
        assert f"  {name}\n" in beside.out


def test_a_folder_that_cannot_be_written_is_told(shell: Shell, folder: Path) -> None:
    (folder / "file").write_text("")

    answer = shell("schema", str(folder / "file"))

    assert answer.code == 2
    assert answer.err.endswith("Nothing was written.\n")
