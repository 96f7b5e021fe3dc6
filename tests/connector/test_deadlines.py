"""Deadlines as people on both platforms see them: when they are due, reminders, responses, breaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connector.outputs import iso_datetime
from connector.store import leads as lead_store
from tests.connector.deadline_stage import ANN, BOSS, FIRST, KIM, SAM, DeadlineStage, first_response

Make = Callable[[str], DeadlineStage]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a world with these deadlines."""
    with ExitStack() as worlds:
        yield lambda deadlines: worlds.enter_context(DeadlineStage(tmp_path, deadlines))


# the moment ---------------------------------------------------------------------------------------------


def test_a_response_is_due_on_both_platforms_when_a_lead_is_handed_over(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    assert stage.shown() == ("2027-01-15T12:01:00Z", "running")
    assert stage.events() == [("started", SAM)]
    assert stage.world.run().written == 0


def test_a_lead_of_friday_evening_is_due_after_the_weekend_and_the_holiday(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over("2027-01-15T16:00:00Z")  # 17:00 in Berlin: half an hour is left; Monday is a holiday
    assert stage.shown() == ("2027-01-19T11:30:00Z", "running")
    stage.until("2027-01-18T12:00:00Z")
    assert stage.shown() == ("2027-01-19T11:30:00Z", "running")
    assert len(stage.rows()) == 1


def test_nothing_is_written_because_a_day_ends(make: Make) -> None:
    stage = make(FIRST.replace("4 business hours", "5 business days"))
    stage.hand_over()
    stage.world.run()
    stamp = stage.lead("SystemModstamp")
    stage.until("2027-01-20T00:00:00Z")
    assert stage.lead("SystemModstamp") == stamp


def test_a_moment_that_time_alone_brings_is_known_to_the_database(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.world.later(minutes=20)
    stage.world.run()
    with stage.world.database.read() as conn:
        (lead,) = lead_store.find_leads(conn, ANN)
    assert iso_datetime(lead.due_at_ms or 0) == "2027-01-15T11:01:00Z", "the reminder"


def test_time_by_the_clock_and_business_days_in_another_time_zone(make: Make) -> None:
    stage = make(
        """
deadlines:
  - {deadline: hot, stage: distributed, within: 90 minutes, when: 'job_title == "CEO"'}
  - {deadline: others, stage: distributed, within: 1 business day, hours: new_york}
"""
    )
    stage.hand_over()  # 3 at night in New York
    assert stage.shown() == ("2027-01-15T22:00:00Z", "running")


def test_the_clocks_go_forward_on_the_weekend_and_the_office_hours_with_them(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over("2027-03-26T16:00:00Z")  # 17:00 in Berlin, on the Friday before
    assert stage.shown() == ("2027-03-29T10:30:00Z", "running"), "12:30 in summer time"


# reminders ----------------------------------------------------------------------------------------------


def test_it_is_due_soon_once_the_reminder_has_come(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.until("2027-01-15T11:00:30Z")
    assert stage.shown() == ("2027-01-15T12:01:00Z", "running")
    stage.until("2027-01-15T11:02:00Z")
    assert stage.shown() == ("2027-01-15T12:01:00Z", "due soon")
    assert stage.events() == [("started", SAM), ("reminded", SAM)]
    stage.until("2027-01-15T11:30:00Z")
    assert stage.events() == [("started", SAM), ("reminded", SAM)]


def test_several_reminders_are_told_one_after_another(make: Make) -> None:
    stage = make(
        FIRST.replace(
            "remind: 1 business hour before", "remind: [2 business hours before, 30 minutes before]"
        )
    )
    stage.hand_over()
    for moment, told in (
        ("2027-01-15T10:02:00Z", 1),
        ("2027-01-15T11:00:00Z", 1),
        ("2027-01-15T11:40:00Z", 2),
    ):
        stage.until(moment)
        assert stage.shown()[1] == "due soon"
        assert [what for what, _ in stage.events()].count("reminded") == told


# a response ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "state"), [("2027-01-15T12:00:59Z", "met"), ("2027-01-15T12:01:01Z", "breached")]
)
def test_what_counts_is_when_sales_responded_not_when_leadloop_saw_it(
    make: Make, moment: str, state: str
) -> None:
    stage = make(FIRST)
    lead_id = stage.hand_over()
    stage.pass_until(moment)
    stage.accepts(lead_id)
    stage.world.later(hours=1)
    stage.world.run()
    assert stage.lead("Leadloop_Stage__c") == "accepted"
    assert stage.shown() == ("2027-01-15T12:01:00Z", state)
    assert (state, SAM) in stage.events()


def test_a_response_that_was_met_stays_so_until_the_next_cycle(make: Make) -> None:
    stage = make(FIRST)
    lead_id = stage.hand_over()
    stage.accepts(lead_id)
    stage.world.run()
    stage.until("2027-01-19T12:00:00Z")
    assert stage.shown() == ("2027-01-15T12:01:00Z", "met")
    stage.says(lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="timing")
    stage.world.run()
    assert stage.shown() == (None, None)


def test_a_rejection_is_a_response(make: Make) -> None:
    stage = make(FIRST)
    lead_id = stage.hand_over()
    stage.says(lead_id, Status="Closed - Not Converted", Leadloop_Rejection_Reason__c="timing")
    stage.world.run()
    assert stage.shown() == (None, None), "a new cycle"
    assert stage.events() == [("started", SAM), ("met", SAM)]


def test_nobody_is_late_who_is_being_asked_for_a_reason(make: Make) -> None:
    stage = make(FIRST)
    lead_id = stage.hand_over()
    stage.until("2027-01-15T11:55:00Z")
    stage.says(lead_id, Status="Closed - Not Converted")
    stage.world.run()
    stage.until("2027-01-15T13:00:00Z")
    assert stage.shown()[1] == "due soon"
    stage.says(lead_id, Leadloop_Rejection_Reason__c="timing")
    stage.world.run()
    assert stage.events()[-1] == ("met", SAM)


# a breach -----------------------------------------------------------------------------------------------


def test_a_deadline_that_passes_is_marked_and_stays_so(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.until("2027-01-15T12:03:00Z")
    assert stage.shown() == ("2027-01-15T12:01:00Z", "breached")
    assert stage.lead("Leadloop_Stage__c") == "distributed"
    assert stage.world.run().written == 0
    stage.world.later(days=20)
    assert stage.world.run().written == 0
    assert stage.events() == [("started", SAM), ("breached", SAM)]


def test_a_lead_that_nobody_answers_goes_to_somebody_else(make: Make) -> None:
    stage = make(first_response("on_breach: reroute"))
    stage.hand_over()
    assert stage.owner() == SAM
    stage.until("2027-01-15T12:03:00Z")
    assert stage.owner() == KIM
    assert stage.lead("Leadloop_Stage__c") == "distributed"
    assert stage.lead("Leadloop_Cycle__c") == 1
    due, state = stage.shown()
    assert (due, state) == ("2027-01-15T16:03:00Z", "running"), "a deadline of her own"
    assert [what for what, _ in stage.events()] == ["started", "breached", "started"]
    assert [(row.target, row.cause, row.actor, row.reason) for row in stage.ledger()[-2:]] == [
        ("mql", "clock", "first response", "no response in time"),
        (
            "distributed",
            "rules",
            "everyone",
            "next in pool everyone; left out: sam@sales.example (let a deadline pass)",
        ),
    ]


def test_a_breach_escalates_to_a_named_owner_and_the_stage_stays(make: Make) -> None:
    stage = make(first_response(f"on_breach: escalate, to: {BOSS}"))
    stage.hand_over()
    stage.until("2027-01-15T12:03:00Z")
    assert stage.owner() == BOSS
    assert stage.lead("Leadloop_Owner__c") == stage.world.contact(ANN)["leadloop_owner"] == BOSS
    assert stage.lead("Leadloop_Stage__c") == "distributed"
    assert stage.shown() == ("2027-01-15T12:01:00Z", "breached")
    stage.world.later(days=3)
    assert stage.world.run().written == 0


def test_an_escalation_to_somebody_the_crm_does_not_know_waits_for_a_person(make: Make) -> None:
    stage = make(first_response("on_breach: escalate, to: nina@sales.example"))
    stage.hand_over()
    stage.until("2027-01-15T12:03:00Z")
    assert stage.owner() == SAM
    assert stage.shown()[1] == "breached"
    (hold,) = stage.world.holds(ANN)
    assert hold.kind == "owner_unknown"
    assert hold.message == (
        "nina@sales.example gets this lead by the deadline 'first response', "
        "but is no active user on salesforce."
    )
    assert hold.remedy == ("Make nina@sales.example an active owner there, or change to: in the deadline.")


def test_a_breach_returns_a_lead_to_nurture_with_the_reason(make: Make) -> None:
    stage = make(first_response("on_breach: nurture, reason: nobody answered"))
    stage.hand_over()
    stage.until("2027-01-15T12:03:00Z")
    assert stage.world.contact(ANN)["leadloop_stage"] == "nurture"
    assert stage.world.contact(ANN)["leadloop_cycle"] == "2"
    assert stage.shown() == (None, None)
    row = stage.ledger()[-1]
    assert (row.cause, row.actor, row.reason) == ("clock", "first response", "nobody answered")
    assert stage.world.run().moves == 0
