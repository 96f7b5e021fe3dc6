"""What rules do as time passes, as both platforms show it: when it should, and not more often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store import ledger
from tests.world import World, configuration

ANN = "ann@acme.example"
SALES = "sam@sales.example"

RULES = """
score:
  groups: {warnings: {at_least: -20}}
  fit:
    - {rule: senior title, when: 'contains(job_title, "vp")', points: 20}
  engagement:
    - {rule: form, on: form_submission, points: 30, expires_days: 10, once: true}
    - {rule: long silence, when: days_since(last_activity()) >= 6, points: -20, group: warnings}
    - {rule: older, when: days_since(last_activity()) >= 8, points: -20, group: warnings}
gates:
  qualification: {when: not is_blank(email)}
  nurture: {when: not is_blank(last_name)}
  mql: {fit: 20, engagement: 10, when: days_since(last_activity()) >= 2}
fast_track:
  - {rule: asked for a demo, on: form_submission, when: 'contains(activity.detail, "demo")'}
disqualify:
  - {rule: competitor, when: 'company == "Rival Inc"', reason: competitor}
routes: [{route: everyone, owner: sam@sales.example}]
rejection:
  reasons:
    timing: {cooling_off_days: 5, track: later}
    competitor: {then: disqualify}
nurture: {tracks: [{track: general}]}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, configuration(RULES)) as made:
        yield made


def enter_ann(world: World, **values: str) -> str:
    given = {"email": ANN, "firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales", "company": "Acme"}
    contact = world.hubspot.create("contacts", source="FORM", **{**given, **values})
    world.run()
    return contact


def shown(world: World, name: str) -> str:
    """A leadloop field as both platforms show it. A lead is not in Salesforce before sales gets it."""
    here = str(world.contact(ANN)[f"leadloop_{name}"])
    for lead in world.salesforce.rows("Lead"):
        there = lead[f"Leadloop_{name.title()}__c"]
        assert here == str(int(there) if isinstance(there, float) else there)
    return here


def reject(world: World, reason: str = "timing") -> None:
    lead_id = str(world.sf_lead(ANN)["Id"])
    world.salesforce.update(
        "Lead",
        lead_id,
        by_user=world.users[SALES],
        Status="Closed - Not Converted",
        Leadloop_Rejection_Reason__c=reason,
    )
    world.run()


def test_a_gate_that_time_opens_moves_the_lead_though_nobody_touches_it(world: World) -> None:
    enter_ann(world)
    world.hubspot.submit_form(ANN, "Newsletter")
    world.run()
    assert shown(world, "stage") == "nurture"
    world.later(days=1)
    world.run()
    world.later(hours=22, minutes=57)
    assert world.run().written == 0
    assert shown(world, "stage") == "nurture"
    world.later(hours=1)
    world.run()
    assert shown(world, "stage") == "distributed"


def test_a_score_falls_on_both_platforms_by_time_alone_and_is_written_no_more_often(world: World) -> None:
    enter_ann(world)
    world.hubspot.submit_form(ANN, "Newsletter")
    world.run()
    published = [(0, shown(world, "score"))]
    writes = 0
    for hour in range(24 * 14):
        world.later(minutes=59)
        writes += bool(world.run().written)
        if shown(world, "score") != published[-1][1]:
            published.append((hour, shown(world, "score")))
    # a day after the last write; the end of six days; the end of ten (the group's floor holds in between)
    assert published == [(0, "20"), (23, "50"), (143, "30"), (239, "0")]
    assert writes == 4, "besides these, only the hand-over"


def test_a_fast_track_from_before_the_rejection_is_spent_and_a_new_one_beats_the_cooling_off(
    world: World,
) -> None:
    enter_ann(world)
    world.hubspot.submit_form(ANN, "Book a demo")
    world.run()
    assert shown(world, "stage") == "distributed"
    world.later(hours=1)
    reject(world)
    assert shown(world, "stage") == "nurture"
    world.later(days=1)
    world.run()
    assert shown(world, "stage") == "nurture"
    world.hubspot.submit_form(ANN, "Book a demo")
    world.run()
    assert shown(world, "stage") == "distributed"


def test_what_a_lead_did_during_the_cooling_off_counts_when_it_ends_by_time_alone(world: World) -> None:
    enter_ann(world)
    world.hubspot.submit_form(ANN, "Book a demo")
    world.run()
    world.later(hours=1)
    reject(world)
    world.later(days=1)
    world.hubspot.submit_form(ANN, "Newsletter")
    world.run()
    world.later(days=3)  # the gate's own two days are over, the cooling-off is not
    world.run()
    assert shown(world, "stage") == "nurture"
    world.later(hours=23, minutes=57)
    world.run()
    assert shown(world, "stage") == "distributed"


def test_a_disqualified_lead_comes_back_by_a_person_and_is_not_disqualified_again(world: World) -> None:
    contact = enter_ann(world)
    world.hubspot.update("contacts", contact, company="Rival Inc")
    world.run()
    assert shown(world, "stage") == "disqualified"
    world.later(hours=1)
    world.hubspot.update("contacts", contact, company="Acme")
    world.run()
    assert shown(world, "stage") == "disqualified"
    world.hubspot.update("contacts", contact, company="Rival Inc")
    world.hubspot.update("contacts", contact, hs_lead_status="NEW")
    world.run()
    assert shown(world, "stage") == "nurture"
    with world.database.read() as conn:
        rows = ledger.of_lead(conn, world.lead(ANN).lead_id)
    assert [(row.target, row.cause) for row in rows[-2:]] == [
        ("disqualified", "rules"),
        ("nurture", "marketing"),
    ]
    world.later(days=1)
    assert world.run().moves == 0


def test_of_a_day_only_so_many_activities_count_and_midnight_utc_begins_the_next(tmp_path: Path) -> None:
    rules = """
    score: {engagement: [{rule: form, on: form_submission, points: 10, per_day: 1}]}
    gates: {qualification: {when: not is_blank(email)}, mql: {score: 1000}}
    """.replace("score: 1000", "when: opted_out")
    with World(tmp_path, configuration(rules)) as world:
        enter_ann(world)
        world.later(hours=15, minutes=30)  # 23:31 UTC
        world.hubspot.submit_form(ANN, "One")
        world.run()
        world.later(minutes=5)
        world.hubspot.submit_form(ANN, "Two")
        world.run()
        assert published_next_day(world, hours=24) == "10"
        world.hubspot.submit_form(ANN, "Three")  # 23:38 of the next day
        world.run()
        world.later(minutes=30)
        world.hubspot.submit_form(ANN, "Four")  # after midnight
        world.run()
        assert published_next_day(world, hours=48) == "30"


def published_next_day(world: World, *, hours: int) -> str:
    """The score that is shown once it may be published again."""
    world.later(hours=hours)
    world.run()
    return shown(world, "score")


def test_an_mql_whose_points_fade_away_stays_with_sales(world: World) -> None:
    enter_ann(world)
    world.hubspot.submit_form(ANN, "Newsletter")
    world.later(days=3)
    world.run()
    assert shown(world, "stage") == "distributed"
    moves = 0
    for _ in range(20):
        world.later(days=1)
        moves += world.run().moves
    assert (moves, shown(world, "stage"), shown(world, "score")) == (0, "distributed", "0")
