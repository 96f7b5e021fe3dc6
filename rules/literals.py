"""Values written in an expression: numbers within reason, dates, and the spelling of stages and picklists.

Pure checks; what is wrong comes back as a message with a hint.
"""

from __future__ import annotations

import io
import re
import tokenize
import unicodedata
from datetime import UTC, datetime
from typing import Final

from mappings.problems import did_you_mean
from rules.nodes import Call, Field, Literal, Node, Special
from rules.scope import OUTCOMES, STAGE_NAMES, Scope

_JOINERS: Final = "\u200c\u200d"
"""Characters that cannot be seen and are part of words (Persian, Hindi) and of pictures."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", re.ASCII)


def is_number(value: float) -> bool:
    """Whether a written number is one that leads can have: finite and below 10¹⁵."""
    return not isinstance(value, bool) and abs(value) < 1e15  # also false for what is not finite


def odd_character(text: str) -> str:
    """The first character that cannot be seen and belongs to no text, by name; blank if there is none."""
    if text.isprintable():
        return ""
    for character in text:
        kind = unicodedata.category(character)
        if kind in ("Cc", "Cs") or (kind == "Cf" and character not in _JOINERS):
            name = unicodedata.name(character, "")
            return f"U+{ord(character):04X}" + (f" ({name.lower()})" if name else "")
    return ""


def spell_text(value: str, source: str) -> tuple[str, str] | None:
    """What is wrong with the text `value`, written as `source`, wherever it stands."""
    if any(ord(character) < 32 for character in value):
        if source.isprintable():
            return f"the text {source} holds a control character", f"write it as r{source}"
        shown = source.encode("unicode_escape").decode()
        hint = r"in double quotes YAML makes it of \b or the like; put the condition in single quotes"
        return f"the text {shown} holds a control character", hint
    odd = odd_character(value)
    if odd:
        return f"this text holds a character that cannot be seen, {odd}", "delete it"
    if _is_several(source):
        return f"two texts stand side by side: {source}", "write a comma between them, or one text"
    return None


def _is_several(source: str) -> bool:
    """Whether what was written for one text is several, which Python would join without a word."""
    if source.count('"') + source.count("'") <= 2:
        return False
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return False
    return sum(token.type == tokenize.STRING for token in tokens) > 1


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
    elif isinstance(other, Special) and other.name == "outcome":
        known = list(OUTCOMES)
        what = "outcome"
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


def spell_part(part: Node | None, whole: Node | None) -> tuple[str, str] | None:
    """What is wrong with looking for the text `part` in `whole`, if every text has it, or none ever can."""
    if not isinstance(part, Literal) or not isinstance(part.value, str):
        return None
    if not part.value:
        return 'every text has ""', "leave it out"
    if isinstance(whole, Field) and whole.declared == "country" and len(part.value) > 2:
        return f'{whole.name} holds two-letter country codes, never "{part.value}"', 'write "DE" for Germany'
    return None
