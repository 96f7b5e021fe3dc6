"""200 conditions over a lead, in the language of the rules, as plain Python by hand, in CEL and for rule-engine.

The rules of a company that sells in many countries to many titles: 200 fit rules of 1 to 8 points made from 8
kinds of condition, as people write them. Each kind is spelled four times, by hand; blanks are unknown in each.
"""

# ruff: noqa: E501  # one condition in four languages reads best side by side
from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mappings.stages import Stage
from mappings.values import Value
from rules.facts import Gate, LeadFacts, Verdict
from rules.fired import FiredRules

FIELDS = {
    "email": "email",
    "job_title": "text",
    "company": "text",
    "country": "country",
    "industry": "text",
    "employees": "number",
    "revenue": "money",
    "opted_out": "boolean",
}
THRESHOLD = 300
NOW_MS = 1_775_044_800_000
TITLES = ("vp", "director", "head", "chief", "founder", "owner", "partner", "manager", "lead", "engineer")
COUNTRIES = ("US", "CA", "GB", "DE", "FR", "AT", "CH", "NL", "BE", "DK", "SE", "NO", "FI", "IE", "AU", "NZ")
INDUSTRIES = ("Software", "Health", "Retail", "Banking", "Energy", "Travel", "Media", "Education")


@dataclass(frozen=True, slots=True)
class Spelled:
    """One condition in four languages. `python` uses the local variables of `by_hand`."""

    rules: str
    python: str
    cel: str
    rule_engine: str


def conditions(count: int) -> list[Spelled]:
    """The same conditions every time."""
    chance = random.Random(20260401)
    return [KINDS[number % len(KINDS)](chance) for number in range(count)]


def _larger(chance: random.Random) -> Spelled:
    size = chance.randrange(10, 5_000)
    text = f"employees >= {size}"
    return Spelled(
        text,
        f"employees is not None and {text}",
        f"employees != null && {text}",
        f"employees != null and {text}",
    )


def _between(chance: random.Random) -> Spelled:
    low = chance.randrange(10, 2_000)
    high = low + chance.randrange(50, 3_000)
    return Spelled(
        f"{low} <= employees < {high}",
        f"employees is not None and {low} <= employees < {high}",
        f"employees != null && employees >= {low} && employees < {high}",
        f"employees != null and employees >= {low} and employees < {high}",
    )


def _countries(chance: random.Random) -> Spelled:
    chosen = sorted(chance.sample(COUNTRIES, 5))
    upper = "[" + ", ".join(f'"{each}"' for each in chosen) + "]"
    lower = upper.lower()
    return Spelled(
        f"country in {upper}",
        f"country is not None and country in {{{lower[1:-1]}}}",
        f"country != null && country in {lower}",
        f"country != null and country in {lower}",
    )


def _titles(chance: random.Random) -> Spelled:
    one, two = (f'"{each}"' for each in chance.sample(TITLES, 2))
    return Spelled(
        f"contains(job_title, {one}) or contains(job_title, {two})",
        f"title is not None and ({one} in title or {two} in title)",
        f"job_title != null && (job_title.contains({one}) || job_title.contains({two}))",
        f"job_title != null and ({one} in job_title or {two} in job_title)",
    )


def _industry(chance: random.Random) -> Spelled:
    industry, size = chance.choice(INDUSTRIES), chance.randrange(1, 50) * 100_000
    lower = industry.lower()
    return Spelled(
        f'industry == "{industry}" and revenue >= {size}',
        f'industry == "{lower}" and revenue is not None and revenue >= {size}',
        f'industry == "{lower}" && revenue != null && revenue >= {size}',
        f'industry == "{lower}" and revenue != null and revenue >= {size}',
    )


def _known(chance: random.Random) -> Spelled:
    country = chance.choice(COUNTRIES)
    return Spelled(
        f'not is_blank(company) and country != "{country}"',
        f'company is not None and country is not None and country != "{country.lower()}"',
        f'company != null && country != null && country != "{country.lower()}"',
        f'company != null and country != null and country != "{country.lower()}"',
    )


def _address(chance: random.Random) -> Spelled:
    ending = chance.choice((".example", ".edu", ".org", ".de", ".fr", ".io")) + str(chance.randrange(3))
    return Spelled(
        f'ends_with(email, "{ending}") or starts_with(company, "{ending[1]}")',
        f'(email is not None and email.endswith("{ending}")) or '
        f'(company is not None and company.startswith("{ending[1]}"))',
        f'(email != null && email.endsWith("{ending}")) || (company != null && company.startsWith("{ending[1]}"))',
        f'(email != null and email.ends_with("{ending}")) or '
        f'(company != null and company.starts_with("{ending[1]}"))',
    )


