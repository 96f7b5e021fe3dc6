"""Deadlines as people on both platforms see them. The world begins on Friday, 15 January 2027, 8:00 UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.moments import native_moment_ms
from connector.outputs import iso_datetime
from connector.store import deadline_events, ledger
from tests.world import RULES, World, configuration

ANN = "ann@acme.example"
SAM, KIM, BOSS = "sam@sales.example", "kim@sales.example", "boss@sales.example"
HOURS = """
hours:
  berlin: {time_zone: Europe/Berlin, from: "09:00", to: "17:30", holidays: [2027-01-18]}
  new_york: {time_zone: America/New_York, from: "09:00", to: "17:00"}
"""
MARK = """
deadlines:
  - {deadline: first response, stage: distributed, within: 4 business hours, hours: berlin,
     remind: 1 business hour before}
"""

MakeWorld = Callable[[str], World]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeWorld]:
    """A world with these deadlines besides its small rules."""
    made: list[World] = []

    def _make(deadlines: str, rules: str = RULES) -> World:
        world = World(tmp_path, configuration(rules + HOURS + deadlines))
        world.users[BOSS] = world.salesforce.add_user("Boss", BOSS)
        world.hubspot.add_owner(BOSS)
        made.append(world)
        return world.__enter__()

    yield _make
    for world in made:
        world.__exit__(None, None, None)


def until(world: World, moment: str) -> None:
    """Let time pass until a moment (UTC), and leadloop work then."""
    at_ms = native_moment_ms(moment)
    assert at_ms is not None
    ahead = (at_ms - world.clock.now_ms()) / 1000
    assert ahead >= 0, f"it is {iso_datetime(world.clock.now_ms())} already"
    world.clock.advance(max(0.0, ahead - 60))
    world.run()


def hand_over(world: World, moment: str = "2027-01-15T08:01:00Z") -> str:
    """Ann asks for prices, and at this moment is handed over; returns the id of her Salesforce Lead."""
    fields = {"firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales", "company": "Acme"}
    world.leadloop  # noqa: B018  # live before she comes
    at_ms = native_moment_ms(moment)
    assert at_ms is not None
    world.clock.advance((at_ms - world.clock.now_ms()) / 1000 - 60)
    world.hubspot.submit_form(ANN, "Pricing", **fields)
    world.run()
    return str(world.sf_lead(ANN)["Id"])


def shown(world: World) -> tuple[str | None, str | None]:
    """Due (UTC) and state of the response, as both platforms show them."""
    contact = world.contact(ANN)
    here = native_moment_ms(contact["leadloop_response_due"])
    state = contact["leadloop_response_state"] or None
    for lead in world.salesforce.rows("Lead"):
        assert native_moment_ms(lead["Leadloop_Response_Due__c"]) == here
        assert lead["Leadloop_Response_State__c"] == state
    return (None if here is None else iso_datetime(here)), state


def events(world: World) -> list[tuple[str, str | None]]:
    """What happened to the deadlines of the lead, and who had it."""
    with world.database.read() as conn:
        return [(row.what, row.owner) for row in deadline_events.of_lead(conn, world.lead(ANN).lead_id)]


def says(world: World, lead_id: str, by: str = SAM, **fields: Any) -> None:
    world.salesforce.update("Lead", lead_id, by_user=world.users[by], **fields)


# the moment ---------------------------------------------------------------------------------------------


def test_a_response_is_due_on_both_platforms_when_a_lead_is_handed_over(make: MakeWorld) -> None:
    world = make(MARK)
    hand_over(world)
    assert shown(world) == ("2027-01-15T12:01:00Z", "running")
    assert events(world) == [("started", SAM)]
    assert world.run().written == 0


def test_a_lead_of_friday_evening_is_due_after_the_weekend_and_the_holiday(make: MakeWorld) -> None:
    world = make(MARK)
    hand_over(world, "2027-01-15T16:00:00Z")  # 17:00 in Berlin: half an hour is left; Monday is a holiday
    assert shown(world) == ("2027-01-19T11:30:00Z", "running")
    until(world, "2027-01-18T12:00:00Z")
    assert shown(world) == ("2027-01-19T11:30:00Z", "running")
    with world.database.read() as conn:
        assert len(deadline_events.of_lead(conn, world.lead(ANN).lead_id)) == 1


def test_nothing_is_written_because_a_day_ends(make: MakeWorld) -> None:
    world = make(MARK.replace("4 business hours", "5 business days"))
    hand_over(world)
    world.run()
    stamp = world.sf_lead(ANN)["SystemModstamp"]
    until(world, "2027-01-20T00:00:00Z")
    assert world.sf_lead(ANN)["SystemModstamp"] == stamp


def test_a_moment_that_time_alone_brings_is_known_to_the_database(make: MakeWorld) -> None:
    from connector.store import leads as lead_store

    world = make(MARK)
    hand_over(world)
    world.later(minutes=20)
    world.run()
    with world.database.read() as conn:
        (lead,) = lead_store.find_leads(conn, ANN)
    assert iso_datetime(lead.due_at_ms or 0) == "2027-01-15T11:01:00Z", "the reminder"


def test_time_by_the_clock_and_business_days_in_another_time_zone(make: MakeWorld) -> None:
    world = make(
        """
