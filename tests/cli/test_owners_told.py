"""Owners whom the rules name and a platform does not know, and why a lead went to whom it went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.wiring import choose_configuration
from tests.cli.people import ANN, ann_asks_for_prices
from tests.cli.shell import Shell
from tests.world import RULES, World, configuration

ROUTES = """\
  - {route: big ones, when: employees >= 5000, owner: vip@sales.example}
  - {route: everyone, pool: sdr}
  - {route: rest, owner: "queue:Inbound Leads"}
"""
POOLS = """
pools:
  sdr:
    members:
      - lou@sales.example
      - {owner: sam@sales.example, away: [{from: 2027-01-01, until: 2027-01-31}]}
      - kim@sales.example
"""
NAMED = RULES.replace("  - {route: everyone, pool: [sam@sales.example, kim@sales.example]}\n", ROUTES) + POOLS


def line_of(text: str) -> int:
    return NAMED[: NAMED.index(text)].count("\n") + 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lou is no HubSpot user and an inactive one of Salesforce; nobody knows vip or the queue."""
    with World(tmp_path, configuration(NAMED)) as made:
        made.salesforce.add_user("Lou", "lou@sales.example", active=False)
        made.leadloop  # noqa: B018  # connected before anybody acts
        choose_configuration(made.database, made.config, made.clock.now_ms())
        yield made


def test_check_live_names_everybody_who_is_missing_where_the_rules_name_them(
    world: World, leadloop: Shell
) -> None:
    answer = leadloop("check", "--live", "--json")

    assert answer.code == 1
    named = [error for error in answer.json["errors"] if error["file"] == "rules.yaml"]
    vip, queue, lou = (line_of(text) for text in ("owner: vip", "queue:Inbound", "- lou@"))
    assert [(error["line"], error["column"], error["message"], error["hint"]) for error in named] == [
        (
            vip,
            55,
            "vip@sales.example is no active user on salesforce: leads that go there are held",
            'invite them there, or change route "big ones"',
        ),
        (
            vip,
            55,
            "vip@sales.example is no active user on hubspot: leads that go there are held",
            'invite them there, or change route "big ones"',
        ),
        (
            queue,
            26,
            "queue:Inbound Leads is no active queue on salesforce: leads that go there are held",
            'make it there, or change route "rest"',
        ),
    ]
    warned = [error for error in answer.json["warnings"] if error["file"] == "rules.yaml"]
    assert [(error["line"], error["message"]) for error in warned] == [
        (lou, "lou@sales.example is no active user on salesforce: the pool does without"),
        (lou, "lou@sales.example is no active user on hubspot: the pool does without"),
    ]


def test_status_names_them_too(world: World, leadloop: Shell) -> None:
    missing = leadloop("status", "--json").json["missing_owners"]
    assert {(one["owner"], one["side"], one["where"]) for one in missing} == {
        ("vip@sales.example", "salesforce", 'route "big ones"'),
        ("vip@sales.example", "hubspot", 'route "big ones"'),
        ("queue:Inbound Leads", "salesforce", 'route "rest"'),
        ("lou@sales.example", "salesforce", 'pool "sdr"'),
        ("lou@sales.example", "hubspot", 'pool "sdr"'),
    }
    shown = leadloop("status").out
    assert "lou@sales.example is no active user on hubspot: the pool does without" in shown

    world.hubspot.add_owner("vip@sales.example")
    world.salesforce.add_user("Vip", "vip@sales.example")
    world.reconnect()
    world.leadloop  # noqa: B018  # it asks who is there when it starts
    again = leadloop("status", "--json").json["missing_owners"]
    assert {one["owner"] for one in again} == {"queue:Inbound Leads", "lou@sales.example"}


def test_plan_and_explain_say_why_this_one(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    why = (
        "next in pool sdr; left out: lou@sales.example (is no active user on salesforce), "
        "sam@sales.example (away until 2027-01-31)"
    )
    moves = leadloop("plan", ANN, "--json").json["moves"]
    assert (moves[-1]["actor"], moves[-1]["reason"]) == ("everyone", why)
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Owner__c"] == "kim@sales.example"
    history = leadloop("explain", ANN, "--json").json["history"]
    assert (history[-1]["actor"], history[-1]["reason"]) == ("everyone", why)
    assert why in " ".join(leadloop("explain", ANN).out.split())
