"""A slow, obvious interpreter of checked expressions, to hold the generated code against.

Three-valued logic by the book: every node gives its value, or None where that is unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from operator import add, mul, sub, truediv
from typing import Any

from rules.facts import LeadFacts
from rules.literals import read_time
from rules.mail import FREE_MAIL_DOMAINS, domain
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
from rules.value_types import TIMES, Type
from tests.rules.example_lead import DAY_MS


def interpret(node: Node, facts: LeadFacts, now_ms: int) -> Any:
    """The value of a node for a lead, None where unknown. Texts come without regard to case."""
    match node:
        case Literal(value=value):
            return fold(value)
        case LiteralList(values=values):
            return tuple(fold(value) for value in values)
        case Field(name=name, type=kind):
            return fold(clean(facts.values.get(name), kind))
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


def clean(value: Any, kind: Type) -> Any:
    """A lead's value; None if it is not of its field's type. Blank texts and lists are no values."""
    if kind in TIMES:
        return read_time(value) if isinstance(value, str) else None
    if kind is Type.TEXT:
        return value if isinstance(value, str) and value else None
    if kind is Type.BOOLEAN:
        return value if isinstance(value, bool) else None
    if kind is Type.NUMBER:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if number and abs(value) < math.inf else None
    texts = isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)
    return tuple(value) if texts and value else None


def call(node: Call, facts: LeadFacts, now_ms: int) -> Any:
    given = [None if a is None else interpret(a, facts, now_ms) for a in node.arguments]
    name = node.function.name
    if name == "is_blank":
        return given[0] is None
    missing = any(a is not None and value is None for a, value in zip(node.arguments, given, strict=True))
    if missing:
        return None
    if name == "matches":
        # a pattern looks at the text as it stands, so the argument is one whose case is kept
        assert isinstance(node.arguments[0], Field)
        assert isinstance(node.arguments[1], Literal)
        text = facts.values[node.arguments[0].name]
        return re.search(str(node.arguments[1].value), str(text), re.IGNORECASE) is not None
    if name == "length" and isinstance(node.arguments[0], Field):
        return len(facts.values[node.arguments[0].name])  # folding can make a text longer
    return CALLS[name](facts, now_ms, *given)


def in_last(at_ms: int, days: float | None, now_ms: int) -> bool:
    return days is None or now_ms - math.floor(max(days, 0) * DAY_MS) < at_ms


def happened(facts: LeadFacts, kind: str | None, now_ms: int) -> list[int]:
    return [a.at_ms for a in facts.activities if a.at_ms <= now_ms and kind in (None, fold(a.kind))]


def rejected(facts: LeadFacts, reason: str | None) -> list[int]:
    return [each.at_ms for each in facts.rejections if reason in (None, each.reason)]


def business_days(since_ms: int, now_ms: int) -> int:
    """Counted day by day."""
    first, last = since_ms // DAY_MS, now_ms // DAY_MS
    days = range(min(first, last) + 1, max(first, last) + 1)
    return (1 if last >= first else -1) * sum((day + 3) % 7 < 5 for day in days)


def last_reason(facts: LeadFacts) -> str | None:
    newest = sorted(facts.rejections, key=lambda each: each.at_ms)
    return newest[-1].reason or None if newest else None


CALLS: dict[str, Callable[..., Any]] = {
    "contains": lambda facts, now, text, part: part in text,
    "contains_any": lambda facts, now, text, parts: any(part in text for part in parts),
    "starts_with": lambda facts, now, text, part: text[: len(part)] == part,
    "ends_with": lambda facts, now, text, part: (
        part == text[len(text) - len(part) :] and len(part) <= len(text)
    ),
    "length": lambda facts, now, value: len(value),
    "lower": lambda facts, now, text: text,
    "domain": lambda facts, now, text: domain(text),
    "is_free_mail": lambda facts, now, text: (
        None if domain(text) is None else domain(text) in FREE_MAIL_DOMAINS
    ),
    "any_of": lambda facts, now, entries, values: any(each in entries for each in values),
    "all_of": lambda facts, now, entries, values: all(each in entries for each in values),
    "min": lambda facts, now, a, b: a if a < b else b,
    "max": lambda facts, now, a, b: a if a > b else b,
    "abs": lambda facts, now, a: -a if a < 0 else a,
    "round": lambda facts, now, a: int(Decimal(a).to_integral_value(ROUND_HALF_UP)),
    "days_since": lambda facts, now, at: (now - at) // DAY_MS,
    "days_until": lambda facts, now, at: -((now - at) // DAY_MS),
    "within_days": lambda facts, now, at, days: at <= now and in_last(at, days, now),
    "within_next_days": lambda facts, now, at, days: now < at <= now + math.floor(max(days, 0) * DAY_MS),
    "weekday": lambda facts, now, at: datetime.fromtimestamp(at / 1000, UTC).isoweekday(),
    "business_days_since": lambda facts, now, at: business_days(at, now),
    "business_days_in_stage": lambda facts, now: business_days(facts.stage_since_ms, now),
    "days_in_stage": lambda facts, now: (now - facts.stage_since_ms) // DAY_MS,
    "count": lambda facts, now, kind, days: sum(in_last(at, days, now) for at in happened(facts, kind, now)),
    "touches": lambda facts, now, days: sum(in_last(at, days, now) for at in happened(facts, None, now)),
    "first_activity": lambda facts, now, kind: min(happened(facts, kind, now), default=None),
    "last_activity": lambda facts, now, kind: max(happened(facts, kind, now), default=None),
    "rejected": lambda facts, now, reason: bool(rejected(facts, reason)),
    "rejections": lambda facts, now, reason, days: sum(
        in_last(at, days, now) for at in rejected(facts, reason)
    ),
    "last_rejection": lambda facts, now, reason: max(rejected(facts, reason), default=None),
    "last_rejection_reason": lambda facts, now: last_reason(facts),
    "exists_on": lambda facts, now, side: side in facts.sides,
}
"""What each function means, as plainly as can be; texts are given without regard to case."""


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
    try:
        result = {"+": add, "-": sub, "*": mul, "/": truediv}[operator](a, b)
    except OverflowError:
        return None
    return result if abs(result) < math.inf else None
