"""Outcome: which leads of a file turned out good: by a column, by values of one, or by a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.backtest.fields_read import fields_of
from mappings.problems import ConfigErrors, did_you_mean
from rules.expressions import Condition, compile_condition
from rules.facts import LeadFacts
from rules.parse import parse_condition
from rules.scope import Scope

YES: Final = frozenset({"1", "1.0", "true", "yes", "y", "won", "good", "accepted", "converted", "x"})
NO: Final = frozenset({"0", "0.0", "false", "no", "n", "lost", "bad", "rejected"})


class OutcomeError(Exception):
    """The outcome cannot be told. `str()` is a sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How to tell good leads: a `column` that says yes or no, or that has one of `values`; or a `condition`.
    `fields` are the lead's fields that tell it: no rule may look at them."""

    text: str
    column: str | None = None
    values: frozenset[str] | None = None
    condition: Condition | None = None
    fields: frozenset[str] = frozenset()

    def of(self, written: Mapping[str, Any], facts: LeadFacts, now_ms: int) -> bool | None:
        """Whether a lead turned out good; None where that is not known. Raises OutcomeError."""
        if self.condition is not None:
            return self.condition(facts, now_ms)
        raw = written.get(self.column or "")
        text = "" if raw is None else str(raw).strip().casefold()
        if not text:
            return None
        if self.values is not None:
            return text in self.values
        if text in YES or text in NO:
            return text in YES
        raise OutcomeError(
            f'the outcome "{raw}" is neither yes nor no: say which values are good, '
            f'as in --outcome "{self.column}={raw}"'
        )


def read_outcome(text: str, names: Sequence[str], field_of: Mapping[str, str], scope: Scope) -> Outcome:
    """What the user means. `names` are the columns of the file, `field_of` the fields that are read from
    them. Raises OutcomeError."""
    column, equals, values = text.partition("=")
    column = column.strip()
    if text in names:
        return Outcome(text, column=text, fields=_told_by(text, field_of))
    if equals and column in names and not values.startswith("="):
        good = frozenset(value.strip().casefold() for value in values.split(",") if value.strip())
        if not good:
            raise OutcomeError(f'no value of "{column}" is named: write "{column}=Won, Signed"')
        return Outcome(text, column=column, values=good, fields=_told_by(column, field_of))
    named = column.replace("_", "").replace(" ", "").isalnum() and not values.startswith("=")
    if named and column not in scope.fields:
        hint = did_you_mean(column, names) or "write it as it stands in the file"
        raise OutcomeError(f'there is no column "{column}"; {hint}')
    try:
        condition = compile_condition(
            text,
            scope.fields,
            activities=scope.activities,
            sides=scope.sides,
            choices=scope.choices,
            reasons=scope.reasons,
            file="--outcome",
        )
    except ConfigErrors as found:
        raise OutcomeError(str(found)) from None
    return Outcome(text, condition=condition, fields=frozenset(fields_of(parse_condition(text, scope))))


def _told_by(column: str, field_of: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, heading in field_of.items() if heading == column)
