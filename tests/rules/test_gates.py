"""Gates, fast track, disqualification: who may pass, and what is missing, in words."""

from __future__ import annotations

import pytest

from mappings.stages import Stage
from rules.facts import Activity, Rejection
from tests.rules.example_lead import DAY_MS, NOW_MS, blank_lead, lead, rules_of

POINTS = """
score:
  fit: [{rule: staff, when: employees > 0, points: 30}]
  engagement: [{rule: pages, on: page_view, points: 10}, {rule: opened, on: email_open, points: 1}]
"""


GRADED = """
score: {fit: [{rule: staff, when: employees > 0, points: 30}, {rule: more, when: employees > 9, points: 30}]}
grades: {score: {A: 60, b: 30}}
gates: {mql: {when: grade == "a"}}
disqualify: [{rule: hopeless, when: 'is_blank(grade) and country == "DE"', reason: unspecified}]
routes: [{route: best, when: 'grade in ["A"]', owner: a@x.example}, {route: rest, owner: b@x.example}]
nurture: {tracks: [{track: warm, when: grade == "B"}, {track: cold}]}
"""


@pytest.mark.parametrize(
    ("employees", "passed", "route", "track", "disqualified"),
    [
        (10, True, "best", "cold", False),
        (1, False, "rest", "warm", False),
        (0, False, "rest", "cold", True),  # below the last letter there is no grade
    ],
)
def test_conditions_may_ask_for_the_grade(
    employees: int, passed: bool, route: str, track: str, disqualified: bool
) -> None:
    rules = rules_of(GRADED)
    facts = blank_lead(stage=Stage.NURTURE, values={"employees": employees, "country": "DE"})

    verdict = rules.evaluate(facts, NOW_MS)
    taken = rules.matches(facts, NOW_MS)[0].route

    assert verdict.errors == ()
    assert verdict.gates["mql"].passed is passed
    assert verdict.gates["mql"].missing == (() if passed else ("grade being a",))
    assert taken.name == route
    assert verdict.track == track
    assert (verdict.disqualify is not None) is disqualified


@pytest.mark.parametrize(
    ("when", "missing"),
    [
        ("not is_blank(phone)", ("a phone",)),
        ("not is_blank(phone) or not is_blank(trial_ends)", ("a phone or a trial ends",)),
        (
            'not is_blank(email) and not is_blank(phone) and country == "US"',
            ("an email", "a phone", "country being US"),
        ),
        ("not (is_blank(phone) or opted_out)", ("a phone", "opted out being false")),
        ("employees >= 200", ("employees of at least 200",)),
        ("not employees >= 200", ("employees below 200",)),
        ('country in ["US", "CA"]', ("country being one of US, CA",)),
        ('country not in ["US", "CA"]', ("country being none of US, CA",)),
        ('"CRM" in interests', ("CRM being in interests",)),
        ("is_blank(phone) and opted_out", ("opted out being true",)),
        ('count("page_view", days=30) > 2', ('count("page_view", days=30) above 2',)),
        ('contains(job_title, "x")', ('contains(job_title, "x") being true',)),
    ],
)
def test_a_missed_gate_says_what_is_missing(when: str, missing: tuple[str, ...]) -> None:
    rules = rules_of(
        f"gates:\n  mql:\n    when: {when}\n" if when[0] != '"' else f"gates: {{mql: {{when: '{when}'}}}}"
    )
    gate = rules.evaluate(blank_lead(), NOW_MS).gates["mql"]
    assert not gate.passed
    assert gate.missing == missing


def test_missing_points_are_counted() -> None:
    rules = rules_of(POINTS + "gates: {mql: {fit: 25, engagement: 12, score: 41, when: not is_blank(phone)}}")
    verdict = rules.evaluate(lead(), NOW_MS)
    assert verdict.gates["mql"].missing == ("2 more engagement points", "1 more point", "a phone")
    passed = lead(values={"phone": "+49"}, activities=[Activity("page_view", NOW_MS)] * 2, rejections=())
    assert rules.evaluate(passed, NOW_MS).gates["mql"].passed


def test_a_gate_that_is_not_written_lets_every_lead_pass() -> None:
    verdict = rules_of("gates: {mql: {}}").evaluate(blank_lead(), NOW_MS)
    assert {name: gate.passed for name, gate in verdict.gates.items()} == {
        "qualification": True,
        "nurture": True,
        "mql": True,
    }


@pytest.mark.parametrize(
    ("facts", "worthy"),
    [
        ({"stage": Stage.NURTURE}, False),
        ({"stage": Stage.QUALIFICATION}, False),
        ({"stage": Stage.MQL}, True),
        ({"stage": Stage.DISTRIBUTED}, True),
        ({"stage": Stage.NURTURE, "gates_passed": frozenset({"mql"})}, True),
        ({"stage": Stage.DISQUALIFIED}, False),
    ],
)
def test_the_margin_holds_those_who_have_passed(facts: dict[str, object], worthy: bool) -> None:
    rules = rules_of(POINTS + "gates: {mql: {engagement: 15, margin: 5}}")
    given = blank_lead(activities=[Activity("page_view", NOW_MS)], **facts)
    assert rules.evaluate(given, NOW_MS).gates["mql"].passed is worthy
    given = blank_lead(activities=[Activity("email_open", NOW_MS)] * 9, **facts)
    assert rules.evaluate(given, NOW_MS).gates["mql"].passed is False


