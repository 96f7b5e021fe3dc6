"""Countries and states into codes, and back into the names and codes that platforms hold. Pure.

A country that nobody knows is unreadable. A state is a free text in most of the world, so only those
countries' states become codes where everybody writes the code; elsewhere the text stays.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import Final

from mappings.country_names import ALIASES, ENGLISH
from mappings.plain_text import normal_text
from mappings.values import NoSpelling, Raw, Unreadable, Value

CODED_STATES: Final = frozenset({"AU", "BR", "CA", "US"})
"""Countries whose states are written as codes in addresses."""


def normal_country(raw: Raw | Value) -> str | None:
    """ISO 3166-1 alpha-2 of a code (2 or 3 letters) or a name. Raises Unreadable."""
    text = normal_text(raw)
    if text is None:
        return None
    code = _country(text)
    if code is None:
        raise Unreadable(f'"{text[:60]}" is no country')
    return code


def normal_state(raw: Raw | Value, country: str | None = None) -> str | None:
    """The state's code where its country writes codes ('CA' for California), else the text."""
    text = normal_text(raw)
    if text is None or country not in CODED_STATES:
        return text
    codes, _ = _states(country)
    return _state_code(text, country) if text not in codes else text


def country_name(code: str) -> str:
    """The everyday English name. Raises NoSpelling for what is no code."""
    name = _names().get(code)
    if name is None:
        raise NoSpelling(f'"{code}" is no country')
    return name


def country_alpha3(code: str) -> str:
    """ISO 3166-1 alpha-3. Raises NoSpelling for what is no code."""
    import pycountry  # reads its tables when first used

    found = pycountry.countries.get(alpha_2=code)
    if found is None:
        raise NoSpelling(f'"{code}" is no country')
    return str(found.alpha_3)


def state_name(state: str, country: str | None) -> str:
    """The name behind a state's code in that country; what is no code there stays as it is."""
    return _states(country)[0].get(state, state) if country in CODED_STATES else state


@lru_cache(maxsize=4096)
def _country(text: str) -> str | None:
    known = _countries()
    key = _key(text)
    return known.get(key) or known.get(key.removeprefix("the "))


@lru_cache(maxsize=4096)
def _state_code(text: str, country: str) -> str:
    return _states(country)[1].get(_key(text), text)


def _key(text: str) -> str:
    """Case, accents, full stops and other punctuation taken out: "U.S." is "us"."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace(".", "").replace("&", " and "))
    kept = (char if char.isalnum() else " " for char in folded if not unicodedata.combining(char))
    return " ".join("".join(kept).split())


@cache
def _names() -> dict[str, str]:
    import pycountry

    return {
        country.alpha_2: ENGLISH.get(country.alpha_2)
        or getattr(country, "common_name", None)
        or str(country.name)
        for country in pycountry.countries
    }


@cache
def _countries() -> dict[str, str]:
    """Every known spelling to its code. ISO's own come last, so that an alias cannot take one away."""
    import pycountry

    known = {_key(name): code for code, names in ALIASES.items() for name in names}
    for country in pycountry.countries:
        names = [getattr(country, kind, None) for kind in ("name", "official_name", "common_name")]
        known |= {_key(name): country.alpha_2 for name in names if name}
    known |= {_key(name): code for code, name in _names().items()}
    known |= {country.alpha_3.lower(): country.alpha_2 for country in pycountry.countries}
    known |= {country.alpha_2.lower(): country.alpha_2 for country in pycountry.countries}
    return known


@cache
def _states(country: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """The states of a country: code to name, and every spelling's key to the code."""
    import pycountry

    found = pycountry.subdivisions.get(country_code=country) or []  # type: ignore[no-untyped-call]  # untyped
    codes = {state.code.partition("-")[2]: str(state.name) for state in found}
    spellings = {_key(name): code for code, name in codes.items()}
    spellings |= {code.lower(): code for code in codes}
    return codes, spellings
