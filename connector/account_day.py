"""Account day: the day over which a platform counts calls, from midnight to midnight in the account's own
time zone. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from connector.clock import SECOND_MS


def zone_of(time_zone: str) -> tzinfo | None:
    """The zone of an IANA name; None for one that this machine does not know."""
    try:
        return ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        return None


def day_start_ms(now_ms: int, zone: tzinfo) -> int:
    """The last midnight in the zone."""
    return _midnight_ms(now_ms, zone, 0)


def day_end_ms(now_ms: int, zone: tzinfo) -> int:
    """The next midnight in the zone."""
    return _midnight_ms(now_ms, zone, 1)


def _midnight_ms(now_ms: int, zone: tzinfo, days: int) -> int:
    today = datetime.fromtimestamp(now_ms / SECOND_MS, zone).date()
    # built from the calendar date, so that days of 23 and 25 hours come out right
    midnight = datetime.combine(today + timedelta(days=days), datetime.min.time(), zone)
    return int(midnight.timestamp() * SECOND_MS)