def test_conditions_of_gates_know_the_scores() -> None:
    rules = rules_of(POINTS + "gates: {mql: {when: fit + engagement == score and score >= 40}}")
    assert rules.evaluate(lead(rejections=()), NOW_MS).gates["mql"].passed


MATRIX = (
    POINTS
    + """
gates:
  mql:
    when: not is_blank(email)
    any:
      - {fit: 30, engagement: 20}
      - {fit: 10, engagement: 50}
      - {engagement: 25, when: not is_blank(phone)}
    margin: 4
"""
)


def test_a_gate_may_have_several_ways_through_it() -> None:
    rules = rules_of(MATRIX)
    pages = [Activity("page_view", NOW_MS)] * 2
    for values, seen, passed in (
        ({"email": "a@b.example", "employees": 5}, pages, True),
        ({"email": "a@b.example"}, pages, False),
        ({"email": "a@b.example", "phone": "+49"}, pages, False),
        ({"email": "a@b.example", "phone": "+49"}, pages * 2, True),
        ({"phone": "+49"}, pages * 2, False),
    ):
        verdict = rules.evaluate(blank_lead(values=values, activities=seen), NOW_MS)
        assert verdict.gates["mql"].passed is passed


def test_what_is_missing_names_every_way_once() -> None:
    rules = rules_of(MATRIX)
    verdict = rules.evaluate(blank_lead(activities=[Activity("page_view", NOW_MS)]), NOW_MS)
    assert verdict.gates["mql"].missing == (
        "an email",
        "30 more fit points and 10 more engagement points, "
        "or 10 more fit points and 40 more engagement points, "
        "or 15 more engagement points and a phone",
    )
    either = rules_of(POINTS + "gates: {mql: {any: [{engagement: 12}, {when: not is_blank(phone)}]}}")
    assert either.evaluate(blank_lead(), NOW_MS).gates["mql"].missing == (
        "12 more engagement points, or a phone",
    )


@pytest.mark.parametrize(
    ("ways", "missing"),
    [
        # a way on which the lead lacks as much, or the same and more, tells it nothing
        ("{engagement: 5}, {engagement: 5, when: not is_blank(phone)}", "5 more engagement points"),
        ("{engagement: 5, when: not is_blank(phone)}, {engagement: 5}", "5 more engagement points"),
        ("{engagement: 40}, {fit: 30, engagement: 20}, {engagement: 60}",
         "40 more engagement points, or 30 more fit points and 20 more engagement points"),
        ("{when: opted_out and not is_blank(phone)}, {when: not is_blank(phone) and opted_out}",
         "opted out being true and a phone"),
        ("{engagement: 5}, {score: 5}", "5 more engagement points, or 5 more points"),
    ],
)  # fmt: skip
def test_a_way_is_not_told_when_another_asks_for_less(ways: str, missing: str) -> None:
    rules = rules_of(POINTS + f"gates: {{mql: {{any: [{ways}]}}}}")
    assert rules.evaluate(blank_lead(), NOW_MS).gates["mql"].missing == (missing,)


def test_the_margin_holds_those_who_came_any_way() -> None:
    rules = rules_of(MATRIX)
    values = {"email": "a@b.example", "employees": 5}
    seen = [Activity("page_view", NOW_MS)] + [Activity("email_open", NOW_MS)] * 6
    for stage, passed in ((Stage.NURTURE, False), (Stage.MQL, True)):
        facts = blank_lead(values=values, activities=seen, stage=stage)
        assert rules.evaluate(facts, NOW_MS).gates["mql"].passed is passed


NURTURE = (
    POINTS
    + """
gates: {mql: {engagement: 10}}
nurture:
  tracks:
    - {track: enterprise, when: fit >= 30}
    - {track: silent, when: days_since(last_activity()) >= 30}
    - {track: general}
  touches: [page_view]
  minimum_touches: 2
"""
)


def test_a_lead_in_nurture_belongs_to_the_first_track_that_takes_it() -> None:
    rules = rules_of(NURTURE)
    opened = [Activity("email_open", NOW_MS - 5 * DAY_MS)]
    assert rules.evaluate(blank_lead(), NOW_MS).track == "general"
    assert rules.evaluate(blank_lead(values={"employees": 5}), NOW_MS).track == "enterprise"
    verdict = rules.evaluate(blank_lead(activities=opened), NOW_MS)
    assert (verdict.track, verdict.next_change_ms) == ("general", NOW_MS + 25 * DAY_MS)
    assert rules.evaluate(blank_lead(activities=opened), NOW_MS + 25 * DAY_MS).track == "silent"
    for stage in set(Stage) - {Stage.NURTURE}:
        assert rules.evaluate(blank_lead(stage=stage), NOW_MS).track is None


