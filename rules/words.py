"""Conditions in words: what a lead lacks when a condition does not hold ("an email or a phone"), and what a
value is ("employees is a number").

Words are made when rules are loaded, so they never hold a lead's values. Pure.
"""

from __future__ import annotations

from rules.nodes import (
    INVERSE,
    And,
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

_COMPARED = {
    "==": "{} being {}",
    "!=": "{} other than {}",
    ">=": "{} of at least {}",
    ">": "{} above {}",
    "<=": "{} of at most {}",
    "<": "{} below {}",
}


def conjuncts(node: Node) -> tuple[Node, ...]:
    """The conditions that must all hold: what can be missing one by one."""
    if isinstance(node, And):
        return tuple(part for operand in node.operands for part in conjuncts(operand))
    if isinstance(node, Not) and isinstance(node.operand, Or):
        return tuple(
            part
            for operand in node.operand.operands
            for part in conjuncts(Not(operand, f"not {operand.source}"))
        )
    return (node,)


def lacking(node: Node) -> str:
    """What would make the condition true, as a phrase."""
    match node:
        case And(operands=operands):
            return " and ".join(lacking(operand) for operand in operands)
        case Or(operands=operands):
            return " or ".join(lacking(operand) for operand in operands)
        case Not(operand=Not(operand=inner)):
            return lacking(inner)
        case Not(operand=Call(function=function, arguments=(Field(name=name),))) if (
            function.name == "is_blank"
        ):
            return f"{_article(_label(name))} {_label(name)}"
        case Not(operand=Compare() as compared):
            return _comparison(compared, INVERSE[compared.operator])
        case Not(operand=Within() as within):
            return _membership(within, "none of")
        case Not(operand=operand):
            return f"{_phrase(operand)} being false"
        case Call(function=call, arguments=(Field(name=name),)) if call.name == "is_blank":
            return f"no {_label(name)}"
        case Compare(operator=operator):
            return _comparison(node, operator)
        case Within():
            return _membership(node, "one of")
        case _:
            return f"{_phrase(node)} being true"


def _comparison(node: Compare, operator: str) -> str:
    return _COMPARED[operator].format(_phrase(node.left), _phrase(node.right))


def _membership(node: Within, which: str) -> str:
    if isinstance(node.collection, LiteralList):
        return f"{_phrase(node.item)} being {which} {', '.join(map(str, node.collection.values))}"
    return f"{_phrase(node.item)} being in {_phrase(node.collection)}"


def _phrase(node: Node) -> str:
    if isinstance(node, Field | Special):
        return _label(node.name)
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    return node.source


def _label(name: str) -> str:
    return name.replace("_", " ")


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"


def typed(node: Node) -> str:
    """'number employees', for messages."""
    return f"{node.type} {node.source}"


def described(node: Node) -> str:
    """'employees is a number', for messages."""
    return f"{node.source} is a {node.type}"
