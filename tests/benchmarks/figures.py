"""Figures: the table that a benchmark prints."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from tests.benchmarks.offline import Spent


def row(name: str, spent: Spent) -> tuple[str, ...]:
    """One piece of work: records, records per second of CPU and of time, and memory."""
    return (
        name,
        f"{spent.records:,}",
        f"{spent.records / spent.cpu_seconds:,.0f}",
        f"{spent.records / spent.wall_seconds:,.0f}",
        f"{spent.idle_mb:.0f}",
        f"{spent.peak_mb:.0f}",
    )


HEAD = ("work", "records", "a CPU second", "a second", "idle MB", "peak MB")


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The rows in aligned columns, below a line that says how busy the machine is."""
    load = os.getloadavg()[0]
    print(f"\n{title} (Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f})")
    widths = [max(len(line[place]) for line in (head, *rows)) for place in range(len(head))]
    for line in (head, *rows):
        first = line[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  " + "  ".join([first, *rest]).rstrip())
