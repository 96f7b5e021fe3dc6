"""Share: so many of so many, with an interval that does not mislead on small numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

Z: Final = 1.959964
"""The 97.5th percentile of the normal distribution: intervals hold 19 times out of 20."""

FEW: Final = 10
"""Of fewer than this a share is not told: it could be almost anything."""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`. Both may be fractions, where cases count by weight."""

    part: float
    whole: float

    @property
    def is_known(self) -> bool:
        """Whether there are enough to say anything."""
        return self.whole >= FEW

    @property
    def ratio(self) -> float | None:
        """The share itself; None of nothing."""
        return self.part / self.whole if self.whole > 0 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval at 95 %; None of nothing. Unlike the textbook's it stays within 0 and 1, and
        does not shrink to a point where all or none are hits."""
        if self.whole <= 0:
            return None
        ratio, squared = self.part / self.whole, Z * Z / self.whole
        middle = ratio + squared / 2
        reach = Z * sqrt(ratio * (1 - ratio) / self.whole + squared / (4 * self.whole))
        return max(0.0, (middle - reach) / (1 + squared)), min(1.0, (middle + reach) / (1 + squared))

    def __str__(self) -> str:
        """74 % (72–77 %); of too few: 3 of 4."""
        if not self.is_known:
            return f"{self.part:.0f} of {self.whole:.0f}" if self.whole else "none"
        low, high = self.interval or (0.0, 1.0)
        return f"{100 * self.part / self.whole:.0f} % ({100 * low:.0f}–{100 * high:.0f} %)"

    def to_json(self) -> dict[str, Any]:
        """Part, whole, ratio and interval; `enough` False warns of small numbers."""
        interval = self.interval
        return {
            "part": _rounded(self.part),
            "of": _rounded(self.whole),
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "low": None if interval is None else round(interval[0], 4),
            "high": None if interval is None else round(interval[1], 4),
            "enough": self.is_known,
        }


def _rounded(number: float) -> float | int:
    return int(number) if float(number).is_integer() else round(number, 2)
