"""However a shipped rules file is damaged, loading it raises ConfigErrors or nothing.

Set RULE_MUTATIONS to try more than the default number.
"""

from __future__ import annotations

import os
import random
from functools import lru_cache

import pytest

from mappings.problems import ConfigError, ConfigErrors
from mappings.source import Source
from rules.load import load_rules
from tests.rules.example_lead import NOW_MS, blank_lead
from tests.rules.shipped import SHIPPED, kinds_of, shipped_mapping, shipped_source

MUTATIONS = int(os.environ.get("RULE_MUTATIONS", "500"))
INSERTED = [
    *"{}[]()'\":,#&*!|>%@`-?\\ \n\t\0~^$.+=<",
    *("null", "true", "-1", "0", "1e999", "9" * 400, "nan", "[]", "{}", "''", "{rule: x}", "1 < 2"),
    *("é", "\U0001f600", "\u202e", "\ufeff", "\n  - ", "<<: *a", "&a [*a]", "!!python/object:os.system "),
    *(" and ", " or not ", "not ", "(" * 90, "is_blank(", "matches(email, '(a+)+$')", "activity.x"),
    *("when: ", "points: ", "__import__('os')"),
]


def damage(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        lines = text.splitlines(keepends=True)
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([1, 1, 3, 10, 40]))
        kind = chance.randrange(6)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:start] + chance.choice(INSERTED) + text[start:]
        elif kind == 2:
            text = text[:start] + chance.choice(INSERTED) + text[end:]
        elif kind == 3 and lines:
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
            text = "".join(lines)
        elif kind == 4 and lines:
            del lines[chance.randrange(len(lines))]
            text = "".join(lines)
        else:
            other = chance.randrange(len(text) + 1)
            text = text[:start] + text[other : other + end - start] + text[end:]
    return text


@lru_cache
def names(name: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    mapping = shipped_mapping(name)
    return {field: rule.type for field, rule in mapping.fields.items()}, dict.fromkeys(
        kinds_of(mapping), ("detail",)
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_damaged_rules_give_configuration_errors_and_nothing_else(name: str) -> None:
    fields, activities = names(name)
    source = shipped_source(name)
    # the rules without their comments: what is damaged is then mostly what is read
    text = "".join(line for line in source.text.splitlines(keepends=True) if not line.strip().startswith("#"))
    chance = random.Random(20260401)
    refused = 0
    for _ in range(MUTATIONS // len(SHIPPED)):
        damaged = damage(text, chance)
        errors: list[ConfigError] | None = None
        try:
            load_rules([Source("rules.yaml", damaged)], fields, activities).evaluate(blank_lead(), NOW_MS)
        except ConfigErrors as found:
            errors = found.errors
        if errors is not None:
            refused += 1
            lines = damaged.count("\n") + damaged.count("\r") + 2
            assert errors
            assert all(error.line in range(1, lines + 1) and error.column > 0 for error in errors)
    assert refused > MUTATIONS // len(SHIPPED) // 2
