"""Mistakes in the shape of a rules document and in its conditions: the exact message at the exact place, all of
them at once."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

import pytest

from mappings.problems import ConfigErrors
from rules.load import load_rules
from tests.rules.example_lead import NOW_MS, lead, rules_of
from tests.rules.mistakes import GATE, mistakes

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


def test_the_known_names_are_told_once_each() -> None:
    text = (
        GATE
        + """\
rejection: {default_reason: timing, reasons: {timing: {then: nurture}}}
disqualify: [{rule: a, when: 'rejected("zzz")', reason: timing}]
"""
    )
    assert mistakes(text) == ['rules.yaml:3:40: unknown reason "zzz"; known: timing']
