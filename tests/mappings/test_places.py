"""Countries as people write them."""

from __future__ import annotations

import pycountry
import pytest

from mappings.country_names import ALIASES
from mappings.places import (
    CODED_STATES,
    country_alpha3,
    country_name,
    normal_country,
    normal_state,
    state_name,
)
from mappings.values import NoSpelling


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("U.S.", "US"), ("u.s.a.", "US"), ("USA", "US"), ("United States of America", "US"), ("us", "US"),
        ("Deutschland", "DE"), ("GERMANY", "DE"), ("DEU", "DE"), ("UK", "GB"), ("England", "GB"),
        ("NO", "NO"), ("España", "ES"), ("Espana", "ES"), ("The Netherlands", "NL"), ("Holland", "NL"),
        ("Côte d’Ivoire", "CI"),
        ("Ivory Coast", "CI"), ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Russia", "RU"),
        ("Vietnam", "VN"), ("Viet Nam", "VN"), ("日本", "JP"), ("Türkiye", "TR"), ("Turkey", "TR"),
        ("Hong Kong", "HK"), ("Tanzania", "TZ"), ("United Arab Emirates", "AE"), ("Czech Republic", "CZ"),
        ("Bosnia & Herzegovina", "BA"), ("The Gambia", "GM"), ("Georgia", "GE"), (" india ", "IN"),
    ],
)  # fmt: skip
def test_names_in_many_spellings(written: str, code: str) -> None:
    assert normal_country(written) == code


def test_every_country_has_a_name_that_means_it() -> None:
    for country in pycountry.countries:
        assert normal_country(country.name) == country.alpha_2
        assert normal_country(country_name(country.alpha_2)) == country.alpha_2
        assert normal_country(country_alpha3(country.alpha_2)) == country.alpha_2


def test_no_alias_takes_another_countrys_code_or_name() -> None:
    for code, names in ALIASES.items():
        for name in names:
            assert normal_country(name) == code, name


def test_states_and_their_names() -> None:
    assert state_name("CA", "US") == "California"
    assert state_name("Bayern", "DE") == "Bayern"
    assert state_name("Nowhere", "US") == "Nowhere"
    for country in CODED_STATES:
        for state in pycountry.subdivisions.get(country_code=country):
            code = state.code.split("-")[1]
            assert normal_state(code, country) == code
            assert normal_state(state_name(code, country), country) == code


def test_what_is_no_code_has_no_name() -> None:
    with pytest.raises(NoSpelling, match='"XX" is no country'):
        country_name("XX")
    with pytest.raises(NoSpelling, match='"XX" is no country'):
        country_alpha3("XX")
