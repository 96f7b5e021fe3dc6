"""Deadlines when things come in between: outages, refusals, other owners, other rules, idle opportunities.

A deadline that nobody could have met is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connector.brake import BrakeLimit, BrakeLimits
from connector.lead import LeadState
from connector.platforms.errors import RetryLater
from connector.sandbox.salesforce.world import ValidationRule
from connector.settle import settle
from connector.store import brakes, quarantine
from connector.store import leads as lead_store
from connector.store.settings_values import put_value
from connector.wiring import LIVE_SINCE
from connector.worker.passes import Pass, act, look
from tests.connector.deadline_stage import ANN, BOSS, FIRST, KIM, SAM, DeadlineStage, first_response
from tests.world import RULES

Make = Callable[..., DeadlineStage]
REROUTE = first_response("on_breach: reroute")
DUE = "2027-01-15T12:01:00Z"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a world with these deadlines."""
    with ExitStack() as worlds:
        yield lambda deadlines, **more: worlds.enter_context(DeadlineStage(tmp_path, deadlines, **more))


# leadloop or a platform is away -------------------------------------------------------------------------


def test_who_responded_while_leadloop_was_down_for_a_week_keeps_the_lead(make: Make) -> None:
    stage = make(REROUTE)
    lead_id = stage.hand_over()
    stage.pass_until("2027-01-15T10:00:00Z")
    stage.accepts(lead_id)
    stage.until("2027-01-22T10:00:00Z")
    assert (stage.owner(), stage.lead("Leadloop_Stage__c")) == (SAM, "accepted")
    assert stage.shown() == (DUE, "met")


def test_a_breach_waits_until_the_crm_was_looked_at(make: Make) -> None:
    stage = make(REROUTE)
    lead_id = stage.hand_over()
    stage.pass_until("2027-01-15T11:00:00Z")
    stage.accepts(lead_id)
    stage.pass_until("2027-01-15T20:00:00Z")
    assert settle(stage.world.leadloop).leads == 1, "its moment has come before leadloop has looked"
    assert stage.events() == [("started", SAM)]
    stage.world.run()
    assert stage.shown() == (DUE, "met")


def test_while_salesforce_does_not_answer_no_deadline_passes(make: Make) -> None:
    stage = make(REROUTE)
    lead_id = stage.hand_over()
    stage.pass_until("2027-01-15T11:00:00Z")
    stage.accepts(lead_id)
    stage.world.salesforce.faults.fail_next(1000, 503)
    for moment in ("2027-01-15T13:00:00Z", "2027-01-16T13:00:00Z"):
        stage.pass_until(moment)
        with pytest.raises(RetryLater):
            look(stage.world.leadloop, Pass())
        act(stage.world.leadloop, Pass())
    assert "breached" not in dict(stage.events())
    stage.world.salesforce.faults.clear()
    stage.until("2027-01-16T16:00:00Z")
    assert stage.shown() == (DUE, "met")


def test_a_hand_over_that_reaches_salesforce_late_counts_from_then(make: Make) -> None:
    stage = make(REROUTE)
    stage.pass_until("2027-01-15T08:00:00Z")
    fields = {"firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales", "company": "Acme"}
    stage.world.hubspot.submit_form(ANN, "Pricing", **fields)
    stage.world.salesforce.faults.fail_next(1000, 503, match="PATCH")
    stage.world.run()
    assert stage.world.salesforce.rows("Lead") == []
    stage.until("2027-01-15T11:00:00Z")
    stage.world.salesforce.faults.clear()
    stage.until("2027-01-19T09:00:00Z")  # Tuesday at 10:00 in Berlin; Monday was a holiday
    due, state = stage.shown()
    assert state == "running"
    assert due is not None
    assert "2027-01-19T13:00:00Z" <= due <= "2027-01-19T13:05:00Z"
    assert stage.owner() == SAM
    assert "breached" not in dict(stage.events())