deadlines:
  - {deadline: hot, stage: distributed, within: 90 minutes, when: 'job_title == "CEO"'}
  - {deadline: others, stage: distributed, within: 1 business day, hours: new_york}
"""
    )
    hand_over(world)  # 3 at night in New York
    assert shown(world) == ("2027-01-15T22:00:00Z", "running")


def test_the_clocks_go_forward_on_the_weekend_and_the_office_hours_with_them(make: MakeWorld) -> None:
    world = make(MARK)
    hand_over(world, "2027-03-26T16:00:00Z")  # 17:00 in Berlin, on the Friday before
    assert shown(world) == ("2027-03-29T10:30:00Z", "running"), "12:30 in summer time"


# reminders ----------------------------------------------------------------------------------------------


def test_it_is_due_soon_once_the_reminder_has_come(make: MakeWorld) -> None:
    world = make(MARK)
    hand_over(world)
    until(world, "2027-01-15T11:00:30Z")
    assert shown(world) == ("2027-01-15T12:01:00Z", "running")
    until(world, "2027-01-15T11:02:00Z")
    assert shown(world) == ("2027-01-15T12:01:00Z", "due soon")
    assert events(world) == [("started", SAM), ("reminded", SAM)]
    until(world, "2027-01-15T11:30:00Z")
    assert events(world) == [("started", SAM), ("reminded", SAM)]


def test_several_reminders_are_told_one_after_another(make: MakeWorld) -> None:
    world = make(
        MARK.replace("remind: 1 business hour before", "remind: [2 business hours before, 30 minutes before]")
    )
    hand_over(world)
    for moment, told in (
        ("2027-01-15T10:02:00Z", 1),
        ("2027-01-15T11:00:00Z", 1),
        ("2027-01-15T11:40:00Z", 2),
    ):
        until(world, moment)
        assert shown(world)[1] == "due soon"
        assert [what for what, _ in events(world)].count("reminded") == told


# a response ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "state"), [("2027-01-15T12:00:59Z", "met"), ("2027-01-15T12:01:01Z", "breached")]
)
def test_what_counts_is_when_sales_responded_not_when_leadloop_saw_it(
    make: MakeWorld, moment: str, state: str
) -> None:
    world = make(MARK)
    lead_id = hand_over(world)
    at_ms = native_moment_ms(moment)
    assert at_ms is not None
    world.clock.advance((at_ms - world.clock.now_ms()) / 1000)
    says(world, lead_id, Status="Working - Contacted")
    world.later(hours=1)
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "accepted"
    assert shown(world) == ("2027-01-15T12:01:00Z", state)
    assert (state, SAM) in events(world)


def test_a_response_that_was_met_stays_so_until_the_next_cycle(make: MakeWorld) -> None:
    world = make(MARK)
    lead_id = hand_over(world)
    says(world, lead_id, Status="Working - Contacted")
    world.run()
    until(world, "2027-01-19T12:00:00Z")
    assert shown(world) == ("2027-01-15T12:01:00Z", "met")
    says(world, lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="timing")
    world.run()
    assert shown(world) == (None, None)


def test_a_rejection_is_a_response(make: MakeWorld) -> None:
    world = make(MARK)
    lead_id = hand_over(world)
    says(world, lead_id, Status="Closed - Not Converted", Leadloop_Rejection_Reason__c="timing")
    world.run()
    assert shown(world) == (None, None), "a new cycle"
    assert events(world) == [("started", SAM), ("met", SAM)]


def test_nobody_is_late_who_is_being_asked_for_a_reason(make: MakeWorld) -> None:
    world = make(MARK)
    lead_id = hand_over(world)
    until(world, "2027-01-15T11:55:00Z")
    says(world, lead_id, Status="Closed - Not Converted")
    world.run()
    until(world, "2027-01-15T13:00:00Z")
    assert shown(world)[1] == "due soon"
    says(world, lead_id, Leadloop_Rejection_Reason__c="timing")
    world.run()
    assert events(world)[-1] == ("met", SAM)


# a breach -----------------------------------------------------------------------------------------------


def test_a_deadline_that_passes_is_marked_and_stays_so(make: MakeWorld) -> None:
    world = make(MARK)
    hand_over(world)
    until(world, "2027-01-15T12:03:00Z")
    assert shown(world) == ("2027-01-15T12:01:00Z", "breached")
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.run().written == 0
    world.later(days=20)
    assert world.run().written == 0
    assert events(world) == [("started", SAM), ("breached", SAM)]


def test_a_lead_that_nobody_answers_goes_to_somebody_else(make: MakeWorld) -> None:
    world = make(MARK.replace("hours: berlin,", "hours: berlin, on_breach: reroute,"))
    hand_over(world)
    assert world.sf_lead(ANN)["OwnerId"] == world.users[SAM]
    until(world, "2027-01-15T12:03:00Z")
    assert world.sf_lead(ANN)["OwnerId"] == world.users[KIM]
    assert world.sf_lead(ANN)["Leadloop_Stage__c"] == "distributed"
    assert world.sf_lead(ANN)["Leadloop_Cycle__c"] == 1
    due, state = shown(world)
    assert (due, state) == ("2027-01-15T16:03:00Z", "running"), "a deadline of her own"
    assert [what for what, _ in events(world)] == ["started", "breached", "started"]
    with world.database.read() as conn:
        rows = ledger.of_lead(conn, world.lead(ANN).lead_id)
    assert [(row.target, row.cause, row.actor, row.reason) for row in rows[-2:]] == [
        ("mql", "clock", "first response", "no response in time"),
        ("distributed", "rules", "everyone", None),
    ]


def test_a_breach_escalates_to_a_named_owner_and_the_stage_stays(make: MakeWorld) -> None:
    world = make(MARK.replace("hours: berlin,", f"hours: berlin, on_breach: escalate, to: {BOSS},"))
    hand_over(world)
    until(world, "2027-01-15T12:03:00Z")
    lead = world.sf_lead(ANN)
    assert lead["OwnerId"] == world.users[BOSS]
    assert lead["Leadloop_Owner__c"] == world.contact(ANN)["leadloop_owner"] == BOSS
    assert lead["Leadloop_Stage__c"] == "distributed"
    assert shown(world) == ("2027-01-15T12:01:00Z", "breached")
    world.later(days=3)
    assert world.run().written == 0


def test_an_escalation_to_somebody_the_crm_does_not_know_waits_for_a_person(make: MakeWorld) -> None:
    world = make(
        MARK.replace("hours: berlin,", "hours: berlin, on_breach: escalate, to: nina@sales.example,")
    )
    hand_over(world)
    until(world, "2027-01-15T12:03:00Z")
    assert world.sf_lead(ANN)["OwnerId"] == world.users[SAM]
    assert shown(world)[1] == "breached"
    (hold,) = world.holds(ANN)
    assert hold.kind == "owner_unknown"
    assert hold.message == (
        "nina@sales.example gets this lead by the deadline 'first response', but the CRM does not know such "
        "an owner, or has made it inactive."
    )
    assert hold.remedy == "Invite nina@sales.example to the CRM, or change to: in the deadline."


def test_a_breach_returns_a_lead_to_nurture_with_the_reason(make: MakeWorld) -> None:
    world = make(
        MARK.replace("hours: berlin,", "hours: berlin, on_breach: nurture, reason: nobody answered,")
    )
    hand_over(world)
    until(world, "2027-01-15T12:03:00Z")
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert world.contact(ANN)["leadloop_cycle"] == "2"
    assert shown(world) == (None, None)
    with world.database.read() as conn:
        row = ledger.of_lead(conn, world.lead(ANN).lead_id)[-1]
    assert (row.cause, row.actor, row.reason) == ("clock", "first response", "nobody answered")
    assert world.run().moves == 0
