"""One lead's recorded life under other rules: when it would have been handed over, and what follows."""

from __future__ import annotations

import pytest

from connector.backtest.history import read_history
from connector.backtest.known import Known
from tests.backtest.lives import RULES, at, form, handed_days, history_of, live, row, rules_of


def test_a_lead_is_handed_over_when_it_has_done_enough_and_not_before() -> None:
    history = history_of(activities=[form(10), form(12), form(40)])
    assert handed_days(history, rules_of()) == {0: 12.0}
    assert handed_days(history, rules_of(gate="mql: {score: 40}")) == {0: 10.0}
    assert handed_days(history, rules_of(gate="mql: {score: 90}")) == {}


def test_interest_that_has_faded_does_not_add_up() -> None:
    assert handed_days(history_of(activities=[form(10), form(12)]), rules_of()) == {0: 12.0}
    assert handed_days(history_of(activities=[form(10), form(100)]), rules_of()) == {}


def test_what_happens_by_time_alone_happens_in_its_moment() -> None:
    waits = "fast_track:\n  - {rule: waits, when: days_in_stage() >= 30 and stage == 'nurture'}\n"
    patient = rules_of(RULES + waits)
    assert handed_days(history_of(), patient) == {0: 30.0}
    assert handed_days(history_of(), patient, days=30) == {}


def test_a_rule_never_sees_what_is_yet_to_come() -> None:
    eager = rules_of(RULES + "fast_track:\n  - {rule: active, when: touches() >= 1}\n")
    assert handed_days(history_of(activities=[form(200)]), eager) == {0: 200.0}


RETURNED = (
    row(12, "nurture", "mql"),
    row(12, "mql", "distributed"),
    row(15, "distributed", "nurture", "sales", reason="timing", cycle=2),
)


def test_a_rejection_that_really_happened_cools_off() -> None:
    history = history_of(*RETURNED, activities=[form(10), form(12), form(60), form(61)])
    assert handed_days(history, rules_of()) == {0: 12.0, 1: 75.0}
    faded = history_of(*RETURNED, activities=[form(10), form(12), form(16), form(17)])
    assert handed_days(faded, rules_of()) == {0: 12.0}


def test_what_sales_said_of_a_lead_that_was_not_handed_over_was_never_said() -> None:
    history = history_of(*RETURNED, activities=[form(10), form(12), form(30), form(31)])
    stricter = rules_of(gate="mql: {score: 65}")
    life = live(history, stricter)
    assert life.never_said == {0}
    assert [(number, one.at_ms) for number, one in life.handed.items()] == [(1, at(30))]
    assert life.handed[1].facts.rejections == ()


def test_the_reason_means_what_the_other_rules_say() -> None:
    history = history_of(*RETURNED, activities=[form(10), form(12), form(30), form(31)])
    kinder = rules_of(RULES.replace("cooling_off_days: 60", "cooling_off_days: 10"))
    assert handed_days(history, kinder) == {0: 12.0, 1: 30.0}
    final = rules_of(RULES.replace("then: nurture, cooling_off_days: 60", "then: disqualify"))
    assert handed_days(history, final) == {0: 12.0}


def test_the_score_at_a_rejection_is_that_of_the_rules_in_question() -> None:
    history = history_of(*RETURNED, activities=[form(10), form(12), form(80)])
    generous = rules_of(points="form_submission, points: 60")
    (rejection,) = live(history, generous).handed[1].facts.rejections
    assert rejection.score == 20 + 109  # two forms of 60 points, faded by five days and three


def test_a_lead_that_sales_found_by_itself_is_not_handed_over_any_more() -> None:
    history = history_of(
        row(20, "nurture", "opportunity", "fact", skipped=("mql", "distributed", "accepted", "qualified")),
        activities=[form(30), form(31), form(32)],
    )
    assert handed_days(history, rules_of()) == {}
    assert handed_days(history, rules_of(gate="mql: {score: 20}")) == {0: 0.0}


def test_somebody_s_word_makes_it_an_mql_whatever_the_rules_say() -> None:
    history = history_of(row(20, "nurture", "mql", "marketing"), activities=[form(30), form(31)])
    assert handed_days(history, rules_of()) == {}
    assert history.pursuits[0].by_hand
    assert handed_days(history_of(row(40, "nurture", "mql", "marketing"), activities=[form(30), form(31)]),
                       rules_of()) == {0: 31.0}  # fmt: skip


