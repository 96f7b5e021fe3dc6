"""What the rules decide besides the stage, as both platforms show it and the store keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.clock import DAY_MS
from connector.metrics import Metrics
from connector.store import ledger, score_moves
from connector.store.score_moves import ScoreMoveRow
from tests.world import START_MS, World, configuration

ANN = "ann@acme.example"

RULES = """
score:
  groups:
    web: {at_most: 40}
  fit:
    - {rule: senior title, when: 'contains(job_title, "vp")', points: 20}
  engagement:
    - {rule: form, on: form_submission, points: 30, group: web, linear_days: 10}
    - {rule: visit, on: visit, points: 4, group: web}
    - {rule: phone, when: not is_blank(phone), points: 3}
grades: {score: {A: 50, B: 20, C: 0}}
gates:
  qualification: {when: not is_blank(email)}
  nurture: {when: not is_blank(last_name)}
  mql: {fit: 20, engagement: 30}
routes: [{route: everyone, owner: sam@sales.example}]
rejection: {reasons: {timing: {cooling_off_days: 30, track: later}}}
nurture:
  tracks:
    - {track: senior, when: fit >= 20}
    - {track: general}
  touches: [form_submission]
  minimum_touches: 2
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, configuration(RULES)) as made:
        yield made


def enter_ann(world: World, title: str = "VP Sales") -> str:
    return world.hubspot.create(
        "contacts", source="FORM", email=ANN, firstname="Ann", lastname="Lee", jobtitle=title, company="Acme"
    )


def moves_of(world: World) -> list[ScoreMoveRow]:
    with world.database.read() as conn:
        return score_moves.of_lead(conn, world.lead(ANN).lead_id)


def test_each_published_score_is_stored_with_the_rules_that_made_it(world: World) -> None:
    contact = enter_ann(world)
    world.run()
    first = moves_of(world)
    assert [(row.from_score, row.to_score, row.from_grade, row.to_grade) for row in first] == [
        (None, 20, None, "B")
    ]
    assert first[0].rules == [{"rule": "senior title", "was": None, "now": 20}]
    world.later(hours=1)
    world.hubspot.update("contacts", contact, phone="+1 212 555 0100")  # 3 points: not worth a write
    world.hubspot.update("contacts", contact, jobtitle="Clerk")  # but the grade is
    world.run()
    assert world.contact(ANN)["leadloop_score"] == "3"
    second = moves_of(world)[1]
    assert (second.from_score, second.to_score, second.from_grade, second.to_grade) == (20, 3, "B", "C")
    assert (second.from_fit, second.to_fit, second.from_engagement, second.to_engagement) == (20, 0, 0, 3)
    assert second.rules == [
        {"rule": "senior title", "was": 20, "now": None},
        {"rule": "phone", "was": None, "now": 3},
    ]
    assert second.at_ms >= START_MS + 3_600_000
    world.later(days=3)
    world.run()
    assert len(moves_of(world)) == 2, "what is not published leaves no trace"


def test_a_grade_is_on_both_platforms_and_does_not_wait_for_a_day_to_pass(world: World) -> None:
    enter_ann(world)
    world.run()
    assert world.contact(ANN)["leadloop_grade"] == "B"
    world.later(minutes=5)
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    assert world.contact(ANN)["leadloop_grade"] == world.sf_lead(ANN)["Leadloop_Grade__c"] == "A"
    world.later(minutes=20)  # 30 points fade within 10 days: below 50 after four hours
    world.run()
    assert world.contact(ANN)["leadloop_grade"] == "A"
    world.later(hours=5)
    world.run()
    assert world.contact(ANN)["leadloop_grade"] == world.sf_lead(ANN)["Leadloop_Grade__c"] == "B"
    assert world.contact(ANN)["leadloop_score"] == "49"
    assert world.run().written == 0


def test_the_nurture_track_is_shown_while_the_lead_is_in_nurture_and_only_then(world: World) -> None:
    contact = enter_ann(world, "Clerk")
    world.run()
    assert world.contact(ANN)["leadloop_nurture_track"] == "general"
    world.hubspot.update("contacts", contact, jobtitle="VP Sales")
    world.run()
    assert world.contact(ANN)["leadloop_nurture_track"] == "senior"
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    assert not world.contact(ANN)["leadloop_nurture_track"]
    assert world.sf_lead(ANN)["Leadloop_Nurture_Track__c"] is None
    lead_id = str(world.sf_lead(ANN)["Id"])
    status = {"Status": "Closed - Not Converted", "Leadloop_Rejection_Reason__c": "timing"}
    world.salesforce.update("Lead", lead_id, by_user=world.users["sam@sales.example"], **status)
    world.run()
    for _ in range(2):  # as long as the cooling-off runs
        assert world.contact(ANN)["leadloop_nurture_track"] == "later"
        assert world.sf_lead(ANN)["Leadloop_Nurture_Track__c"] == "later"
        world.later(days=29)
        world.run()
        if world.clock.now_ms() > START_MS + 30 * DAY_MS:
            break
    assert world.contact(ANN)["leadloop_nurture_track"] == "senior"


def test_a_hand_over_after_too_few_touches_is_told_in_the_ledger_and_counted(world: World) -> None:
    metrics = Metrics(world.database, world.clock, [], dict)
    world.leadloop.on_event = metrics.count
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    with world.database.read() as conn:
        rows = ledger.of_lead(conn, world.lead(ANN).lead_id)
    assert rows[-1].target == "distributed"
    assert rows[-1].reason == "1 touch before the hand-off, fewer than the minimum of 2"
    assert all(row.reason is None for row in rows[:-1])
    assert b"leadloop_handoffs_with_few_touches_total 1.0" in metrics.text()


def test_a_small_change_is_not_published_and_a_larger_one_once_a_day(world: World) -> None:
    contact = enter_ann(world)
    world.run()

    def visits(total: int) -> str:
        world.later(hours=1)
        world.hubspot.update("contacts", contact, hs_analytics_num_visits=str(total))
        world.run()
        return str(world.contact(ANN)["leadloop_score"])

    assert visits(1) == "20"
    world.later(days=3)
    world.run()
    assert world.contact(ANN)["leadloop_score"] == "20", "4 points are too few, however long they stand"
    assert visits(2) == "28", "8 points, and the last score is more than a day old"
    assert [visits(total) for total in (3, 4, 5)] == ["28", "28", "28"], "12 points, but within the day"
    world.later(hours=24)
    world.run()
    assert world.contact(ANN)["leadloop_score"] == "40"


def test_a_grade_that_goes_to_and_fro_by_the_rules_alone_is_held_and_blamed_on_nobody_else(
    world: World,
) -> None:
    contact = enter_ann(world)
    world.run()
    for turn in range(9):
        world.later(minutes=30)
        world.hubspot.update("contacts", contact, jobtitle="VP Sales" if turn % 2 else "Clerk")
        world.run()
    held = [hold for hold in world.holds(ANN) if hold.kind == "oscillates"]
    assert held
    assert [hold.message for hold in held if "by leadloop too" not in hold.message] == []
    assert all("a gate may want a margin" in hold.remedy for hold in held)

    world.later(days=1, hours=1)
    world.run()
    assert [hold for hold in world.holds(ANN) if hold.kind == "oscillates"] == []
    assert world.contact(ANN)["leadloop_grade"] == world.lead(ANN).published.grade
