"""From checked expressions to one Python function: the generator of its source.

What a user wrote never becomes source: names are looked up through constants, texts are constants, and only
nodes that passed the type check are translated. Three-valued logic costs nothing at run time: every node is
translated twice, into code that is truthy exactly when the node is true, and code that is truthy exactly
when it is false; where neither is, it is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from rules import nodes
from rules.namespace import Namespace
from rules.nodes import (
    INVERSE,
    MIRROR,
    And,
    Arithmetic,
    Attribute,
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
from rules.patterns import compiled_pattern
from rules.scope import OPTIONAL_NAMES
from rules.value_types import Type
from rules.variables import ACTIVITY, LEAD, Variables
from rules.wake import DAY_MS

_DAYS: Final = {
    "==": "days_equalling",
    "!=": "days_equalling",
    ">=": "days_reaching",
    "<": "days_reaching",
    ">": "days_exceeding",
    "<=": "days_exceeding",
}
_PASSED: Final = {"since": "{}", "until": "(-{})", "business": "business_{}"}
_CALCULATIONS: Final = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
_SPECIALS: Final = {
    "stage": "facts.stage",
    "cycle": "facts.cycle",
    "origin": "facts.origin.casefold()",
    "fit": "fit",
    "engagement": "engagement",
    "score": "score",
    "grade": "grade.casefold()",
    "outcome": "facts.outcome",
    "closed_reason": "facts.closed_reason.casefold()",
    "deal_amount": "facts.deal_amount",
}


@dataclass(frozen=True, slots=True)
class _Operand:
    """Code of a value, and the tests that must hold, in this order, before it may be looked at."""

    guards: tuple[str, ...]
    value: str


class Generator:
    """Translates expressions and collects what the function around them needs.

    Use: `true(node)` and the like give code; `begin_lead()` and `begin_activity()` give the statements
    that must stand before it; `namespace.compile(...)` makes the function.
    """

    def __init__(self) -> None:
        self.namespace = Namespace()
        self.constant = self.namespace.constant
        self._fields = Variables(LEAD, "get", "", self.constant)
        self._attributes = self._no_attributes()
        self._called: dict[str, str | None] = {}
        self._hoisted: list[str] = []
        self._temporaries = 0
        self._wake = "wake"
        self.needs_kinds = False

    # what can be asked for ------------------------------------------------------------------------------

    def true(self, node: Node) -> str:
        """Code that is truthy exactly when the node is true."""
        return self._test(node, wanted=True)

    def false(self, node: Node) -> str:
        """Code that is truthy exactly when the node is false."""
        return self._test(node, wanted=False)

    def value(self, node: Node) -> str:
        """Code of the node's value as people know it, None where it is unknown."""
        if isinstance(node, Field):
            return self._fields.as_it_is(node.name, node.type)
        if isinstance(node, Special) and node.name in ("stage", "origin", *OPTIONAL_NAMES):
            return _as_it_is(node.name)
        return self._nullable(node)

    def saw(self, node: Node) -> str:
        """Code of a dictionary of all that a condition looked at, by the name it has in the rules."""
        parts: dict[str, str] = {}
        self._wake = "nobody"  # what is only shown changes nothing
        for part in nodes.walk(node):
            called = isinstance(part, Call) and not part.function.pure
            if called or isinstance(part, Field | Special | Attribute):
                name = part.name if isinstance(part, Field | Special) else part.source
                parts.setdefault(name, f"{self.constant(name)}: {self.value(part)}")
        self._wake = "wake"
        return "{" + ", ".join(parts.values()) + "}"

    def saw_fields(self, node: Node) -> tuple[str, ...] | None:
        """The lead fields that a condition looked at, if it looked at nothing else."""
        parts = nodes.walk(node)
        if any(
            isinstance(p, Special | Attribute) or (isinstance(p, Call) and not p.function.pure) for p in parts
        ):
            return None
        found = [part for part in parts if isinstance(part, Field)]
        for part in found:
            self._fields.as_it_is(part.name, part.type)
        return tuple(dict.fromkeys(part.name for part in found))

    def lead_values(self) -> str:
        """Code of a dictionary of the lead's values, of all fields asked for so far."""
        return self._fields.as_they_are()

    def begin_lead(self) -> list[str]:
        """Statements that bring the lead's values into the variables that the code above uses."""
        lines = ["get = facts.values.get"] if self._fields else []
        lines += self._fields.begin()
        lines += self._hoisted
        if self.needs_kinds:
            lines.append("by_kind = group_by_kind(facts.activities)")
        lines.append("wake_at = wake.at")
        return lines

    def begin_activity(self) -> list[str]:
        """The same for the attributes of `activity`, used since the last call; ends their use."""
        lines = ["got = activity.attributes.get", *self._attributes.begin()] if self._attributes else []
        self._attributes = self._no_attributes()
        return lines

    # translation ----------------------------------------------------------------------------------------

    def _test(self, node: Node, *, wanted: bool) -> str:
        match node:
            case Not(operand=operand):
                return self._test(operand, wanted=not wanted)
            case And(operands=operands) | Or(operands=operands):
                joint = " and " if isinstance(node, And) == wanted else " or "
                return "(" + joint.join(self._test(operand, wanted=wanted) for operand in operands) + ")"
            case Compare():
                return self._comparison(node, wanted=wanted)
            case Within(item=item, collection=collection):
                left, right = self._operand(item, folded=True), self._operand(collection, folded=True)
                test = f"{left.value} {'in' if wanted else 'not in'} {right.value}"
                return _all(*left.guards, *right.guards, test)
            case Call(function=function, arguments=(date, Literal(value=days))) if (
                function.name == "within_days" and date is not None
            ):
                return self._within_days(date, float(days), wanted=wanted)
            case Call() if node.function.total:
                called = self._call(node)
                return _all(*called.guards, called.value if wanted else f"not {called.value}")
            case _:
                return f"({self._nullable(node)} is {wanted})"

    def _comparison(self, node: Compare, *, wanted: bool) -> str:
        operator = node.operator if wanted else INVERSE[node.operator]
        left, right = node.left, node.right
        if _counts_days(right) and not _counts_days(left):
            left, right, operator = right, left, MIRROR[operator]
        if isinstance(left, Call) and left.function.days and not _counts_days(right):
            return self._days_comparison(left, operator, right)
        a, b = self._operand(left, folded=True), self._operand(right, folded=True)
        return _all(*a.guards, *b.guards, f"{a.value} {operator} {b.value}")

    def _days_comparison(self, days: Call, operator: str, limit: Node) -> str:
        """A number of days against one that does not pass by itself: only its crossing matters."""
        since, than, counted = self._filled(days), self._operand(limit), days.function.days
        least = than.value
        if counted == "until":  # as many days as have passed since, negated
            operator, least = MIRROR[operator], f"(-{least})"
        if isinstance(limit, Literal) and operator not in ("==", "!=") and counted != "business":
            number = float(limit.value)
            test = self._days_test(since.value, operator, -number if counted == "until" else number)
            return _all(*since.guards, test)
        function = f"business_{_DAYS[operator]}" if counted == "business" else _DAYS[operator]
        passed = f"{function}({since.value}, {least}, now, {self._wake})"
        return _all(*since.guards, *than.guards, f"{passed} {operator} {least}")

    def _days_test(self, since: str, operator: str, days: float) -> str:
        """Whole days since a moment against a written number, which is the same as now against the moment
        at which they are reached; that moment is told to the wake unless it is past."""
        whole = ceil(days) if operator in (">=", "<") else floor(days) + 1
        at = self._temporary()
        reached = f"(now >= ({at} := {since} + {whole * DAY_MS}) or wake_at({at}))"
        return reached if operator in (">=", ">") else f"not {reached}"

    def _within_days(self, date: Node, days: float, *, wanted: bool) -> str:
        """The last so many days, for a written number: see `within_days` in rules/wake.py."""
        moment, end = self._operand(date), self._temporary()
        over = f"{end} := {moment.value} + {max(0, floor(days * DAY_MS))}"
        within = (
            f"({moment.value} <= now or wake_at({moment.value})) and now < ({over}) and not wake_at({end})"
        )
        return _all(*moment.guards, f"({within})" if wanted else f"not ({within})")

    def _operand(self, node: Node, *, folded: bool = False) -> _Operand:
        match node:
            case Literal(value=value):
                if isinstance(value, str):
                    return _Operand((), self.constant(value.casefold() if folded else value))
                return _Operand((), f"({value!r})")
            case LiteralList(values=values):
                return _Operand((), self.constant(frozenset(map(_folded, values))))
            case Field():
                name = self._fields.compared(node.name, node.type, folded=folded)
                return _Operand((f"{name} is not None",), name)
            case Attribute(name="at"):
                return _Operand((), "activity.at_ms")
            case Attribute():
                name = self._attributes.compared(node.name, node.type, folded=folded)
                return _Operand((f"{name} is not None",), name)
            case Special(name=special):
                guards = (f"{_as_it_is(special)} is not None",) if special in OPTIONAL_NAMES else ()
                return _Operand(guards, _SPECIALS[special])
            case Call():
                operand = self._call(node)
                return self._folded_text(operand, node) if folded else operand
            case Arithmetic():
                return self._arithmetic(node)
            case _:
                return self._known(self._nullable(node), ())

    def _nullable(self, node: Node) -> str:
        """Code of the value, None where it is unknown."""
        if isinstance(node, And | Or | Not | Compare | Within):
            return f"(True if {self.true(node)} else False if {self.false(node)} else None)"
        operand = self._operand(node)
        if isinstance(node, Field | Attribute) or not operand.guards:
            return operand.value
        return f"({operand.value} if {' and '.join(operand.guards)} else None)"

    def _call(self, node: Call) -> _Operand:
        function = node.function
        if function.days:
            since = self._filled(node)
            passed = f"days_passed({since.value}, now, {self._wake})"
            return _Operand(since.guards, _PASSED[function.days].format(passed))
        operand = self._filled(node)
        if function.strict and function.pure and all(map(_is_plain, node.arguments)):
            operand = self._once(operand)
        return operand if function.total else self._known(operand.value, operand.guards)

    def _once(self, operand: _Operand) -> _Operand:
        """A call on lead values that is made more than once is made at the beginning instead."""
        code = f"({operand.value} if {' and '.join(operand.guards) or True} else None)"
        if code not in self._called:
            self._called[code] = None
            return operand
        name = self._called[code]
        if name is None:
            name = self._called[code] = f"c{len(self._hoisted)}"
            self._hoisted.append(f"{name} = {code}")
        return _Operand((f"{name} is not None",), name)

    def _filled(self, node: Call) -> _Operand:
        """The function's template with its arguments in it."""
        function = node.function
        self.needs_kinds = self.needs_kinds or "by_kind" in function.code
        guards: list[str] = []
        values: list[str] = []
        for parameter, argument in zip(function.parameters, node.arguments, strict=True):
            if argument is None:
                values.append("None")
            elif parameter.names == "pattern" and isinstance(argument, Literal):
                values.append(self.constant(compiled_pattern(str(argument.value))))
            elif not function.strict:
                values.append(self._nullable(argument))
            else:
                operand = self._operand(argument, folded=parameter.folded)
                guards.extend(operand.guards)
                values.append(operand.value)
        return _Operand(tuple(guards), function.code.format(*values, wake=self._wake))

    def _arithmetic(self, node: Arithmetic) -> _Operand:
        left, right = self._operand(node.left), self._operand(node.right)
        guards = (*left.guards, *right.guards)
        return self._known(f"{_CALCULATIONS[node.operator]}({left.value}, {right.value})", guards)

    def _known(self, code: str, guards: tuple[str, ...]) -> _Operand:
        """Code that may give None, kept in a temporary variable that is tested."""
        name = self._temporary()
        return _Operand((*guards, f"({name} := {code}) is not None"), name)

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    def _folded_text(self, operand: _Operand, node: Node) -> _Operand:
        if node.type is Type.TEXT:
            return _Operand(operand.guards, f"{operand.value}.casefold()")
        return operand

    def _no_attributes(self) -> Variables:
        return Variables(ACTIVITY, "got", "activity.", self.constant)


def _all(*tests: str) -> str:
    distinct = list(dict.fromkeys(tests))
    return "(" + " and ".join(distinct) + ")"


def _as_it_is(special: str) -> str:
    """Code of a bare name's value as people know it."""
    return special if special == "grade" else f"facts.{special}"


def _folded(value: nodes.Constant) -> nodes.Constant:
    return value.casefold() if isinstance(value, str) else value


def _is_plain(node: Node | None) -> bool:
    """Whether an argument needs nothing but the lead's values, so that the call can be made first of all."""
    return node is None or isinstance(node, Field | Literal | LiteralList)


def _counts_days(node: Node) -> bool:
    return isinstance(node, Call) and node.function.days is not None
