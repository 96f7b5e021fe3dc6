"""Phone numbers into E.164, and an extension behind it as `;ext=12`.

phonenumbers decides; because it is slow (60 to 100 µs a number), what it would do with plain digits is read
off its metadata once for each country: possible lengths, and the prefixes (trunk, international, country
code) whose presence makes a number less than plain. `tests/mappings/test_phone_number.py` holds both ways
against each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mappings.values import Raw, Unreadable, Value

_E164 = re.compile(r"\+[1-9][0-9]{6,14}(?:;ext=[0-9]{1,15})?")
_SEPARATORS = str.maketrans("", "", " -.()/\u00a0\u2011")
_EXTENSION = ";ext="


@dataclass(frozen=True, slots=True)
class _Plain:
    """What the plain numbers of one region look like. `prefixed`: begins with what may be a trunk prefix, a
    prefix for dialling abroad, or the country code. `trunk`: the trunk prefix where dialling it changes
    nothing else; `complete`: a number of which that is a part."""

    calling_code: str
    lengths: frozenset[int]
    prefixed: re.Pattern[str]
    abroad: re.Pattern[str]
    trunk: re.Pattern[str] | None
    complete: re.Pattern[str]

    def takes(self, national: str) -> bool:
        """Whether these digits are a national number and cannot be anything else."""
        return len(national) in self.lengths and self.prefixed.match(national) is None

    def national(self, digits: str) -> str | None:
        """The national number in what somebody in the region dials; None: not plain enough to tell."""
        if self.takes(digits):
            return digits
        if self.calling_code == "1" and digits[0] == "1":
            rest = digits[1:]  # in North America the trunk prefix is the country code
        elif self.trunk is None or self.abroad.match(digits) or self.complete.fullmatch(digits):
            return None
        else:
            found = self.trunk.match(digits)
            rest = digits[found.end() :] if found is not None else digits
        return rest if self.takes(rest) else None


def normal_phone(raw: Raw | Value, country: str | None = None) -> str | None:
    """E.164. `country` (alpha-2) is where a number without a country code is dialled. Raises Unreadable."""
    if raw is None:
        return None
    if isinstance(raw, bool | float | tuple):
        raise Unreadable(f"{raw!r} is no phone number")
    found = _normal(str(raw), country)
    if isinstance(found, Unreadable):
        raise Unreadable(*found.args)
    return found


def written_phone(value: str) -> str:
    """How a number is written to a platform: E.164, and ` ext. 12` behind it."""
    return value.replace(_EXTENSION, " ext. ")


@lru_cache(maxsize=16_384)
def _normal(raw: str, country: str | None) -> str | Unreadable | None:
    """The number, None for blank, or the error (returned, so that it is cached too)."""
    text = raw.strip()
    if not text:
        return None
    digits = text.translate(_SEPARATORS)
    if digits.isascii():
        if digits.startswith("+") and digits[1:].isdigit():
            for length in (1, 2, 3):
                plain = _plain_by_code(digits[1 : 1 + length])
                if plain is not None:
                    if plain.takes(digits[1 + length :]):
                        return digits
                    break
        elif digits.isdigit() and country is not None:
            plain = _plain_by_country(country)
            national = None if plain is None else plain.national(digits)
            if plain is not None and national is not None:
                return f"+{plain.calling_code}{national}"
    found = _parsed(text, country)
    if isinstance(found, str) and _parsed(found, None) != found:
        return Unreadable("it is no phone number that can be dialled from elsewhere")
    return found


def _parsed(text: str, country: str | None) -> str | Unreadable:
    """What phonenumbers makes of it."""
    import phonenumbers  # slow to import

    if country is None and not text.startswith(("+", "00")):
        return Unreadable("it has no country code, and there is no country to dial it in")
    if text.startswith("00") and country is None:
        text = f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as why:
        return Unreadable(f"it is no phone number: {str(why).split(') ')[-1].rstrip('.').lower()}")
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return Unreadable(f"it is no phone number: {_IMPOSSIBLE.get(reason, 'it has a wrong length')}")
    written = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    written = f"{written}{_EXTENSION}{number.extension}" if number.extension else written
    return written if _E164.fullmatch(written) else Unreadable("it is no phone number that can be dialled")


_IMPOSSIBLE = {
    1: "there is no such country code",
    2: "it is too short",
    3: "it is too long",
    4: "its area code is missing",
}
"""phonenumbers.ValidationResult, in words."""


@lru_cache(maxsize=512)
def _plain_by_country(country: str) -> _Plain | None:
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    return None if metadata is None else _plain(metadata)


@lru_cache(maxsize=2048)
def _plain_by_code(digits: str) -> _Plain | None:
    import phonenumbers

    if len(digits) > 1 and any(_plain_by_code(digits[:length]) for length in range(1, len(digits))):
        return None
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits), ())
    if not regions or regions[0] == "001" or digits.startswith("0"):
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(regions[0], None)
    return None if metadata is None else _plain(metadata, international=True)


def _plain(metadata: Any, *, international: bool = False) -> _Plain:
    """From phonenumbers' metadata of a region. In international form the country code and the prefix for
    dialling abroad have been taken off already; the trunk prefix may still be there by mistake."""
    import phonenumbers

    code, trunk = str(metadata.country_code), metadata.national_prefix_for_parsing
    # a number must be possible in its region and in the main region of its country code, and fit E.164
    main = phonenumbers.region_code_for_country_code(metadata.country_code)
    main_metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(main, metadata)
    lengths = set(metadata.general_desc.possible_length) & set(main_metadata.general_desc.possible_length)
    abroad = [part for part in (metadata.international_prefix, code) if part]
    prefixed = [part for part in (trunk, "0") if part] + ([] if international else abroad)
    return _Plain(
        calling_code=code,
        lengths=frozenset(length for length in lengths if 7 <= len(code) + length <= 15),
        prefixed=_any_of(prefixed),
        abroad=_any_of(abroad),
        trunk=re.compile(trunk) if trunk and not metadata.national_prefix_transform_rule else None,
        complete=re.compile(metadata.general_desc.national_number_pattern),
    )


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
