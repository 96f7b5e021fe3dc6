"""Every example on the page about rules loads over the shipped mapping, and the figures it tells are true."""

from __future__ import annotations

import pytest

from mappings.source import Source
from rules.evaluate import Rules
from rules.facts import Activity
from rules.load import load_rules
from tests.docs.pages import ROOT, Block, blocks_of, text_of
from tests.rules.example_lead import NOW_MS, blank_lead
from tests.rules.shipped import kinds_of, shipped_mapping

TEXT = text_of(ROOT / "docs" / "rules.md")
BLOCKS = [block for block in blocks_of(TEXT) if block.language == "yaml"]


def load(block: Block) -> Rules:
    mapping = shipped_mapping("presets/default.yaml")
    fields = {name: rule.type for name, rule in mapping.fields.items()}
    sources = [Source(f"rules.md:{block.line}", block.text)]
    if "  mql:" not in block.text:
        sources.append(Source("gates.yaml", "gates: {mql: {}}"))
    return load_rules(sources, fields, dict.fromkeys(kinds_of(mapping), ("detail",)), sides=mapping.sides)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {block.line}")
def test_every_example_loads(block: Block) -> None:
    assert load(block).version


def test_the_figures_of_the_group_are_true() -> None:
    block = next(block for block in BLOCKS if "groups:" in block.text)
    activities = [Activity(kind, NOW_MS) for kind in ["visit"] * 3 + ["page_view"] * 5]
    verdict = load(block).evaluate(blank_lead(activities=activities), NOW_MS)
    assert {each.rule: each.points for each in verdict.fired} == {
        "visited the website": 18,
        "read pages": 20,
        "bounds of group web": -13,
    }
    assert verdict.engagement == 25
