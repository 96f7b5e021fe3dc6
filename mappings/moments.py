"""Moments: dates and datetimes in all the spellings of the platforms, into one. Pure.

Salesforce says `2023-05-03T10:34:07.000+0000`, its bulk and event APIs end in `Z`, HubSpot says
`2026-02-25T16:23:49.023Z` or epoch milliseconds as a text, and dates as midnight UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from mappings.values import Raw, Unreadable, Value

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-]00:?00)", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,17}", re.ASCII)
_COMPACT_DATE = re.compile(r"(?:19|20)\d{6}", re.ASCII)


def normal_datetime(raw: Raw | Value) -> str | None:
    """'YYYY-MM-DDTHH:MM:SSZ', fractions of a second cut off. Without an offset it is UTC; a date alone is its
    midnight. Numbers are epoch milliseconds. Raises Unreadable."""
    if raw is None:
        return None
    if isinstance(raw, str):
        return _datetime(raw)
    return _text(_from_number(raw))


def normal_date(raw: Raw | Value) -> str | None:
    """'YYYY-MM-DD'; of a datetime, its date in UTC. Raises Unreadable."""
    if raw is None:
        return None
    if isinstance(raw, str):
        return _date(raw)
    return _from_number(raw).date().isoformat()


def ms_from_datetime(text: str) -> int:
    """Epoch milliseconds of a canonical datetime or date. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=8192)
def _datetime(text: str) -> str | None:
    text = text.strip()
    utc = _UTC.fullmatch(text)
    if utc is None:
        moment = _parsed(text)
        return None if moment is None else _text(moment)
    try:
        datetime.fromisoformat(utc[1])
    except ValueError:
        raise Unreadable(f'"{text[:40]}" is no date with time') from None
    return f"{utc[1]}Z"


@lru_cache(maxsize=8192)
def _date(text: str) -> str | None:
    text = text.strip()
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        if _COMPACT_DATE.fullmatch(text):
            # as milliseconds this would be the first hours of 1970, which nobody means
            return date.fromisoformat(text).isoformat()
    except ValueError:
        if not _MILLISECONDS.fullmatch(text):
            raise Unreadable(f'"{text[:40]}" is no date (dates are written 2026-12-31)') from None
    moment = _parsed(text)
    return None if moment is None else moment.date().isoformat()


def _parsed(text: str) -> datetime | None:
    """A moment in UTC from ISO 8601 or epoch milliseconds; None for blank."""
    if not text:
        return None
    try:
        if _COMPACT_DATE.fullmatch(text):
            moment = datetime.fromisoformat(text)
        elif _MILLISECONDS.fullmatch(text):
            moment = _EPOCH + timedelta(milliseconds=int(text))
        else:
            moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f'"{text[:40]}" is no date (dates are written 2026-12-31)') from None


def _from_number(raw: Raw | Value) -> datetime:
    """Epoch milliseconds."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            return _EPOCH + timedelta(milliseconds=int(raw))
        except (ValueError, OverflowError):
            pass  # told below, with everything else that is no date
    raise Unreadable(f"{raw!r} is no date".replace("True", "true").replace("False", "false"))


def _text(moment: datetime) -> str:
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
