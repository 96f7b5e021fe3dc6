"""Cases: what RevOps say must come out for a lead, and what did."""

from __future__ import annotations

import pytest

from mappings.source import Source
from rules.case_reading import read_moment
from rules.cases import CaseReport, run_cases
from rules.load import load_rules
from rules.scope import Scope, declare_activities

FIELDS = {"email": "email", "last_name": "text", "job_title": "text", "employees": "number"}
ACTIVITIES = {"form_submission": {"detail"}, "visit": {"detail"}}

RULES = """\
score:
  fit:
    - {rule: decides, when: 'contains(job_title, "director")', points: 30}
    - {rule: studies, when: 'contains(job_title, "student")', points: -20}
  engagement:
    - {rule: form, on: form_submission, points: 20, half_life_days: 10, at_most: 40}
gates:
  qualification: {when: not is_blank(email)}
  nurture: {when: not is_blank(last_name)}
  mql: {fit: 20, engagement: 15}
fast_track:
  - {rule: asked for a demo, on: form_submission, when: 'contains(activity.detail, "demo")'}
disqualify:
  - {rule: competitor, when: 'domain(email) == "rival.example"', reason: rival}
grades: {score: {A: 40, B: 10}}
routes:
  - {route: big, when: employees >= 100, owner: big@us.example}
  - {route: rest, owner: rest@us.example}
rejection:
  default_reason: unspecified
  reasons:
    timing: {then: nurture, cooling_off_days: 30, track: later}
    rival: {then: disqualify}
"""


def run(cases: str) -> CaseReport:
    """The report on cases in a document of their own, beside the rules."""
    sources = [Source("rules.yaml", RULES), Source("cases.yaml", cases)]
    rules = load_rules(sources, FIELDS, ACTIVITIES, sides={"hubspot"})
    scope = Scope(FIELDS, declare_activities(ACTIVITIES), {}, rules.reasons, {"hubspot"})
    return run_cases(sources, rules, scope)


def told(cases: str) -> list[str]:
    report = run(cases)
    return [str(error) for error in (*report.errors, *(failure.error for failure in report.failures))]


def test_a_lead_goes_as_far_as_the_rules_take_it() -> None:
    report = run("""
cases:
  - case: the whole way
    lead: {email: a@b.example, last_name: Lee, job_title: Director, employees: 500}
    activities: [{kind: form_submission, at: today}]
    expect: {stage: mql, score: 50, fit: 30, engagement: {at_least: 20, at_most: 20}, fired: [decides, form],
             not_fired: [studies], route: big}
  - {case: no name, lead: {email: a@b.example}, expect: {stage: qualification, route: null, fast_track: null}}
  - {case: nothing known, expect: {stage: inquiry, score: 0}}
""")

    assert (report.count, report.failures, report.errors) == (3, (), ())


def test_points_fade_from_the_day_that_the_activity_has() -> None:
    assert (
        told("""
cases:
  - case: one half-life ago
    activities: [{kind: form_submission, at: 10 days ago}]
    expect: {engagement: 10}
  - case: the same, by its date
    today: 2026-03-11T12:00:00Z
    activities: [{kind: form_submission, at: "2026-03-01T12:00:00Z"}]
    expect: {engagement: 10}
""")
        == []
    )


def test_a_cooling_off_holds_a_lead_back_and_says_its_track() -> None:
    assert (
        told("""
cases:
  - case: too early
    lead: {email: a@b.example, last_name: Lee, job_title: Director}
    stage: nurture
    cycle: 2
    rejections: [{reason: timing, at: 20 days ago}]
    activities: [{kind: form_submission, at: 30 days ago}]
    expect: {stage: nurture, track: later}
  - case: early enough
    lead: {email: a@b.example, last_name: Lee, job_title: Director}
    stage: nurture
    cycle: 2
    rejections: [{reason: timing, at: 40 days ago}]
    activities: [{kind: form_submission, at: today}]
    expect: {stage: mql}
""")
        == []
    )


def test_a_failing_case_says_what_was_expected_what_was_found_and_what_fired() -> None:
    report = run("""cases:
  - case: a director
    lead: {email: a@b.example, last_name: Lee, job_title: Director}
    expect:
      stage: mql
      score: {at_least: 40}
      fired: [studies]
      not_fired: [decides]
      route: big
      disqualified: rival
""")

    assert [str(failure.error) for failure in report.failures] == [
        "cases.yaml:5:14: a director: expected stage mql, found nurture (lacks 15 more engagement points)",
        "cases.yaml:6:14: a director: expected score at least 40, found 30",
        'cases.yaml:7:15: a director: expected "studies" to fire, found it did not',
        'cases.yaml:8:19: a director: expected "decides" not to fire, found it did',
        "cases.yaml:10:21: a director: expected disqualified rival, found none",
        "cases.yaml:9:14: a director: expected route big, found none",
    ]
    assert report.failures[0].fired == ("decides +30",)


