"""Rules: 200 conditions over many leads beside plain Python, CEL and rule-engine; memory; loading.

All figures of one table come from one run of one process, the best of several turns each, taken in turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import cel
import rule_engine

from mappings.source import Source
from rules.facts import LeadFacts
from rules.load import load_rules
from tests.benchmarks.figures import print_table
from tests.benchmarks.rule_language import (
    FIELDS,
    NOW_MS,
    by_hand,
    conditions,
    folded,
    leads,
    rules_document,
)

LEADS, RULES = 20_000, 200
FEWER = {"common-expression-language": 1_000, "rule-engine": 200}
OF_BY_HAND, TIMES_CEL, TIMES_RULE_ENGINE = 0.5, 5, 50


def test_many_conditions_beside_plain_python_and_others() -> None:
    spelled = conditions(RULES)
    rules = load_rules([Source("rules.yaml", rules_document(spelled))], FIELDS)
    judge = by_hand(spelled)
    programs = [cel.compile(each.cel) for each in spelled]
    context = rule_engine.Context(default_value=None)
    others = [rule_engine.Rule(each.rule_engine, context=context) for each in spelled]
    everybody = leads(LEADS)

    for facts in everybody:
        assert rules.evaluate(facts, NOW_MS) == judge(facts)
    for name, fired in (
        ("common-expression-language", lambda values: [bool(each.execute(values)) for each in programs]),
        ("rule-engine", lambda values: [bool(each.matches(values)) for each in others]),
    ):
        for facts in everybody[: FEWER[name] // 4]:
            found = [f"rule {number}" for number, true in enumerate(fired(folded(facts))) if true]
            assert found == [each.rule for each in judge(facts).fired], name

    work: dict[str, tuple[Callable[[LeadFacts], Any], Sequence[LeadFacts]]] = {
        "leadloop": (lambda facts: rules.evaluate(facts, NOW_MS), everybody),
        "by hand": (judge, everybody),
        "common-expression-language": (
            lambda facts: _all(programs, folded(facts)),
            everybody[: FEWER["common-expression-language"]],
        ),
        "rule-engine": (lambda facts: _match(others, folded(facts)), everybody[: FEWER["rule-engine"]]),
    }
    rates = dict.fromkeys(work, 0.0)
    for _ in range(3):
        for name, (once, some) in work.items():
            rates[name] = max(rates[name], _rate(once, some))
    ratios = {name: rates["leadloop"] / rate for name, rate in rates.items()}
    print_table(
        f"{RULES} conditions",
        ("what", "leads", "leads a CPU second", "leadloop's part"),
        [(name, f"{len(work[name][1]):,}", f"{rates[name]:,.0f}", f"{ratios[name]:.2f}") for name in work],
    )
    assert ratios["by hand"] >= OF_BY_HAND
    assert ratios["common-expression-language"] >= TIMES_CEL
    assert ratios["rule-engine"] >= TIMES_RULE_ENGINE


def test_rescoring_takes_the_memory_of_a_batch() -> None:
    few, many = _rescored(10_000), _rescored(100_000)
    print_table(
        "re-scoring leads with 20 activities each, in batches of 1,000",
        ("leads", "leads a CPU second", "idle MB", "above it MB"),
        [
            (f"{run['leads']:,}", f"{run['rate']:,.0f}", f"{run['idle_mb']:.1f}", f"{run['above_mb']:.1f}")
            for run in (few, many)
        ],
    )
    assert abs(many["above_mb"] / few["above_mb"] - 1) <= 0.2


def test_five_hundred_rules_are_loaded_and_checked_in_a_second() -> None:
    source = Source("rules.yaml", rules_document(conditions(500)))
    seconds = []
    for _ in range(3):
        began = process_time()
        load_rules([source], FIELDS)
        seconds.append(process_time() - began)
    print_table("loading", ("rules", "CPU seconds"), [("500", f"{min(seconds):.2f}")])
    assert min(seconds) < 1


def _rate(once: Callable[[LeadFacts], Any], some: Sequence[LeadFacts]) -> float:
    began = process_time()
    for facts in some:
        once(facts)
    return len(some) / (process_time() - began)


def _all(programs: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    return [each.execute(values) for each in programs]


def _match(rules: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    return [each.matches(values) for each in rules]


def _rescored(count: int) -> dict[str, float]:
    """In a process of its own, whose largest memory is then this work's."""
    command = [sys.executable, "-m", "tests.benchmarks.rescoring", str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
