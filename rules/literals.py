"""Values written in an expression: numbers within reason, dates, and the spelling of stages and picklists.

Pure checks; what is wrong comes back as a message with a hint.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from mappings.problems import did_you_mean
from rules.nodes import Call, Field, Node, Special
from rules.scope import STAGE_NAMES, Scope

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", re.ASCII)


def is_number(value: float) -> bool:
    """Whether a written number is one that leads can have: finite and below 10¹⁵."""
    return not isinstance(value, bool) and abs(value) < 1e15  # also false for what is not finite


def read_time(text: str) -> int | None:
    """A canonical date (midnight UTC) or date and time as epoch milliseconds; None for anything else."""
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1000


def spell_choice(value: str, other: Node, scope: Scope) -> tuple[str, str] | None:
    """What is wrong with comparing `other` to the text `value`, if it can never be equal to it."""
    known: list[str] | None = None
    if isinstance(other, Special) and other.name == "stage":
        known = list(STAGE_NAMES)
        what = "stage"
    elif isinstance(other, Special) and other.name == "origin" and scope.sides is not None:
        known = list(scope.sides)
        what = "side"
    elif isinstance(other, Special) and other.name == "grade" and scope.grades is not None:
        known = list(scope.grades)
        what = "grade"
    elif isinstance(other, Call) and other.function.gives == "reason" and scope.reasons is not None:
        known = list(scope.reasons)
        what = "reason"
    elif isinstance(other, Field) and other.name in scope.choices:
        known = list(scope.choices[other.name])
        what = other.name
    elif isinstance(other, Field) and other.declared == "country" and len(value) != 2:
        return f'{other.name} holds two-letter country codes, never "{value}"', 'write "DE" for Germany'
    if known is None or value.casefold() in {choice.casefold() for choice in known}:
        return None
    return f'unknown {what} "{value}"', did_you_mean(value, known)
