"""The shipped rules documents, loaded over the shipped mappings that they are written for."""

from __future__ import annotations

from importlib import resources

from mappings.mapping import Mapping, load_mapping
from mappings.source import Source
from rules.cases import CaseReport, run_cases
from rules.evaluate import Rules
from rules.load import load_rules
from rules.scope import Scope, declare_activities

PRESETS = ("b2b-saas", "default", "manufacturer", "services")
SHIPPED = (*(f"presets/{name}.yaml" for name in PRESETS), "examples/x-education.yaml")
_MAPPINGS = {"presets": "presets", "examples": "examples/x-education"}


def shipped_source(name: str) -> Source:
    """A shipped rules document."""
    text = resources.files("rules").joinpath(*name.split("/")).read_text(encoding="utf-8")
    return Source(f"rules/{name}", text)


def shipped_mapping(name: str) -> Mapping:
    """The mapping that a shipped rules document is written for."""
    folder = resources.files("mappings").joinpath(*_MAPPINGS[name.split("/")[0]].split("/"))
    documents = ("lead.yaml", "salesforce.yaml", "hubspot.yaml")
    return load_mapping(
        [Source(each, folder.joinpath(each).read_text(encoding="utf-8")) for each in documents]
    )


def load_text(name: str, source: Source) -> Rules:
    """Load a text in the place of a shipped document."""
    mapping = shipped_mapping(name)
    fields = {field: rule.type for field, rule in mapping.fields.items()}
    return load_rules([source], fields, mapping.activities, sides=mapping.sides)


def load_shipped(name: str) -> tuple[Rules, list[str], list[str]]:
    """A shipped document, compiled, with the fields and the activities that it may name."""
    mapping = shipped_mapping(name)
    return load_text(name, shipped_source(name)), list(mapping.fields), kinds_of(mapping)


def run_shipped_cases(name: str) -> CaseReport:
    """What came of the cases in a shipped document."""
    mapping = shipped_mapping(name)
    fields = {field: rule.type for field, rule in mapping.fields.items()}
    rules = load_text(name, shipped_source(name))
    activities = declare_activities(mapping.activities)
    scope = Scope(fields, activities, {}, rules.reasons, set(mapping.sides))
    return run_cases([shipped_source(name)], rules, scope, mapping.default_country)


def kinds_of(mapping: Mapping) -> list[str]:
    """The activities that the mapping gives."""
    return sorted(mapping.activities)
