"""After a rejection: the cooling-off and the new engagement that a lead needs; and who gets a lead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mappings.stages import Stage
from rules.facts import Activity, LeadFacts, Rejection
from rules.rejection import Reason, find_comeback
from tests.rules.example_lead import DAY_MS, NOW_MS, blank_lead, rules_of

RULES = """
score:
  fit: [{rule: staff, when: employees > 0, points: 30}]
  engagement: [{rule: pages, on: page_view, points: 10, at_most: 20}]
gates: {mql: {fit: 30}}
rejection:
  default_reason: unspecified
  grace_minutes: 20
  default_after_minutes: 60
  reasons:
    timing: {then: nurture, cooling_off_days: 90, track: later}
    competitor: {then: disqualify}
    wrong_territory: {then: reroute}
"""
REJECTED_MS = NOW_MS - 30 * DAY_MS


def rejected(reason: str, *seen_days_ago: float, **changes: Any) -> LeadFacts:
    facts: dict[str, Any] = {
        "values": {"employees": 5},
        "cycle": 2,
        "rejections": [Rejection(reason, REJECTED_MS, 1)],
        "activities": [Activity("page_view", NOW_MS - int(days * DAY_MS)) for days in seen_days_ago],
        **changes,
    }
    return blank_lead(**facts)


def test_the_table_of_reasons() -> None:
    rules = rules_of(RULES)
    assert rules.reasons["timing"] == Reason("timing", "nurture", 90, "later")
    assert rules.reasons["wrong_territory"].then == "reroute"
    assert rules.default_reason in rules.reasons  # though it is not listed
    assert (rules.reason_grace_minutes, rules.reason_default_minutes) == (20, 60)


def test_during_the_cooling_off_no_engagement_helps() -> None:
    verdict = rules_of(RULES).evaluate(rejected("timing", 3), NOW_MS)
    assert verdict.gates["mql"].missing == ("the end of the cooling-off on 2026-05-31",)
    assert verdict.cooling_until_ms == REJECTED_MS + 90 * DAY_MS
    assert verdict.next_change_ms == verdict.cooling_until_ms


def test_after_the_cooling_off_only_new_engagement_counts() -> None:
    rules, later_ms = rules_of(RULES), REJECTED_MS + 90 * DAY_MS
    before = rules.evaluate(rejected("timing", 31), later_ms)
    assert before.gates["mql"].missing == ("new engagement after the rejection (timing)",)
    assert before.cooling_until_ms is None
    assert before.next_change_ms is None
    assert rules.evaluate(rejected("timing", 31, 29), later_ms).gates["mql"].passed


def test_a_score_above_that_of_the_rejection_is_new_engagement() -> None:
    rules = rules_of(RULES)
    for score, passed in ((29, True), (30, False)):
        facts = rejected("no such reason", rejections=[Rejection("no such reason", REJECTED_MS, 1, score)])
        assert rules.evaluate(facts, NOW_MS).gates["mql"].passed is passed


def test_where_no_activity_earns_points_every_activity_is_engagement() -> None:
    rules = rules_of("gates: {mql: {}}\nrejection: {reasons: {soon: {}}}")
    assert not rules.evaluate(rejected("soon", 31), NOW_MS).gates["mql"].passed
    assert rules.evaluate(rejected("soon", 29), NOW_MS).gates["mql"].passed


@pytest.mark.parametrize("reason", ["unspecified", "a reason that was deleted"])
def test_a_reason_without_an_entry_has_the_consequence_of_the_default(reason: str) -> None:
    verdict = rules_of(RULES).evaluate(rejected(reason), NOW_MS - DAY_MS)
    assert verdict.cooling_until_ms == REJECTED_MS + 30 * DAY_MS


def test_a_lead_that_only_went_to_the_wrong_person_is_not_held_back() -> None:
    verdict = rules_of(RULES).evaluate(rejected("wrong_territory", stage=Stage.MQL, cycle=1), NOW_MS)
    assert verdict.gates["mql"].passed
    assert verdict.cooling_until_ms is None


def test_the_last_rejection_counts() -> None:
    several = [Rejection("timing", REJECTED_MS, 1), Rejection("unspecified", NOW_MS - 300 * DAY_MS, 1)]
    verdict = rules_of(RULES).evaluate(rejected("", rejections=several), NOW_MS)
    assert verdict.cooling_until_ms == REJECTED_MS + 90 * DAY_MS


def test_a_lead_that_sales_has_again_is_not_held_back_by_its_past() -> None:
    verdict = rules_of(RULES).evaluate(rejected("timing", stage=Stage.ACCEPTED), NOW_MS)
    assert verdict.gates["mql"].passed


# tracks -----------------------------------------------------------------------------------------------

TRACKS = RULES + "nurture: {tracks: [{track: busy, when: engagement >= 10}, {track: general}]}"


def test_the_track_of_the_rejection_holds_until_the_cooling_off_ends() -> None:
    rules = rules_of(TRACKS)
    end_ms = REJECTED_MS + 90 * DAY_MS
    assert rules.evaluate(rejected("timing"), end_ms - 1).track == "later"
    assert rules.evaluate(rejected("timing"), end_ms - 1).next_change_ms == end_ms
    assert rules.evaluate(rejected("timing"), end_ms).track == "general"
    assert rules_of(RULES).evaluate(rejected("timing"), end_ms).track is None


def test_the_track_of_the_rejection_holds_until_the_lead_engages_anew() -> None:
    rules = rules_of(TRACKS)
    assert rules.evaluate(rejected("timing", 31), NOW_MS).track == "later"
    assert rules.evaluate(rejected("timing", 29), NOW_MS).track == "busy"
    better = [Rejection("timing", REJECTED_MS, 1, 29)]  # it has 30 points by now
    assert rules.evaluate(rejected("timing", rejections=better), NOW_MS).track == "general"


def test_without_a_cooling_off_the_track_of_the_rejection_holds_until_the_lead_engages() -> None:
    rules = rules_of(TRACKS.replace("cooling_off_days: 90, ", ""))
    assert rules.evaluate(rejected("timing"), NOW_MS + 900 * DAY_MS).track == "later"
    assert rules.evaluate(rejected("timing", 1), NOW_MS).track == "busy"


def test_a_reason_without_a_track_leaves_the_lead_to_the_tracks() -> None:
    assert rules_of(TRACKS).evaluate(rejected("unspecified"), NOW_MS).track == "general"


def test_negative_points_that_fade_past_the_score_of_the_rejection_are_told_beforehand() -> None:
    rules = rules_of(
        "gates: {mql: {}}\nrejection: {reasons: {timing: {track: later}}}\n"
        "score: {engagement: [{rule: a, on: page_view, points: -3, half_life_days: 10}]}"
    )
    facts = rejected("timing", 30, rejections=[Rejection("timing", REJECTED_MS, 1, -2)])
    facts = replace(facts, published_score=-3)
    before = rules.evaluate(facts, REJECTED_MS)
    assert (before.score, before.track) == (-3, "later")
    at_ms = before.next_change_ms
    assert at_ms is not None
    after = rules.evaluate(facts, at_ms)
    assert (after.score, after.track) == (-1, None)
    assert rules.evaluate(facts, at_ms - 3).track == "later"


def test_a_reason_that_the_rules_learn_later_counts_in_the_spelling_of_people() -> None:
    reasons = {"unspecified": Reason("unspecified"), "too_early": Reason("too_early", cooling_off_days=30)}
    rejected = Rejection("Too early", at_ms=1_000, cycle=1, score=None)
    lead = LeadFacts(
        values={}, stage=Stage.NURTURE, cycle=2, stage_since_ms=1_000, created_ms=0, rejections=(rejected,)
    )
    back = find_comeback(lead, reasons, "unspecified")
    assert back is not None
    assert back.cooling_until_ms == 1_000 + 30 * DAY_MS
