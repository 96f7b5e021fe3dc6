"""Mistakes in gates, nurture and routes: the exact message at the exact place."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

import pytest

from tests.rules.mistakes import GATE, mistakes

MISTAKES = [
    # gates
    (
        "score: {fit: [{rule: a, when: opted_out, points: 5}]}\ngates: {mql: {fit: 6}}",
        "2:20: no lead can reach 6: all its rules together give at most 5",
    ),
    (
        "score: {engagement: [{rule: a, on: page_view, points: 5, at_most: 20}]}\ngates: {mql: {score: 21}}",
        "2:22: no lead can reach 21: all its rules together give at most 20",
    ),
    (
        "score: {fit: [{rule: a, when: opted_out, points: 5}]}\ngates: {mql: {any: [{fit: 5}, {fit: 6}]}}",
        "2:37: no lead can reach 6: all its rules together give at most 5",
    ),
    ("gates: {mql: {any: [{when: opted_out}]}}", "1:20: any needs at least two ways through the gate"),
    (
        "gates: {mql: {any: [{when: opted_out}, {}]}}",
        "1:40: a way through a gate needs fit:, engagement:, score: or when:",
    ),
    (
        "gates: {mql: {any: [{when: opted_out}, {when: opted}]}}",
        '1:47: unknown field "opted"; did you mean "opted_out"?',
    ),
    (
        "gates: {mql: {any: [{when: opted_out}, {when: not opted_out}], margin: 5}}",
        "1:14: margin needs a threshold: fit, engagement or score",
    ),
    (
        "score: {fit: [{rule: a, when: opted_out, points: 5}]}\ngates: {mql: {fit: 5, margin: 5}}",
        "2:31: a margin of 5 is not less than the threshold fit: 5; with it the gate would stay open for ever",
    ),
    (
        "score: {fit: [{rule: a, when: opted_out, points: 50}]}\ngates: {mql: {any: [{when: opted_out}, {score: 9}], margin: 10}}",
        "2:61: a margin of 10 is not less than the threshold score: 9; with it the gate would stay open for ever",
    ),
    (
        "gates:\n  mql:\n    any:\n      - {when: opted_out and employees > 3}\n      - {when: opted_out}\n      - when: >-\n          opted_out\n          and employees > 3\n",
        "6:9: the way through the gate is here twice (first in rules.yaml:4)",
    ),
    # nurture
    (
        GATE + "nurture:\n  tracks:\n    - {track: a}\n    - {track: b}",
        '5:7: no lead comes to this track: "a" before it takes all; move it up',
    ),
    (
        GATE + "nurture:\n  tracks:\n    - {track: a, when: fit > 3}",
        "4:7: the last track must take every lead that no other took; leave out its when:",
    ),
    (
        GATE + "nurture:\n  tracks:\n    - {track: a, when: opted_out}\n    - {track: a}",
        '5:15: the track "a" is here twice (first in rules.yaml:4)',
    ),
    (
        GATE + "nurture:\n  tracks:\n    - {track: a, when: opted}\n    - {track: b}",
        '4:24: unknown field "opted"; did you mean "opted_out"?',
    ),
    (
        GATE + "nurture: {touches: [page_veiw], minimum_touches: 2}",
        '2:21: no configured source gives the activity "page_veiw"; did you mean "page_view"?',
    ),
    (
        GATE + "nurture: {touches: []}",
        "2:20: touches is empty; leave it out, and every activity is a touch",
    ),
    (
        GATE + "nurture: {touches: [page_view, email_open, page_view], minimum_touches: 2}",
        '2:44: the activity "page_view" is here twice; delete one',
    ),
    (
        GATE + "nurture: {touches: [page_view]}",
        "2:20: touches are only counted for minimum_touches, and there is none; write minimum_touches: 3, or leave touches out",
    ),
    (
        GATE + "nurture: {minimum_touches: -1}",
        "2:28: this must be at least 0, not the number -1",
    ),
    ("gates: {mql: {margin: 5}}", "1:14: margin needs a threshold: fit, engagement or score"),
    # routes
    (
        GATE + "routes:\n  - {route: a, owner: 'queue:A'}\n  - {route: b, owner: b@x.example}",
        '4:5: no lead comes to this route: "a" before it takes all; move it up',
    ),
    (
        GATE + "routes:\n  - {route: a, when: opted_out, owner: a@x.example}",
        "3:5: the last route must take every lead that no other took; leave out its when:",
    ),
    (GATE + "routes: [{route: a}]", "2:10: a route needs one of owner:, pool:, to: and territory:"),
    (
        GATE + "routes: [{route: a, owner: a@x.example, pool: [b@x.example]}]",
        "2:10: a route needs one of owner:, pool:, to: and territory:",
    ),
    (GATE + "routes: [{route: a, pool: []}]", "2:27: the pool is empty"),
    (
        GATE + "routes: [{route: a, pool: [a@x.example, A@x.example]}]",
        '2:27: "a@x.example" is in the pool twice',
    ),
    (
        GATE + "routes: [{route: a, owner: Anna}]",
        '2:28: "Anna" is no owner; write an e-mail address or queue:<Name>',
    ),
    (
        GATE
        + "routes:\n  - {route: a, when: opted_out, owner: a@x.example}\n  - {route: a, owner: b@x.example}",
        '4:13: the route "a" is here twice (first in rules.yaml:3)',
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[message[:50] for _, message in MISTAKES])
def test_the_message(text: str, message: str) -> None:
    assert mistakes(text) == [f"rules.yaml:{message}"]