@pytest.mark.parametrize(
    ("seen", "stage", "warnings"),
    [
        (["page_view"], Stage.NURTURE, ("1 touch before the hand-off, fewer than the minimum of 2",)),
        (["email_open"] * 10, Stage.MQL, ("0 touches before the hand-off, fewer than the minimum of 2",)),
        (["page_view"] * 2, Stage.NURTURE, ()),
        (["email_open"], Stage.NURTURE, ()),  # sales does not get it
    ],
)
def test_too_few_touches_are_a_warning_and_block_nothing(
    seen: list[str], stage: Stage, warnings: tuple[str, ...]
) -> None:
    facts = blank_lead(activities=[Activity(kind, NOW_MS) for kind in seen], stage=stage)
    verdict = rules_of(NURTURE).evaluate(facts, NOW_MS)
    assert verdict.warnings == warnings
    assert verdict.touches == seen.count("page_view")
    assert verdict.gates["mql"].passed is (seen != ["email_open"])
    assert verdict.to_json()["warnings"] == list(warnings)


def test_every_activity_is_a_touch_unless_it_is_said_which() -> None:
    rules = rules_of("gates: {mql: {}}\nnurture: {minimum_touches: 3}")
    ahead = Activity("email_open", NOW_MS + DAY_MS)
    facts = blank_lead(activities=[Activity("page_view", NOW_MS), Activity("email_open", NOW_MS), ahead])
    verdict = rules.evaluate(facts, NOW_MS)
    assert (verdict.touches, verdict.next_change_ms) == (2, NOW_MS + DAY_MS)
    assert rules.evaluate(facts, NOW_MS + DAY_MS).warnings == ()
    assert rules_of("gates: {mql: {}}").evaluate(facts, NOW_MS).touches is None


FAST = """
gates: {mql: {when: opted_out}}
fast_track:
  - {rule: board, when: 'job_title == "Chair"'}
  - {rule: demo, on: form_submission, when: 'contains(activity.detail, "demo")'}
  - {rule: any form, on: form_submission}
"""


def test_the_first_fast_track_that_applies_is_named() -> None:
    rules = rules_of(FAST)
    demo = [
        Activity("form_submission", NOW_MS - DAY_MS, {"detail": "x"}),
        Activity("form_submission", NOW_MS - 2 * DAY_MS, {"detail": "Demo"}),
    ]
    assert rules.evaluate(blank_lead(), NOW_MS).fast_track is None
    assert rules.evaluate(blank_lead(activities=demo[:1]), NOW_MS).fast_track == "any form"
    verdict = rules.evaluate(blank_lead(activities=demo), NOW_MS)
    assert verdict.fast_track == "demo"
    assert verdict.fired[-1] == ("demo", "fast_track", 0, {"activity.detail": "Demo"})
    chair = blank_lead(activities=demo, values={"job_title": "Chair"})
    assert rules.evaluate(chair, NOW_MS).fast_track == "board"


def test_what_earned_a_fast_track_before_the_rejection_earns_none_after_it() -> None:
    rules = rules_of(FAST)
    past = [Activity("form_submission", NOW_MS - 2 * DAY_MS, {"detail": "demo"})]
    rejected = {"rejections": [Rejection("unspecified", NOW_MS - DAY_MS, 1)], "cycle": 2}
    values = {"job_title": "Chair"}
    assert rules.evaluate(blank_lead(activities=past, values=values, **rejected), NOW_MS).fast_track is None
    again = [*past, Activity("form_submission", NOW_MS, {"detail": "demo"})]
    assert rules.evaluate(blank_lead(activities=again, **rejected), NOW_MS).fast_track == "demo"


def test_a_lost_pursuit_asks_for_a_new_reason_too() -> None:
    rules = rules_of(FAST)
    past = [Activity("form_submission", NOW_MS - 2 * DAY_MS, {"detail": "demo"})]
    facts = blank_lead(activities=past, cycle=2, cycle_since_ms=NOW_MS - DAY_MS)
    verdict = rules.evaluate(facts, NOW_MS)
    assert verdict.fast_track is None
    assert "new engagement in this cycle" in verdict.gates["mql"].missing


def test_the_first_disqualification_that_applies_is_named_with_its_reason() -> None:
    rules = rules_of(
        """
        gates: {mql: {}}
        score: {fit: [{rule: poor, when: employees > 9, points: -50}]}
        disqualify:
          - {rule: rival, when: 'domain(email) == "rival.example"', reason: competitor}
          - {rule: hopeless, when: score <= -50, reason: no_fit}
        rejection: {reasons: {competitor: {then: disqualify}, no_fit: {then: disqualify}}}
        """
    )
    assert rules.evaluate(blank_lead(), NOW_MS).disqualify is None
    verdict = rules.evaluate(lead(), NOW_MS)
    assert verdict.disqualify == ("hopeless", "no_fit")
    assert verdict.fired[-1] == ("hopeless", "disqualify", 0, {"score": -50})
    rival = lead(values={"email": "x@rival.example"})
    assert rules.evaluate(rival, NOW_MS).disqualify == ("rival", "competitor")
