"""Spans: lengths of time in buckets that can be added up, and the percentiles read from them. Pure.

A bucket is a tenth wider than the one before, and stands for the middle of it (the geometric mean), so that
what is read is at most 5 % off. Below a second everything is one bucket. Buckets of many days, workers and
owners are added; a list of exact values could not be kept in bounded space.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from connector.clock import SECOND_MS

WIDTH: Final = 1.1
"""How many times as long the end of a bucket is as its beginning."""

ERROR: Final = math.sqrt(WIDTH) - 1
"""The most that a percentile is off, as a share of it: 4.9 %."""

_LOG: Final = math.log(WIDTH)


def bucket_of(span_ms: int) -> int:
    """The bucket of a length of time; 0 for less than a second, and for a time that runs backwards."""
    if span_ms < SECOND_MS:
        return 0
    return 1 + math.floor(math.log(span_ms / SECOND_MS) / _LOG)


def middle_ms(bucket: int) -> int:
    """The length of time that a bucket stands for."""
    return 0 if bucket == 0 else round(SECOND_MS * WIDTH ** (bucket - 0.5))


def percentile_ms(buckets: Mapping[int, int], share: float) -> int | None:
    """The smallest length of time that at least this share (0 to 1) of them do not exceed; None without any.
    At most ERROR off."""
    total = sum(buckets.values())
    if total <= 0:
        return None
    wanted = max(1, math.ceil(share * total))
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return middle_ms(bucket)
    return middle_ms(max(buckets))