def test_a_hand_over_that_leadloop_could_not_send_before_it_was_stopped_counts_from_when_it_was_sent(
    make: Make,
) -> None:
    stage = make(REROUTE)
    stage.pass_until("2027-01-15T08:00:00Z")
    fields = {"firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales", "company": "Acme"}
    stage.world.hubspot.submit_form(ANN, "Pricing", **fields)
    look(stage.world.leadloop, Pass())
    assert settle(stage.world.leadloop).moves  # and nothing is sent
    stage.until("2027-01-22T09:00:00Z")
    assert stage.owner() == SAM
    due, state = stage.shown()
    assert state == "running"
    assert due is not None
    assert "2027-01-22T12:59:00Z" <= due <= "2027-01-22T13:05:00Z"


def test_a_week_of_nobody_there_is_found_at_once_and_the_brake_stops_a_burst(make: Make) -> None:
    stage = make(REROUTE)
    emails = [f"n{number}@acme.example" for number in range(3)]
    for number, email in enumerate(emails):
        stage.hand_over(f"2027-01-15T08:{10 + 5 * number}:00Z", email)
    stage.world.leadloop.brake = BrakeLimits({"regressions": BrakeLimit(share=0.0, at_least=2)})
    owners = {row["Email"]: row["OwnerId"] for row in stage.world.salesforce.rows("Lead")}
    stage.until("2027-01-22T09:00:00Z")
    assert {row["Email"]: row["OwnerId"] for row in stage.world.salesforce.rows("Lead")} == owners
    assert {stage.shown(email)[1] for email in emails} == {"breached"}
    assert [hold.kind for hold in stage.world.holds(emails[0])] == ["brake"]
    with stage.world.database.begin() as conn:
        brakes.release(conn, stage.world.leadloop.configuration, "regressions", stage.world.clock.now_ms())
        lead_store.mark_all_dirty(conn, stage.world.clock.now_ms())
    stage.world.run()
    for row in stage.world.salesforce.rows("Lead"):
        assert row["OwnerId"] != owners[row["Email"]]
    assert {stage.shown(email)[1] for email in emails} == {"running"}


def test_the_brake_stops_escalations_too(make: Make) -> None:
    stage = make(first_response(f"on_breach: escalate, to: {BOSS}"))
    stage.hand_over()
    stage.world.leadloop.brake = BrakeLimits({"owner_changes": BrakeLimit(share=0.0, at_least=0)})
    stage.until("2027-01-15T13:00:00Z")
    assert stage.owner() == SAM
    assert stage.shown() == (DUE, "breached")
    assert [hold.kind for hold in stage.world.holds(ANN)] == ["brake"]
    with stage.world.database.begin() as conn:
        brakes.release(conn, stage.world.leadloop.configuration, "owner_changes", stage.world.clock.now_ms())
        lead_store.mark_all_dirty(conn, stage.world.clock.now_ms())
    stage.world.run()
    assert stage.owner() == BOSS
    assert stage.world.holds(ANN) == []


# a hand-over that is refused ----------------------------------------------------------------------------


def test_a_refused_hand_over_starts_no_deadline_until_it_is_there(make: Make) -> None:
    stage = make(REROUTE)
    lead_id = stage.world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    stage.world.run()
    rule = ValidationRule(
        "Lead", "not_today", "Leadloop_Stage__c = 'distributed'", "No hand-over today", "Leadloop_Stage__c"
    )
    stage.world.salesforce.add_validation_rule(rule)
    stage.world.salesforce.update("Lead", lead_id, Description="Asked for a demo")
    stage.world.run()
    assert "handoff_refused" in {hold.kind for hold in stage.world.holds(ANN)}
    assert stage.shown() == (None, None)
    stage.until("2027-01-19T12:00:00Z")
    assert stage.shown() == (None, None)
    stage.world.salesforce.remove_validation_rule("Lead", "not_today")
    with stage.world.database.begin() as conn:  # `leadloop quarantine retry`
        quarantine.clear(conn)
        lead_store.mark_all_dirty(conn, stage.world.clock.now_ms())
    stage.until("2027-01-20T08:01:00Z")
    assert stage.lead("Leadloop_Stage__c") == "distributed"
    due, state = stage.shown()
    assert state == "running"
    assert due is not None
    assert "2027-01-20T12:00:00Z" <= due <= "2027-01-20T12:05:00Z"


# people -------------------------------------------------------------------------------------------------


