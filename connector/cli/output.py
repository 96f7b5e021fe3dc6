"""Output: how commands print: JSON for machines, plain tables for a terminal of 100 columns.

What comes from leads is printed as it is, but without characters that steer a terminal, and never read as
markup. Moments are UTC.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDTH = 100
"""Columns where the output is not a terminal, which would tell its own width."""

WORD = 14
"""A word of up to so many letters is not cut in a table, where there is room for all of them."""

LANES = {0: "handoff", 1: "update", 2: "backfill", 3: "look"}
"""The lanes, by number, as they are printed; the outbox has no looks."""

SECOND_MS = 1_000
_SPANS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def print_json(data: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def console() -> Console:
    """A console on stdout that marks nothing up by itself."""
    from rich.console import Console

    found = Console(highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not found.is_terminal:
        found = Console(highlight=False, markup=False, emoji=False, width=WIDTH)
    return found


class Page:
    """A page of headings, lines and tables, printed as it is written."""

    def __init__(self) -> None:
        self._console = console()
        self._begun = False

    def heading(self, text: str) -> None:
        """A heading, with a blank line before it unless it is the first."""
        from rich.text import Text

        if self._begun:
            typer.echo()
        self._put(Text(plain(text), style="bold"))

    def line(self, text: str, indent: int = 2) -> None:
        """A line; what is too long for it goes on below, at the same indent."""
        from rich.padding import Padding
        from rich.text import Text

        self._put(Padding(Text(plain(text)), (0, 0, 0, indent), expand=False))

    def table(self, rows: Iterable[Sequence[object]], headers: Sequence[str] = (), indent: int = 2) -> None:
        """Rows in columns; with headers, they stand above. Prints nothing without rows."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        kept = [[plain(shown(cell)) for cell in row] for row in rows]
        if not kept:
            return
        table = Table(
            box=None, show_header=bool(headers), header_style="dim", padding=(0, 2, 0, 0), pad_edge=False
        )
        names = list(headers) or [""] * len(kept[0])
        columns = [(name, *cells) for name, cells in zip(names, zip(*kept, strict=True), strict=True)]
        widths = _widths(columns, self._console.width - indent - 2 * (len(columns) - 1))
        for name, width in zip(names, widths, strict=True):
            table.add_column(name, overflow="fold", width=width)
        for row in kept:
            table.add_row(*(Text(cell) for cell in row))
        self._put(Padding(table, (0, 0, 0, indent), expand=False))

    def _put(self, what: RenderableType) -> None:
        """Print, without the blanks that fill the lines up."""
        self._begun = True
        with self._console.capture() as captured:
            self._console.print(what)
        for line in captured.get().splitlines():
            typer.echo(line.rstrip())


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int | None]:
    """How wide each column is, so that only long words, such as addresses, are cut where lines are too long.
    None, which leaves it to the table, where everything fits or where there is no room even for that."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, cells)) for cells in columns]
    words = [[cell_len(word) for cell in cells for word in cell.split()] for cells in columns]
    least = [max((length for length in lengths if length <= WORD), default=1) for lengths in words]
    if sum(widths) <= room or sum(least) > room:
        return [None] * len(columns)
    while sum(widths) > room:
        widest = max((width, at) for at, width in enumerate(widths) if width > least[at])[1]
        widths[widest] -= 1
    return list(widths)


def plain(text: str) -> str:
    """`text` without characters that steer a terminal or turn the reading direction; line breaks become ⏎."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "⏎"
        if char == "\n"
        else "�"
        if unicodedata.category(char) in ("Cc", "Cs") or char in _TURNING
        else char
        for char in text
    )


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def shown(value: object) -> str:
    """A value for a person: blank as —, lists with commas, yes and no."""
    if value is None:
        return "—"
    if value is True:
        return "yes"
    if value is False:
        return "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def moment(at_ms: int | None) -> str:
    """Epoch milliseconds as 2026-03-01 10:00:05, UTC; — for None."""
    if at_ms is None:
        return "—"
    return datetime.fromtimestamp(at_ms // SECOND_MS, UTC).strftime("%Y-%m-%d %H:%M:%S")


def iso(at_ms: int | None) -> str | None:
    """Epoch milliseconds as 2026-03-01T10:00:05Z for JSON."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(milliseconds: int) -> str:
    """A length of time in its largest unit: 3 days, 1 hour."""
    seconds = max(0, milliseconds) // SECOND_MS
    for name, size in _SPANS:
        if seconds >= size:
            number = seconds // size
            return f"{number} {name}" + ("" if number == 1 else "s")
    return "0 seconds"


def counted(number: int, one: str, many: str | None = None) -> str:
    """1 lead, 2 leads."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
