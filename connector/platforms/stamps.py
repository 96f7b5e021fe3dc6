"""Stamps: the date-times of both platforms' JSON to epoch milliseconds and back.

Every changed record carries a stamp, so the fixed formats are read by position, with a bounded cache of
minutes; anything else goes through `datetime.fromisoformat`. No I/O. Must not guess: text without a zone is
an error, since neither platform sends any.
"""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTES: dict[str, int] = {}
_MOST_MINUTES = 4_096


def epoch_ms(text: str) -> int:
    """Milliseconds since the epoch of `2026-05-06T11:55:32.000+0000` (Salesforce REST: no colon in the
    offset, facts from recorded rows) or `2026-03-12T07:34:24.559Z` (HubSpot, Bulk API, CDC).

    Raises ValueError for anything that is not a date-time with a zone."""
    length = len(text)
    if (length == 24 and text[23] == "Z") or (length == 28 and text[23:] == "+0000"):
        minute = _MINUTES.get(text[:16])
        if minute is None:
            minute = _minute(text[:16])
        return minute + int(text[17:19]) * 1_000 + int(text[20:23])
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return round(moment.timestamp() * 1_000)


def _minute(text: str) -> int:
    if len(_MINUTES) >= _MOST_MINUTES:
        _MINUTES.clear()
    minute = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000
    _MINUTES[text] = minute
    return minute


def soql_literal(stamp_ms: int) -> str:
    """The SOQL date-time literal of the second that `stamp_ms` lies in: `2026-01-01T00:00:00Z`.

    Cut down to the second, because audit stamps have a resolution of one second (recorded rows)."""
    return datetime.fromtimestamp(stamp_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