def test_a_near_miss_is_held_to_what_is_missing_at_the_gate_in_front_of_the_lead() -> None:
    assert told("""cases:
  - case: in nurture
    lead: {email: a@b.example, last_name: Lee}
    activities: [{kind: form_submission, at: 10 days ago}]
    expect: {stage: nurture, missing: [20 more fit points, 5 more Engagement points]}
  - {case: in qualification, lead: {email: a@b.example}, expect: {missing: [last name]}}
  - {case: an inquiry, expect: {missing: [an email]}}
  - case: other than expected
    lead: {email: a@b.example, last_name: Lee, job_title: Director}
    expect:
      missing: [15 more engagement points, 5 more engagement points, a phone]
  - case: nothing
    lead: {email: a@b.example, last_name: Lee, job_title: Director}
    activities: [{kind: form_submission}]
    expect: {missing: [a phone]}
""") == [
        'cases.yaml:11:44: other than expected: expected "5 more engagement points" to be missing, '
        "found 15 more engagement points",
        'cases.yaml:11:70: other than expected: expected "a phone" to be missing, '
        "found 15 more engagement points",
        'cases.yaml:15:24: nothing: expected "a phone" to be missing, found nothing missing',
    ]


def test_what_the_bounds_of_a_group_did_can_be_expected() -> None:
    assert (
        told("""
score:
  groups: {web: {at_most: 5}}
  engagement: [{rule: visits, on: visit, points: 4, group: web}]
cases:
  - case: bounded
    activities: [{kind: visit}, {kind: visit}]
    expect: {engagement: 5, fired: [visits, bounds of group web]}
""")
        == []
    )


def test_a_disqualified_lead_tells_its_reason() -> None:
    assert told("""cases:
  - case: spy
    lead: {email: spy@rival.example}
    expect: {stage: disqualified, disqualified: rival}
  - case: hoped for
    lead: {email: spy@rival.example}
    expect: {stage: qualification}
""") == ["cases.yaml:7:21: hoped for: expected stage qualification, found disqualified (disqualified: rival)"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lead: {emial: x@y.example}", '3:12: unknown field "emial"; did you mean "email"?'),
        ("lead: {employees: many}", '3:23: "many" is no number'),
        ("lead: {last_name: 7}", "3:23: a text is a text, not the number 7; put it in quotes"),
        ("lead: {last_name: true}", "3:23: a text is not true; put it in quotes"),
        ("lead: {employees: true}", "3:23: a number is not true"),
        ("lead: {email: 7}", "3:19: an email is a text, not the number 7; put it in quotes"),
        ("lead: {last_name: [a, b]}", "3:23: a text is one value, not a list"),
        ("activities: [{kind: form_submision}]", '3:25: there is no activity "form_submision"; did you mean'),
        ("activities: [{kind: visit, at: soon}]", '3:36: "soon" is no moment; write "3 days ago"'),
        (
            "activities: [{kind: visit, attributes: {url: x}}]",
            '3:45: the activity "visit" has no attri',
        ),
        ("rejections: [{reason: timng}]", '3:27: there is no reason "timng"; did you mean "timing"?'),
        ("today: someday", '3:12: "someday" is no day; write it as 2026-01-15'),
        ("stage: mqll", '3:12: there is no stage "mqll"; did you mean "mql"?'),
        ("origin: hubspt", '3:13: there is no side "hubspt"; did you mean "hubspot"?'),
        ("exists_on: [salesforce]", '3:17: there is no side "salesforce"'),
    ],
)
def test_a_mistake_in_a_case_is_told_with_its_place(line: str, message: str) -> None:
    (found,) = told(f"cases:\n  - case: one\n    {line}\n    expect: {{score: 0}}\n")

    assert found.startswith(f"cases.yaml:{message}")


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{fired: [decide]}", '3:22: there is no rule "decide"; did you mean "decides"?'),
        (
            "{stage: accepted}",
            "3:21: the rules take a lead as far as mql, not to accepted; for ",
        ),
        ("{route: bigg}", '3:21: there is no route "bigg"; did you mean "big"?'),
        ("{track: latr}", '3:21: there is no track "latr"; did you mean "later"?'),
        (
            "{disqualified: rivl}",
            '3:28: there is no disqualification with the reason "rivl"; did you mean "rival"?',
        ),
        (
            "{disqualified: timing}",
            '3:28: there is no disqualification with the reason "timing"; known: rival',
        ),
        (
            "{fast_track: asked for demo}",
            '3:26: there is no fast track "asked for demo"; did you mean "asked for a demo"?',
        ),
        ("{fast_track: decides}", '3:26: there is no fast track "decides"; known: asked for a demo'),
        ("{grade: A+}", '3:21: there is no grade "A+"; did you mean "A"?'),
    ],
)
def test_what_cannot_be_expected_is_told_with_its_place(expect: str, message: str) -> None:
    (found,) = told(f"cases:\n  - case: one\n    expect: {expect}\n")

    assert found.startswith(f"cases.yaml:{message}")


