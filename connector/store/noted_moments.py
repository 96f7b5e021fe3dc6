"""Noted moments: until when something is to wait, as it stands in the database. SQL conditions only.

A clock that was ahead for a while has noted moments that are far away once it is right again. What is further
away than anything waits has come, or nobody would go on until then.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

from connector.clock import HOUR_MS
from connector.pause import LONGEST_MS

LONGEST_LEASE_MS = 2 * HOUR_MS
"""No lease is longer: the longest is taken for a quarter of an hour."""


def has_come(at_ms: int, now_ms: int) -> bool:
    """Whether what was put off until then is due."""
    return not now_ms < at_ms <= now_ms + LONGEST_MS


def is_due(at_ms: ColumnElement[int], now_ms: int) -> ColumnElement[bool]:
    """The same of a column."""
    return or_(at_ms <= now_ms, is_too_far(at_ms, now_ms))


def is_too_far(at_ms: ColumnElement[int], now_ms: int) -> ColumnElement[bool]:
    """Whether nothing is put off until then."""
    return at_ms > now_ms + LONGEST_MS


def has_ended(until_ms: ColumnElement[int], now_ms: int) -> ColumnElement[bool]:
    """Whether a lease until then holds nobody up any more."""
    return or_(until_ms <= now_ms, until_ms > now_ms + LONGEST_LEASE_MS)
