"""Parse: the text of a condition becomes a checked tree, or a list of problems with their places.

The language is a small typed subset of Python syntax. Text is parsed by `ast` and translated through an
allow-list into `rules/nodes.py`; nothing is ever evaluated here. What the tree means is in
`rules/generate.py`; the functions are in `rules/functions.py`.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import Final

from rules.check import ConditionCheck
from rules.check_values import Mistakes
from rules.literals import odd_character
from rules.nodes import Node
from rules.scope import Scope

MAX_LENGTH: Final = 2_000
"""Characters that one expression may have."""
MAX_DEPTH: Final = 25
"""How deeply an expression may be nested."""

_CONFUSIONS: Final = (
    ("&&", 'write "and" for "&&"'),
    ("||", 'write "or" for "||"'),
    ("<>", 'write "!=" for "<>"'),
    (" AND ", 'write "and" in small letters'),
    (" OR ", 'write "or" in small letters'),
    ("NOT ", 'write "not" in small letters'),
    (" IN (", 'write "in" in small letters'),
    (" IN [", 'write "in" in small letters'),
    (" between ", "write 3 <= x <= 5"),
    (" like ", "write starts_with(…), contains(…) or matches(…)"),
    (" contains ", "write contains(text, part)"),
    ("“", "write straight quotes"),
    ("”", "write straight quotes"),
    ("≥", 'write ">=" for "≥"'),
    ("≤", 'write "<=" for "≤"'),
    ("≠", 'write "!=" for "≠"'),
    ("\N{NO-BREAK SPACE}", "there is a no-break space; write an ordinary one"),
    (" is null", "write is_blank(…)"),
    (" is not null", "write not is_blank(…)"),
)

_CUT_OFF: Final = (
    'close it; if YAML cut the rest off at " #" or, within { }, at a comma, quote the whole condition'
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at `offset` (characters from the start of the text)."""

    offset: int
    message: str
    hint: str = ""


class ExpressionErrors(Exception):
    """The expression cannot be used. `problems` has at least one entry."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def parse_condition(text: str, scope: Scope) -> Node:
    """The checked condition, whose type is true/false. Raises ExpressionErrors."""
    tree, stripped, lead = _parse(text)
    try:
        return ConditionCheck(scope, stripped).condition(tree)
    except Mistakes as found:
        raise ExpressionErrors(
            [Problem(lead + offset, message, hint) for offset, message, hint in found.problems]
        ) from None


def _parse(text: str) -> tuple[ast.expr, str, int]:
    """The syntax tree, what it was made from, and how much white space stands before that."""
    if len(text) > MAX_LENGTH:
        raise _wrong(0, f"the expression has {len(text)} characters; {MAX_LENGTH} are allowed")
    flat = text.replace("\r", " ").replace("\n", " ").replace("\t", " ")
    stripped = flat.strip()
    lead = len(flat) - len(flat.lstrip())
    if not stripped:
        raise _wrong(0, "the expression is empty")
    deep = _bracket_depth(stripped)
    if deep is not None:
        raise _wrong(lead + deep, f"nested too deeply: {MAX_DEPTH} levels are allowed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a text: kept as it is, as its author means it
            tree = ast.parse(stripped, mode="eval").body
    except SyntaxError as error:
        # an offset of 0 is Python's way to say that more was expected at the end
        offset = lead + min((error.offset or len(stripped) + 1) - 1, len(stripped))
        if "never closed" in error.msg or "unterminated" in error.msg:
            raise _wrong(
                offset, "cannot read this expression: what opens here is not closed", _CUT_OFF
            ) from None
        raise _unreadable(flat, offset) from None
    except (ValueError, RecursionError, MemoryError):
        raise _unreadable(flat, lead) from None
    if _depth_exceeds(tree, MAX_DEPTH):
        raise _wrong(lead, f"nested too deeply: {MAX_DEPTH} levels are allowed")
    hash_at = _comment(stripped, tree)
    if hash_at is not None:
        raise _wrong(
            lead + hash_at, "a comment cannot stand inside an expression", "put it on a line of its own"
        )
    return tree, stripped, lead


def _wrong(offset: int, message: str, hint: str = "") -> ExpressionErrors:
    return ExpressionErrors([Problem(offset, message, hint)])


def _unreadable(text: str, offset: int) -> ExpressionErrors:
    odd = odd_character(text[offset : offset + 1])
    if odd:
        return _wrong(offset, f"here is a character that cannot be seen, {odd}", "delete it")
    near = text[offset : offset + 12].strip().encode(errors="replace").decode() or "its end"
    padded = f" {text} "
    hint = next((hint for sign, hint in _CONFUSIONS if sign in padded or sign in padded.lower()), "")
    if not hint and _single_equals(text):
        hint = 'write "==" to compare'
    if not hint and re.search(r"!(?!=)", text):
        hint = 'write "not" for "!"'
    if not hint and re.match(r"0[0-9]", text[offset:]):
        hint = "write the number without leading zeros"
    return _wrong(offset, f"cannot read this expression, near {near}", hint)


def _single_equals(text: str) -> bool:
    bare = text
    for operator in ("==", "!=", "<=", ">="):
        bare = bare.replace(operator, "")
    return "=" in bare


def _bracket_depth(text: str) -> int | None:
    """Where brackets or repeated prefixes go deeper than allowed (the parser itself must never overflow)."""
    depth = 0
    for offset, character in enumerate(text):
        if character in "([{":
            depth += 1
            if depth > 2 * MAX_DEPTH:
                return offset
        elif character in ")]}":
            depth = max(0, depth - 1)
    return None


def _depth_exceeds(tree: ast.AST, limit: int) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(limit):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


def _comment(text: str, tree: ast.expr) -> int | None:
    """Where a `#` stands outside every text of the expression: all behind it would be lost silently."""
    if "#" not in text:
        return None
    encoded = text.encode()
    inside = [
        (len(encoded[: node.col_offset].decode()), len(encoded[: node.end_col_offset].decode()))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for offset, character in enumerate(text):
        if character == "#" and not any(start <= offset < end for start, end in inside):
            return offset
    return None
