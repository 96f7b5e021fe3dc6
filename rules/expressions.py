"""Expressions: one condition, compiled for itself, as a mapping's `create: when:` needs it.

Rules documents compile all their conditions into one function (`rules/fuse.py`); this is the same language
for a single one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from mappings.problems import ConfigError, ConfigErrors
from rules.facts import LeadFacts
from rules.generate import Generator
from rules.nodes import Node
from rules.parse import ExpressionErrors, parse_condition
from rules.scope import Scope, declare_activities
from rules.wake import Wake


@dataclass(frozen=True, slots=True)
class Decided:
    """What a condition says of a lead, until when that can hold, and the values it could not use."""

    value: bool | None
    next_change_ms: int | None
    errors: tuple[str, ...]


class Condition:
    """A compiled condition. Calling it gives True, False, or None where that is unknown; it never raises."""

    __slots__ = ("_function", "text")

    def __init__(self, text: str, node: Node) -> None:
        generator = Generator()
        true, false = generator.true(node), generator.false(node)
        body = [
            "try:",
            *(f"    {line}" for line in generator.begin_lead()),
            f"    return True if {true} else False if {false} else None",
            "except Exception as error:",
            "    errors.append(str(error))",
            "    return None",
        ]
        self.text = text
        self._function: Callable[..., bool | None] = generator.namespace.compile(
            "condition", "facts, now, wake, errors", body
        )

    def __call__(self, facts: LeadFacts, now_ms: int) -> bool | None:
        return self._function(facts, now_ms, Wake(now_ms), [])

    def decide(self, facts: LeadFacts, now_ms: int) -> Decided:
        """The same, with the next moment at which the answer can change by time alone."""
        wake, errors = Wake(now_ms), list[str]()
        value = self._function(facts, now_ms, wake, errors)
        return Decided(value, wake.next_change_ms, tuple(errors))


def compile_condition(
    text: str,
    fields: Mapping[str, str],
    *,
    activities: Collection[str] | Mapping[str, Collection[str]] | None = None,
    sides: Collection[str] | None = None,
    choices: Mapping[str, Collection[str]] | None = None,
    reasons: Collection[str] | None = None,
    file: str = "condition",
    line: int = 1,
    column: int = 1,
) -> Condition:
    """Compile one condition over lead fields (name to type name), stage, cycle, origin and the functions.

    `activities`, `sides`, `choices` (picklist field to its values), `reasons`: names to check against; None:
    not checked. `file`, `line`, `column`: where the text begins, for errors. Raises ConfigErrors.
    """
    scope = Scope(fields, declare_activities(activities), choices or {}, reasons, sides)
    try:
        return Condition(text, parse_condition(text, scope))
    except ExpressionErrors as found:
        raise ConfigErrors(
            [
                ConfigError(file, line, column + problem.offset, problem.message, problem.hint)
                for problem in found.problems
            ]
        ) from None
