"""Whatever a lead holds, the rules answer: the same every time, as JSON, and without raising."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.stages import Stage
from rules.evaluate import Rules
from rules.facts import Activity, LeadFacts, Rejection
from rules.functions import RUNTIME
from rules.gates import GATE_NAMES
from tests.rules.example_lead import FIELDS, NOW_MS, blank_lead, lead, rules_of
from tests.rules.shipped import SHIPPED, load_shipped

EVERYTHING = """
score:
  fit:
    - {rule: a, when: 'matches(job_title, r"(\\w+\\s?)+!") or employees * 1.5 / revenue - 1 > 3', points: 5}
    - {rule: b, when: 'any_of(interests, ["x"]) or length(company) > 3 or "y" in interests', points: 5}
    - {rule: c, when: 'days_since(created) > 3 or within_days(trial_ends, employees)', points: 5}
    - {rule: d, when: 'domain(email) == company or lower(company) == "x" or is_free_mail(email)', points: -5}
    - {rule: e, when: 'touches(employees) > count("page_view", days=revenue)', points: 5}
    - {rule: f, when: 'days_since(created) > employees or days_since(trial_ends) == revenue', points: 5}
  engagement:
    - rule: g
      on: page_view
      when: contains(activity.url, company) or activity.seconds > 3
      points: 9
      half_life_days: 3
    - {rule: h, on: form_submission, points: -9, half_life_days: 0.001, at_most: 30}
    - {rule: i, when: days_since(last_activity()) * employees > 1, points: 3}
gates: {qualification: {when: opted_out}, mql: {engagement: 5, margin: 3, when: score * employees > 3}}
fast_track:
  - {rule: j, on: form_submission, when: 'activity.detail == job_title and within_days(activity.at, 5)'}
disqualify: [{rule: k, when: rejected() and exists_on("hubspot") and cycle > employees, reason: l}]
routes: [{route: r, when: fit > employees, owner: a@x.example}, {route: s, pool: [b@x.example]}]
rejection: {reasons: {l: {cooling_off_days: 3000}}}
"""

strange = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**63, float("nan"), float("inf"), -float("inf"), 1e308, -0.0]),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["", "a@b@c", "@", "\ud800", "İ" * 50, "\x00", "2026-02-30", "9999-12-31", "0000-00-00"]),
    st.lists(st.text(max_size=5), max_size=3).map(tuple),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)
moments = st.one_of(
    st.integers(NOW_MS - 10**11, NOW_MS + 10**11), st.sampled_from([0, -(10**15), 10**18, 2**63])
)


def leads(fields: list[str], kinds: list[str]) -> st.SearchStrategy[LeadFacts]:
    activity = st.builds(
        Activity,
        st.sampled_from([*kinds, "never heard of"]),
        moments,
        st.dictionaries(st.sampled_from(["url", "seconds", "detail", "x"]), strange, max_size=3),
    )
    rejection = st.builds(
        Rejection,
        st.sampled_from(["timing", "l", "gone", ""]),
        moments,
        st.integers(0, 5),
        st.none() | st.integers(-99, 99),
    )
    return st.builds(
        LeadFacts,
        values=st.dictionaries(st.sampled_from(fields), strange),
        stage=st.sampled_from(Stage),
        cycle=st.integers(0, 9),
        stage_since_ms=moments,
        created_ms=moments,
        activities=st.lists(activity, max_size=5),
        rejections=st.lists(rejection, max_size=3),
        sides=st.frozensets(st.sampled_from(["hubspot", "salesforce"])),
        origin=st.text(max_size=5),
        gates_passed=st.frozensets(st.sampled_from(GATE_NAMES)),
        cycle_since_ms=st.none() | moments,
        published_score=st.none() | st.integers(-500, 500),
    )


def check(rules: Rules, facts: LeadFacts, now_ms: int) -> None:
    verdict = rules.evaluate(facts, now_ms)
    assert verdict == rules.evaluate(facts, now_ms)
    assert verdict.next_change_ms is None or verdict.next_change_ms > now_ms
    assert verdict.score == verdict.fit + verdict.engagement == sum(fired.points for fired in verdict.fired)
    assert set(verdict.gates) == {"qualification", "nurture", "mql"}
    assert len(verdict.reasons) <= 255
    json.dumps(verdict.to_json(), default=str)
    assert {match.route for match in rules.matches(facts, now_ms)} <= {*rules.routes}


@settings(max_examples=300, deadline=None)
@given(leads([*FIELDS], ["page_view", "form_submission", "email_open"]), moments)
def test_no_lead_makes_the_rules_raise(facts: LeadFacts, now_ms: int) -> None:
    check(EVERY_RULE, facts, now_ms)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_lead_makes_the_shipped_rules_raise(name: str) -> None:
    rules, fields, kinds = load_shipped(name)

    @settings(max_examples=150, deadline=None)
    @given(leads(fields, kinds), moments)
    def each(facts: LeadFacts, now_ms: int) -> None:
        check(rules, facts, now_ms)

    each()


def test_a_rule_that_fails_is_unknown_and_listed_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OverflowError("no value of a lead does this: a mistake of ours would")

    monkeypatch.setitem(RUNTIME, "round_number", fail)
    rules = rules_of(
        """
        score:
          fit:
            - {rule: breaks, when: round(revenue + 1) > 3, points: 5}
            - {rule: works, when: employees > 3, points: 7}
        gates: {mql: {when: round(revenue - 1) > 3}}
        """
    )
    verdict = rules.evaluate(lead(), NOW_MS)
    assert verdict.score == 7
    assert verdict.errors == (
        'rule "breaks" failed (OverflowError): it counts as unknown',
        'rule "mql gate" failed (OverflowError): it counts as unknown',
    )
    assert verdict.gates["mql"].missing == ("round(revenue - 1) above 3",)


def test_numbers_that_no_lead_has_make_no_rule_fail() -> None:
    rules = rules_of(
        "score: {fit: [{rule: a, when: revenue * 1.5 > 3, points: 5}]}\ngates: {mql: {when: revenue > 4}}"
    )
    verdict = rules.evaluate(lead(values={"revenue": 10**400}), NOW_MS)
    assert verdict.errors == ()
    assert [fired.rule for fired in verdict.fired] == []
    assert verdict.gates["mql"].passed


def test_values_that_could_not_be_used_are_listed_once() -> None:
    rules = rules_of(
        "score: {fit: [{rule: a, when: employees > 3, points: 5}]}\ngates: {mql: {when: employees > 4}}"
    )
    facts = blank_lead(values={"employees": "many"})
    assert rules.evaluate(facts, NOW_MS).errors == (
        "employees holds text that is no number: it counts as unknown",
    )


def test_the_verdict_is_plain_json() -> None:
    verdict = EVERY_RULE.evaluate(lead(), NOW_MS)
    copied: dict[str, Any] = json.loads(json.dumps(verdict.to_json()))
    assert copied["score"] == verdict.score
    assert copied["gates"]["mql"]["passed"] is verdict.gates["mql"].passed
    assert [fired["rule"] for fired in copied["fired"]] == [fired.rule for fired in verdict.fired]


EVERY_RULE = rules_of(EVERYTHING)
