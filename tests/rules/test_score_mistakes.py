"""Mistakes in rules that give points, in groups and in grades: the exact message at the exact place."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

import pytest

from tests.rules.mistakes import GATE, mistakes

MISTAKES = [
    # rules
    (
        GATE
        + "score:\n  fit:\n    - {rule: a, when: opted_out, points: 5}\n  engagement:\n    - {rule: a, when: opted_out, points: 5}",
        '6:14: the rule "a" is here twice (first in rules.yaml:4)',
    ),
    (GATE + "score: {fit: [{rule: a, when: opted_out, points: 0}]}", "2:50: a rule of 0 points does nothing"),
    (
        GATE + "score: {engagement: [{rule: a, points: 5}]}",
        "2:22: a rule needs on: (an activity) or when: (a condition), or both",
    ),
    (
        GATE + "score: {engagement: [{rule: a, when: opted_out, points: 5, half_life_days: 3}]}",
        "2:22: half_life_days needs on:; only activities repeat and fade",
    ),
    (
        GATE + "score: {engagement: [{rule: a, on: page_view, points: 5, at_most: 3}]}",
        "2:22: at_most is 3, less than the 5 points of one activity",
    ),
    (
        GATE + "score: {fit: [{rule: a, on: page_view, when: opted_out, points: 1}]}",
        '2:25: unknown key "on"; known: group, points, rule, when',
    ),
    (
        GATE + "fast_track: [{rule: a}]",
        "2:14: a fast track needs on: (an activity) or when: (a condition), or both",
    ),
    (
        GATE
        + "disqualify: [{rule: a, when: opted_out, reason: competitr}]\nrejection: {reasons: {competitor: {then: disqualify}}}",
        '2:49: unknown rejection reason "competitr"; did you mean "competitor"?',
    ),
    # how points fade and repeat
    (
        GATE
        + "score: {engagement: [{rule: a, on: page_view, points: 5, half_life_days: 3, linear_days: 9}]}",
        "2:22: half_life_days and linear_days: points fade in one way only",
    ),
    (
        GATE + "score: {engagement: [{rule: a, when: opted_out, points: 5, expires_days: 3}]}",
        "2:22: expires_days needs on:; only activities repeat and fade",
    ),
    (
        GATE + "score: {engagement: [{rule: a, when: opted_out, points: 5, once: true}]}",
        "2:22: once needs on:; only activities repeat and fade",
    ),
    (
        GATE + "score: {engagement: [{rule: a, on: page_view, points: 5, once: true, per_day: 3}]}",
        "2:22: per_day does nothing beside once; leave it out",
    ),
    (
        GATE + "score: {engagement: [{rule: a, on: page_view, points: 5, once: true, at_most: 10}]}",
        "2:22: at_most does nothing beside once; leave it out",
    ),
    (
        GATE + "score: {engagement: [{rule: a, on: page_view, points: 5, per_day: 0}]}",
        "2:67: this must be at least 1, not the number 0",
    ),
    (
        GATE + "score: {engagement: [{rule: a, on: page_view, points: 5, linear_days: 0}]}",
        "2:71: this must be more than 0, not the number 0",
    ),
    # groups
    (
        GATE
        + "score: {fit: [{rule: a, when: opted_out, points: 5, group: wbe}, {rule: b, when: opted_out, points: 5, group: web}], groups: {web: {at_most: 9}}}",
        '2:60: unknown group "wbe"; did you mean "web"?',
    ),
    (
        GATE + "score: {fit: [{rule: a, when: opted_out, points: 5, group: web}]}",
        '2:60: unknown group "web"; write it under score: groups:',
    ),
    (GATE + "score: {groups: {web: {at_most: 9}}}", '2:23: no rule is in the group "web"'),
    (
        GATE + "score: {fit: [{rule: a, when: opted_out, points: 5, group: g}], groups: {g: {}}}",
        "2:77: a group needs at_most: or at_least:, or both",
    ),
    (
        GATE + "score: {fit: [{rule: a, when: opted_out, points: 5, group: g}], groups: {g: {at_least: 3}}}",
        "2:88: this must be at most -1, not the number 3",
    ),
    (
        GATE
        + "score: {fit: [{rule: a, when: opted_out, points: 5, group: g}], engagement: [{rule: b, when: opted_out, points: 5, group: g}], groups: {g: {at_most: 9}}}",
        '2:123: the group "g" has rules of fit and of engagement; a group is of one part',
    ),
    (
        "score: {engagement: [{rule: a, on: page_view, points: 5, group: g}, {rule: b, when: opted_out, points: 4}], groups: {g: {at_most: 9}}}\ngates: {mql: {engagement: 14}}",
        "2:27: no lead can reach 14: all its rules together give at most 13",
    ),
    # grades
    (
        GATE + "grades: {A: 80}",
        '2:10: unknown key "A"; known: engagement, fit, score',
    ),
    (
        'gates: {mql: {when: grade == "A"}}',
        "1:21: there are no grades; write grades: {score: {A: 60, B: 30}}",
    ),
    (
        'gates: {mql: {when: grade == "D"}}\ngrades: {fit: {A: -3, B: -5}}',
        '1:30: unknown grade "D"; known: A, B',
    ),
    (GATE + "grades: {}", "2:9: grades are of one number: fit:, engagement: or score:"),
    (GATE + "grades: {fit: {}}", "2:15: there is no grade"),
    (
        GATE + "grades: {fit: {A: 0}, score: {A: 0}}",
        "2:9: grades are of one number: fit:, engagement: or score:",
    ),
    (
        GATE + "grades: {fit: {A: 0, B: 5}}",
        "2:15: grades go down from the best: B at 5 is not below A at 0",
    ),
    (
        GATE + "grades: {fit: {A: 5, a: 0}}",
        "2:15: A and a are one grade to a condition: texts are compared in any case",
    ),
    (
        GATE + 'nurture: {tracks: [{track: "a\\0b"}]}',
        "2:28: this holds a character that cannot be seen, U+0000; delete it",
    ),
    (
        GATE + 'score: {fit: [{rule: "large\\u200bplant", when: opted_out, points: 5}]}',
        "2:22: this holds a character that cannot be seen, U+200B (zero width space); delete it",
    ),
    (
        GATE + "score: {fit: [{rule: a, when: opted_out, points: 5}]}\ngrades: {fit: {A: 6, B: 0}}",
        "3:19: no lead can reach 6: all its rules together give at most 5",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[message[:50] for _, message in MISTAKES])
def test_the_message(text: str, message: str) -> None:
    assert mistakes(text) == [f"rules.yaml:{message}"]
