"""Scores: points that add up, caps, fading by half-life, and when fading next matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.facts import Activity, LeadFacts, Verdict
from rules.fading import Fading, amount_of
from rules.fired import Fired
from rules.scoring import PUBLISH_STEP, first_of_each_day
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


def engagement(rule: str, *days_ago: float) -> int:
    """The engagement of a lead that saw pages so many days ago, by one rule."""
    text = "gates: {mql: {}}\nscore: {engagement: [{rule: pages, on: page_view, points: 10, RULE}]}"
    return rules_of(text.replace("RULE", rule)).evaluate(views(*days_ago), NOW_MS).engagement


@pytest.mark.parametrize(
    ("rule", "days_ago", "points"),
    [
        # evenly down to nothing
        ("linear_days: 10", [0], 10),
        ("linear_days: 10", [1], 9),
        ("linear_days: 10", [5, 8], 7),
        ("linear_days: 10", [9.6], 0),
        ("linear_days: 10", [10, 11], 0),
        ("linear_days: 10, at_most: 15", [0, 1, 2], 15),
        # all of it until it is over
        ("expires_days: 10", [0, 9.99], 20),
        ("expires_days: 10", [0, 10], 10),
        # once, however often; what fades, fades from the latest
        ("once: true", [0, 1, 2], 10),
        ("once: true", [], 0),
        ("once: true, linear_days: 10", [9, 5, 7], 5),
        ("once: true, half_life_days: 10", [20, 10], 5),
        ("once: true, expires_days: 10", [20, 12], 0),
        # NOW_MS is noon: half a day ago is still this day (UTC), more than that the day before
        ("per_day: 2", [0, 0.1, 0.2, 0.4], 20),
        ("per_day: 2", [0, 0.1, 0.2, 0.6, 0.7, 0.8], 40),
        ("per_day: 1, half_life_days: 1", [0, 0.5, 1], 12),
    ],
)
def test_what_activities_give(rule: str, days_ago: Sequence[float], points: int) -> None:
    assert engagement(rule, *days_ago) == points
    assert engagement(rule, *reversed(days_ago)) == points  # in whatever order they became known


def test_of_a_day_the_first_count_so_that_later_ones_change_nothing() -> None:
    assert first_of_each_day([5, 7, 9, DAY_MS, 2 * DAY_MS - 1, 2 * DAY_MS], 2) == [
        5, 7, DAY_MS, 2 * DAY_MS - 1, 2 * DAY_MS,
    ]  # fmt: skip
    assert first_of_each_day([-1, 0], 1) == [-1, 0]  # before 1970 too


def test_a_rule_tells_how_many_activities_count_now() -> None:
    rules = rules_of(
        "gates: {mql: {}}\nscore: {engagement: [{rule: a, on: page_view, points: 10, expires_days: 9}]}"
    )
    assert rules.evaluate(views(1, 2, 30), NOW_MS).fired == (Fired("a", "engagement", 20, {"page_view": 2}),)


GROUPS = """
score:
  groups:
    web: {at_most: 25, at_least: -5}
    title: {at_most: 30}
  fit:
    - {rule: chief, when: 'contains(job_title, "chief")', points: 20, group: title}
    - {rule: sales, when: 'contains(job_title, "sales")', points: 15, group: title}
    - {rule: large, when: employees >= 100, points: 10}
  engagement:
    - {rule: pages, on: page_view, points: 5, at_most: 20, group: web}
    - {rule: forms, on: form_submission, points: 20, group: web}
    - {rule: opened, on: email_open, points: -8, group: web}
gates: {mql: {}}
"""


def test_a_group_gives_at_most_its_cap_and_says_what_it_held_back() -> None:
    facts = blank_lead(
        values={"job_title": "Chief Sales Officer", "employees": 100},
        activities=[Activity(kind, NOW_MS) for kind in ["page_view"] * 9 + ["form_submission"]],
    )
    verdict = rules_of(GROUPS).evaluate(facts, NOW_MS)
    assert (verdict.fit, verdict.engagement, verdict.score) == (40, 25, 65)
    assert verdict.fired == (
        Fired("chief", "fit", 20, {"job_title": "Chief Sales Officer"}),
        Fired("sales", "fit", 15, {"job_title": "Chief Sales Officer"}),
        Fired("large", "fit", 10, {"employees": 100}),
        Fired("pages", "engagement", 20, {"page_view": 9}),  # its own cap comes first
        Fired("forms", "engagement", 20, {"form_submission": 1}),
        Fired("bounds of group web", "engagement", -15, {"web": 40}),
        Fired("bounds of group title", "fit", -5, {"title": 35}),
    )
    assert verdict.reasons == "chief, pages, forms, sales, large"


def test_a_group_takes_no_more_than_its_floor() -> None:
    verdict = rules_of(GROUPS).evaluate(blank_lead(activities=[Activity("email_open", NOW_MS)] * 3), NOW_MS)
    assert verdict.engagement == -5
    assert verdict.fired[-1] == Fired("bounds of group web", "engagement", 19, {"web": -24})
    mixed = [Activity(kind, NOW_MS) for kind in ["email_open"] * 3 + ["form_submission"]]
    assert rules_of(GROUPS).evaluate(blank_lead(activities=mixed), NOW_MS).engagement == -4


@pytest.mark.parametrize(("points", "grade"), [(90, "A"), (80, "A"), (79, "B"), (0, "C"), (-1, None)])
def test_a_grade_is_the_first_letter_whose_points_are_reached(points: int, grade: str | None) -> None:
    for of in ("fit", "engagement", "score"):
        part = "engagement" if of == "score" else of
        rules = rules_of(
            f"score: {{{part}: [{{rule: a, when: employees >= 0, points: {points or 1}}},"
            f"{{rule: b, when: employees >= 0, points: -1}}, {{rule: more, when: opted_out, points: 99}}]}}\n"
            f"gates: {{mql: {{}}}}\ngrades: {{{of}: {{A: 79, B: 78, C: -1}}}}"
        )
        verdict = rules.evaluate(blank_lead(values={"employees": 5}), NOW_MS)
        assert verdict.grade == grade
        assert verdict.to_json()["grade"] == grade


def test_without_grades_there_is_no_grade() -> None:
    assert rules_of("gates: {mql: {}}").evaluate(lead(), NOW_MS).grade is None


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
        "gates:\n  nurture: {any: [{engagement: 9}, {when: opted_out}]}\n"
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
@given(fading_documents, pasts, st.lists(st.floats(0, 1), max_size=6), st.booleans())
def test_however_points_fade_something_changes_at_the_next_change_and_nothing_before(
    text: str, past: list[tuple[str, int]], parts: list[float], reached: bool
) -> None:
    rules = rules_of(text)
    facts = blank_lead(
        activities=[Activity(kind, NOW_MS - hours * 3_600_000) for kind, hours in past], gate_reached=reached
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
