"""When points that fade next change anything: not earlier, not later, and nothing in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.facts import Activity, Verdict
from rules.fading import Fading, amount_of
from rules.gates import GATE_NAMES
from rules.scoring import PUBLISH_STEP
from tests.rules.example_lead import DAY_MS, NOW_MS, blank_lead, rules_of, views

GATE = "gates: {mql: {engagement: 20, margin: 5}}\n"
PAGES = (
    GATE + "score: {engagement: [{rule: pages, on: page_view, points: 15, half_life_days: 14, at_most: 40}]}"
)
reached_gates = st.frozensets(st.sampled_from(GATE_NAMES))


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
    behind = rules.evaluate(replace(facts, published_score=33), NOW_MS).next_change_ms
    assert fresh is not None
    assert behind is not None
    assert rules.evaluate(facts, fresh).score == 30 - PUBLISH_STEP
    assert rules.evaluate(facts, behind).score == 33 - PUBLISH_STEP


def test_what_fades_without_consequence_wakes_nobody() -> None:
    rules = rules_of("gates: {mql: {}}\n" + PAGES[len(GATE) :].replace("points: 15", "points: 2"))
    assert rules.evaluate(views(0), NOW_MS).next_change_ms is None


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
  qualification: {when: 'count("page_view", days=4) >= 1', score: 10, margin: 3}
  nurture: {when: engagement >= 12 or score > 30}
  mql: {engagement: 15, fit: 7, margin: 4}
"""


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["page_view", "form_submission", "email_open"]), st.integers(-200, 1500))
    ),
    st.integers(0, 15),
    reached_gates,
    st.lists(st.floats(0, 1), max_size=6),
)
def test_no_decision_changes_before_the_next_change(
    past: list[tuple[str, int]], created_days: int, reached: frozenset[str], parts: list[float]
) -> None:
    rules = rules_of(MANY)
    created = f"2026-03-{17 + created_days if created_days < 15 else 1:02}T07:00:00Z"
    facts = blank_lead(
        values={"created": created},
        activities=[Activity(kind, NOW_MS - hours * 3_600_000) for kind, hours in past],
        gates_passed=reached,
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


SHAPES = (
    *("half_life_days: 6", "linear_days: 9", "expires_days: 5", "linear_days: 20, at_most: 22"),
    *("once: true, linear_days: 7", "once: true, expires_days: 3"),
    *("per_day: 1, half_life_days: 4", "per_day: 2, expires_days: 8, at_most: 30"),
)


def fading_rules(shapes: Sequence[str], points: Sequence[int], *, grouped: bool) -> str:
    rules = "".join(
        f"    - {{rule: r{kind}, on: {kind}, points: {number}, {shape}{', group: web' if grouped else ''}}}\n"
        for kind, shape, number in zip(
            ("page_view", "form_submission", "email_open"), shapes, points, strict=True
        )
    )
    groups = "  groups: {web: {at_most: 26, at_least: -7}}\n" if grouped else ""
    return (
        f"score:\n{groups}  engagement:\n{rules}    - {{rule: never, when: opted_out, points: 99}}\n"
        "grades: {score: {A: 30, B: 18, C: 4}}\n"
        "gates:\n  qualification: {score: 8, margin: 6}\n"
        "  nurture: {any: [{engagement: 9}, {when: opted_out}], margin: 2}\n"
        "  mql: {engagement: 15, margin: 4}\n"
        "disqualify: [{rule: hopeless, when: score <= -6, reason: unspecified}]\n"
        "nurture: {tracks: [{track: hot, when: engagement >= 12}, {track: cold}]}\n"
    )


fading_documents = st.builds(
    fading_rules,
    st.tuples(*[st.sampled_from(SHAPES)] * 3),
    st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(-20, -1)),
    grouped=st.booleans(),
)
pasts = st.lists(
    st.tuples(st.sampled_from(["page_view", "form_submission", "email_open"]), st.integers(0, 700)),
    max_size=9,
)


def decided(verdict: Verdict) -> tuple[object, ...]:
    """All that is written somewhere or moves a lead."""
    passed = [gate.passed for gate in verdict.gates.values()]
    return (*passed, verdict.fast_track, verdict.disqualify, verdict.grade, verdict.track)


@settings(max_examples=300, deadline=None)
@given(fading_documents, pasts, st.lists(st.floats(0, 1), max_size=6), reached_gates)
def test_however_points_fade_something_changes_at_the_next_change_and_nothing_before(
    text: str, past: list[tuple[str, int]], parts: list[float], reached: frozenset[str]
) -> None:
    rules = rules_of(text)
    facts = blank_lead(
        activities=[Activity(kind, NOW_MS - hours * 3_600_000) for kind, hours in past], gates_passed=reached
    )
    verdict = rules.evaluate(facts, NOW_MS)
    at_ms = verdict.next_change_ms
    end_ms = at_ms if at_ms is not None else NOW_MS + 400 * DAY_MS
    for part in [*parts, 1]:
        later = rules.evaluate(facts, NOW_MS + int((end_ms - 3 - NOW_MS) * part))
        assert decided(later) == decided(verdict)
        assert abs(later.score - verdict.score) < PUBLISH_STEP
        assert sum(fired.points for fired in later.fired) == later.score
    if at_ms is not None:
        then = rules.evaluate(facts, at_ms)
        assert decided(then) != decided(verdict) or abs(then.score - verdict.score) >= PUBLISH_STEP


def test_a_cap_far_above_its_group_wakes_nobody_until_the_group_gives_less() -> None:
    rules = rules_of(
        "score: {groups: {web: {at_most: 10}}, engagement: [{rule: a, on: page_view, points: 10, group: web, "
        "expires_days: 30}]}\ngates: {mql: {engagement: 10}}"
    )
    verdict = rules.evaluate(views(1, 2, 3, 4), NOW_MS)
    assert verdict.next_change_ms == NOW_MS + 29 * DAY_MS  # when the last of the four is over


@given(
    st.lists(st.integers(0, 90 * DAY_MS - 1), min_size=1, max_size=20).map(sorted),
    st.sampled_from(["linear", "expires"]),
    st.integers(1, 40),
    st.integers(1, 1000),
)
def test_the_moment_of_fewer_points_is_exact(
    ages: list[int], shape: Literal["linear", "expires"], points: int, share: int
) -> None:
    span_ms = 90 * DAY_MS
    moments = sorted(NOW_MS - age for age in ages)

    def worth(now_ms: int) -> float:
        counted = [at for at in moments if now_ms < at + span_ms]
        return points * amount_of(shape, span_ms, counted, now_ms)

    exact = worth(NOW_MS)
    whole = int(exact + 0.5)
    if whole:
        target = max(1, whole * share // 1000)
        at_ms = Fading(exact, whole, shape, span_ms, None, points, tuple(moments)).below_ms(target, NOW_MS)
        assert worth(at_ms) < target - 0.5
        assert worth(at_ms - 3) >= target - 0.5 - 1e-9 or at_ms - 3 < NOW_MS
