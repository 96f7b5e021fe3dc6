"""The shape of `hours` in a rules document: office hours by name, and what makes them usable.

Pydantic models of the YAML, and the checks that need nothing else. The names below are the keys that users
type.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field, model_validator

from mappings.problems import did_you_mean
from mappings.validation import Strict
from rules.office_hours import OfficeHours

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING_DAYS: Final[tuple[Day, ...]] = DAYS[:5]

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_YEARLY: Final = re.compile(r"[0-9]{2}-[0-9]{2}")
_LEAP_YEAR: Final = 2024
_LONGEST_AWAY_DAYS: Final = 3660


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError(f'"{text}" is no time of day; write it as "09:00", up to "24:00"')
    return text


def _a_date(text: str) -> str:
    read_date(text)
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones()) or 'write it as "Europe/Berlin"'
        raise ValueError(f'there is no time zone "{name}"; {hint}') from None
    return name


def _a_holiday(text: str) -> str:
    read_holiday(text)
    return text


Time = Annotated[str, AfterValidator(_time)]
Date = Annotated[str, AfterValidator(_a_date)]
Holiday = Annotated[str, AfterValidator(_a_holiday)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]


class Span(Strict):
    """From when to when an office is open, on which days."""

    days: list[Day] = Field(default_factory=lambda: list(WORKING_DAYS), min_length=1)
    from_: Annotated[Time, Field(alias="from")]
    to: Time

    @model_validator(mode="after")
    def _forwards(self) -> Span:
        _check_span(self.from_, self.to)
        return self


class Away(Strict):
    """Days on which somebody is away: the first and the last one, both included."""

    from_: Annotated[Date, Field(alias="from")]
    until: Date

    @model_validator(mode="after")
    def _forwards(self) -> Away:
        first, last = self.days
        if last < first:
            raise ValueError(f"until {self.until} is before from {self.from_}")
        if last - first > _LONGEST_AWAY_DAYS:
            raise ValueError("away for more than ten years; take the owner out of the pool")
        return self

    @property
    def days(self) -> tuple[int, int]:
        """The first and the last day, as `date.toordinal()` counts them."""
        return read_date(self.from_), read_date(self.until)


class Hours(Strict):
    """Office hours: one span on some days (`days`, `from`, `to`), or several under `open`."""

    time_zone: TimeZone
    days: Annotated[list[Day], Field(min_length=1)] | None = None
    from_: Annotated[Time | None, Field(alias="from")] = None
    to: Time | None = None
    open: Annotated[list[Span], Field(min_length=1)] | None = None
    holidays: list[Holiday] = Field(default_factory=list)

    @model_validator(mode="after")
    def _complete(self) -> Hours:
        if self.open is not None:
            for key, given in (("days", self.days), ("from", self.from_), ("to", self.to)):
                if given is not None:
                    raise ValueError(f"{key} stands beside open; write it into each span of open")
        elif self.from_ is None or self.to is None:
            raise ValueError('hours need from: and to:, or open: with several spans; such as from: "09:00"')
        else:
            _check_span(self.from_, self.to)
        for day, spans in zip(DAYS, self._week(), strict=True):
            for (_, ends), (begins, _) in pairwise(spans):
                if begins < ends:
                    raise ValueError(f"two spans of {day} overlap at {_written(begins)}")
        yearly = {text for text in self.holidays if _YEARLY.fullmatch(text)}
        if len(yearly - {"02-29"}) >= 365:
            raise ValueError("these hours are never open: every day is a holiday")
        return self

    def compiled(self, name: str) -> OfficeHours:
        """The same as plain data, ready to be asked."""
        read = [read_holiday(text) for text in self.holidays]
        return OfficeHours(
            name=name,
            time_zone=self.time_zone,
            week=self._week(),
            holidays=frozenset(day for day in read if isinstance(day, int)),
            every_year=frozenset(day for day in read if not isinstance(day, int)),
        )

    def _week(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        spans = [(span.days, span.from_, span.to) for span in self.open or ()]
        if self.from_ is not None and self.to is not None:
            spans.append((self.days or list(WORKING_DAYS), self.from_, self.to))
        return tuple(
            tuple(sorted((_minutes(begins), _minutes(ends)) for days, begins, ends in spans if day in days))
            for day in DAYS
        )


def read_date(text: str) -> int:
    """A day such as 2026-12-25, as `date.toordinal()` counts. Raises ValueError with what is wrong."""
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise ValueError(f'"{text}" is no date; write it as 2026-12-25') from None


def read_holiday(text: str) -> int | tuple[int, int]:
    """A single day (as `date.toordinal()` counts), or month and day of every year. Raises ValueError."""
    if _YEARLY.fullmatch(text):
        month, day = int(text[:2]), int(text[3:])
        try:
            date(_LEAP_YEAR, month, day)
        except ValueError:
            message = f'"{text}" is no day of the year; write month and day, such as 12-26'
            raise ValueError(message) from None
        return month, day
    try:
        return read_date(text)
    except ValueError:
        message = f'"{text}" is no holiday; write a date (2026-12-25), or month and day of every year (12-26)'
        raise ValueError(message) from None


def _check_span(begins: str, ends: str) -> None:
    if _minutes(ends) <= _minutes(begins):
        raise ValueError(
            f'to "{ends}" is not after from "{begins}"; for a night write two spans under open:, '
            'one to "24:00" and one from "00:00" on the day after'
        )


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _written(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
