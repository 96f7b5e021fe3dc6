"""YAML anchors, aliases and merge keys in rules: what they save, and where mistakes are told."""

from __future__ import annotations

from rules.facts import Activity
from tests.rules.example_lead import NOW_MS, lead, rules_of
from tests.rules.mistakes import GATE, mistakes


def test_a_mistake_that_only_an_alias_makes_is_told_where_the_alias_stands() -> None:
    twice = "score:\n  fit:\n    - &one {rule: a, when: opted_out, points: 5}\n    - *one\n"
    assert mistakes(GATE + twice) == [
        'rules.yaml:5:7: the rule "a" is here twice (first in rules.yaml:4) '
        "(in line 4, which *one stands for)"
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
