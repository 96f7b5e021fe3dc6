"""The days of a report: what may be asked for, and what is told where it may not."""

from __future__ import annotations

from datetime import date

import pytest

from connector.report.period import EPOCH, BadPeriod, Period, period_of

TODAY = (date(2027, 3, 31) - EPOCH).days


def days(since: str | None = None, until: str | None = None, last: str | None = None) -> tuple[str, str]:
    found = period_of(since, until, last, TODAY)
    return found.since.isoformat(), found.until.isoformat()


def test_without_a_word_it_is_the_last_ninety_days_with_today() -> None:
    assert days() == ("2027-01-01", "2027-03-31")


def test_the_days_before_are_as_many_and_end_right_before() -> None:
    period = period_of("2027-03-01", "2027-03-31", None, TODAY)

    assert (period.before.since.isoformat(), period.before.until.isoformat()) == ("2027-01-29", "2027-02-28")
    assert period.before.days == period.days == 31


@pytest.mark.parametrize(
    ("last", "since"),
    [("1d", "2027-03-31"), ("2w", "2027-03-18"), ("13 weeks", "2026-12-31"), ("1m", "2027-03-01"),
     ("6m", "2026-10-01"), ("13m", "2026-03-01")],
)  # fmt: skip
def test_a_length_of_time_ends_today(last: str, since: str) -> None:
    assert days(last=last) == (since, "2027-03-31")


def test_a_month_back_from_a_long_month_ends_in_the_short_one() -> None:
    assert days(last="1m", until="2027-03-31")[0] == "2027-03-01"
    assert days(last="1m", until="2027-02-28")[0] == "2027-01-29"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"since": "31.3.2027"}, r"--since: '31.3.2027' is no day: write it as 2027-03-31"),
        ({"since": "2027-02-30"}, "--since: '2027-02-30' is no day"),
        ({"until": "yesterday"}, "--until: 'yesterday' is no day"),
        ({"since": "1969-12-31"}, "before 1970"),
        ({"since": "2027-03-01", "until": "2027-02-01"}, "2027-03-01 is after 2027-02-01"),
        ({"since": "2027-04-01", "until": "2027-05-01"}, "2027-04-01 is in the future"),
        ({"last": "soon"}, "--last: 'soon' is no length of time: write 90d, 13w or 6m"),
        ({"last": "0d"}, "is no length of time"),
        ({"last": "-5d"}, "is no length of time"),
        ({"last": "9999m"}, "at most 100 years"),
        ({"last": "99999w"}, "at most 100 years"),
        ({"since": "2027-01-01", "last": "90d"}, "give one of them"),
    ],
)
def test_what_cannot_be_is_told_with_what_could(asked: dict[str, str], told: str) -> None:
    with pytest.raises(BadPeriod, match=told):
        days(**asked)


@pytest.mark.parametrize(("first", "last"), [("2027-01-01", "2027-03-31"), ("2025-01-15", "2027-03-31")])
def test_weeks_and_months_cover_every_day_once(first: str, last: str) -> None:
    period = period_of(first, last, None, TODAY)
    parts = list(period.parts())

    assert [part.first for part in parts] == [period.first, *(part.last + 1 for part in parts[:-1])]
    assert parts[-1].last == period.last
    assert all(part.since.weekday() == 0 or part.since.day == 1 for part in parts[1:])


def test_a_week_or_month_that_is_cut_is_known() -> None:
    weeks = Period((date(2027, 3, 1) - EPOCH).days, (date(2027, 3, 10) - EPOCH).days)
    months = Period((date(2026, 1, 1) - EPOCH).days, (date(2027, 2, 27) - EPOCH).days)

    assert [weeks.cuts(part) for part in weeks.parts()] == [False, True]
    assert [months.cuts(part) for part in months.parts()] == [False] * 13 + [True]
