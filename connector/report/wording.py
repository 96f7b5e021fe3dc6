"""Wording: figures as people read them: shares with their interval, lengths of time, numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS

REASONS: Final[Mapping[str, str]] = {
    "bad_data": "bad data",
    "not_a_fit": "not a fit",
    "already_customer": "already a customer",
    "no_budget": "no budget",
    "no_authority": "no authority",
    "no_need": "no need",
    "wrong_territory": "wrong territory",
}

PARTS: Final[Mapping[str, str]] = {
    "gate": "gate",
    "fast_track": "fast track",
    "hand": "by hand",
    "fit": "fit",
    "engagement": "engagement",
}


def percent(share: float) -> str:
    """A share in whole percent; nothing that is there is 0 % and nothing that is missing 100 %."""
    number = round(share * 100)
    if number == 0 and share > 0:
        return "under 1 %"
    return "over 99 %" if number == 100 and share < 1 else f"{number} %"


def share_of(share: Mapping[str, Any]) -> str:
    """62 % (56–68 %) of 210; or 3 of 5, too few to say."""
    if not share["of"]:
        return "none yet"
    if share["too_few"]:
        return f"{share['hits']} of {share['of']}, too few to say"
    return f"{percent(share['share'])} ({interval(share)}) of {share['of']:,}"


def short_share(share: Mapping[str, Any]) -> str:
    """The same for a narrow column, without the number behind it."""
    if not share["of"]:
        return "—"
    if share["too_few"]:
        return f"{share['hits']} of {share['of']}"
    if share["hits"] == share["of"] and round(share["low"] * 100) == 100:
        return "100 %"
    return f"{percent(share['share'])} ({interval(share)})"


def interval(share: Mapping[str, Any]) -> str:
    """56–68 %."""
    return f"{round(share['low'] * 100)}–{round(share['high'] * 100)} %"


def length(milliseconds: int | None) -> str:
    """A length of time in two figures at most, as far as it is known: 26 min, 3.4 h, 12 days."""
    if milliseconds is None:
        return "—"
    if milliseconds < MINUTE_MS:
        return "under 1 min"
    for size, name in ((DAY_MS, "days"), (HOUR_MS, "h"), (MINUTE_MS, "min")):
        if milliseconds >= size * (1 if name != "days" else 2):
            number = milliseconds / size
            told = f"{number:.0f}" if number >= 9.95 else f"{number:.1f}".removesuffix(".0")
            return f"{told} {name}" if name != "min" else f"{number:.0f} min"
    return f"{milliseconds / MINUTE_MS:.0f} min"


def ratio(number: float | None) -> str:
    """MQLs for each SAL: 1.6 : 1."""
    return "—" if number is None else f"{number:.2f} : 1" if number < 10 else f"{number:.0f} : 1"


def reason(name: str) -> str:
    """A rejection reason in words."""
    return REASONS.get(name, name) or "(none)"


def change(now: int, before: int) -> str:
    """How a number differs from the one before: +12, −3, ±0."""
    by = now - before
    return "±0" if by == 0 else f"+{by:,}" if by > 0 else f"−{-by:,}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """1 lead, 2,000 leads."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
