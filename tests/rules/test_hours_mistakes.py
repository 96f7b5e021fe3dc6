"""Mistakes in office hours and holidays: the exact message at the exact place."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

from calendar import monthrange
from datetime import date

import pytest

from tests.rules.example_lead import rules_of
from tests.rules.mistakes import GATE, mistakes

MISTAKES = [
    # hours
    (
        GATE + 'hours: {b: {time_zone: Europe/Berln, from: "09:00", to: "17:00"}}',
        '2:24: there is no time zone "Europe/Berln"; did you mean "Europe/Berlin"?',
    ),
    (
        GATE + 'hours: {b: {time_zone: "", from: "09:00", to: "17:00"}}',
        '2:24: there is no time zone ""; write it as "Europe/Berlin"',
    ),
    (
        GATE + 'hours: {b: {time_zone: UTC, days: [mon, tues], from: "09:00", to: "17:00"}}',
        '2:41: "tues" is not known here; did you mean "tue"?',
    ),
    (
        GATE + 'hours: {b: {time_zone: UTC, days: [], from: "09:00", to: "17:00"}}',
        "2:35: this must not be empty",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 9:00, to: 17:00}}",
        '2:35: "9:00" is no time of day; write it as "09:00", up to "24:00"',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 9, to: 17:00}}",
        "2:35: this must be a text, not the number 9; put it in quotes",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 22:00, to: 06:00}}",
        '2:12: to "06:00" is not after from "22:00"; for a night write two spans under open:, one to "24:00" and one from "00:00" on the day after',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00}}",
        '2:12: hours need from: and to:, or open: with several spans; such as from: "09:00"',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, to: 09:00, open: [{from: 09:00, to: 10:00}]}}",
        "2:12: to stands beside open; write it into each span of open",
    ),
    (
        GATE
        + "hours: {b: {time_zone: UTC, open: [{from: 09:00, to: 10:00}, {days: [fri], from: 09:59, to: 11:00}]}}",
        "2:12: two spans of fri overlap at 09:59",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, open: []}}",
        "2:35: this must not be empty",
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: [12-26, 26.12.]}}",
        '2:71: "26.12." is no holiday; write a date (2026-12-25), or month and day of every year (12-26)',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: [13-26]}}",
        '2:64: "13-26" is no day of the year; write month and day, such as 12-26',
    ),
    (
        GATE + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: [2026-02-29]}}",
        '2:64: "2026-02-29" is no holiday; write a date (2026-12-25), or month and day of every year (12-26)',
    ),
    (
        GATE
        + "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00, holidays: ["
        + ", ".join(
            f"{month:02}-{day:02}"
            for month in range(1, 13)
            for day in range(1, monthrange(2024, month)[1] + 1)
        )
        + "]}}",
        "2:12: these hours are never open: every day is a holiday",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[message[:50] for _, message in MISTAKES])
def test_the_message(text: str, message: str) -> None:
    assert mistakes(text) == [f"rules.yaml:{message}"]


def test_hours_of_one_name_in_two_files() -> None:
    hours = 'hours: {berlin: {time_zone: Europe/Berlin, from: "09:00", to: "17:00"}}'
    assert mistakes(GATE + hours, "\n" + hours) == [
        'more1.yaml:2:17: the name "berlin" of office hours is here twice (first in rules.yaml:2)'
    ]


def test_hours_become_spans_of_each_day() -> None:
    rules = rules_of(
        GATE
        + """
hours:
  berlin: {time_zone: Europe/Berlin, days: [mon, sat], from: "09:00", to: "24:00", holidays: [2026-12-25, 02-29]}
  lunch:
    time_zone: America/New_York
    open:
      - {days: [mon], from: "13:00", to: "17:00"}
      - {from: "08:00", to: "12:30"}
"""
    )
    berlin, lunch = rules.hours["berlin"], rules.hours["lunch"]
    assert berlin.week == (((540, 1440),), (), (), (), (), ((540, 1440),), ())
    assert berlin.holidays == {date(2026, 12, 25).toordinal()}
    assert berlin.every_year == {(2, 29)}
    assert lunch.week == (((480, 750), (780, 1020)), *[((480, 750),)] * 4, (), ())
