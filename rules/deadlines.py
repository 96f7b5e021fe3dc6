"""Deadlines: by when somebody must act on a lead, in time that counts for whoever has it.

Pure: moments are epoch milliseconds, and arguments. Time in which the office is closed, or the owner away,
does not count; so a deadline is one moment, computed when it begins, and nothing ticks meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from mappings.stages import Stage
from rules.fuse import Choose
from rules.office_hours import MINUTE_MS, OfficeHours, add_open_time, around_the_clock

Unit = Literal["minute", "hour", "day", "business minute", "business hour", "business day"]
Breach = Literal["mark", "reroute", "escalate", "nurture"]

_MINUTES: Final = {"minute": 1, "hour": 60, "day": 1440}


@dataclass(frozen=True, slots=True)
class Span:
    """So many of a unit of time."""

    amount: int
    unit: Unit

    @property
    def business(self) -> bool:
        """Whether only time counts in which the office is open."""
        return self.unit.startswith("business ")

    def minutes(self, hours: OfficeHours | None) -> float:
        """How many minutes it is. A business day is as long as the office is open on one of its days, on
        the average of a week."""
        if self.unit == "business day" and hours is not None:
            opened = [sum(ends - begins for begins, ends in spans) for spans in hours.week if spans]
            return self.amount * sum(opened) / len(opened)
        return self.amount * _MINUTES[self.unit.rpartition(" ")[2]]

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Absence:
    """When somebody is not there: office hours of their own, if any, and days (in `time_zone`) on which they
    are away, in ranges of first and last day as `date.toordinal()` counts them."""

    hours: OfficeHours | None = None
    away: tuple[tuple[int, int], ...] = ()
    time_zone: str = "UTC"


ALWAYS_THERE: Final = Absence()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline as compiled. `hours` are set when it is in business time. `reminders` are how long before it
    somebody is reminded. On a breach the lead is only marked, routed again, given to `to`, or sent to nurture
    for `reason`."""

    name: str
    stage: Stage
    within: Span
    hours: OfficeHours | None = None
    reminders: tuple[Span, ...] = ()
    on_breach: Breach = "mark"
    to: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Moments:
    """When a deadline that began at some moment is due, and when its reminders are, the first one first."""

    due_ms: int
    reminders_ms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StageDeadlines:
    """The deadlines of one stage, and what finds the first that applies."""

    deadlines: tuple[Deadline, ...]
    choose: Choose = field(repr=False, compare=False)


Deadlines = Mapping[Stage, StageDeadlines]


def moments_of(deadline: Deadline, start_ms: int, owner: Absence = ALWAYS_THERE) -> Moments:
    """When a deadline is due that begins to count at `start_ms` for this owner. The owner's own office hours
    take the place of the deadline's. Raises NeverOpen."""
    hours = _counted(deadline, owner)
    minutes = deadline.within.minutes(hours)
    due_ms = _after(hours, start_ms, minutes)
    reminders: list[int] = []
    for reminder in deadline.reminders:
        if reminder.business == deadline.within.business:
            at_ms = _after(hours, start_ms, minutes - reminder.minutes(hours))
        else:
            at_ms = due_ms - round(reminder.minutes(None) * MINUTE_MS)
        if at_ms > start_ms:  # an office day of one's own may be shorter than the reminder
            reminders.append(at_ms)
    return Moments(due_ms, tuple(sorted(reminders)))


def _counted(deadline: Deadline, owner: Absence) -> OfficeHours | None:
    """The hours in which time counts; None when all of it does."""
    if deadline.within.business:
        hours = owner.hours or deadline.hours
        return None if hours is None else _without(hours, owner.away)
    if not owner.away:
        return None
    return _without(around_the_clock(owner.time_zone), owner.away)


def _without(hours: OfficeHours, away: Sequence[tuple[int, int]]) -> OfficeHours:
    return hours.closed_on(away) if away else hours


def _after(hours: OfficeHours | None, start_ms: int, minutes: float) -> int:
    if hours is None:
        return start_ms + round(minutes * MINUTE_MS)
    return add_open_time(hours, start_ms, minutes)