def test_somebody_who_gets_the_lead_midway_has_all_the_time(make: Make) -> None:
    stage = make(FIRST)
    lead_id = stage.hand_over()
    stage.until("2027-01-15T11:30:00Z")
    assert stage.shown() == (DUE, "due soon")
    stage.says(lead_id, OwnerId=stage.world.users[KIM])
    stage.until("2027-01-15T11:40:00Z")
    # a minute later the record names her as the one whose lead it is
    assert stage.shown() == ("2027-01-15T15:41:00Z", "running")
    assert stage.lead("Leadloop_Owner__c") == KIM
    assert stage.events() == [("started", SAM), ("reminded", SAM), ("ended", SAM), ("started", KIM)]


def test_a_lead_that_was_passed_over_does_not_come_back_to_who_let_it_lie(make: Make) -> None:
    stage = make(REROUTE)
    stage.hand_over()
    owners = [stage.owner()]
    for moment in ("2027-01-15T12:05:00Z", "2027-01-19T12:00:00Z"):
        stage.until(moment)
        owners.append(stage.owner())
    assert owners == [SAM, KIM, KIM], "there is nobody else"
    assert stage.shown()[1] == "breached"
    (hold,) = stage.world.holds(ANN)
    assert hold.kind == "nobody_else"
    assert hold.message == (
        "kim@sales.example let the deadline 'first response' pass, "
        "and no route gives this lead to anybody else."
    )
    stage.world.later(days=3)
    assert stage.world.run().written == 0


def test_a_lead_that_lies_goes_to_somebody_else_who_is_back_from_days_away(make: Make) -> None:
    away = "{owner: kim@sales.example, away: [{from: 2027-01-14, until: 2027-01-16}]}"
    stage = make(REROUTE, rules=RULES.replace("kim@sales.example]", f"{away}]"))
    stage.hand_over()
    stage.until("2027-01-15T12:05:00Z")
    assert stage.owner() == SAM
    assert [hold.kind for hold in stage.world.holds(ANN)] == ["nobody_else"]
    stage.until("2027-01-17T00:05:00Z")
    assert stage.owner() == KIM
    assert stage.world.holds(ANN) == []


def test_a_lead_that_its_previous_owner_lets_lie_goes_to_somebody_else(make: Make) -> None:
    back = "  - {route: back, to: previous_owner, when: cycle > 1, may_return: true}\n  - {route: everyone"
    stage = make(REROUTE, rules=RULES.replace("  - {route: everyone", back))
    lead_id = stage.hand_over()
    stage.says(lead_id, Status="Unqualified", Leadloop_Rejection_Reason__c="timing")
    stage.until("2027-01-15T09:00:00Z")
    stage.hand_over("2027-02-16T09:00:00Z")
    stage.world.run()
    assert (stage.owner(), stage.lead("Leadloop_Cycle__c")) == (SAM, 2)
    stage.until("2027-02-16T15:00:00Z")
    assert stage.owner() == KIM
    assert stage.world.holds(ANN) == []


def test_a_lead_may_return_by_a_pool_but_not_to_who_let_it_lie(make: Make) -> None:
    returning = RULES.replace("kim@sales.example]}", "kim@sales.example], may_return: true}")
    stage = make(REROUTE, rules=returning)
    stage.hand_over()
    stage.hand_over("2027-01-15T08:05:00Z", "bob@acme.example")  # it is the turn of the first again
    stage.until("2027-01-15T12:03:00Z")
    assert stage.owner() == KIM
    assert stage.world.holds(ANN) == []


def test_wrong_territory_is_a_response_and_the_next_has_a_deadline_of_their_own(make: Make) -> None:
    stage = make(FIRST)
    lead_id = stage.hand_over()
    stage.until("2027-01-15T09:00:00Z")
    stage.says(lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="wrong_territory")
    stage.until("2027-01-15T09:05:00Z")
    assert stage.owner() == KIM
    assert stage.shown()[1] == "running"
    assert stage.events() == [("started", SAM), ("met", SAM), ("started", KIM)]


