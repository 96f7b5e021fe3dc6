"""Deciding: new leads through merge, rules and plan, and committed, beside bare translation of their records.

For information, with one bound that tells a slip of an order of magnitude: the issue sets no floor here.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.figures import HEAD, print_table, row
from tests.benchmarks.records import FIRST, begins_ms, ends_ms
from tests.benchmarks.static_server import static_server
from tests.benchmarks.work import measured

LEADS = 5_000
AT_MOST = 100
"""Times the CPU of translating the records alone."""


def test_new_leads_are_settled(tmp_path: Path) -> None:
    path, now_ms = tmp_path / "leads.db", ends_ms(FIRST, LEADS)
    with static_server("hubspot", LEADS, FIRST) as url:
        measured("poll", "hubspot", url, path, begins_ms(FIRST) - 1_000, now_ms)
    _, translated = measured("normalise", "hubspot", path)
    [settled] = measured("settle", path, now_ms)
    assert settled.records >= translated.records == LEADS
    ratio = settled.cpu_seconds / translated.cpu_seconds
    print_table("settling new leads", HEAD, [row("translated", translated), row("settled", settled)])
    print(f"  settling costs {ratio:.1f} times the translation")
    assert ratio <= AT_MOST
