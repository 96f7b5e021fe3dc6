"""The backtest on real leads: every figure of docs/rules-on-real-leads.md, by its commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.docs.pages import ROOT

LEADS = ROOT / ".." / "shared" / "data" / "leads" / "x-education.csv"
PAGE = (ROOT / "docs" / "rules-on-real-leads.md").read_text(encoding="utf-8")
FIRST, SECOND = ("--rows", "1-2305"), ("--rows", "2306-")

Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure(shell: Shell, tmp_path: Path) -> Measure:
    """The command of the page with more options."""
    if not LEADS.exists():
        pytest.skip("the real leads (../shared/data/leads/x-education.csv) are not on this machine")
    conf = tmp_path / "conf"
    assert shell("init", str(conf), "--preset", "x-education").code == 0

    def measured(*more: str) -> dict[str, Any]:
        answer = shell(
            "--config", str(conf), "backtest", str(LEADS), "--mapping", str(conf / "mappings" / "csv.yaml"),
            "--stage", "nurture", "--outcome", "Converted", "--json", *more,
        )  # fmt: skip
        assert answer.code == 0, answer.err
        found: dict[str, Any] = answer.json
        assert found["errors"] == {}
        return found

    return measured


def figures(found: dict[str, Any]) -> list[int]:
    """MQLs, right ones, and precision and recall in percent."""
    precision, recall = (
        round(100 * found[name]["hits"] / found[name]["of"]) for name in ("precision", "recall")
    )
    return [found["mqls"], found["right"], precision, recall]


def told_rows(heading: str) -> dict[str, list[int]]:
    """The table of the page whose first column has this heading: its numbers, by row."""
    table = PAGE[PAGE.index(f"\n| {heading} |") :].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    return {row[0]: [int(re.sub(r"[,% ]", "", cell)) for cell in row[1:]] for row in rows}


def test_both_halves_are_as_the_page_and_the_header_of_the_rules_say(measure: Measure) -> None:
    rules = (ROOT / "rules" / "examples" / "x-education.yaml").read_text(encoding="utf-8")
    header = rules.split("score:")[0]
    page = told_rows("half")
    assert list(page) == ["first (written on)", "second (measured on)"]
    for (name, row), part in zip(page.items(), (FIRST, SECOND), strict=True):
        found = measure(*part)
        mqls, right, precision, recall = figures(found)
        assert row == [found["leads"], found["good"], mqls, right, precision, recall]
        line = re.search(rf"^# +{name.split()[0]} half +\(\w+ on\)(.*)$", header, re.MULTILINE)
        assert line is not None
        told = [int(number) for number in re.findall(r"\d+", line[1])]
        assert told == [mqls, precision, right, mqls, recall, right, found["good"]]


def test_the_figures_without_what_may_know_the_outcome_are_true(measure: Measure) -> None:
    barred = {
        "nothing": (),
        "the last activity": ("last_activity",),
        "the occupation": ("occupation",),
        "both": ("last_activity", "occupation"),
    }
    found = {
        name: figures(measure(*SECOND, *(word for field in fields for word in ("--bar", field))))
        for name, fields in barred.items()
    }
    assert told_rows("barred") == found


def test_the_figures_at_other_thresholds_are_true(measure: Measure) -> None:
    second = {one["score"]: figures(one) for one in measure(*SECOND)["thresholds"]}
    told = told_rows("threshold")
    assert list(told) == ["20", "30", "40", "50", "60"]
    assert told == {threshold: second[int(threshold)] for threshold in told}
    first = measure(*FIRST)["thresholds"]
    assert next(one["score"] for one in first if one["precision"]["hits"] >= 0.8 * one["mqls"]) == 40


def test_the_fast_track_alone_is_as_the_page_says(measure: Measure) -> None:
    told = re.search(r"has (\d+) leads of the second\s+half; (\d+) became\s+students", PAGE)
    assert told is not None
    fast = measure(*SECOND)["fast_track"]
    assert [int(number) for number in told.groups()] == [fast["mqls"], fast["right"]]


def test_the_page_shows_what_the_command_prints(shell: Shell, measure: Measure, tmp_path: Path) -> None:
    measure()
    printed = shell(
        "--config", str(tmp_path / "conf"), "backtest", str(LEADS), "--mapping",
        str(tmp_path / "conf" / "mappings" / "csv.yaml"), "--stage", "nurture", "--outcome", "Converted",
        *SECOND,
    ).out  # fmt: skip
    shown = PAGE.split("What conf makes of x-education.csv, leads 2306-\n")[1].split("  …")[0]
    assert shown in printed
    assert max(map(len, printed.splitlines())) <= 100
