"""Mapping conditions: what mapping documents ask in the rules' language, compiled. Pure; reads no files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from connector.taking_part import Filters
from mappings.mapping import Mapping as LeadMapping
from mappings.object_mapping import FilterRule, ObjectMapping
from mappings.problems import ConfigError, ConfigErrors, did_you_mean
from rules.expressions import Condition, compile_condition
from rules.nodes import Call, Field, Node, Special, walk
from rules.parse import ExpressionErrors, parse_condition
from rules.scope import Scope

Choices = Mapping[str, Collection[str]]


def create_conditions(
    mapping: LeadMapping, types: Mapping[str, str], choices: Choices, errors: list[ConfigError]
) -> dict[str, Condition]:
    """By side, when a lead that the side lacks is created there; what is wrong is added to `errors`."""
    compiled: dict[str, Condition] = {}
    for side in mapping.sides.values():
        target = side.object_for_create
        if target is None or target.create is None:
            continue
        rule = target.create
        try:
            compiled[side.side] = compile_condition(
                rule.when,
                types,
                sides=set(mapping.sides),
                choices=choices,
                file=rule.file,
                line=rule.line,
                column=rule.column,
            )
        except ConfigErrors as found:
            errors += found.errors
    return compiled


def filter_conditions(
    mapping: LeadMapping, types: Mapping[str, str], choices: Choices, errors: list[ConfigError]
) -> Filters:
    """By side and object, which records take part; what is wrong is added to `errors`."""
    compiled: dict[tuple[str, str], Condition] = {}
    for side in mapping.sides.values():
        for target in side.person_objects:
            rule = target.filter
            if rule is None:
                continue
            try:
                node = parse_condition(rule.text, Scope(types, None, choices))
            except ExpressionErrors as found:
                errors += [
                    ConfigError(rule.file, rule.line, rule.column + each.offset, each.message, each.hint)
                    for each in found.problems
                ]
                continue
            wrong = list(_unknown_to_a_record(node, rule, target))
            errors += wrong
            if not wrong:
                compiled[side.side, target.object] = Condition(rule.text, node)
    return compiled


def _unknown_to_a_record(node: Node, rule: FilterRule, target: ObjectMapping) -> Iterator[ConfigError]:
    """A filter looks at one record, when it is read: it knows neither the lead nor the time."""
    read = [pair.canonical for pair in target.pairs if pair.reads]
    for part in walk(node):
        column = rule.column + max(rule.text.find(getattr(part, "source", "")), 0)
        if isinstance(part, Special):
            message = f"a filter looks at one record and does not know {part.name}"
            yield ConfigError(rule.file, rule.line, column, message, "ask for fields of the record")
        elif isinstance(part, Call) and (not part.function.pure or part.function.days is not None):
            message = f"{part.function.name}() is not known to a filter, which looks at one record"
            yield ConfigError(rule.file, rule.line, column, message, "ask for fields of the record")
        elif isinstance(part, Field) and part.name not in read:
            message = f"{target.object} does not read {part.name}, so no record would pass"
            yield ConfigError(rule.file, rule.line, column, message, did_you_mean(part.name, read))
