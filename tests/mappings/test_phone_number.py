"""Phone numbers: what people dial, in E.164; and that the fast way says what phonenumbers says."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from mappings import phone_number
from mappings.phone_number import normal_phone, written_phone
from mappings.values import Unreadable


@pytest.mark.parametrize(
    ("raw", "country", "number"),
    [
        ("(850) 644-4200", "US", "+18506444200"),
        ("1-850-644-4200", "US", "+18506444200"),
        ("+1 850.644.4200", None, "+18506444200"),
        ("098765 43210", "IN", "+919876543210"),
        ("919876543210", "IN", "+919876543210"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("02 1234567", "IT", "+39021234567"),
        ("0049 30 123456", None, "+4930123456"),
        ("011 49 30 123456", "US", "+4930123456"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("+1 650 253 0000 ext. 12", None, "+16502530000;ext=12"),
        ("٠٣٠ ١٢٣٤٥٦", "DE", "+4930123456"),
        (8506444200, "US", "+18506444200"),
        ("  ", "US", None),
    ],
)
def test_numbers_as_people_write_them(raw: str | int, country: str | None, number: str | None) -> None:
    assert normal_phone(raw, country) == number


@pytest.mark.parametrize(
    ("raw", "country", "why"),
    [
        ("call me", "DE", "it is no phone number: the string supplied did not seem to be a phone number"),
        ("12", "US", "it is no phone number: it is too short"),
        ("253 0000", "US", "it is no phone number: its area code is missing"),
        ("850 644 4200", None, "it has no country code, and there is no country to dial it in"),
        ("+1 850 644 4200 4", None, "it is no phone number: it is too long"),
        (True, "US", "True is no phone number"),
        ("+999123456", None, "it is no phone number: could not interpret numbers after plus-sign"),
    ],
)
def test_numbers_that_cannot_be_dialled(raw: str | bool, country: str | None, why: str) -> None:
    for _ in range(2):  # the second time from the cache
        with pytest.raises(Unreadable) as refused:
            normal_phone(raw, country)
        assert str(refused.value) == why


def numbers(seed: int, count: int) -> list[tuple[str, str]]:
    """Made-up input in every region: national and international forms, some with wrong digits or lengths."""
    chance = random.Random(seed)
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    forms = phonenumbers.PhoneNumberFormat
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    made = []
    for _ in range(count):
        region = chance.choice(regions)
        example = phonenumbers.example_number_for_type(region, chance.choice(kinds))
        shape = chance.random()
        if example is not None and shape < 0.6:
            form = chance.choice((forms.NATIONAL, forms.INTERNATIONAL, forms.E164))
            text = phonenumbers.format_number(example, form)
            if shape < 0.3:
                text = "".join(
                    chance.choice("0123456789") if char.isdigit() and chance.random() < 0.4 else char
                    for char in text
                )
        elif shape < 0.8:
            text = "".join(chance.choice("0123456789") for _ in range(chance.randint(5, 13)))
        else:
            code = phonenumbers.country_code_for_region(region)
            rest = "".join(chance.choice("0123456789") for _ in range(chance.randint(6, 10)))
            text = f"+{code}{chance.choice(['', '0', '1', '8', '9'])}{rest}"
        made.append((text, region))
    return made


def by_phonenumbers_alone(text: str, region: str) -> str | None:
    found = phone_number._parsed(text, region)
    stable = isinstance(found, str) and phone_number._parsed(found, None) == found
    return found if stable and isinstance(found, str) else None


@pytest.mark.parametrize("seed", range(4))
def test_the_fast_way_says_what_phonenumbers_says(seed: int) -> None:
    for text, region in numbers(seed, 2_000):
        try:
            found = normal_phone(text, region)
        except Unreadable:
            found = None
        assert found == by_phonenumbers_alone(text, region), (text, region)
        if found is not None:
            assert normal_phone(found) == found
            assert normal_phone(found, "US") == found
            assert normal_phone(written_phone(found), "DE") == found
