"""The checked expression: a small tree of typed nodes, what the checker makes and the generator reads.

Plain data. A node exists only after its types were checked, so nothing here checks or raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rules.value_types import Type

if TYPE_CHECKING:
    from rules.signature import Function

Constant = str | int | float | bool

INVERSE: Final = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
"""Each comparison to the one that holds exactly when it does not, both sides known."""

MIRROR: Final = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""Each comparison to the one that says the same with its sides exchanged."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the expression. Times are epoch milliseconds."""

    value: Constant
    type: Type
    source: str


@dataclass(frozen=True, slots=True)
class LiteralList:
    """Values written in brackets, all of one type."""

    values: tuple[Constant, ...]
    type: Type
    source: str


@dataclass(frozen=True, slots=True)
class Field:
    """A lead field, by its canonical name; `declared` is its type in lead.yaml."""

    name: str
    declared: str
    type: Type
    source: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """`activity.<name>`: an attribute of the activity that the rule is on."""

    name: str
    type: Type
    source: str


@dataclass(frozen=True, slots=True)
class Special:
    """A bare name that is no lead field: stage, cycle, origin, fit, engagement, score."""

    name: str
    type: Type
    source: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of the table; arguments in the order of its parameters, None where left out."""

    function: Function
    arguments: tuple[Node | None, ...]
    type: Type
    source: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right` on numbers; the operator is one of + - * /."""

    operator: str
    left: Node
    right: Node
    source: str
    type: Type = Type.NUMBER


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`; the operator is one of == != < <= > >=."""

    operator: str
    left: Node
    right: Node
    source: str
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Within:
    """`item in collection`, the collection a literal list or a field that is a list of texts."""

    item: Node
    collection: Node
    source: str
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node
    source: str
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[Node, ...]
    source: str
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[Node, ...]
    source: str
    type: Type = Type.BOOLEAN


Node = (
    Literal
    | LiteralList
    | Field
    | Attribute
    | Special
    | Call
    | Arithmetic
    | Compare
    | Within
    | Not
    | And
    | Or
)


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node, left to right."""
    match node:
        case Call():
            return tuple(argument for argument in node.arguments if argument is not None)
        case Arithmetic() | Compare():
            return (node.left, node.right)
        case Within():
            return (node.item, node.collection)
        case Not():
            return (node.operand,)
        case And() | Or():
            return node.operands
        case _:
            return ()


def walk(node: Node) -> list[Node]:
    """The node and everything below it."""
    found = [node]
    for child in children(node):
        found.extend(walk(child))
    return found


def depends_on_lead(node: Node) -> bool:
    """Whether the result can differ from lead to lead or from day to day."""
    if isinstance(node, Field | Attribute | Special) or (isinstance(node, Call) and not node.function.pure):
        return True
    return any(depends_on_lead(child) for child in children(node))
