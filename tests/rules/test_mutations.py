"""However a rules file is damaged, loading it and running its cases raises ConfigErrors or nothing.

Set RULE_MUTATIONS to try more than the default number.
"""

from __future__ import annotations

import os
import random
from functools import lru_cache

import pytest

from mappings.problems import ConfigError, ConfigErrors
from mappings.source import Source
from rules.cases import run_cases
from rules.load import load_rules
from rules.scope import Scope, declare_activities
from tests.rules.example_lead import NOW_MS, blank_lead
from tests.rules.shipped import SHIPPED, kinds_of, shipped_mapping, shipped_source

SIDES = {"salesforce", "hubspot"}
MUTATIONS = int(os.environ.get("RULE_MUTATIONS", "500"))
INSERTED = [
    *"{}[]()'\":,#&*!|>%@`-?\\ \n\t\0~^$.+=<",
    *("null", "true", "-1", "0", "1e999", "9" * 400, "nan", "[]", "{}", "''", "{rule: x}", "1 < 2"),
    *("é", "\U0001f600", "\u202e", "\ufeff", "\n  - ", "<<: *a", "&a [*a]", "!!python/object:os.system "),
    *(" and ", " or not ", "not ", "(" * 90, "is_blank(", "matches(email, '(a+)+$')", "activity.x"),
    *("when: ", "points: ", "__import__('os')"),
]


def damage(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        lines = text.splitlines(keepends=True)
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([1, 1, 3, 10, 40]))
        kind = chance.randrange(6)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:start] + chance.choice(INSERTED) + text[start:]
        elif kind == 2:
            text = text[:start] + chance.choice(INSERTED) + text[end:]
        elif kind == 3 and lines:
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
            text = "".join(lines)
        elif kind == 4 and lines:
            del lines[chance.randrange(len(lines))]
            text = "".join(lines)
        else:
            other = chance.randrange(len(text) + 1)
            text = text[:start] + text[other : other + end - start] + text[end:]
    return text


@lru_cache
def names(name: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    mapping = shipped_mapping(name)
    return {field: rule.type for field, rule in mapping.fields.items()}, dict.fromkeys(
        kinds_of(mapping), ("detail",)
    )


EVERYTHING = """
score:
  groups: {web: {at_most: 25}, warnings: {at_least: -20}}
  fit:
    - {rule: large, when: employees >= 200, points: 60}
    - {rule: private, when: is_free_mail(email), points: -10}
  engagement:
    - {rule: form, on: form_submission, points: 20, half_life_days: 45, at_most: 40}
    - {rule: pages, on: page_view, points: 4, linear_days: 30, per_day: 2, at_most: 20, group: web}
    - {rule: click, on: email_click, points: 8, expires_days: 60, once: true, group: web}
    - {rule: silent, when: days_since(last_activity()) >= 90, points: -10, group: warnings}
grades: {fit: {A: 60, B: 20, C: 0}}
gates:
  qualification: {when: not is_blank(email) or not is_blank(phone)}
  nurture: {}
  mql:
    when: not is_blank(email)
    any: [{fit: 60, engagement: 20}, {engagement: 50}, {engagement: 10, when: not is_blank(phone)}]
    margin: 5
fast_track: [{rule: demo, on: form_submission, when: 'contains(activity.detail, "demo")'}]
disqualify: [{rule: rival, when: 'domain(email) == "rival.example"', reason: competitor}]
routes:
  - {route: europe, when: 'country in ["DE", "FR"]', pool: [anna@your-company.example]}
  - {route: everyone, owner: "queue:Inbound"}
rejection:
  reasons:
    competitor: {then: disqualify}
    timing: {cooling_off_days: 90, track: later}
nurture:
  tracks: [{track: enterprise, when: employees >= 1000}, {track: again, when: fit > 5}, {track: education}]
  touches: [email_click, form_submission]
  minimum_touches: 3
cases:
  - case: a large company that asked
    lead: {email: ann@acme.example, phone: "+49 30 901820", employees: 500, country: DE}
    activities:
      - {kind: form_submission, at: 2 days ago, attributes: {detail: Newsletter}}
      - {kind: page_view, at: 2026-01-14T23:59:00Z}
    rejections: [{reason: timing, at: 6 months ago, cycle: 1, score: 12}]
    cycle: 2
    stage: nurture
    stage_since: 3 weeks ago
    created: 2025-01-01
    origin: hubspot
    exists_on: [hubspot, salesforce]
    expect: {stage: mql, score: {at_least: 60, at_most: 90}, grade: A, fired: [large, form], route: europe}
  - case: a rival
    lead: {email: spy@rival.example}
    today: 2026-03-01
    expect: {disqualified: competitor, not_fired: [large], fast_track: null, track: null}
"""


def test_damaged_cases_groups_grades_and_tracks_give_configuration_errors_and_nothing_else() -> None:
    fields, kinds = names("presets/default.yaml")
    activities = declare_activities({**kinds, **dict.fromkeys(("page_view", "email_click"), ("detail",))})
    chance = random.Random(20260402)
    refused = judged = 0
    for _ in range(MUTATIONS):
        source = Source("rules.yaml", damage(EVERYTHING, chance))
        try:
            rules = load_rules([source], fields, activities, sides=SIDES)
        except ConfigErrors as found:
            refused += 1
            errors = found.errors
        else:
            rules.evaluate(blank_lead(), NOW_MS)
            report = run_cases([source], rules, Scope(fields, activities, {}, rules.reasons, SIDES))
            judged += report.count
            errors = [*report.errors, *(failure.error for failure in report.failures)]
        lines = source.text.count("\n") + source.text.count("\r") + 2
        assert all(error.line in range(1, lines + 1) and error.column > 0 for error in errors)
    assert refused > MUTATIONS // 4
    assert judged > MUTATIONS // 10


@pytest.mark.parametrize("name", SHIPPED)
def test_damaged_rules_give_configuration_errors_and_nothing_else(name: str) -> None:
    fields, activities = names(name)
    source = shipped_source(name)
    # the rules without their comments: what is damaged is then mostly what is read
    text = "".join(line for line in source.text.splitlines(keepends=True) if not line.strip().startswith("#"))
    chance = random.Random(20260401)
    refused = 0
    for _ in range(MUTATIONS // len(SHIPPED)):
        damaged = damage(text, chance)
        errors: list[ConfigError] | None = None
        try:
            load_rules([Source("rules.yaml", damaged)], fields, activities).evaluate(blank_lead(), NOW_MS)
        except ConfigErrors as found:
            errors = found.errors
        if errors is not None:
            refused += 1
            lines = damaged.count("\n") + damaged.count("\r") + 2
            assert errors
            assert all(error.line in range(1, lines + 1) and error.column > 0 for error in errors)
    assert refused > MUTATIONS // len(SHIPPED) // 2
