"""A slow, obvious interpreter of checked expressions, to hold the generated code against.

Three-valued logic by the book: every node gives its value, or None where that is unknown.
"""

from __future__ import annotations

import re
from typing import Any

from rules.facts import LeadFacts
from rules.literals import read_time
from rules.nodes import (
    And,
    Arithmetic,
    Call,
    Compare,
    Field,
    Literal,
    LiteralList,
    Node,
    Not,
    Or,
    Special,
    Within,
)
from rules.value_types import TIMES
from tests.rules.example_lead import DAY_MS


def interpret(node: Node, facts: LeadFacts, now_ms: int) -> Any:
    """The value of a node for a lead, None where unknown. Texts come without regard to case."""
    match node:
        case Literal(value=value):
            return fold(value)
        case LiteralList(values=values):
            return tuple(fold(value) for value in values)
        case Field(name=name, type=kind):
            value = facts.values.get(name)
            return read_time(value) if kind in TIMES and isinstance(value, str) else fold(value)
        case Special(name=name):
            return fold(str(getattr(facts, name))) if name != "cycle" else facts.cycle
        case Not(operand=operand):
            value = interpret(operand, facts, now_ms)
            return None if value is None else not value
        case And(operands=operands):
            values = [interpret(operand, facts, now_ms) for operand in operands]
            return False if False in values else None if None in values else True
        case Or(operands=operands):
            values = [interpret(operand, facts, now_ms) for operand in operands]
            return True if True in values else None if None in values else False
        case Compare(operator=operator, left=left, right=right):
            return compare(operator, interpret(left, facts, now_ms), interpret(right, facts, now_ms))
        case Within(item=item, collection=collection):
            value, many = interpret(item, facts, now_ms), interpret(collection, facts, now_ms)
            return None if value is None or many is None else value in many
        case Arithmetic(operator=operator, left=left, right=right):
            return calculate(operator, interpret(left, facts, now_ms), interpret(right, facts, now_ms))
        case Call():
            return call(node, facts, now_ms)
    raise AssertionError(node)


def call(node: Call, facts: LeadFacts, now_ms: int) -> Any:
    given = [None if a is None else interpret(a, facts, now_ms) for a in node.arguments]
    name = node.function.name
    if name == "is_blank":
        return given[0] is None
    missing = any(a is not None and value is None for a, value in zip(node.arguments, given, strict=True))
    if missing:
        return None
    if name == "contains":
        return given[1] in given[0]
    if name == "starts_with":
        return given[0].startswith(given[1])
    if name == "matches":
        assert isinstance(node.arguments[1], Literal)
        return re.search(str(node.arguments[1].value), given[0], re.IGNORECASE) is not None
    if name == "length":
        return len(given[0])
    if name == "days_since":
        return (now_ms - given[0]) // DAY_MS
    if name == "within_days":
        return given[0] <= now_ms < given[0] + given[1] * DAY_MS
    if name == "days_in_stage":
        return (now_ms - facts.stage_since_ms) // DAY_MS
    if name == "count":
        chosen = [activity for activity in facts.activities if fold(activity.kind) == given[0]]
        return sum(
            given[1] is None or now_ms - given[1] * DAY_MS < a.at_ms for a in chosen if a.at_ms <= now_ms
        )
    if name == "last_activity":
        return max((a.at_ms for a in facts.activities if a.at_ms <= now_ms), default=None)
    raise AssertionError(name)


def fold(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    return tuple(entry.casefold() for entry in value) if isinstance(value, tuple) else value


def compare(operator: str, a: Any, b: Any) -> bool | None:
    if a is None or b is None:
        return None
    return bool(
        {
            "==": a == b,
            "!=": a != b,
            "<": operator == "<" and a < b,
            "<=": operator == "<=" and a <= b,
            ">": operator == ">" and a > b,
            ">=": operator == ">=" and a >= b,
        }[operator]
    )


def calculate(operator: str, a: Any, b: Any) -> Any:
    if a is None or b is None or (operator == "/" and b == 0):
        return None
    return {"+": a + b, "-": a - b, "*": a * b, "/": a / b if operator == "/" else 0}[operator]
