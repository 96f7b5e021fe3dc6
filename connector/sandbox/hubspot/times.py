"""Moments as HubSpot spells them: ISO 8601 UTC with milliseconds, or epoch milliseconds as text. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

DAY_MS = 86_400_000
_FURTHEST_MS = 62_000_000_000_000  # near the year 3934: nothing later is a date anyone meant
_DIGITS = re.compile(r"-?\d{1,15}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@lru_cache(maxsize=4_096)
def _seconds_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def iso(moment_ms: int) -> str:
    """`2026-02-25T16:23:49.023Z`."""
    seconds, milliseconds = divmod(moment_ms, 1_000)
    return f"{_seconds_text(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=65_536)
def moment_of(text: str) -> int | None:
    """Epoch milliseconds of a datetime written either way, or of a date (its midnight); None if it is
    neither."""
    if _DIGITS.fullmatch(text):
        moment_ms = int(text)
        return moment_ms if abs(moment_ms) < _FURTHEST_MS else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000)


def day_of(text: str) -> str | None:
    """`2026-02-25` from a date, or from a datetime or epoch milliseconds at exactly midnight UTC; else None
    (hubspot.md section 4: dates are midnight UTC)."""
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            return None
    moment_ms = moment_of(text)
    if moment_ms is None or moment_ms % DAY_MS:
        return None
    return _seconds_text(moment_ms // 1_000)[:10]