def test_days_on_which_the_owner_is_away_do_not_count(make: Make) -> None:
    away = "{owner: sam@sales.example, away: [{from: 2027-01-19, until: 2027-01-20}]}, queue:Inbound Leads"
    stage = make(FIRST, rules=RULES.replace("sam@sales.example, kim@sales.example", away))
    stage.hand_over("2027-01-15T15:30:00Z")  # 16:30 in Berlin; on Monday is a holiday
    assert stage.owner() == SAM
    assert stage.shown() == ("2027-01-21T11:00:00Z", "running")


def test_a_lead_that_goes_through_many_hands_in_a_day_shows_every_deadline(make: Make) -> None:
    people = [f"p{number}@sales.example" for number in range(6)]
    stage = make(
        "deadlines: [{deadline: fast, stage: distributed, within: 1 hour, remind: 20 minutes before,"
        " on_breach: reroute}]\n",
        rules=RULES.replace("sam@sales.example, kim@sales.example", ", ".join(people)),
    )
    for email in people:
        stage.world.users[email] = stage.world.salesforce.add_user(email[:2], email)
        stage.world.hubspot.add_owner(email)
    stage.world.reconnect()
    stage.hand_over()
    had = [stage.owner()]
    for _ in range(5):
        stage.world.later(minutes=50)
        stage.world.run()
        assert stage.shown()[1] == "due soon"
        stage.world.later(minutes=12)
        stage.world.run()
        assert stage.shown()[1] == "running"
        had.append(stage.owner())
    assert sorted(had) == people
    assert stage.world.holds(ANN) == []


# other rules --------------------------------------------------------------------------------------------