def test_who_is_disqualified_is_handed_over_only_after_somebody_takes_it_back() -> None:
    values = {"email": "a@b.example", "job_title": "rival"}
    taken_back = history_of(
        row(0, "nurture", "disqualified", reason="competitor"),
        row(20, "disqualified", "nurture", "sales", reason="a mistake", cycle=2),
        activities=[form(10), form(11), form(12), form(30), form(31), form(32)],
        values=values,
    )
    assert handed_days(history_of(activities=[form(1), form(2), form(3)], values=values), rules_of()) == {}
    assert handed_days(taken_back, rules_of()) == {1: 30.0}


def test_a_lead_that_is_handed_to_somebody_else_stays_in_its_pursuit() -> None:
    history = history_of(
        row(12, "nurture", "mql"),
        row(12, "mql", "distributed"),
        row(13, "distributed", "mql", "sales", reason="wrong_territory"),
        row(13, "mql", "distributed"),
        row(20, "distributed", "accepted", "sales"),
        activities=[form(10), form(12), form(40)],
    )
    assert handed_days(history, rules_of()) == {0: 12.0}
    assert len(history.pursuits) == 1


def test_a_lead_that_is_lost_and_begins_anew_may_be_handed_over_anew() -> None:
    history = history_of(
        row(12, "nurture", "mql"),
        row(20, "distributed", "opportunity", "fact"),
        row(50, "opportunity", "closed", "fact", outcome="lost", reason="price"),
        row(90, "closed", "nurture", "clock", reason="lost on price", cycle=2),
        activities=[form(10), form(12), form(100), form(101)],
    )
    assert handed_days(history, rules_of()) == {0: 12.0, 1: 101.0}


def test_leads_from_before_leadloop_are_judged_from_when_they_woke() -> None:
    imported = (row(0, None, "nurture", "imported", happened_ms=at(-400)),)
    ready = rules_of(gate="mql: {score: 20}")
    facts = {"created_ms": at(-400), "origin": "hubspot", "sides": frozenset[str](), "live_since_ms": at(0)}
    values = {"email": "a@b.example", "job_title": "VP"}
    awake = read_history("L1", values, [form(-100), form(70)], imported, resting=False, **facts)
    asleep = read_history("L1", values, [form(-100)], imported, resting=True, **facts)
    assert awake is not None
    assert asleep is not None
    assert handed_days(awake, ready) == {0: 70.0}
    assert handed_days(asleep, ready) == {}


def test_a_barred_field_is_blank() -> None:
    history = history_of(activities=[form(10), form(12)])
    assert handed_days(history, rules_of(), known=Known(barred=("job_title",))) == {}


def test_a_date_that_lay_ahead_was_not_known() -> None:
    rules = rules_of(RULES + "fast_track:\n  - {rule: has bought, when: not is_blank(first_order)}\n")
    history = history_of(values={"email": "a@b.example", "first_order": "2026-03-01T00:00:00Z"})
    assert handed_days(history, rules) == {0: 0.0}
    assert handed_days(history, rules, known=Known(moments=("first_order",))) == {0: 55.0}


def test_the_owner_whom_leadloop_chose_was_not_known_before() -> None:
    rules = rules_of(RULES + "fast_track:\n  - {rule: has an owner, when: not is_blank(owner)}\n")
    values = {"email": "a@b.example", "owner": "sam@sales.example"}
    history = history_of(row(40, "nurture", "mql"), values=values)
    assert handed_days(history, rules) == {0: 0.0}
    assert handed_days(history, rules, known=Known(owners=("owner",))) == {0: 40.0}


def test_a_lead_that_is_looked_at_too_often_is_left_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.backtest.replay.LOOKS_AT_MOST", 50)
    busy = history_of(activities=[form(day) for day in range(60)], values={"email": "a@b.example"})
    rarely = rules_of(points="form_submission, points: 1, at_most: 31")
    assert live(busy, rarely).unfinished
    assert not live(busy, rarely, days=40).unfinished
