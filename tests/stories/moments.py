"""Moments: how a story writes days, times of day and spans of time, in its own time zone. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOMENT = re.compile(r"(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(\d{4}-\d\d-\d\d) (\d\d:\d\d)", re.ASCII)
_SPAN = re.compile(r"([1-9]\d{0,5}) (minute|hour|day|week)s?", re.ASCII)
_UNITS_MS = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS}


def is_moment(text: str) -> bool:
    """Whether the text has the form of a moment."""
    return _MOMENT.fullmatch(text) is not None


def moment_ms(text: str, zone: ZoneInfo) -> int:
    """Epoch milliseconds of `Mon 2027-01-04 09:00` in this zone; the weekday may be left out. Raises
    ValueError with a sentence for anything else, and for a weekday that the date is not."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no moment; write it like this: Mon 2027-01-04 09:00')
    try:
        moment = datetime.fromisoformat(f"{found[2]}T{found[3]}").replace(tzinfo=zone)
    except ValueError:
        raise ValueError(f'there is no such day or time as "{text}"') from None
    weekday = WEEKDAYS[moment.weekday()]
    if found[1] is not None and found[1] != weekday:
        raise ValueError(f"{found[2]} is a {weekday}, not a {found[1]}")
    return round(moment.timestamp() * 1_000)


def span_ms(text: str) -> int:
    """Milliseconds of `90 minutes`, `1 hour`, `30 days`, `2 weeks`. Raises ValueError with a sentence."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no span of time; write it like this: 30 minutes, 2 hours, 90 days')
    return int(found[1]) * _UNITS_MS[found[2]]


def told(moment: int, zone: ZoneInfo) -> str:
    """A moment (epoch milliseconds) as a story writes it, to the minute."""
    local = datetime.fromtimestamp(moment // 1_000, UTC).astimezone(zone)
    return f"{WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"
