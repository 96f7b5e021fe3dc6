"""Every kind of mistake in a rules document: the exact message at the exact place, all of them at once."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

from calendar import monthrange
from datetime import date
from textwrap import dedent

import pytest

from mappings.problems import ConfigErrors
from rules.facts import Activity
from rules.load import load_rules
from tests.rules.example_lead import NOW_MS, lead, rules_of

GATE = "gates: {mql: {}}\n"


def mistakes(text: str, *more: str) -> list[str]:
    with pytest.raises(ConfigErrors) as raised:
        rules_of(dedent(text), *more)
    return str(raised.value).splitlines()


MISTAKES = [
    # shape
    ("gates: {mql: {}}\nscores: {}", '2:1: unknown key "scores"; did you mean "score"?'),
    (GATE + "score: {fitt: []}", '2:9: unknown key "fitt"; did you mean "fit"?'),
    (
        GATE + "score: {fit: [{rule: a, wen: opted_out, points: 5, when: opted_out}]}",
        '2:25: unknown key "wen"; did you mean "when"?',
    ),
    (GATE + "score: {fit: [{rule: a, when: opted_out}]}", '2:15: "points" is missing'),
    (GATE + "score: {fit: [{when: opted_out, points: 5}]}", '2:15: "rule" is missing'),
    (
        GATE + 'score: {fit: [{rule: a, when: opted_out, points: "5"}]}',
        '2:50: this must be a whole number, not "5"',
    ),
    (GATE + "score: {fit: {rule: a}}", "2:14: this must be a list, not a mapping"),
    ("gates: [mql]", "1:8: this must be a mapping (key: value), not a list"),
    ("- gates", "1:1: this must be a mapping (key: value), not a list"),
    ("{}", '1:1: the gate "mql" is missing; write gates: {mql: {score: 50}}'),
    ("gates: {nurture: {}}", '1:8: the gate "mql" is missing; write gates: {mql: {score: 50}}'),
    ("gates: {mqll: {}, mql: {}}", '1:9: unknown key "mqll"; did you mean "mql"?'),
    ("gates: {mql: {}, mql: {}}", '1:18: the key "mql" is here twice (first in line 1)'),
    (
        "gates: {mql: {}",
        "2:1: this is not valid YAML: did not find expected ',' or '}'; close the bracket; a text with any of [ ] { } , : in it needs quotes",
    ),
    (GATE + "score: {fit: [{rule: '', when: opted_out, points: 5}]}", "2:22: this must not be empty"),
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
    (
        GATE + "score: {fit: [{rule: '  ', when: opted_out, points: 5}]}",
        "2:22: this is only spaces; write a text that can be read",
    ),
    (
        GATE + "routes: [{route: ' ', owner: a@x.example}]",
        "2:18: this is only spaces; write a text that can be read",
    ),
    (GATE + "grades: {fit: {' ': 0}}", "2:21: this is only spaces; write a text that can be read"),
    (
        GATE + "cases: [{case: ' ', expect: {stage: mql}}]",
        "2:16: this is only spaces; write a text that can be read",
    ),
    (
        GATE + f"score: {{fit: [{{rule: {'a' * 81}, when: opted_out, points: 5}}]}}",
        "2:22: this has 81 characters; 80 are allowed",
    ),
    (
        GATE + "cases: [{case: a, lead: {employees: {b: 1}}, expect: {stage: mql}}]",
        "2:37: a value is a text, a number, true or false, or a list of texts",
    ),
    (
        GATE + "cases: [{case: a, activities: [{kind: visit, attributes: {b: [c]}}], expect: {stage: mql}}]",
        "2:62: an attribute is a text, a number, or true or false; leave out what is not known",
    ),
    (
        GATE + "cases: [{case: a, expect: {score: many}}]",
        "2:35: say how many: a whole number, at_least: or at_most:",
    ),
    (
        GATE + "cases: [{case: a, expect: {score: }}]",
        "2:35: this expects nothing; leave it out, or say what shall come out",
    ),
    (
        GATE + "cases: [{case: a, expect: {stage: null}}]",
        "2:35: this expects nothing; leave it out, or say what shall come out",
    ),
    (
        GATE + "cases: [{case: a, expect: {fired: []}}]",
        "2:35: nothing is named here; name what is meant, or leave it out",
    ),
    (
        GATE + "cases: [{case: a, expect: {missing: []}}]",
        "2:37: nothing is named here; name what is meant, or leave it out",
    ),
    (GATE + "cases: [{case: a, expect: {missing: a phone}}]", '2:37: this must be a list, not "a phone"'),
    (
        GATE + "cases: [{case: a, expect: {missing: [' ']}}]",
        "2:38: this is only spaces; write a text that can be read",
    ),
    # conditions
    (
        GATE + "score:\n  fit:\n    - {rule: a, when: employes > 3, points: 5}",
        '4:23: unknown field "employes"; did you mean "employees"?',
    ),
    (
        GATE + "score:\n  fit:\n    - {rule: a, when: 'opted_out and ''x'' == companie', points: 5}",
        '4:47: unknown field "companie"; did you mean "company"?',
    ),
    (
        GATE + 'score:\n  fit:\n    - {rule: a, when: "opted_out and \\"x\\" == companie", points: 5}',
        '4:47: unknown field "companie"; did you mean "company"?',
    ),
    (
        GATE
        + "score:\n  fit:\n    - rule: a\n      points: 5\n      when: |\n        opted_out\n          and companie == company\n",
        '8:15: unknown field "companie"; did you mean "company"?',
    ),
    (
        GATE
        + "score:\n  fit:\n    - rule: a\n      points: 5\n      when: >-\n        opted_out\n        and companie == company\n",
        '8:13: unknown field "companie"; did you mean "company"?',
    ),
    (
        GATE + "score: {fit: [{rule: a, when: true, points: 5}]}",
        "2:31: a condition that is always true; leave it out",
    ),
    (
        GATE + "score: {fit: [{rule: a, when: 1 < 2, points: 5}]}",
        "2:31: 1 < 2 is the same for every lead; leave it out",
    ),
    (
        GATE + "score: {fit: [{rule: a, when: score > 2, points: 5}]}",
        '2:31: "score" is not known here; it can be used in gates, disqualify, routes and tracks',
    ),
    (
        GATE
        + """score: {engagement: [{rule: a, on: page_view, when: 'contains(activity.ulr, "x")', points: 5}]}""",
        '2:63: no configured source of "page_view" gives the attribute "ulr"; did you mean "url"?',
    ),
    (
        GATE + "score: {engagement: [{rule: a, on: page_vieww, points: 5}]}",
        '2:36: no configured source gives the activity "page_vieww"; did you mean "page_view"?',
    ),
    (
        GATE
        + 'disqualify: [{rule: a, when: rejected("tming"), reason: x}]\nrejection: {reasons: {timing: {}, x: {}}}',
        '2:39: unknown reason "tming"; did you mean "timing"?',
    ),
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
    # hours
    (
        GATE + 'hours: {b: {time_zone: Europe/Berln, from: "09:00", to: "17:00"}}',
        '2:24: there is no time zone "Europe/Berln"; did you mean "Europe/Berlin"?',
    ),
    (
        GATE + 'hours: {b: {time_zone: "", from: "09:00", to: "17:00"}}',
        '2:24: there is no time zone ""; write it as "Europe/Berlin"',
    ),
    (
        GATE + 'hours: {b: {time_zone: UTC, days: [mon, tues], from: "09:00", to: "17:00"}}',
        '2:41: "tues" is not known here; did you mean "tue"?',
    ),
    (
        GATE + 'hours: {b: {time_zone: UTC, days: [], from: "09:00", to: "17:00"}}',
        "2:35: this must not be empty",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 9:00, to: 17:00}}",
        '2:35: "9:00" is no time of day; write it as "09:00", up to "24:00"',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 9, to: 17:00}}",
        "2:35: this must be a text, not the number 9; put it in quotes",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 22:00, to: 06:00}}",
        '2:12: to "06:00" is not after from "22:00"; for a night write two spans under open:, one to "24:00" and one from "00:00" on the day after',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00}}",
        '2:12: hours need from: and to:, or open: with several spans; such as from: "09:00"',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, to: 09:00, open: [{from: 09:00, to: 10:00}]}}",
        "2:12: to stands beside open; write it into each span of open",
    ),
    (
        GATE
        + "hours: {b: {time_zone: UTC, open: [{from: 09:00, to: 10:00}, {days: [fri], from: 09:59, to: 11:00}]}}",
        "2:12: two spans of fri overlap at 09:59",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, open: []}}",
        "2:35: this must not be empty",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: [12-26, 26.12.]}}",
        '2:71: "26.12." is no holiday; write a date (2026-12-25), or month and day of every year (12-26)',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: [13-26]}}",
        '2:64: "13-26" is no day of the year; write month and day, such as 12-26',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: [2026-02-29]}}",
        '2:64: "2026-02-29" is no holiday; write a date (2026-12-25), or month and day of every year (12-26)',
    ),
    (
        GATE
        + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: ["
        + ", ".join(
            f"{month:02}-{day:02}"
            for month in range(1, 13)
            for day in range(1, monthrange(2024, month)[1] + 1)
        )
        + "]}}",
        "2:12: these hours are never open: every day is a holiday",
    ),
    # routes
    (
        GATE + "routes:\n  - {route: a, owner: a@x.example}\n  - {route: b, owner: b@x.example}",
        '4:5: no lead comes to this route: "a" before it takes all; move it up',
    ),
    (
        GATE + "routes:\n  - {route: a, when: opted_out, owner: a@x.example}",
        "3:5: the last route must take every lead that no other took; leave out its when:",
    ),
    (GATE + "routes: [{route: a}]", "2:10: a route needs either owner: or pool:"),
    (
        GATE + "routes: [{route: a, owner: a@x.example, pool: [b@x.example]}]",
        "2:10: a route needs either owner: or pool:",
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
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[message[:50] for _, message in MISTAKES])
def test_the_message(text: str, message: str) -> None:
    assert mistakes(text) == [f"rules.yaml:{message}"]


def test_all_mistakes_are_told_at_once_in_their_order() -> None:
    found = mistakes(
        """\
        score:
          fit:
            - {rule: a, when: employes > 3, points: "many"}
            - {rule: b, when: 'contains(employees, "x")', pionts: 5}
        gates: {mql: {when: countri == "DE"}}
        """
    )
    assert found == [
        'rules.yaml:3:23: unknown field "employes"; did you mean "employees"?',
        'rules.yaml:3:45: this must be a whole number, not "many"',
        'rules.yaml:4:7: "points" is missing',
        "rules.yaml:4:33: contains needs text as its text; employees is a number",
        'rules.yaml:4:51: unknown key "pionts"; did you mean "points"?',
        'rules.yaml:5:21: unknown field "countri"; did you mean "country"?',
    ]


def test_several_documents_add_up() -> None:
    rules = rules_of(
        "score: {fit: [{rule: a, when: opted_out, points: 5}]}",
        "gates: {mql: {fit: 5}}",
        "routes: [{route: all, owner: a@x.example}]",
    )
    assert [gate.fit for gate in rules.gates] == [None, None, 5]
    assert rules.routes[0].owner == "a@x.example"


def test_what_may_stand_only_once_is_told_where_it_stands_twice() -> None:
    once = "gates: {mql: {}}\nrejection: {}\nnurture: {}\ngrades: {fit: {A: 0}}"
    assert mistakes(once, once) == [
        "more1.yaml:1:14: the gate mql is here twice (first in rules.yaml:1)",
        "more1.yaml:2:12: the rejection is here twice (first in rules.yaml:2)",
        "more1.yaml:3:10: the nurture part is here twice (first in rules.yaml:3)",
        "more1.yaml:4:9: the grades table is here twice (first in rules.yaml:4)",
    ]


def test_a_group_may_stand_in_another_document_than_its_rules_and_only_once() -> None:
    rule = "score: {fit: [{rule: a, when: employees > 1, points: 5, group: g}]}\n"
    groups = "score: {groups: {g: {at_most: 3}}}\n"
    verdict = rules_of(GATE + rule, groups).evaluate(lead(), NOW_MS)
    assert verdict.fit == 3
    assert mistakes(GATE + rule, groups, groups) == [
        'more2.yaml:1:21: the group "g" is here twice (first in more1.yaml:1)'
    ]


def test_a_document_that_is_no_yaml_hides_no_mistake_of_another() -> None:
    assert mistakes("gates: {mql: {}", "scores: {}") == [
        "rules.yaml:2:1: this is not valid YAML: did not find expected ',' or '}'; "
        "close the bracket; a text with any of [ ] { } , : in it needs quotes",
        'more1.yaml:1:1: unknown key "scores"; did you mean "score"?',
    ]


def test_a_mistake_that_only_an_alias_makes_is_told_where_the_alias_stands() -> None:
    twice = "score:\n  fit:\n    - &one {rule: a, when: opted_out, points: 5}\n    - *one\n"
    assert mistakes(GATE + twice) == [
        'rules.yaml:5:7: the rule "a" is here twice (first in rules.yaml:4) (in line 4, which *one stands for)'
    ]
    seen = "when: &seen 'contains(activity.url, \"x\")'"
    elsewhere = (
        f"score:\n  engagement:\n    - {{rule: a, on: page_view, {seen}, points: 5}}\n"
        "    - {rule: b, on: email_open, when: *seen, points: 5}\n"
    )
    assert mistakes(GATE + elsewhere) == [
        'rules.yaml:5:39: no configured source of "email_open" gives the attribute "url" '
        "(in line 4, which *seen stands for); known: at"
    ]


def test_a_mistake_in_an_anchor_is_told_once_at_its_very_word_however_often_it_is_used() -> None:
    assert mistakes(
        GATE
        + "score:\n  fit:\n    - &one {rule: a, when: employes > 3, points: 5}\n"
        + "    - {rule: b, <<: *one}\n    - {<<: *one, rule: c, point: 5}\n"
    ) == [
        'rules.yaml:4:28: unknown field "employes"; did you mean "employees"?',
        'rules.yaml:6:27: unknown key "point"; did you mean "points"?',
    ]


def test_anchors_and_merge_keys_save_writing_the_same_twice() -> None:
    rules = rules_of(
        """
        score:
          engagement:
            - &page {rule: pages, on: page_view, points: 4, half_life_days: 14, at_most: 12}
            - {<<: *page, rule: opened, on: email_open, points: 1}
        gates: {mql: {}}
        """
    )
    facts = lead(activities=[Activity(kind, NOW_MS) for kind in ("page_view", "email_open")])
    assert [(fired.rule, fired.points) for fired in rules.evaluate(facts, NOW_MS).fired] == [
        ("pages", 4),
        ("opened", 1),
    ]


def test_no_document_is_a_mistake() -> None:
    with pytest.raises(ConfigErrors, match="there is no rules document"):
        load_rules([], {})


def test_attributes_that_no_source_declares_are_not_checked() -> None:
    from mappings.source import Source

    text = (
        GATE
        + """score: {engagement: [{rule: a, on: call, when: 'contains(activity.note, "x")', points: 5}]}"""
    )
    assert load_rules([Source("r.yaml", text)], {}, ["call"]).version
    assert load_rules([Source("r.yaml", text)], {}).version
    with pytest.raises(ConfigErrors, match="gives the attribute"):
        load_rules([Source("r.yaml", text)], {}, {"call": ["minutes"]})


def test_the_version_is_that_of_the_documents() -> None:
    assert rules_of(GATE).version == rules_of(GATE).version != rules_of(GATE + "\n").version


def test_hours_of_one_name_in_two_files() -> None:
    hours = 'hours: {berlin: {time_zone: Europe/Berlin, from: "09:00", to: "17:00"}}'
    assert mistakes(GATE + hours, "\n" + hours) == [
        'more1.yaml:2:17: the name "berlin" of office hours is here twice (first in rules.yaml:2)'
    ]


def test_hours_become_spans_of_each_day() -> None:
    rules = rules_of(
        GATE
        + """
hours:
  berlin: {time_zone: Europe/Berlin, days: [mon, sat], from: "09:00", to: "24:00", holidays: [2026-12-25, 02-29]}
  lunch:
    time_zone: America/New_York
    open:
      - {days: [mon], from: "13:00", to: "17:00"}
      - {from: "08:00", to: "12:30"}
"""
    )
    berlin, lunch = rules.hours["berlin"], rules.hours["lunch"]
    assert berlin.week == (((540, 1440),), (), (), (), (), ((540, 1440),), ())
    assert berlin.holidays == {date(2026, 12, 25).toordinal()}
    assert berlin.every_year == {(2, 29)}
    assert lunch.week == (((480, 750), (780, 1020)), *[((480, 750),)] * 4, (), ())


def test_the_known_names_are_told_once_each() -> None:
    text = (
        GATE
        + """\
rejection: {default_reason: timing, reasons: {timing: {then: nurture}}}
disqualify: [{rule: a, when: 'rejected("zzz")', reason: timing}]
"""
    )
    assert mistakes(text) == ['rules.yaml:3:40: unknown reason "zzz"; known: timing']
