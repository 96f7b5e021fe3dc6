"""The 4,611 real leads live their lives in both sandboxes; what it cost in requests, against the floor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.figures import print_table

LEADS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "leads" / "x-education.csv"
AT_MOST = 1.10
"""Times the fewest requests that the waves of changes can cost."""

STARTUP_AT_MOST = 20


@pytest.mark.timeout(1_800)
def test_real_leads_cost_hardly_more_than_the_fewest_requests() -> None:
    if not LEADS.is_file():
        pytest.skip(f"the real leads are not here: {LEADS}")
    command = "from connector.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "demo", "--leads", str(LEADS), "--json"],
        check=True,
        stdout=subprocess.PIPE,
    )
    figures = json.loads(done.stdout)
    ratios = {side: figures["requests"][side] / fewest for side, fewest in figures["fewest_requests"].items()}
    print_table(
        f"{figures['leads']:,} real leads in {figures['seconds']:.0f} s, {figures['writes']:,} writes",
        ("platform", "requests", "fewest", "ratio"),
        [
            (side, f"{figures['requests'][side]}", f"{figures['fewest_requests'][side]}", f"{ratio:.3f}")
            for side, ratio in ratios.items()
        ],
    )
    assert all(ratio <= AT_MOST for ratio in ratios.values()), ratios
    assert figures["startup_requests"] <= STARTUP_AT_MOST
    assert figures["second_pass_writes"] == 0
