"""When a deadline is due: spans of time, office hours, reminders, and who is away. Pure."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.moments import moment_ms
from connector.outputs import iso_datetime
from mappings.stages import Stage
from rules.deadline_document import read_reminder, read_span
from rules.deadlines import Absence, Deadline, moments_of
from rules.evaluate import Rules
from rules.office_hours import OfficeHours, open_ms_between
from tests.rules.example_lead import NOW_MS, blank_lead, lead, rules_of
from tests.rules.mistakes import GATE

WEEK = (((540, 1050),),) * 5 + ((), ())
BERLIN = OfficeHours("berlin", "Europe/Berlin", WEEK, frozenset({date(2026, 12, 25).toordinal()}))
SHORT_FRIDAY = OfficeHours("short", "UTC", (((540, 1020),),) * 4 + (((540, 780),),) + ((), ()))


def due(within: str, start: str, hours: OfficeHours | None = None, owner: Absence | None = None) -> str:
    deadline = Deadline("d", Stage.DISTRIBUTED, read_span(within), hours)
    return iso_datetime(moments_of(deadline, at(start), owner or Absence()).due_ms)


def at(text: str) -> int:
    found = moment_ms(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("within", "start", "when"),
    [
        ("90 minutes", "2026-12-11T16:00:00Z", "2026-12-11T17:30:00Z"),
        ("1 hour", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        ("3 days", "2026-12-11T16:00:00Z", "2026-12-14T16:00:00Z"),
    ],
)
def test_time_by_the_clock_runs_day_and_night(within: str, start: str, when: str) -> None:
    assert due(within, start) == when


@pytest.mark.parametrize(
    ("within", "start", "when"),
    [
        ("4 business hours", "2026-12-11T16:00:00Z", "2026-12-14T11:30:00Z"),  # Friday at 17:00 in Berlin
        ("4 business hours", "2026-12-12T10:00:00Z", "2026-12-14T12:00:00Z"),  # on a Saturday
        ("30 business minutes", "2026-12-11T16:00:00Z", "2026-12-11T16:30:00Z"),  # the office closes then
        ("1 business day", "2026-12-11T10:00:00Z", "2026-12-14T10:00:00Z"),
        ("1 business day", "2026-12-12T10:00:00Z", "2026-12-14T16:30:00Z"),  # all of Monday
        ("2 business days", "2026-12-24T10:00:00Z", "2026-12-29T10:00:00Z"),  # Friday is a holiday
        ("1 business hour", "2026-03-27T16:00:00Z", "2026-03-30T07:30:00Z"),  # the clocks go forward
        ("1 business hour", "2026-10-23T15:00:00Z", "2026-10-26T08:30:00Z"),  # and back
    ],
)
def test_business_time_counts_while_the_office_is_open(within: str, start: str, when: str) -> None:
    assert due(within, start, BERLIN) == when


def test_a_business_day_is_as_long_as_the_days_are_on_average() -> None:
    # (4 × 8 + 4) / 5 = 7.2 hours
    assert due("1 business day", "2026-12-07T09:00:00Z", SHORT_FRIDAY) == "2026-12-07T16:12:00Z"


def test_days_away_do_not_count_by_the_clock_nor_in_business_time() -> None:
    away = Absence(away=((date(2026, 12, 12).toordinal(), date(2026, 12, 14).toordinal()),))
    assert due("2 days", "2026-12-11T12:00:00Z", None, away) == "2026-12-16T12:00:00Z"
    assert due("4 business hours", "2026-12-11T16:00:00Z", BERLIN, away) == "2026-12-15T11:30:00Z"


def test_the_owners_own_hours_take_the_place_of_the_deadlines() -> None:
    new_york = OfficeHours("new_york", "America/New_York", WEEK)
    assert due("4 business hours", "2026-12-11T10:00:00Z", BERLIN) == "2026-12-11T14:00:00Z"
    assert (
        due("4 business hours", "2026-12-11T10:00:00Z", BERLIN, Absence(new_york)) == "2026-12-11T18:00:00Z"
    )
    assert due("4 hours", "2026-12-11T10:00:00Z", None, Absence(new_york)) == "2026-12-11T14:00:00Z"


def test_reminders_are_counted_back_in_their_own_time() -> None:
    deadline = Deadline(
        "d",
        Stage.DISTRIBUTED,
        read_span("4 business hours"),
        BERLIN,
        (read_reminder("30 minutes before"), read_reminder("3 business hours before")),
    )
    moments = moments_of(deadline, at("2026-12-11T15:30:00Z"))  # 16:30: an hour is left of the Friday
    assert [iso_datetime(each) for each in moments.reminders_ms] == [
        "2026-12-11T16:30:00Z",
        "2026-12-14T10:30:00Z",
    ]
    assert iso_datetime(moments.due_ms) == "2026-12-14T11:00:00Z"


@given(
    start=st.integers(at("2026-01-01T00:00:00Z"), at("2027-12-31T00:00:00Z")),
    minutes=st.integers(1, 5000),
    away=st.integers(0, 40),
)
def test_exactly_so_much_office_time_lies_before_it(start: int, minutes: int, away: int) -> None:
    first = date(2026, 6, 1).toordinal()
    absence = Absence(away=((first, first + away),))
    deadline = Deadline("d", Stage.DISTRIBUTED, read_span(f"{minutes} business minutes"), BERLIN)
    due_ms = moments_of(deadline, start, absence).due_ms
    hours = BERLIN.closed_on(absence.away)
    assert open_ms_between(hours, start, due_ms) == minutes * 60_000
    assert open_ms_between(hours, start, due_ms - 1) < minutes * 60_000


# which one applies --------------------------------------------------------------------------------------

RULES = (
    GATE
    + """
score: {fit: [{rule: big, when: employees > 100, points: 60}]}
deadlines:
  - {deadline: hot, stage: distributed, within: 1 hour, when: score >= 60}
  - {deadline: old, stage: distributed, within: 2 hours, when: days_in_stage() >= 3}
  - {deadline: other, stage: distributed, within: 3 hours}
  - {deadline: known, stage: accepted, within: 3 hours, when: not is_blank(phone)}
"""
)


def name_of(rules: Rules, stage: Stage, employees: int | None, days: int = 0) -> str | None:
    values = {"employees": employees}
    facts = blank_lead(values=values, stage=stage, stage_since_ms=NOW_MS - days * 86_400_000)
    found, _ = rules.deadline(facts, NOW_MS)
    return None if found is None else found.name


def test_of_a_stage_the_first_that_applies_counts() -> None:
    rules = rules_of(RULES)
    assert name_of(rules, Stage.DISTRIBUTED, 500) == "hot"
    assert name_of(rules, Stage.DISTRIBUTED, None) == "other"
    assert name_of(rules, Stage.DISTRIBUTED, 5, days=3) == "old"
    assert name_of(rules, Stage.ACCEPTED, 500) is None
    assert name_of(rules, Stage.MQL, 500) is None


def test_it_says_when_time_alone_brings_another_one() -> None:
    facts = lead(values={"employees": 5}, stage=Stage.DISTRIBUTED, stage_since_ms=NOW_MS - 86_400_000)
    found, change_ms = rules_of(RULES).deadline(facts, NOW_MS)
    assert found is not None
    assert (found.name, change_ms) == ("other", NOW_MS + 2 * 86_400_000)


@pytest.mark.parametrize("text", ["1 minute", "90 minutes", "4 business hours", "1 business day", "3 days"])
def test_a_span_is_written_as_it_is_read(text: str) -> None:
    assert str(read_span(text)) == text