def test_two_cases_of_one_name_are_a_mistake() -> None:
    case = "  - {case: twin, expect: {score: 0}}\n"

    assert told(f"cases:\n{case}{case}") == [
        'cases.yaml:3:12: the case "twin" is here twice (first in cases.yaml:2)'
    ]


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        ("today", 1_000_000_000_000),
        ("now", 1_000_000_000_000),
        ("yesterday", 999_913_600_000),
        ("2 hours ago", 999_992_800_000),
        ("1 week ago", 999_395_200_000),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:00:01Z", 1_000),
    ],
)
def test_moments_are_written_as_people_say_them(text: str, moment_ms: int) -> None:
    assert read_moment(text, 1_000_000_000_000) == moment_ms


def test_an_attribute_is_read_as_its_type_and_told_if_it_cannot_be() -> None:
    text = """
score: {engagement: [{rule: many seats, on: trial, when: activity.seats >= 10 and activity.paid, points: 5}]}
gates: {mql: {engagement: 5}}
cases:
  - case: as people write them
    activities: [{kind: trial, attributes: {seats: "12", paid: "yes"}}]
    expect: {fired: [many seats]}
  - case: not a number
    activities: [{kind: trial, attributes: {seats: many, paid: true}}]
    expect: {engagement: 0}
"""
    kinds = {"trial": {"seats": "number", "paid": "boolean"}}
    sources = [Source("rules.yaml", text)]
    rules = load_rules(sources, FIELDS, kinds)

    report = run_cases(sources, rules, Scope(FIELDS, declare_activities(kinds)))

    assert [str(error) for error in report.errors] == ['rules.yaml:9:52: "many" is no number']
    assert report.failures == ()


def test_a_fast_track_is_the_one_that_made_a_lead_sales_ready() -> None:
    demo = "activities: [{kind: form_submission, attributes: {detail: demo}}]"
    assert (
        told(f"""
cases:
  - {{case: out, lead: {{email: x@rival.example}}, {demo}, expect: {{disqualified: rival, fast_track: null}}}}
  - {{case: in, lead: {{email: x@b.example}}, {demo}, expect: {{stage: mql, fast_track: asked for a demo}}}}
  - {{case: with sales already, stage: accepted, {demo}, expect: {{stage: accepted, fast_track: null}}}}
""")
        == []
    )


def test_what_a_lead_lacks_for_sales_is_what_stands_in_its_way() -> None:
    """The nurture gate does not: whoever passes the gate of MQLs goes past it."""
    activities = "activities: [{kind: form_submission}]"
    assert told(f"""
cases:
  - {{case: no name, lead: {{email: a@b.example, job_title: Director}}, {activities}, expect: {{stage: mql}}}}
  - {{case: no address, lead: {{job_title: Director}}, {activities}, expect: {{stage: mql}}}}
  - {{case: neither, lead: {{employees: 5}}, expect: {{stage: mql}}}}
  - {{case: no name to write to, lead: {{email: a@b.example}}, expect: {{stage: nurture}}}}
""") == [
        "cases.yaml:4:108: no address: expected stage mql, found inquiry (lacks an email)",
        "cases.yaml:5:59: neither: expected stage mql, found inquiry "
        "(lacks an email, 20 more fit points, 15 more engagement points)",
        "cases.yaml:6:77: no name to write to: expected stage nurture, found qualification "
        "(lacks a last name)",
    ]


POOLED = RULES.replace(
    "routes:\n",
    """
pools:
  sdr:
    members:
      - {owner: a@us.example, away: [{from: 2026-01-15, until: 2026-01-16}]}
      - b@us.example
routes:
  - {route: back, to: previous_owner}
  - {route: in turn, when: employees >= 50, pool: sdr}
""",
)


def test_a_case_may_expect_who_gets_the_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.RULES", POOLED)
    ready = "lead: {email: a@b.example, last_name: Lee, job_title: Director, employees: 50}"
    form = "activities: [{kind: form_submission}]"
    assert (
        told(f"""
cases:
  - {{case: away, {ready}, {form}, expect: {{route: in turn, pool: sdr, owner: b@us.example}}}}
  - {{case: there, today: 2026-01-17, {ready}, {form}, expect: {{owner: a@us.example}}}}
  - {{case: old, previous_owner: o@us.example, {ready}, {form}, expect: {{owner: o@us.example, pool: null}}}}
""")
        == []
    )
    assert told(f"""
cases:
  - {{case: away, {ready}, {form}, expect: {{owner: a@us.example}}}}
  - {{case: typo, {ready}, {form}, expect: {{owner: a@us.exampl, pool: sdrs}}}}
  - {{case: none, {ready}, expect: {{owner: b@us.example}}}}
""") == [
        'cases.yaml:4:172: there is no pool "sdrs"; did you mean "sdr"?',
        'cases.yaml:4:153: there is no owner "a@us.exampl"; did you mean "a@us.example"?',
        "cases.yaml:3:153: away: expected owner a@us.example, found b@us.example",
        "cases.yaml:5:114: none: expected owner b@us.example, found none",
    ]
