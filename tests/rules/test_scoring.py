"""Scores: points that add up, caps, fading by half-life, and when fading next matters."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.facts import Activity, LeadFacts
from rules.fired import Fired
from rules.scoring import PUBLISH_STEP
from tests.rules.example_lead import DAY_MS, NOW_MS, blank_lead, lead, rules_of

GATE = "gates: {mql: {engagement: 20, margin: 5}}\n"
PAGES = (
    GATE + "score: {engagement: [{rule: pages, on: page_view, points: 15, half_life_days: 14, at_most: 40}]}"
)


def views(*days_ago: float) -> LeadFacts:
    return blank_lead(
        activities=[Activity("page_view", NOW_MS - int(days * DAY_MS), {"url": "/"}) for days in days_ago]
    )


def test_every_rule_that_fired_is_listed_with_its_points_and_what_it_saw() -> None:
    rules = rules_of(
        """
        score:
          fit:
            - {rule: senior, when: 'matches(job_title, "vp|chief") and employees >= 50', points: 20}
            - {rule: large, when: employees >= 1000, points: 10}
            - {rule: unknown, when: phone == "1", points: 10}
            - {rule: private, when: not (is_free_mail(email) or opted_out), points: -5}
          engagement:
            - {rule: forms, on: form_submission, when: 'contains(activity.detail, "demo")', points: 10}
            - {rule: busy, when: 'count("page_view", days=7) >= 1', points: 3}
        gates: {mql: {}}
        """
    )
    verdict = rules.evaluate(lead(), NOW_MS)
    assert verdict.fired == (
        Fired("senior", "fit", 20, {"job_title": "VP Sales", "employees": 250}),
        Fired("private", "fit", -5, {"email": "ana@acme.example", "opted_out": False}),
        Fired("busy", "engagement", 3, {'count("page_view", days=7)': 1}),
        Fired("forms", "engagement", 10, {"form_submission": 1}),
    )
    assert (verdict.fit, verdict.engagement, verdict.score) == (15, 13, 28)
    assert verdict.errors == ()


@pytest.mark.parametrize(
    ("days_ago", "points"),
    [
        ([], 0),
        ([0], 15),
        ([14], 8),
        ([28], 4),
        ([0, 0], 30),
        ([0, 0, 0], 40),
        ([14, 14, 14, 14], 30),
        ([400], 0),
        ([-3], 0),
    ],
)
def test_points_halve_in_the_half_life_and_stop_at_the_cap(days_ago: Sequence[float], points: int) -> None:
    assert rules_of(PAGES).evaluate(views(*days_ago), NOW_MS).engagement == points


def test_negative_points_fade_and_stop_at_the_cap_too() -> None:
    rules = rules_of(PAGES.replace("points: 15", "points: -15").replace("engagement: 20, margin: 5", ""))
    assert [rules.evaluate(views(*ago), NOW_MS).engagement for ago in ([0], [14], [0] * 9)] == [-15, -8, -40]


def test_a_rule_whose_points_are_gone_is_not_listed() -> None:
    assert rules_of(PAGES).evaluate(views(400), NOW_MS).fired == ()


def test_points_without_half_life_stay() -> None:
    rules = rules_of("gates: {mql: {}}\nscore: {engagement: [{rule: pages, on: page_view, points: 2}]}")
    assert rules.evaluate(views(*range(0, 4000, 100)), NOW_MS).engagement == 80


def test_the_gate_falls_exactly_when_the_verdict_says_so() -> None:
    rules = rules_of(PAGES)
    facts = views(0, 0)
    moments, now_ms = [], NOW_MS
    for _ in range(20):
        verdict = rules.evaluate(facts, now_ms)
        if not verdict.gates["mql"].passed or verdict.next_change_ms is None:
            break
        now_ms = verdict.next_change_ms
        moments.append(now_ms)
    before, after = rules.evaluate(facts, moments[-1] - 2), rules.evaluate(facts, moments[-1])
    assert before.gates["mql"].passed
    assert not after.gates["mql"].passed
    assert after.gates["mql"].missing == ("1 more engagement point",)
    # 30 points fade to 19.5 after 14 days times log2(30 / 19.5)
    assert (moments[-1] - NOW_MS) / DAY_MS == pytest.approx(8.70, abs=0.01)
    assert len(moments) <= 3  # at 25, when it is worth publishing, and at 19


def test_a_published_score_is_looked_at_again_when_it_differs_enough() -> None:
    rules = rules_of(PAGES.replace("engagement: 20, margin: 5", ""))
    facts = views(0, 0)
    fresh = rules.evaluate(facts, NOW_MS).next_change_ms
    behind = rules.evaluate(lead_with(facts, published=33), NOW_MS).next_change_ms
    assert fresh is not None
    assert behind is not None
    assert rules.evaluate(facts, fresh).score == 30 - PUBLISH_STEP
    assert rules.evaluate(facts, behind).score == 33 - PUBLISH_STEP


def test_what_fades_without_consequence_wakes_nobody() -> None:
    rules = rules_of("gates: {mql: {}}\n" + PAGES[len(GATE) :].replace("points: 15", "points: 2"))
    assert rules.evaluate(views(0), NOW_MS).next_change_ms is None


def lead_with(facts: LeadFacts, published: int) -> LeadFacts:
    from dataclasses import replace

    return replace(facts, published_score=published)


MANY = """
score:
  fit:
    - {rule: new, when: 'within_days(created, 9)', points: 7}
  engagement:
    - {rule: pages, on: page_view, points: 9, half_life_days: 3, at_most: 25}
    - {rule: forms, on: form_submission, points: 20, half_life_days: 11}
    - {rule: opened, on: email_open, points: -6, half_life_days: 5, at_most: 12}
    - {rule: silent, when: days_since(last_activity()) >= 10, points: -8}
