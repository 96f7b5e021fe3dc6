"""Retry-After: how long an answer asks to be left alone, in seconds or as a date (RFC 9110, 10.2.3)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from connector.clock import SECOND_MS

LONGEST_SECONDS = 86_400.0
"""The longest that a platform documents (HubSpot's 477); what goes beyond is somebody's mistake."""


def retry_after_seconds(header: str | None, now_ms: int) -> float | None:
    """What the header says; None where there is none, or none that can be read."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now_ms / SECOND_MS
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_SECONDS)
