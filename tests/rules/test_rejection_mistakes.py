"""Mistakes in what follows a rejection, and in recycling: the exact message at the exact place."""

# the documents stand in one line each, so that columns can be counted

from __future__ import annotations

import pytest

from tests.rules.mistakes import GATE, mistakes

MISTAKES = [
    # rejection
    (
        GATE + "rejection: {reasons: {timing: {then: nurtur}}}",
        '2:38: "nurtur" is not known here; did you mean "nurture"?',
    ),
    (
        GATE + "rejection: {reasons: {timing: {then: disqualify, cooling_off_days: 3}}}",
        "2:31: cooling_off_days needs then: nurture",
    ),
    (
        GATE + "rejection: {reasons: {timing: {cooling_off_days: -3}}}",
        "2:50: this must be at least 0, not the number -3",
    ),
    # recycling
    (GATE + "recycle: [{when: opted_out}]", '2:11: "rule" is missing'),
    (GATE + "recycle: [{rule: a, after: 5}]", '2:21: unknown key "after"; did you mean "after_days"?'),
    (GATE + "recycle: [{rule: a, after_days: -1}]", "2:33: this must be at least 0, not the number -1"),
    (
        GATE + "recycle: [{rule: a, when: 'outcome == \"lose\"'}]",
        '2:39: unknown outcome "lose"; did you mean "lost"?',
    ),
    (
        GATE + "recycle: [{rule: a}, {rule: b, when: opted_out}]",
        '2:22: no lead comes to this rule: "a" before it takes all; move it up',
    ),
    (
        GATE + "recycle: [{rule: a, when: opted_out}, {rule: a, when: not opted_out}]",
        '2:46: the rule "a" is here twice (first in rules.yaml:2)',
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[message[:50] for _, message in MISTAKES])
def test_the_message(text: str, message: str) -> None:
    assert mistakes(text) == [f"rules.yaml:{message}"]