def test_a_longer_deadline_is_counted_from_the_same_beginning(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.pass_until("2027-01-15T10:00:00Z")
    stage.apply(FIRST.replace("4 business hours", "6 business hours"))
    assert stage.shown() == ("2027-01-15T14:01:00Z", "running")


def test_a_shorter_deadline_breaches_nothing_at_once(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.pass_until("2027-01-15T10:59:00Z")
    stage.apply(FIRST.replace("4 business hours", "2 business hours"))
    due, state = stage.shown()
    assert state == "running"
    assert due is not None
    assert "2027-01-15T12:59:00Z" <= due <= "2027-01-15T13:02:00Z", "two hours from now"


def test_a_deadline_that_is_new_counts_from_now_and_one_that_is_gone_is_blank(make: Make) -> None:
    stage = make("")
    stage.hand_over()
    assert stage.shown() == (None, None)
    stage.pass_until("2027-01-21T07:59:00Z")
    stage.apply(FIRST)
    due, state = stage.shown()
    assert state == "running"
    assert due is not None
    assert due.startswith("2027-01-21T12:0")
    stage.apply("")
    assert stage.shown() == (None, None)
    assert [what for what, _ in stage.events()] == ["started", "ended"]


def test_other_rules_leave_a_deadline_alone(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.pass_until("2027-01-15T10:00:00Z")
    stage.apply(FIRST, RULES.replace("points: 20", "points: 25"))
    assert stage.shown() == (DUE, "running")
    assert stage.events() == [("started", SAM)]


def test_a_breach_stays_whatever_the_rules_say_later(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.until("2027-01-15T13:00:00Z")
    stage.apply(FIRST.replace("4 business hours", "20 business hours"))
    assert stage.shown() == (DUE, "breached")


def test_who_the_deadline_is_for_can_change_midway(make: Make) -> None:
    stage = make(
        """
deadlines:
  - {deadline: hot, stage: distributed, within: 2 hours, when: 'company == "Acme"'}
  - {deadline: others, stage: distributed, within: 3 days}
"""
    )
    stage.hand_over()
    assert stage.shown() == ("2027-01-15T10:01:00Z", "running")
    stage.world.hubspot.update("contacts", stage.world.contact(ANN)["hs_object_id"], company="Small Ltd")
    stage.until("2027-01-15T09:00:00Z")
    assert stage.shown() == ("2027-01-18T08:01:00Z", "running")
    assert [(row.what, row.deadline) for row in stage.rows()] == [
        ("started", "hot"),
        ("ended", "hot"),
        ("started", "others"),
    ]


# leads from before --------------------------------------------------------------------------------------


def test_a_lead_from_before_leadloop_has_no_deadline_until_it_wakes(tmp_path: Path) -> None:
    with DeadlineStage(tmp_path, REROUTE) as stage:
        world = stage.world
        lead_id = world.salesforce.insert(
            "Lead", LastName="Lee", Company="Acme", Email=ANN, Leadloop_Stage__c="distributed",
            OwnerId=world.users[SAM],
        )  # fmt: skip
        world.clock.advance(86_400)
        with world.database.begin() as conn:
            put_value(conn, LIVE_SINCE, world.clock.now_ms())
        world.reconnect()
        world.run()
        assert world.lead(ANN).resting
        assert stage.lead("Leadloop_Response_Due__c") is None
        world.salesforce.update("Lead", lead_id, Title="CEO")
        stage.until("2027-01-19T08:01:00Z")
        assert stage.shown()[1] == "running"
        assert stage.owner() == SAM


def test_what_was_stored_before_there_were_deadlines_loads() -> None:
    stored = b'{"lead_id":"L1","origin":"hubspot","created_ms":1,"stage":"distributed"}'
    assert LeadState.from_json(stored).deadline is None


def test_two_leads_that_become_one_have_one_deadline(make: Make) -> None:
    stage = make(FIRST)
    stage.hand_over()
    stage.hand_over("2027-01-15T09:00:00Z", "ann.lee@home.example")
    kept, gone = (stage.world.contact(email)["hs_object_id"] for email in (ANN, "ann.lee@home.example"))
    stage.world.hubspot.merge(kept, gone)
    stage.until("2027-01-15T09:30:00Z")
    rows = stage.rows()
    assert sum(row.what == "started" for row in rows) - sum(row.what == "ended" for row in rows) == 1
    deadline = stage.world.lead(ANN).deadline
    assert deadline is not None
    assert deadline.open


# the other stages ---------------------------------------------------------------------------------------

NOBODY = """
deadlines:
  - {deadline: nobody, stage: mql, within: 30 minutes, on_breach: nurture, reason: nobody to give it to}
"""


def test_from_acceptance_to_qualification(make: Make) -> None:
    stage = make(
        FIRST
        + f"  - {{deadline: work it, stage: accepted, within: 2 days, on_breach: escalate, to: {BOSS}}}\n"
    )
    lead_id = stage.hand_over()
    stage.pass_until("2027-01-15T09:00:00Z")
    stage.accepts(lead_id)
    stage.world.run()
    assert stage.shown() == ("2027-01-17T09:00:00Z", "running")
    stage.until("2027-01-17T09:05:00Z")
    assert stage.shown() == ("2027-01-17T09:00:00Z", "breached")
    assert (stage.owner(), stage.lead("Leadloop_Stage__c")) == (BOSS, "accepted")


def test_an_idle_opportunity_is_counted_from_its_last_sign_of_life(make: Make) -> None:
    stage = make("deadlines: [{deadline: idle, stage: opportunity, within: 10 days, remind: 1 day before}]\n")
    world = stage.world
    lead_id = stage.hand_over()
    world.run()
    made = world.salesforce.convert_lead(
        lead_id, "Closed - Converted", opportunity_name="Acme", by_user=world.users[SAM]
    )
    world.run()

    def contact() -> tuple[str, str]:
        row = world.salesforce.get("Contact", made.contact_id)
        return row["Leadloop_Response_Due__c"][:10], row["Leadloop_Response_State__c"]

    assert contact() == ("2027-01-25", "running")
    stage.until("2027-01-20T12:00:00Z")
    world.salesforce.update("Opportunity", made.opportunity_id, Amount=1000)
    world.run()
    assert contact() == ("2027-01-30", "running"), "ten days after the change"
    stage.until("2027-01-29T13:00:00Z")
    assert contact() == ("2027-01-30", "due soon")
    stage.until("2027-01-30T13:00:00Z")
    assert contact() == ("2027-01-30", "breached")
    stage.until("2027-02-02T13:00:00Z")
    world.salesforce.update("Opportunity", made.opportunity_id, Amount=2000)
    world.run()
    assert contact() == ("2027-02-12", "running"), "it has come to life again"
    world.salesforce.update("Opportunity", made.opportunity_id, StageName="Closed Won")
    world.run()
    assert contact()[1] == "met"
