"""Confidence: shares with the interval that they can be trusted in, also where there are few. Pure.

Wilson's interval for a share, Newcombe's for the difference of two; both keep within 0 and 1 and say what a
handful of cases is worth. https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

TOO_FEW: Final = 10
"""Below so many cases no share is told: its interval would span most of what is possible."""

_Z: Final = 1.959964  # 95 % of a normal distribution


class Share(NamedTuple):
    """So many of so many, and the 95 % interval of the share behind it."""

    hits: float
    of: float
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None without any case."""
        return self.hits / self.of if self.of else None

    @property
    def too_few(self) -> bool:
        return self.of < TOO_FEW

    def to_json(self) -> dict[str, Any]:
        """As plain data, rounded to what the reader can use; no share where there are too few."""
        share = self.share
        return {
            "hits": self.hits,
            "of": self.of,
            "share": None if self.too_few or share is None else round(share, 3),
            "low": round(self.low, 3),
            "high": round(self.high, 3),
            "too_few": self.too_few,
        }


def wilson(hits: float, of: float) -> Share:
    """The share of `hits` in `of` cases (which may count by weight) with Wilson's 95 % interval; without a
    case it is 0 to 1."""
    if of <= 0:
        return Share(0, 0, 0.0, 1.0)
    share, square = hits / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    # where none or all are hits, rounding must not push the share out of its interval
    return Share(hits, of, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def difference(now: Share, before: Share) -> tuple[float, float]:
    """The 95 % interval of how much larger the first share is than the second, after Newcombe. It holds 0
    where chance alone explains the difference. Without a case on either side it is -1 to 1."""
    one, other = now.share, before.share
    if one is None or other is None:
        return -1.0, 1.0
    by = one - other
    low = by - math.hypot(one - now.low, before.high - other)
    high = by + math.hypot(now.high - one, other - before.low)
    return low, high


def compare(part: Share, base: Share) -> str:
    """How a part does against the whole: `above` or `below` where its whole interval is, `like the rest`
    where it is not, `too few` where nothing can be said."""
    if part.too_few or base.too_few or base.share is None:
        return "too few"
    if part.low > base.share:
        return "above"
    return "below" if part.high < base.share else "like the rest"


def number_changed(now: int, before: int) -> bool:
    """Whether a number of events differs from another by more than chance does (95 %)."""
    return now + before > 0 and abs(now - before) > _Z * math.sqrt(now + before)