def _wanted(chance: random.Random) -> Spelled:
    size, country = chance.randrange(1, 900), chance.choice(COUNTRIES)
    return Spelled(
        f'not opted_out and (employees > {size} or country == "{country}")',
        f'opted_out is False and ((employees is not None and employees > {size}) or country == "{country.lower()}")',
        f'opted_out == false && ((employees != null && employees > {size}) || country == "{country.lower()}")',
        f'opted_out == false and ((employees != null and employees > {size}) or country == "{country.lower()}")',
    )


KINDS: tuple[Callable[[random.Random], Spelled], ...] = (
    _larger,
    _between,
    _countries,
    _titles,
    _industry,
    _known,
    _address,
    _wanted,
)


def points_of(number: int) -> int:
    return number % 8 + 1


def rules_document(spelled: list[Spelled]) -> str:
    """The conditions as fit rules of a rules document."""
    rules = "".join(
        f"    - {{rule: rule {number}, points: {points_of(number)}, when: '{each.rules}'}}\n"
        for number, each in enumerate(spelled)
    )
    return f"score:\n  fit:\n{rules}gates:\n  mql: {{fit: {THRESHOLD}}}\n"


def by_hand(spelled: list[Spelled]) -> Callable[[LeadFacts], Verdict]:
    """What a Python programmer would write for these rules alone: the same verdict, at the least cost."""
    lines = [
        "def judge(facts):",
        "    values = facts.values",
        "    employees, revenue = values.get('employees'), values.get('revenue')",
        "    opted_out = values.get('opted_out')",
        "    email, title = values.get('email'), values.get('job_title')",
        "    company, country = values.get('company'), values.get('country')",
        "    industry = values.get('industry')",
        *(
            f"    if {name}: {name} = {name}.casefold()"
            for name in ("email", "title", "company", "country", "industry")
        ),
        "    fit = 0",
        "    fired = []",
    ]
    for number, each in enumerate(spelled):
        saw = tuple(name for name in FIELDS if re.search(rf"\b{name}\b", each.rules))
        lines += [
            f"    if {each.python}:",
            f"        fit += {points_of(number)}",
            f"        fired.append(('rule {number}', 'fit', {points_of(number)}, {saw}))",
        ]
    lines += [
        f"    short = {THRESHOLD} - fit",
        "    gates = {",
        "        'qualification': PASSED,",
        "        'nurture': PASSED,",
        "        'mql': Gate(False, (f'{short} more fit point' + ('s' if short > 1 else ''),))",
        "        if short > 0 else PASSED,",
        "    }",
        "    return Verdict(fit, 0, fit, FiredRules(fired, values), gates, None, None, None, None)",
    ]
    names: dict[str, Any] = {"Verdict": Verdict, "FiredRules": FiredRules, "Gate": Gate, "PASSED": Gate(True)}
    exec("\n".join(lines), names)  # text of our own
    judge: Callable[[LeadFacts], Verdict] = names["judge"]
    return judge


def leads(count: int) -> list[LeadFacts]:
    """Leads with blanks here and there, the same every time."""
    chance = random.Random(7)
    return [_lead(chance, number) for number in range(count)]


def _lead(chance: random.Random, number: int) -> LeadFacts:
    made: dict[str, Value] = {
        "email": f"ana{number}@company{number % 977}.{chance.choice(('example', 'edu', 'org', 'de'))}{number % 3}",
        "job_title": f"{chance.choice(TITLES)} of {chance.choice(('Sales', 'IT', 'Marketing'))}".title(),
        "company": f"{chance.choice('EODFI')}xample {number % 977}",
        "country": chance.choice(COUNTRIES),
        "industry": chance.choice(INDUSTRIES),
        "employees": chance.randrange(1, 6_000),
        "revenue": chance.randrange(0, 60) * 100_000,
        "opted_out": chance.random() < 0.1,
    }
    values = {name: value if chance.random() > 0.1 else None for name, value in made.items()}
    return LeadFacts(values, Stage.NURTURE, 1, NOW_MS - 10**9, NOW_MS - 10**9)


def folded(facts: LeadFacts) -> dict[str, Value]:
    """The values as the other languages need them: theirs compare with regard to case."""
    return {
        name: value.casefold() if isinstance(value, str) else value
        for name, value in ((name, facts.values.get(name)) for name in FIELDS)
    }
