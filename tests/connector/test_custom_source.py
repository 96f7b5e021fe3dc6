"""Activities from outside both platforms, handed over as files: they count once, and none is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.wiring import choose_configuration
from mappings.problems import ConfigErrors
from tests.cli.shell import Shell
from tests.connector.forgetting.traces import everything
from tests.connector.test_signals import ANN, activities, enter_ann, kinds, publish
from tests.world import RULES, World, configuration

SOURCES = (
    "rules: [rules.yaml]\nsources:\n  product:\n    sign_up: {plan: text}\n    chat: {minutes: number}\n"
)
CHATS = RULES.replace(
    "gates:", "    - {rule: long chat, on: chat, when: activity.minutes >= 5, points: 11}\ngates:"
)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[tuple[World, Shell]]:
    """Ann is known; the configuration in force has a source of its own."""
    config = configuration(CHATS, {"leadloop.yaml": SOURCES})
    with World(tmp_path, config) as world:
        world.leadloop  # noqa: B018  # connected
        choose_configuration(world.database, config, world.clock.now_ms())
        enter_ann(world)
        world.later(days=1)
        shell = Shell(tmp_path, {"LEADLOOP_DATABASE_URL": f"sqlite:///{tmp_path}/leadloop.db"}, world.clock)
        yield world, shell


CSV = """email,kind,at,key,minutes,plan
Ann@Acme.example,chat,2027-01-15T09:00:00Z,c1,7.5,
ann@acme.example,sign_up,2027-01-15T10:00:00Z,s1,,team
"""


def test_a_file_of_activities_counts_once_however_often_it_is_handed_over(
    product: tuple[World, Shell], tmp_path: Path
) -> None:
    world, leadloop = product
    file = tmp_path / "product.csv"
    file.write_text(CSV, encoding="utf-8")
    told = {"source": "product", "new": 2, "known": 0, "waiting": [], "forgotten": [], "bad": []}
    assert leadloop("activities", str(file), "--json").json == told
    assert leadloop("activities", str(file), "--json").json == {**told, "new": 0, "known": 2}
    publish(world)
    assert [(item.kind, item.attributes) for item in activities(world)] == [
        ("chat", {"minutes": 7.5}),
        ("sign_up", {"plan": "team"}),
    ]
    assert world.sf_lead(ANN)["Leadloop_Score__c"] == 11
    assert world.contact(ANN)["leadloop_score"] == "11"


def test_what_a_forgotten_person_did_is_not_kept(product: tuple[World, Shell], tmp_path: Path) -> None:
    world, leadloop = product
    file = tmp_path / "product.csv"
    file.write_text(CSV, encoding="utf-8")
    assert leadloop("forget", ANN, "--yes").code == 0
    answer = leadloop("activities", str(file))
    assert (answer.code, answer.out) == (
        0,
        "0 new activities, 0 known before.\n2 of people who were forgotten are not kept.\n",
    )
    assert leadloop("activities", str(file), "--json").json["forgotten"] == [2, 3]
    assert ANN.encode() not in everything(world)
    assert leadloop("forget", "--undo", ANN).code == 0
    assert leadloop("activities", str(file), "--json").json["waiting"] == [2, 3]


def test_what_an_unknown_person_did_waits_and_is_told(product: tuple[World, Shell]) -> None:
    world, leadloop = product
    row = '{"email": "Ben@bolts.example", "kind": "chat", "at": 1800000000000, "key": 9, "attributes": {}}\n'
    for _ in range(2):
        answer = leadloop("activities", "-", typed=row)
        assert (answer.code, answer.out) == (
            0,
            "0 new activities, 0 known before.\n1 of people who are not known yet are kept: line 1\n",
        )
    world.hubspot.create("contacts", email="ben@bolts.example", lastname="Ben")
    world.run()
    assert kinds(world, "ben@bolts.example") == ["chat"]
    assert leadloop("activities", "-", "--json", typed=row).json["known"] == 1
    world.run()
    assert kinds(world, "ben@bolts.example") == ["chat"]


def test_bad_rows_are_told_by_line_and_lose_nothing_else(
    product: tuple[World, Shell], tmp_path: Path
) -> None:
    world, leadloop = product
    file = tmp_path / "product.csv"
    rows = [
        "email,kind,at,key,minutes,plan,lead",
        "ann@acme.example,chta,2027-01-15T09:00:00Z,1,,,",
        "ann@acme.example,chat,yesterday,2,,,",
        "ann@acme.example,chat,2027-01-15T09:00:00Z,3,many,,",
        "ann@acme.example,chat,2027-01-15T09:00:00Z,4,,team,",
        "ann@acme.example,chat,2028-01-15T09:00:00Z,5,,,",
        "nobody,chat,2027-01-15T09:00:00Z,6,,,",
        ",chat,2027-01-15T09:00:00Z,7,,,",
        "ann@acme.example,chat,2027-01-15T09:00:00Z,,,,",
        ",chat,2027-01-15T09:00:00Z,9,,,L000000000000000000000000",
        "ann@acme.example,chat,2027-01-15T09:00:00Z,10,,,,too,many",
        "ann@acme.example,chat,2027-01-15T09:00:00Z,11,1,,",
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    answer = leadloop("activities", str(file), "--json")
    assert answer.code == 1
    assert answer.json["new"] == 1
    assert [(bad["line"], bad["why"]) for bad in answer.json["bad"]] == [
        (2, 'the source gives no activity "chta"; did you mean "chat"?'),
        (3, '"at": "yesterday" is no date and time such as 2027-01-15T08:00:00Z'),
        (4, '"minutes": "many" is no number'),
        (5, '"chat" has no attribute "plan"; known: minutes'),
        (6, '"at": "2028-01-15T09:00:00Z" lies ahead'),
        (7, "it is no e-mail address: An email address must have an @-sign"),
        (8, 'who did it: "email" or "lead" is needed, and one of the two only'),
        (9, '"key" is missing'),
        (10, 'there is no lead "L000000000000000000000000"'),
        (11, "9 values for 7 columns"),
    ]
    assert kinds(world) == ["chat"]
    told = leadloop("activities", "-", typed='[1]\n{"kind": "chat", "who": "x"}\n{"a\n')
    assert (told.code, told.out) == (1, "0 new activities, 0 known before.\n")
    assert told.err.startswith('line 1: no JSON object\nline 2: "who" is not known; known: ')
    assert "line 3: no JSON: " in told.err


def test_a_lead_is_named_by_its_id_too(product: tuple[World, Shell]) -> None:
    world, leadloop = product
    row = {"lead": world.lead(ANN).lead_id, "kind": "sign_up", "at": "2027-01-15", "key": "1"}
    assert leadloop("activities", "-", "--json", typed=json.dumps(row)).json["new"] == 1
    assert kinds(world) == ["sign_up"]


@pytest.mark.parametrize(
    ("rules", "main", "told"),
    [
        ("{rule: a, on: chta, points: 1}", SOURCES,
         'no configured source gives the activity "chta"; did you mean "chat"?'),
        ("{rule: a, on: chat, when: activity.minuets > 1, points: 1}", SOURCES, 'did you mean "minutes"?'),
        ('{rule: a, on: chat, when: activity.minutes == "x", points: 1}', SOURCES, "number"),
        ("{rule: a, on: meeting, points: 1}", SOURCES, 'no configured source gives the activity "meeting"'),
        ("{rule: a, on: email_bounce, when: activity.detail == 'x', points: 1}", SOURCES, "detail"),
        ("{rule: a, on: chat, points: 1}", SOURCES.replace("chat:", "Chat:"),
         '"Chat" cannot be used as a name'),
        ("{rule: a, on: chat, points: 1}", SOURCES.replace("{plan:", "{email:"),
         '"email" cannot be used as a name; it has a meaning of its own'),
        ("{rule: a, on: sign_up, points: 1}",
         SOURCES + "    campaign_response: {status: number}\n",
         'the attribute "status" of "campaign_response" is text elsewhere'),
    ],
)  # fmt: skip
def test_rules_on_what_no_source_gives_are_refused(rules: str, main: str, told: str) -> None:
    with pytest.raises(ConfigErrors) as found:
        configuration(RULES.replace("gates:", f"    - {rules}\ngates:"), {"leadloop.yaml": main})
    assert any(told in str(error) for error in found.value.errors), found.value.errors
