"""Mistakes in deadlines: the exact message at the exact place."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

import pytest

from tests.rules.mistakes import GATE, mistakes

ROUTES = "routes: [{route: all, owner: a@x.example}]\n"
BEFORE = GATE + 'hours: {berlin: {time_zone: Europe/Berlin, from: "09:00", to: "17:00"}}\n' + ROUTES

MISTAKES = [
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, on_breach: reroute}]",
        '4:75: nobody else can get a lead that is routed again: the routes know only "a@x.example"; add people to them, or mark or escalate it',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed}]",
        '4:13: "within" is missing',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, within: 4 hours}]",
        '4:13: "stage" is missing',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: nurture, within: 4 hours}]",
        '4:34: "nurture" is not known here; known: accepted, distributed, mql, opportunity, qualified',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributd, within: 4 hours}]",
        '4:34: "distributd" is not known here; did you mean "distributed"?',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4}]",
        "4:55: 4 of what? write it as 90 minutes, 4 hours, 3 days, 4 business hours or 2 business days",
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4h}]",
        '4:55: "4h" is no span of time; write it as 90 minutes, 4 hours, 3 days, 4 business hours or 2 business days',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 0 hours}]",
        '4:55: "0 hours" is no time at all; write it as 90 minutes, 4 hours, 3 days, 4 business hours or 2 business days',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 9999 days}]",
        '4:55: "9999 days" is more than ten years',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 business hours}]",
        '4:13: "4 business hours" of which office? name its hours with hours:',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, hours: berlin}]",
        '4:13: "4 hours" runs day and night; write "4 business hours", or leave out hours:',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 business hours, hours: berln}]",
        '4:80: unknown office hours "berln"; did you mean "berlin"?',
    ),
    (
        GATE
        + 'hours: {brief: {time_zone: UTC, days: [mon], from: "09:00", to: "09:01"}}\n'
        + ROUTES
        + "deadlines: [{deadline: a, stage: distributed, within: 87600 business hours, hours: brief}]",
        '4:55: "87600 business hours" is more than fifty years of the hours "brief"; shorten it',
    ),
    (
        GATE
        + ROUTES
        + "deadlines: [{deadline: a, stage: distributed, within: 4 business hours, hours: berlin}]",
        '3:80: unknown office hours "berlin"; write them under hours:',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, remind: 1 hour}]",
        '4:72: "1 hour" is no reminder; write it as 1 business hour before, or 30 minutes before',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, remind: 1 hours ago}]",
        '4:72: "1 hours ago" is no reminder; write it as 1 business hour before, or 30 minutes before',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, remind: 30}]",
        "4:72: 30 of what? write it as 30 minutes before, or 1 business hour before",
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, remind: soon before}]",
        '4:72: "soon" is no span of time; write it as 90 minutes, 4 hours, 3 days, 4 business hours or 2 business days',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, remind: []}]",
        "4:72: this must not be empty",
    ),
    (
        BEFORE
        + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, remind: 1 business hour before}]",
        '4:13: "1 business hour before" needs a deadline in business time; leave out the word business',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, remind: 4 hours before}]",
        '4:72: "4 hours before" is no reminder of a deadline within 4 hours; remind later',
    ),
    (
        BEFORE
        + "deadlines: [{deadline: a, stage: distributed, within: 1 business day, hours: berlin, remind: [1 hour before, 8 business hours before]}]",
        '4:110: "8 business hours before" is no reminder of a deadline within 1 business day; remind later',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, on_breach: shout}]",
        '4:75: "shout" is not known here; known: escalate, mark, nurture, reroute',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, on_breach: escalate}]",
        "4:13: escalate needs to: (an e-mail address or queue:<Name>)",
    ),
    (
        BEFORE
        + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, on_breach: escalate, to: Boss}]",
        '4:89: "Boss" is no owner; write an e-mail address or queue:<Name>',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, to: boss@x.example}]",
        "4:13: to needs on_breach: escalate",
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, on_breach: nurture}]",
        "4:13: nurture needs reason:, such as reason: nobody responded",
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, reason: slow}]",
        "4:13: reason needs on_breach: nurture",
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: accepted, within: 4 hours, on_breach: reroute}]",
        "4:13: only a distributed lead can be routed again, not one that is accepted; mark or escalate it",
    ),
    (
        BEFORE
        + "deadlines: [{deadline: a, stage: opportunity, within: 4 days, on_breach: nurture, reason: idle}]",
        "4:13: no deadline takes a lead from opportunity to nurture; mark or escalate it",
    ),
    (
        GATE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, on_breach: reroute}]",
        "2:75: nobody else can get a lead that is routed again: there are no routes; add people to them, or mark or escalate it",
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, when: 'employes > 5'}]",
        '4:71: unknown field "employes"; did you mean "employees"?',
    ),
    (
        BEFORE
        + "deadlines: [{deadline: a, stage: distributed, within: 4 hours}, {deadline: b, stage: distributed, within: 1 day, when: employees > 5}]",
        '4:65: no lead comes to this deadline: "a" before it takes all that are distributed; move it up',
    ),
    (
        BEFORE
        + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, when: employees > 5}, {deadline: a, stage: mql, within: 1 day}]",
        '4:97: the deadline "a" is here twice (first in rules.yaml:4)',
    ),
    (
        BEFORE + "deadlines: [{deadline: a, stage: distributed, within: 4 hours, wihtin: 5}]",
        '4:64: unknown key "wihtin"; did you mean "within"?',
    ),
    (
        GATE + "deadlines: {a: 1}",
        "2:12: this must be a list, not a mapping",
    ),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_a_mistake_is_told_at_its_place_with_the_remedy(text: str, told: str) -> None:
    assert mistakes(text) == [f"rules.yaml:{told}"]


def test_all_mistakes_are_told_at_once() -> None:
    assert mistakes(
        BEFORE + "deadlines:\n"
        "  - {deadline: a, stage: distributed, within: 4h}\n"
        "  - {deadline: b, stage: opportunity, within: 4 hours, on_breach: reroute}\n"
    ) == [
        'rules.yaml:5:47: "4h" is no span of time; write it as 90 minutes, 4 hours, 3 days, 4 business hours or 2 business days',
        "rules.yaml:6:5: only a distributed lead can be routed again, not one that is opportunity; mark or escalate it",
    ]
