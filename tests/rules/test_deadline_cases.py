"""Cases that expect a deadline."""

from __future__ import annotations

from mappings.source import Source
from rules.cases import run_cases
from rules.load import load_rules
from rules.scope import Scope

FIELDS = {"email": "email", "employees": "number"}
RULES = """
gates:
  qualification: {when: not is_blank(email)}
  nurture: {}
  mql: {when: employees > 10}
hours:
  berlin: {time_zone: Europe/Berlin, from: "09:00", to: "17:30"}
routes:
  - {route: all, pool: [{owner: ann@us.example, away: [{from: 2026-01-19, until: 2026-01-20}]}, "queue:All"]}
deadlines:
  - {deadline: hot, stage: distributed, within: 2 hours, when: employees > 1000}
  - {deadline: first response, stage: distributed, within: 2 business days, hours: berlin}
  - {deadline: idle, stage: opportunity, within: 10 days}
cases:
"""


def told(cases: str) -> list[str]:
    source = Source("rules.yaml", RULES + cases)
    rules = load_rules([source], FIELDS)
    report = run_cases([source], rules, Scope(FIELDS, {}, {}, rules.reasons, set()))
    return [str(error) for error in (*report.errors, *(failure.error for failure in report.failures))]


def test_a_case_expects_a_deadline_and_when_it_is_due() -> None:
    assert (
        told("""
  - case: over the weekend, and the days on which ann is away
    today: 2026-01-16T10:00:00Z
    lead: {email: a@b.example, employees: 50}
    expect: {owner: ann@us.example, deadline: first response, due: 2026-01-22T10:00:00Z}
  - {case: hot, lead: {email: a@b.example, employees: 5000}, expect: {deadline: hot, due: "2026-01-15 14:00"}}
  - {case: not for sales, lead: {email: a@b.example}, expect: {deadline: null, due: null}}
  - {case: idle, stage: opportunity, stage_since: 3 days ago, expect: {deadline: idle, due: 2026-01-22 12:00}}
""")
        == []
    )


def test_a_case_that_fails_tells_both_and_a_mistake_its_place() -> None:
    assert told("""
  - {case: hot, lead: {email: a@b.example, employees: 5000}, expect: {deadline: idle, due: null}}
  - {case: none, expect: {deadline: idl, due: soon}}
""") == [
        'rules.yaml:17:37: there is no deadline "idl"; did you mean "idle"?',
        'rules.yaml:17:47: "soon" is no moment; write "3 days ago", or a date such as 2026-01-15',
        "rules.yaml:16:81: hot: expected deadline idle, found hot",
        "rules.yaml:16:92: hot: expected due none, found 2026-01-15T14:00:00Z",
    ]
