"""The type check of values: what a comparison compares and what a function is given.

Names, written values, lists, arithmetic and calls, from Python's syntax tree to typed nodes. What is wrong is
raised as `Mistakes`, which hold the place of each; nothing is ever evaluated. Conditions are in
`rules/check.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from typing import Final

from mappings.problems import did_you_mean
from rules.functions import FUNCTIONS
from rules.literals import is_number, read_time, spell_choice, spell_part, spell_text
from rules.nodes import (
    Arithmetic,
    Attribute,
    Call,
    Constant,
    Field,
    Literal,
    LiteralList,
    Node,
    Special,
)
from rules.patterns import Unsearchable, compiled_pattern
from rules.scope import OPTIONAL_NAMES, SCORE_NAMES, Scope
from rules.signature import Function, Parameter
from rules.value_types import TIMES, Type
from rules.words import described, typed

_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.Attribute: "a dot",
    ast.BinOp: "this operator",
    ast.Dict: "a dictionary",
    ast.GeneratorExp: "a comprehension",
    ast.IfExp: "if … else",
    ast.JoinedStr: "an f-text",
    ast.Lambda: "lambda",
    ast.ListComp: "a comprehension",
    ast.NamedExpr: ":=",
    ast.SetComp: "a comprehension",
    ast.Starred: "a star",
    ast.Subscript: "square brackets behind a value",
    ast.UnaryOp: "this operator",
}

Written = ast.List | ast.Tuple | ast.Set

LONGEST_QUOTE: Final = 80
"""Characters of an expression that a message repeats."""
_PARTS: Final = frozenset({"part", "beginning", "ending"})


class Mistakes(Exception):
    """What is wrong in an expression: offset (characters from its start), message, hint of each."""

    def __init__(self, problems: Sequence[tuple[int, str, str]]) -> None:
        super().__init__(problems)
        self.problems = list(problems)


class ValueCheck:
    """Checks the values of one expression against the names of its scope."""

    def __init__(self, scope: Scope, text: str) -> None:
        """`text` is what was parsed, without white space before it."""
        self.scope = scope
        self._encoded = text.encode(errors="replace")

    def value(self, tree: ast.expr) -> Node:
        """The checked node of a value. Raises Mistakes."""
        match tree:
            case ast.Constant():
                return self._constant(tree)
            case ast.Name():
                return self._name(tree)
            case ast.Attribute(value=ast.Name(id="activity")):
                return self._attribute(tree)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(tree, name)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if (
                is_number(number)
            ):
                return Literal(-number, Type.NUMBER, self.source(tree))
            case ast.BinOp(op=operator, left=left, right=right) if type(operator) in _ARITHMETIC:
                return self._arithmetic(tree, _ARITHMETIC[type(operator)], left, right)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                raise self.mistake(tree, f"a value is needed here, not a condition: {self.source(tree)}")
            case ast.Tuple() if not self.source(tree).startswith("("):
                raise self.mistake(
                    tree, "a comma joins no conditions", 'write "and" or "or"; a number has no commas: 1000'
                )
            case ast.List() | ast.Set() | ast.Tuple():
                raise self.mistake(
                    tree, "a list can only stand behind in, or as an argument", "write x in [1, 2]"
                )
            case _:
                construct = _CONSTRUCTS.get(type(tree), "this")
                raise self.mistake(tree, f"{construct} cannot be used in a condition: {self.source(tree)}")

    def listed(self, tree: Written, item: Node) -> LiteralList:
        """The written list that `item` is looked for in. Raises Mistakes."""
        if not tree.elts:
            raise self.mistake(tree, "the list is empty, so nothing is in it")
        if item.type is Type.TEXTS:
            raise self.mistake(tree, f"{item.source} is a list itself", f"write any_of({item.source}, […])")
        values: list[Constant] = []
        for element in tree.elts:
            node = self.fitted(self.value(element), item, element)
            if not isinstance(node, Literal):
                raise self.mistake(element, f"a list holds only written values; {node.source} is none")
            if node.type is not item.type and not {node.type, item.type} <= TIMES:
                raise self.mistake(element, f"{typed(node)} can never be in it; {described(item)}")
            values.append(node.value)
        return LiteralList(tuple(values), item.type, self.source(tree))

    def fitted(self, node: Node, other: Node, tree: ast.expr) -> Node:
        """A written text, read as what it is compared with: a time, a stage, a choice. Raises Mistakes."""
        if not isinstance(node, Literal) or not isinstance(node.value, str):
            return node
        if other.type in TIMES:
            moment_ms = read_time(node.value)
            if moment_ms is None:
                raise self.mistake(
                    tree, f"{node.source} is not a date", 'write "2026-03-31" or "2026-03-31T09:00:00Z"'
                )
            return Literal(moment_ms, Type.DATE if len(node.value) == 10 else Type.MOMENT, node.source)
        if not node.value.strip() and not isinstance(other, Literal):
            raise self.mistake(tree, f"{other.source} is never {node.source}", "write is_blank(…)")
        mistake = spell_choice(node.value, other, self.scope)
        if mistake is not None:
            raise self.mistake(tree, *mistake)
        return node

    def mistake(self, tree: ast.expr, message: str, hint: str = "") -> Mistakes:
        """The error to raise for what is wrong at the place of `tree`."""
        offset = len(self._encoded[: tree.col_offset].decode(errors="replace"))
        source = self.source(tree)
        if len(source) > LONGEST_QUOTE:
            message = message.replace(source, source[: LONGEST_QUOTE - 1] + "…")
        return Mistakes([(offset, message, hint)])

    def source(self, tree: ast.expr) -> str:
        """What the user wrote for `tree`."""
        return self._encoded[tree.col_offset : tree.end_col_offset].decode(errors="replace")

    def _constant(self, tree: ast.Constant) -> Node:
        source, value = self.source(tree), tree.value
        if value is None:
            raise self.mistake(tree, "None cannot be used in a condition", "write is_blank(…)")
        if isinstance(value, bool):
            return Literal(value, Type.BOOLEAN, source)
        if isinstance(value, str):
            wrong = spell_text(value, source)
            if wrong is not None:
                raise self.mistake(tree, *wrong)
            return Literal(value, Type.TEXT, source)
        if isinstance(value, int | float) and is_number(value):
            return Literal(value, Type.NUMBER, source)
        raise self.mistake(tree, f"{source[:40]} cannot be used in a condition")

    def _name(self, tree: ast.Name) -> Node:
        name, source = tree.id, self.source(tree)
        if name in ("true", "false"):
            return Literal(name == "true", Type.BOOLEAN, source)
        special = self.scope.special_type(name)
        if special is not None and name == "grade" and self.scope.grades == []:
            raise self.mistake(tree, "there are no grades", "write grades: {score: {A: 60, B: 30}}")
        if special is not None:
            return Special(name, special, source)
        found = self.scope.field_type(name)
        if found is not None:
            return Field(name, self.scope.fields[name], found, source)
        if name in ("null", "none", "blank"):
            raise self.mistake(tree, f"{name} cannot be used in a condition", "write is_blank(…)")
        if name in ("TRUE", "FALSE"):
            raise self.mistake(tree, f"{name} cannot be used in a condition", f'write "{name.lower()}"')
        if name in SCORE_NAMES:
            raise self.mistake(
                tree, f'"{name}" is not known here', "it can be used in gates, disqualify, routes and tracks"
            )
        if name in FUNCTIONS:
            raise self.mistake(tree, f"{name} is a function", f"write {FUNCTIONS[name].signature}")
        if name == "activity":
            raise self.mistake(tree, "activity stands alone", "write activity.<attribute>")
        known = self.scope.names()
        hint = did_you_mean(name, known) or f'a text is written in quotes: "{name}"'
        raise self.mistake(tree, f'unknown field "{name}"', hint)

    def _attribute(self, tree: ast.Attribute) -> Node:
        if self.scope.on is None:
            raise self.mistake(tree, f"activity.{tree.attr} is only known in a rule with on:")
        found = self.scope.attribute_type(tree.attr)
        if found is None:
            raise self.mistake(
                tree,
                f'no configured source of "{self.scope.on}" gives the attribute "{tree.attr}"',
                did_you_mean(tree.attr, self.scope.attribute_names()),
            )
        return Attribute(tree.attr, found, self.source(tree))

    def _arithmetic(self, tree: ast.expr, operator: str, left: ast.expr, right: ast.expr) -> Node:
        a, b = self.value(left), self.value(right)
        for node, part in ((a, left), (b, right)):
            if node.type is not Type.NUMBER:
                raise self.mistake(part, f'"{operator}" needs numbers; {described(node)}')
        return Arithmetic(operator, a, b, self.source(tree))

    def _call(self, tree: ast.Call, name: str) -> Node:
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.mistake(tree, f'unknown function "{name}"', did_you_mean(name, FUNCTIONS))
        arguments: list[Node | None] = []
        problems: list[tuple[int, str, str]] = []
        for parameter, argument in zip(function.parameters, self._bound(tree, function), strict=True):
            try:
                arguments.append(None if argument is None else self._argument(function, parameter, argument))
            except Mistakes as found:
                problems.extend(found.problems)
        if problems:
            raise Mistakes(problems)
        if function.parameters and function.parameters[-1].name in _PARTS:
            wrong, argument = spell_part(arguments[-1], arguments[0]), self._bound(tree, function)[-1]
            if wrong is not None:
                raise self.mistake(argument or tree, *wrong)
        asked = arguments[0] if name == "is_blank" else None
        if isinstance(asked, Literal) or (isinstance(asked, Special) and asked.name not in OPTIONAL_NAMES):
            raise self.mistake(tree, f"{asked.source} is never blank")
        return Call(function, tuple(arguments), function.result, self.source(tree))

    def _bound(self, tree: ast.Call, function: Function) -> list[ast.expr | None]:
        """The arguments in the order of the parameters, None for those left out."""
        names = [parameter.name for parameter in function.parameters]
        given = dict(zip(names, tree.args, strict=False))
        named = {keyword.arg: keyword.value for keyword in tree.keywords if keyword.arg in names}
        if (
            len(tree.args) > len(names)
            or len(named) < len(tree.keywords)
            or given.keys() & named.keys()
            or any(not p.optional and p.name not in {*given, *named} for p in function.parameters)
        ):
            raise self.mistake(tree, f"wrong arguments for {function.name}", f"write {function.signature}")
        return [given.get(name, named.get(name)) for name in names]

    def _argument(self, function: Function, parameter: Parameter, tree: ast.expr) -> Node:
        if parameter.listed:
            if isinstance(tree, Written):
                return self._parts(tree, function)
            raise self.mistake(tree, f'{function.name} needs a written list, like ["a", "b"]')
        if parameter.names is not None:
            return self._named(function, parameter, tree)
        node = self.value(tree)
        if TIMES & set(parameter.accepts):
            node = self.fitted(node, Special("", Type.DATE, ""), tree) if function.strict else node
        if node.type not in parameter.accepts:
            wanted = " or ".join(parameter.accepts)
            raise self.mistake(
                tree, f"{function.name} needs {wanted} as its {parameter.name}; {described(node)}"
            )
        if parameter.name == "days" and isinstance(node, Literal) and float(node.value) <= 0:
            raise self.mistake(tree, f"{function.name} needs more than 0 days")
        return node

    def _parts(self, tree: Written, function: Function) -> LiteralList:
        """The written texts of a function, none of them empty: that is in every text, and in no list."""
        parts = self.listed(tree, Literal("a text", Type.TEXT, "a text"))
        for element, value in zip(tree.elts, parts.values, strict=True):
            if value == "":
                raise self.mistake(element, f'{function.name} cannot look for ""', "leave it out")
        return parts

    def _named(self, function: Function, parameter: Parameter, tree: ast.expr) -> Node:
        """An argument that must be written out, because it is checked when the rules are loaded."""
        node = None if isinstance(tree, ast.Name) else self.value(tree)
        if not isinstance(node, Literal) or not isinstance(node.value, str):
            raise self.mistake(tree, f"{function.name} needs its {parameter.name} written out in quotes")
        if parameter.names == "pattern":
            try:
                pattern = compiled_pattern(node.value)
            except Unsearchable as error:
                raise self.mistake(tree, str(error)) from None
            if pattern.matches_empty:
                raise self.mistake(tree, f"{node.source} matches every text")
            return node
        known: dict[str | None, Collection[str] | None] = {
            "activity": self.scope.activities,
            "reason": self.scope.reasons,
            "side": self.scope.sides,
        }
        names = known[parameter.names]
        if names is not None and node.value not in names:
            raise self.mistake(
                tree, f'unknown {parameter.names} "{node.value}"', did_you_mean(node.value, names)
            )
        return node
