"""Excerpt: the line of a file in which something is wrong, with a caret below the place.

Safe to print whatever the file holds: control characters are taken out, a long line is cut around the place.
"""

from __future__ import annotations

import unicodedata

from connector.cli.output import plain

NARROWEST = 20
"""Columns below which an excerpt would show nothing of use."""

_CUT = "…"


def excerpt(text: str, line: int, column: int, width: int) -> tuple[str, str] | None:
    """The line (from 1) and the line with the caret below column (from 1), at most `width` wide each; None
    where the file has no such line, or nothing stands in it."""
    lines = text.splitlines() if text.isascii() else text.replace("\r\n", "\n").split("\n")
    if not 0 < line <= len(lines) or not lines[line - 1].strip():
        return None
    gutter = f"{line:>5} | "
    room = max(width, NARROWEST) - len(gutter)
    cells = [plain(char) if char != "\t" else " " for char in lines[line - 1].rstrip()]
    at = min(max(column, 1) - 1, len(cells))
    first = 0
    while sum(map(_width, cells[first : at + 1])) > room * 2 // 3 and first < at:
        first += 1
    if first:
        first += 1  # for the mark of the cut
    shown, used = [], 1 if first else 0
    for place in range(first, len(cells)):
        if used + _width(cells[place]) > room - (place < len(cells) - 1):
            shown.append(_CUT)
            break
        shown.append(cells[place])
        used += _width(cells[place])
    before = sum(map(_width, cells[first:at])) + (1 if first else 0)
    return (
        gutter + (_CUT if first else "") + "".join(shown),
        " " * (len(gutter) - 2) + "| " + " " * min(before, room - 1) + "^",
    )


def _width(char: str) -> int:
    """How many columns of a terminal a character takes."""
    if char.isascii():
        return len(char)
    if unicodedata.combining(char) or unicodedata.category(char) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
