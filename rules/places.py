"""Places: where in a file a character of a YAML text stands, so that an error points at the very word.

YAML's parser gives the place where a scalar begins; this walks from there through quotes, escapes and the
lines of block scalars. Where that cannot be told, the beginning of the scalar is the answer.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


def place_in_scalar(text: str, line: int, column: int, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of character `offset` of the scalar that begins at `line`, `column`."""
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return line, column
    first = lines[line - 1]
    opening = first[column - 1 : column]
    if opening in ("|", ">"):
        return _in_block(lines, line, column, offset)
    if opening not in ("'", '"'):
        return (line, column + offset) if column - 1 + offset <= len(first.rstrip()) else (line, column)
    at = column
    for _ in range(offset):
        if at >= len(first):
            return line, column  # the scalar goes on in another line
        if opening == "'" and first.startswith("''", at):
            at += 2
        elif opening == '"' and first[at] == "\\":
            escape = _ESCAPE.match(first, at)
            at = escape.end() if escape else at + 1
        else:
            at += 1
    return line, at + 1


def _in_block(lines: list[str], line: int, column: int, offset: int) -> tuple[int, int]:
    """Inside `|` and `>`: both keep every character of lines of one indentation, breaks become one."""
    body = lines[line:]
    first = next((content for content in body if content.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    if indent == 0 or (body and not body[0].strip()):
        return line, column
    for number, content in enumerate(body, line + 1):
        if content.strip() and len(content) - len(content.lstrip(" ")) < indent:
            break
        length = max(len(content) - indent, 0)
        if offset <= length:
            return number, indent + offset + 1
        offset -= length + 1
    return line, column
