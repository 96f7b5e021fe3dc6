"""Crowd: the made-up people of a recorded year, and what each of them will do, at random from a seed.

Whether somebody is worth a salesperson's time (`wants`) is hidden: no field tells it. It shows in what they
do and in what sales says, so that rules can be better or worse. Pure; no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS

Act = Literal["form", "visit", "click"]

FIRST = ("Ada", "Ben", "Chloe", "Dmitri", "Elif", "Femi", "Grace", "Hiro", "Ines", "Jon", "Kofi", "Lucia")
LAST = ("Adler", "Bauer", "Costa", "Diaz", "Eriksen", "Fischer", "Garcia", "Haas", "Ivanov", "Jansen", "Kim")
SOURCES = ("ORGANIC_SEARCH", "PAID_SEARCH", "REFERRALS", "DIRECT_TRAFFIC", "SOCIAL_MEDIA")
COUNTRIES = ("Germany", "France", "United States", "United Kingdom", "Netherlands")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of people: how many in a hundred, their titles, the revenue of their companies in millions, how
    many of them want to buy, how much they do, and why sales rejects those who do not want to."""

    share: int
    titles: tuple[str, ...]
    revenue_millions: tuple[float, float]
    wanting: float
    busy: float
    reasons: tuple[str, ...]
    private_mail: float = 0.1


KINDS: Final = (
    Kind(22, ("VP Operations", "Director of Purchasing", "Head of IT"), (15, 200), 0.6, 1.0,
         ("timing", "no_need", "unreachable")),
    Kind(20, ("Operations Manager", "IT Manager", "Office Manager"), (2, 60), 0.4, 1.0,
         ("timing", "no_budget", "no_need")),
    Kind(18, ("Owner", "Founder"), (0.3, 4), 0.6, 0.9, ("no_budget", "timing")),
    Kind(14, ("Engineer", "Analyst", "Buyer"), (5, 100), 0.15, 0.9, ("no_need", "not_a_fit")),
    Kind(16, ("Student", "PhD Student"), (30, 90), 0.02, 1.9, ("not_a_fit", "no_budget"), 0.6),
    Kind(10, ("Consultant", "Senior Consultant"), (20, 60), 0.05, 1.6, ("not_a_fit", "no_need")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doing:
    """Something that a person does, so long after the beginning of the year. `detail`: which form."""

    after_ms: int
    act: Act
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Soul:
    """One person of the crowd. `wants` is what nobody knows; `reasons` are those of sales for a no; `lost`
    whether they buy elsewhere in the end; the first of the `doings` is the form that makes them known."""

    number: int
    email: str
    first_name: str
    last_name: str
    title: str
    company: str
    revenue: int
    country: str
    source: str
    wants: bool
    lost: bool
    reasons: tuple[str, ...]
    doings: tuple[Doing, ...]


def crowd(size: int, seed: int, days: int) -> list[Soul]:
    """`size` people who turn up within `days`, the same ones for the same seed."""
    chance = Random(seed)  # noqa: S311  # made-up people, no secret
    kinds = chance.choices(KINDS, [kind.share for kind in KINDS], k=size)
    return [_soul(number, kind, chance, days) for number, kind in enumerate(kinds, start=1)]


def _soul(number: int, kind: Kind, chance: Random, days: int) -> Soul:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    company = f"{last} {chance.choice(('Works', 'Group', 'Labs', 'Trading'))} {number}"
    host = "gmail.com" if chance.random() < kind.private_mail else f"company-{number}.example"
    if chance.random() < 0.01:
        host = "rival.example"
    wants = chance.random() < kind.wanting
    return Soul(
        number=number,
        email=f"{first}.{last}.{number}@{host}".lower(),
        first_name=first,
        last_name=last,
        title=chance.choice(kind.titles),
        company=company,
        revenue=int(chance.uniform(*kind.revenue_millions) * 1_000_000),
        country=chance.choice(COUNTRIES),
        source=chance.choice(SOURCES),
        wants=wants,
        lost=chance.random() < 0.45,
        reasons=tuple(chance.choice(kind.reasons) for _ in range(6)),
        doings=tuple(_doings(kind, chance, days, wants=wants)),
    )


def _doings(kind: Kind, chance: Random, days: int, *, wants: bool) -> list[Doing]:
    """A beginning, some weeks of interest, and perhaps a second wave of it months later."""
    begins_ms = _moment(chance, chance.uniform(0, days - 10))
    found = [Doing(begins_ms, "form", _form(chance, wants=wants))]
    found += _wave(kind, chance, begins_ms, wants=wants)
    if chance.random() < 0.3:
        found += _wave(kind, chance, begins_ms + chance.randint(60, 180) * DAY_MS, wants=wants)
    last_ms = days * DAY_MS
    return sorted((each for each in found if each.after_ms < last_ms), key=lambda each: each.after_ms)


def _wave(kind: Kind, chance: Random, begins_ms: int, *, wants: bool) -> list[Doing]:
    found: list[Doing] = []
    many = kind.busy * (1.3 if wants else 0.8)
    for act, mean in (("form", 0.9), ("visit", 2.2), ("click", 1.1)):
        for _ in range(_number(chance, mean * many)):
            at_ms = begins_ms + _moment(chance, chance.expovariate(1 / 9))
            detail = _form(chance, wants=wants) if act == "form" else None
            found.append(Doing(at_ms, act, detail))  # type: ignore[arg-type]  # the names of the table above
    return found


def _form(chance: Random, *, wants: bool) -> str:
    weights = (3, 2, 4, 1.2) if wants else (5, 4, 0.7, 0.1)
    return chance.choices(("Newsletter", "White paper", "Pricing", "Book a demo"), weights)[0]


def _number(chance: Random, mean: float) -> int:
    """A whole number around the mean."""
    whole = int(chance.expovariate(1 / mean) + 0.5)
    return min(whole, 12)


def _moment(chance: Random, days: float) -> int:
    """A time of the day that many days on, in office hours."""
    return int(days) * DAY_MS + chance.randint(7, 18) * HOUR_MS + chance.randint(0, 59) * MINUTE_MS
