"""Scores: points that add up, caps, what activities give as they fade, groups, grades and reasons."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rules.facts import Activity
from rules.fired import Fired
from rules.scoring import first_of_each_day
from tests.rules.example_lead import DAY_MS, NOW_MS, blank_lead, lead, rules_of, views

GATE = "gates: {mql: {engagement: 20, margin: 5}}\n"
PAGES = (
    GATE + "score: {engagement: [{rule: pages, on: page_view, points: 15, half_life_days: 14, at_most: 40}]}"
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
