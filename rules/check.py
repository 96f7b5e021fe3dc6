"""The type check of conditions: from Python's syntax tree to typed nodes, through an allow-list.

Tells every mistake that it can tell apart, each with its place, and never evaluates anything. Values are in
`rules/check_values.py`.
"""

from __future__ import annotations

import ast

from rules.check_values import Mistakes, ValueCheck, Written
from rules.constant import is_constant
from rules.nodes import And, Compare, Field, Literal, Node, Not, Or, Within, depends_on_lead
from rules.value_types import TIMES, Type
from rules.words import described, typed

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class ConditionCheck(ValueCheck):
    """Checks one condition."""

    def condition(self, tree: ast.expr) -> Node:
        """The checked node of something that is true or false. Raises Mistakes."""
        match tree:
            case ast.BoolOp(op=operator, values=values):
                operands = self._all(values)
                together = (And if isinstance(operator, ast.And) else Or)(operands, self.source(tree))
                return self._depends(tree, together)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.condition(operand), self.source(tree))
            case ast.Compare():
                node = self._compare(tree)
            case _:
                node = self.value(tree)
        if node.type is not Type.BOOLEAN:
            hint = f"not is_blank({node.source}) asks whether it has a value"
            raise self.mistake(
                tree,
                f"a condition must be true or false; {described(node)}",
                hint if isinstance(node, Field) else "",
            )
        if not depends_on_lead(node):
            raise self.mistake(tree, f"{node.source} is the same for every lead", "leave it out")
        return self._depends(tree, node)

    def _depends(self, tree: ast.expr, node: Node) -> Node:
        """The node, if some leads meet it and others do not. Raises Mistakes."""
        constant = is_constant(node, self.scope.choices)
        if constant is False:
            raise self.mistake(tree, f"no lead can meet {node.source}")
        if constant is True:
            raise self.mistake(tree, f"every lead for which it is known meets {node.source}")
        return node

    def _all(self, trees: list[ast.expr]) -> tuple[Node, ...]:
        """Several conditions, with the mistakes of all of them."""
        found: list[Node] = []
        problems: list[tuple[int, str, str]] = []
        for tree in trees:
            try:
                found.append(self.condition(tree))
            except Mistakes as mistakes:
                problems.extend(mistakes.problems)
        if problems:
            raise Mistakes(problems)
        return tuple(found)

    def _compare(self, tree: ast.Compare) -> Node:
        operands = [tree.left, *tree.comparators]
        parts: list[Node] = []
        for operator, left, right in zip(tree.ops, operands, operands[1:], strict=False):
            match operator:
                case ast.In():
                    parts.append(self._within(tree, left, right))
                case ast.NotIn():
                    parts.append(Not(self._within(tree, left, right), self.source(tree)))
                case ast.Is() | ast.IsNot():
                    raise self.mistake(
                        tree, '"is" cannot be used in a condition', 'write "==" or is_blank(…)'
                    )
                case _:
                    parts.append(self._pair(tree, _COMPARISONS[type(operator)], left, right))
        if len(parts) == 1:
            return parts[0]
        for part in parts:
            if not depends_on_lead(part):
                raise self.mistake(tree, f"a part of {self.source(tree)} is the same for every lead")
        return And(tuple(parts), self.source(tree))

    def _pair(self, tree: ast.Compare, operator: str, left: ast.expr, right: ast.expr) -> Node:
        a, b = self.value(left), self.value(right)
        a, b = self.fitted(a, b, left), self.fitted(b, a, right)
        if ast.dump(left) == ast.dump(right):
            raise self.mistake(tree, f"{self.source(tree)} compares a value with itself")
        if a.type is not b.type and not {a.type, b.type} <= TIMES:
            raise self.mistake(tree, f"cannot compare {typed(a)} with {typed(b)}", _bridge(a, b))
        if a.type is Type.TEXTS:
            raise self.mistake(tree, f'lists cannot be compared with "{operator}"', "write any_of(…) or in")
        if operator not in ("==", "!="):
            if a.type in (Type.TEXT, Type.BOOLEAN):
                raise self.mistake(tree, f'{typed(a)} cannot be compared with "{operator}"', "use == or !=")
        elif _is_whole_day(a, b) or _is_whole_day(b, a):
            raise self.mistake(
                tree, "a date and time is never equal to a whole day", 'use ">=" and "<", or within_days(…)'
            )
        return Compare(operator, a, b, self.source(tree))

    def _within(self, tree: ast.Compare, left: ast.expr, right: ast.expr) -> Node:
        item = self.value(left)
        if isinstance(right, Written):
            return Within(item, self.listed(right, item), self.source(tree))
        collection = self.value(right)
        if collection.type is not Type.TEXTS:
            hint = "write contains(text, part)" if collection.type is Type.TEXT else ""
            raise self.mistake(right, f'"in" needs a list; {described(collection)}', hint)
        if item.type is not Type.TEXT:
            raise self.mistake(left, f"{collection.source} holds texts; {described(item)}")
        return Within(item, collection, self.source(tree))


def _bridge(a: Node, b: Node) -> str:
    """How to make two sides comparable, where one of them is a written value of the wrong kind."""
    for written, other in ((a, b), (b, a)):
        if other.type is Type.TEXTS:
            return f"write {written.source} in {other.source}"
        if isinstance(written, Literal) and isinstance(written.value, str) and other.type is Type.NUMBER:
            return "write the number without quotes"
        if isinstance(written, Literal) and other.type is Type.TEXT:
            return "write the text in quotes"
    return ""


def _is_whole_day(moment: Node, day: Node) -> bool:
    return moment.type is Type.MOMENT and day.type is Type.DATE
