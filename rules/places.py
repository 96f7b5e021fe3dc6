"""Places: where in a file a character of a YAML text stands, so that an error points at the very word.

YAML's parser gives the place where a scalar begins; this walks from there through quotes, escapes, the lines
of block scalars, and texts that go on in the next line. Where that cannot be told, the beginning of the
scalar is the answer.
"""

from __future__ import annotations

import re
from typing import Final

_BREAK: Final = re.compile("\r\n|[\r\n]")
_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*(?:[ \t]+|$))+")
"""An anchor or a tag in front of a text."""


def place_in_scalar(text: str, line: int, column: int, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of character `offset` of the scalar that begins at `line`, `column`."""
    lines = _BREAK.split(text)
    if not 0 < line <= len(lines):
        return line, column
    properties = _PROPERTIES.match(lines[line - 1], column - 1)
    if properties is not None:
        column = properties.end() + 1
        if properties.end() == len(lines[line - 1]):  # the text itself begins below
            line = next((at for at in range(line + 1, len(lines) + 1) if lines[at - 1].strip()), line)
            column = len(lines[line - 1]) - len(lines[line - 1].lstrip(" ")) + 1
    opening = lines[line - 1][column - 1 : column]
    if opening in ("|", ">"):
        return _in_block(lines, line, column, offset)
    return _in_flow(lines, line, column, offset)


def _in_flow(lines: list[str], line: int, column: int, offset: int) -> tuple[int, int]:
    """Inside a plain or quoted text: a break and the white space around it are one space, and empty lines
    between are a break each."""
    opening = lines[line - 1][column - 1 : column]
    quoted = opening in ("'", '"')
    number, at = line, column - 1 + quoted
    while True:
        content = lines[number - 1]
        end = len(content.rstrip(" \t"))
        while offset and at < end:
            if opening == "'" and content.startswith("''", at):
                at += 2
            elif opening == '"' and content[at] == "\\":
                escape = _ESCAPE.match(content, at)
                if escape is None:  # it escapes the break, which then is nothing
                    return line, column
                at = escape.end()
            else:
                at += 1
            offset -= 1
        if not offset:
            return number, at + 1
        below = next((place for place in range(number, len(lines)) if lines[place].strip()), None)
        if below is None:
            return line, column
        offset -= max(1, below - number)
        if offset < 0:
            return line, column
        number, at = below + 1, len(lines[below]) - len(lines[below].lstrip(" \t"))


def _in_block(lines: list[str], line: int, column: int, offset: int) -> tuple[int, int]:
    """Inside `|` and `>`: both keep every character of lines of one indentation, breaks become one. In `>`
    the break before empty lines is none."""
    folded = lines[line - 1][column - 1] == ">"
    body = lines[line:]
    first = next((content for content in body if content.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    if indent == 0 or re.match(r"[|>][-+]?[0-9]", lines[line - 1][column - 1 :]):
        return line, column
    for number, content in enumerate(body, line + 1):
        if content.strip() and len(content) - len(content.lstrip(" ")) < indent:
            break
        length = max(len(content) - indent, 0)
        if offset <= length and content[indent:]:
            return number, indent + offset + 1
        offset -= length + (not (folded and _swallowed(body, number - line - 1, indent)))
    return line, column


def _swallowed(body: list[str], place: int, indent: int) -> bool:
    """Whether the break after this line of `>` is nothing: empty lines follow, then an ordinary one."""
    after = body[place + 1 :]
    below = next((content for content in after if content[indent:]), "")
    more = any(content[indent : indent + 1] in (" ", "\t") for content in (body[place], below))
    return bool(body[place][indent:] and after and not after[0][indent:]) and not more
