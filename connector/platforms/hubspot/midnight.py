"""Midnight: when HubSpot's daily calls begin anew, which is midnight in the account's own time zone. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo


def seconds_to_midnight(now_ms: int, time_zone: str) -> float:
    """Seconds from `now_ms` to the next midnight in `time_zone` (an IANA name; UTC when it is not known)."""
    zone: tzinfo
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        zone = UTC
    now = datetime.fromtimestamp(now_ms / 1_000, zone)
    # built from the calendar date, so that days of 23 and 25 hours come out right
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), zone)
    return midnight.timestamp() - now_ms / 1_000
