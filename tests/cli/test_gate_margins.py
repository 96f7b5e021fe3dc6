"""The margin of a gate, as people see it: a lead at the threshold comes and goes without a write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.wiring import choose_configuration
from tests.cli.people import ANN, see
from tests.cli.shell import Shell
from tests.world import World, configuration

RULES = """
score:
  fit:
    - {rule: senior, when: 'contains(job_title, "vp")', points: 8}
    - {rule: sales, when: 'contains(job_title, "sales")', points: 2}
  engagement:
    - {rule: form, on: form_submission, points: 20, linear_days: 20}
gates:
  qualification: {engagement: 18, margin: 4}
  nurture: {fit: 10, margin: 2}
  mql: {when: opted_out}
nurture: {tracks: [{track: general}]}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, configuration(RULES)) as made:
        assert made.leadloop.configuration == made.config.version
        choose_configuration(made.database, made.config, made.clock.now_ms())
        yield made


@pytest.fixture
def ann(world: World) -> str:
    """Ann fills in a form: her HubSpot contact. She is in nurture then."""
    given = {"email": ANN, "firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales", "company": "Acme"}
    contact = world.hubspot.create("contacts", source="FORM", **given)
    world.run()
    world.hubspot.submit_form(ANN, "Newsletter")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    return contact


def becomes(world: World, contact: str, title: str) -> int:
    """Ann gets another title; how many records leadloop wrote for that."""
    world.later(minutes=5)
    world.hubspot.update("contacts", contact, jobtitle=title)
    return world.run().written


def gate(leadloop: Shell, name: str) -> tuple[bool, list[str]]:
    """Whether Ann passes a gate, and what she lacks, as `explain` tells it."""
    told = leadloop("explain", ANN, "--json").json["score"]["gates"][name]
    return told["passed"], told["missing"]


def test_within_the_margin_the_gate_stays_open_and_nothing_is_written(
    world: World, leadloop: Shell, ann: str
) -> None:
    for _ in range(3):
        for title in ("VP", "VP Sales"):
            assert becomes(world, ann, title) == 0
            assert gate(leadloop, "nurture") == (True, [])
    assert len(leadloop("explain", ANN, "--json").json["score_moves"]) == 2  # as it came, and the form


def test_beyond_the_margin_the_gate_closes_which_is_shown_and_opens_at_the_threshold_again(
    world: World, leadloop: Shell, ann: str
) -> None:
    assert world.contact(ANN)["leadloop_fit"] == "10"
    assert becomes(world, ann, "Sales clerk") == 1
    assert world.contact(ANN)["leadloop_fit"] == "2"
    assert gate(leadloop, "nurture") == (False, ["8 more fit points"])
    assert becomes(world, ann, "VP") == 0
    assert gate(leadloop, "nurture") == (False, ["2 more fit points"])
    assert becomes(world, ann, "VP Sales") == 1
    assert world.contact(ANN)["leadloop_fit"] == "10"
    assert gate(leadloop, "nurture") == (True, [])
    assert world.contact(ANN)["leadloop_stage"] == "nurture", "no gate takes a lead back"


def test_a_plan_says_what_a_gate_that_closes_will_write_and_closes_nothing(
    world: World, leadloop: Shell, ann: str
) -> None:
    score = ["leadloop_score", "leadloop_fit"]
    for title, written in (("VP", []), ("Clerk", score)):
        world.later(minutes=5)
        world.hubspot.update("contacts", ann, jobtitle=title)
        see(world)
        for _ in range(2):
            plan = leadloop("plan", ANN, "--json").json
            fields = [field["field"] for write in plan["writes"] for field in write["fields"]]
            assert [name for name in fields if name in score] == written
        assert world.run().written == bool(written)


def test_points_that_fade_are_looked_at_when_they_leave_the_margin(
    world: World, leadloop: Shell, ann: str
) -> None:
    shown: list[tuple[int, str]] = []
    passed: list[bool] = []
    for hour in range(0, 24 * 8, 6):
        if not shown or world.contact(ANN)["leadloop_engagement"] != shown[-1][1]:
            shown.append((hour, world.contact(ANN)["leadloop_engagement"]))
        if hour % 24 == 12:
            passed.append(gate(leadloop, "qualification")[0])
        world.later(hours=6)
        world.run()
    # five points less are worth a write; then comes the end of the margin, after six days and a half
    assert shown == [(0, "20"), (108, "15"), (156, "13")]
    assert passed == [True] * 6 + [False] * 2


def test_a_new_cycle_begins_without_what_the_last_one_had_passed(
    world: World, leadloop: Shell, ann: str
) -> None:
    world.hubspot.update("contacts", ann, hs_lead_status="UNQUALIFIED")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "disqualified"
    becomes(world, ann, "VP")
    assert gate(leadloop, "nurture") == (True, [])
    world.later(minutes=5)
    world.hubspot.update("contacts", ann, hs_lead_status="NEW")
    world.run()
    assert world.lead(ANN).cycle == 2
    assert gate(leadloop, "nurture") == (False, ["2 more fit points"])
