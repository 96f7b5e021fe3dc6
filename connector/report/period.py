"""Period: the days that a report is about, those before to compare with, and its weeks or months. Pure.

Days are those of UTC, as the counters are kept; both ends are included.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

EPOCH: Final = date(1970, 1, 1)
DEFAULT_LAST: Final = "90d"
_WEEKS_UP_TO_DAYS: Final = 200
_LONGEST_DAYS: Final = 36_525

_LAST: Final = re.compile(r"(\d{1,5}) ?(d|w|m|days?|weeks?|months?)")


class BadPeriod(ValueError):
    """The days that were asked for are none. `str()` says why, and what would be right."""


class Period(NamedTuple):
    """Days since 1970, the first and the last one included."""

    first: int
    last: int

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    @property
    def since(self) -> date:
        return EPOCH + timedelta(self.first)

    @property
    def until(self) -> date:
        return EPOCH + timedelta(self.last)

    @property
    def before(self) -> Period:
        """As many days, right before."""
        return Period(self.first - self.days, self.first - 1)

    def parts(self) -> Iterator[Period]:
        """Its weeks (from Monday), or its months when it is long; the first and the last may be cut."""
        first = self.first
        while first <= self.last:
            last = min(self.last, self._end_of_part(first))
            yield Period(first, last)
            first = last + 1

    def cuts(self, part: Period) -> bool:
        """Whether one of `parts` is less than a whole week or month."""
        if self.unit == "week":
            return part.days < 7
        return part.since.day != 1 or (part.until + timedelta(1)).day != 1

    @property
    def unit(self) -> str:
        """What `parts` are: week or month."""
        return "week" if self.days <= _WEEKS_UP_TO_DAYS else "month"

    def _end_of_part(self, day: int) -> int:
        at = EPOCH + timedelta(day)
        if self.unit == "week":
            return day + 6 - at.weekday()
        return (_months_on(at.replace(day=1), 1) - EPOCH).days - 1


def period_of(since: str | None, until: str | None, last: str | None, today: int) -> Period:
    """The period that was asked for: from `since` up to `until` (2027-03-31; today without), or the `last`
    90d, 13w or 6m. Raises BadPeriod."""
    if last is not None and since is not None:
        raise BadPeriod("--last and --since both say where the period begins: give one of them.")
    end = today if until is None else _day(until, "--until")
    begin = _back(last or DEFAULT_LAST, end) if since is None else _day(since, "--since")
    if begin > end:
        given = f"{EPOCH + timedelta(begin)} is after {EPOCH + timedelta(end)}"
        raise BadPeriod(f"The period ends before it begins: {given}.")
    if begin > today:
        raise BadPeriod(f"{EPOCH + timedelta(begin)} is in the future: nothing has happened there yet.")
    if end - begin >= _LONGEST_DAYS:
        raise BadPeriod("A period is at most 100 years.")
    return Period(begin, end)


def _day(text: str, option: str) -> int:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
            raise ValueError
        found = (date.fromisoformat(text.strip()) - EPOCH).days
    except ValueError:
        raise BadPeriod(f"{option}: {text!r} is no day: write it as 2027-03-31.") from None
    if found < 0:
        raise BadPeriod(f"{option}: {text!r} is before 1970.")
    return found


def _back(text: str, end: int) -> int:
    found = _LAST.fullmatch(text.strip().lower())
    number = int(found[1]) if found else 0
    if found is None or number == 0:
        raise BadPeriod(f"--last: {text!r} is no length of time: write 90d, 13w or 6m (days, weeks, months).")
    unit = {"d": 1, "w": 7, "m": 30}[found[2][0]]
    if number * unit > _LONGEST_DAYS:
        raise BadPeriod("A period is at most 100 years.")
    if unit == 30:
        return max(0, (_months_on(EPOCH + timedelta(end), -number) - EPOCH).days + 1)
    return max(0, end - number * unit + 1)


def _months_on(at: date, months: int) -> date:
    """The same day so many months later, or the last one of that month."""
    year, month = divmod(max(12, at.year * 12 + at.month - 1 + months), 12)
    return date(year, month + 1, min(at.day, monthrange(year, month + 1)[1]))
