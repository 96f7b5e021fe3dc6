"""Real leads from a file: the figures that are printed, and what they must be."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.demo.leads_csv import REAL, write_csv

KEYS = [
    "leads",
    "stages",
    "agreement",
    "requests",
    "fewest_requests",
    "startup_requests",
    "writes",
    "rejections",
    "seconds",
    "second_pass_writes",
]
STARTUP_AT_MOST = 20
SMALL_WAVES = 6
"""Calls that weigh nothing in thousands of leads and much in a few: what is created on the other side is
looked at once more, and nine waves begin with a look that may bring nothing."""


@pytest.fixture
def first_rows(tmp_path: Path) -> Path:
    """The first 150 leads of the real file."""
    if not REAL.is_file():
        pytest.skip(f"{REAL.name} is not there: it is shared beside the project, not in it")
    path = tmp_path / "first.csv"
    with REAL.open(encoding="utf-8-sig", newline="") as source, path.open("w", newline="") as target:
        csv.writer(target).writerows(islice(csv.reader(source), 151))
    return path


def test_the_first_150_leads_live_and_both_platforms_agree(shell: Shell, first_rows: Path) -> None:
    answer = shell("demo", "--leads", str(first_rows), "--json")
    figures = answer.json
    assert answer.code == 0
    assert answer.err == "", "progress is for terminals"
    assert list(figures) == KEYS
    assert figures["leads"] == sum(figures["stages"].values()) == 150
    assert figures["agreement"]["hubspot"] == {"agree": 150, "of": 150, "percent": 100}
    assert figures["agreement"]["salesforce"]["percent"] == 100
    assert figures["agreement"]["salesforce"]["of"] >= 75, "half of them were imported there"
    for side, calls in figures["requests"].items():
        assert calls <= 1.10 * figures["fewest_requests"][side] + SMALL_WAVES
    assert figures["startup_requests"] <= STARTUP_AT_MOST
    assert figures["second_pass_writes"] == 0
    assert figures["writes"] > 150
    with first_rows.open(encoding="utf-8", newline="") as file:
        won = sum(row["Converted"] == "1" for row in csv.DictReader(file))
    assert figures["stages"]["closed"] == won
    assert figures["rejections"], "sales sends some of them back"


def test_rows_that_nobody_has_ever_seen_live_too(shell: Shell, tmp_path: Path) -> None:
    odd = [
        "🦋 <b>x</b>",
        "فاطمة",
        "x" * 300,
        "=1+1",
        "'; DROP TABLE",
        "-1",
        "1e9",
        "NaN",
        "\\u0000",
        "Select",
    ]
    names = ("Lead Origin", "Lead Source", "Country", "City", "TotalVisits", "Total Time Spent on Website")
    path = write_csv(
        tmp_path / "odd.csv",
        *(
            {"Lead Number": str(place % 8), "Converted": str(place % 2), "Tags": text, name: text}
            for place, (name, text) in enumerate((name, text) for name in names for text in odd)
        ),
    )
    answer = shell("demo", "--leads", str(path), "--json")
    figures = answer.json
    assert answer.code == 0
    assert figures["leads"] == 60
    assert {side: found["percent"] for side, found in figures["agreement"].items()} == {
        "salesforce": 100,
        "hubspot": 100,
    }
    assert figures["second_pass_writes"] == 0


def test_without_json_the_same_figures_are_a_table(shell: Shell, tmp_path: Path) -> None:
    answer = shell("demo", "--leads", str(write_csv(tmp_path / "one.csv", {"Lead Number": "1"})))
    assert answer.code == 0
    assert [line.split("  ")[0] for line in answer.out.splitlines()] == [
        key.replace("_", " ") for key in KEYS
    ]  # fmt: skip
    assert "hubspot agree 1, of 1, percent 100" in answer.out