gates:
  qualification: {when: 'count("page_view", days=4) >= 1'}
  nurture: {when: engagement >= 12 or score > 30}
  mql: {engagement: 15, fit: 7, margin: 4}
"""


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["page_view", "form_submission", "email_open"]), st.integers(-200, 1500))
    ),
    st.integers(0, 15),
    st.booleans(),
    st.lists(st.floats(0, 1), max_size=6),
)
def test_no_decision_changes_before_the_next_change(
    past: list[tuple[str, int]], created_days: int, reached: bool, parts: list[float]
) -> None:
    rules = rules_of(MANY)
    created = f"2026-03-{17 + created_days if created_days < 15 else 1:02}T07:00:00Z"
    facts = blank_lead(
        values={"created": created},
        activities=[Activity(kind, NOW_MS - hours * 3_600_000) for kind, hours in past],
        gate_reached=reached,
    )
    verdict = rules.evaluate(facts, NOW_MS)
    end_ms = verdict.next_change_ms if verdict.next_change_ms is not None else NOW_MS + 500 * DAY_MS
    assert end_ms > NOW_MS
    for part in [*parts, 1]:
        later = rules.evaluate(facts, NOW_MS + int((end_ms - 3 - NOW_MS) * part))
        assert {name: gate.passed for name, gate in later.gates.items()} == {
            name: gate.passed for name, gate in verdict.gates.items()
        }
        assert abs(later.score - verdict.score) < PUBLISH_STEP
        assert sum(fired.points for fired in later.fired) == later.score


def test_waking_at_every_next_change_comes_to_an_end() -> None:
    rules = rules_of(MANY)
    facts = blank_lead(
        values={"created": "2026-03-30T07:00:00Z"},
        activities=[
            Activity(kind, NOW_MS - hours * 3_600_000)
            for hours, kind in enumerate(["page_view", "form_submission", "email_open"] * 7)
        ],
    )
    now_ms, woken = NOW_MS, 0
    while (verdict := rules.evaluate(facts, now_ms)).next_change_ms is not None:
        assert verdict.next_change_ms > now_ms
        now_ms, woken = verdict.next_change_ms, woken + 1
        assert woken < 200
    assert abs(rules.evaluate(facts, now_ms + 1000 * DAY_MS).score - verdict.score) < PUBLISH_STEP


def test_the_reasons_name_what_matters_most_first_and_hold_no_numbers() -> None:
    rules = rules_of(
        """
        score:
          fit:
            - {rule: small, when: employees > 1, points: 5}
            - {rule: free mail, when: not opted_out, points: -20}
            - {rule: senior, when: not is_blank(job_title), points: 20}
          engagement: [{rule: pages, on: page_view, points: 4, half_life_days: 2, at_most: 40}]
        gates: {mql: {}}
        """
    )
    verdict = rules.evaluate(lead(), NOW_MS)
    assert verdict.reasons == "pages, senior, small, less for free mail"
    # the points of the pages fade, the text stays
    assert rules.evaluate(lead(), NOW_MS + DAY_MS).reasons == verdict.reasons


def test_reasons_that_do_not_fit_are_left_out_whole() -> None:
    names = [f"a rule with rather a long name, number {letter}" for letter in "abcdefghij"]
    fit = "".join(f"    - {{rule: '{name}', when: employees > 1, points: 5}}\n" for name in names)
    text = rules_of("gates: {mql: {}}\nscore:\n  fit:\n" + fit).evaluate(lead(), NOW_MS).reasons
    assert text == ", ".join(names[:6]) + " …"
    assert len(text) <= 255
