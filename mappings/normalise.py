"""Normalise: one function per canonical type that brings a value, native or canonical, into its normal form.

All are idempotent and raise `Unreadable` for what cannot be meant. Blank (None, empty, only white space) is
None. What is slow is cached by value, in bounded caches.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from mappings.email_address import normal_email
from mappings.moments import normal_date, normal_datetime
from mappings.phone_number import normal_phone
from mappings.places import normal_country, normal_state
from mappings.plain_text import normal_text
from mappings.stages import QUEUE_PREFIX
from mappings.values import FieldType, Raw, Unreadable, Value

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_MONEY = re.compile(
    r"([-+]?)\s*(?:[A-Z]{3}|\S{0,2}?[^\w\s.,+-]{1,2})?\s*([-+]?[0-9][0-9.,'’\s]*)\s*(?:[A-Z]{3}|[^\w\s.,+-]{1,2})?"
)
_PLAIN_URL = re.compile(r"(https?://(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63})(/[A-Za-z0-9/._~-]*)?", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_EXACT = 2**53  # above, a float skips whole numbers
_WIDEST = 2**63  # above, JSON and databases take no integer


def normal_number(raw: Raw | Value) -> int | float | None:
    """An int where integral, else a float. Texts may group thousands with commas. Raises Unreadable."""
    if isinstance(raw, str):
        return _number(raw)
    if raw is None:
        return None
    if isinstance(raw, bool | tuple | list):
        raise Unreadable(f"{normal_text(raw)} is no number")
    return _narrow(raw)


def normal_money(raw: Raw | Value) -> int | float | None:
    """A number; a currency sign or code around it is dropped, and thousands may be grouped as people do in
    any country where that is not ambiguous ('1.200,50'; not '1,20,3'). Raises Unreadable."""
    return _money(raw) if isinstance(raw, str) else normal_number(raw)


def normal_boolean(raw: Raw | Value) -> bool | None:
    """True or False of true/false, yes/no, y/n, t/f, on/off, 1/0. Raises Unreadable."""
    if raw is None or raw is True or raw is False:
        return raw
    if isinstance(raw, str):
        text = raw.strip().lower()
        if not text:
            return None
        found = _BOOLEANS.get(text)
    else:
        found = bool(raw) if raw in (0, 1) else None
    if found is None:
        raise Unreadable(f'"{str(raw)[:40]}" is neither yes nor no')
    return found


_BOOLEANS: Final = dict.fromkeys(("true", "yes", "y", "t", "on", "1", "1.0"), True) | dict.fromkeys(
    ("false", "no", "n", "f", "off", "0", "0.0"), False
)


def normal_multi_select(raw: Raw | Value) -> tuple[str, ...] | None:
    """A sorted tuple without repeats, of a text joined with semicolons or of a tuple."""
    if isinstance(raw, list | tuple):
        raw = ";".join(raw)
    text = normal_text(raw)
    if text is None:
        return None
    parts = {part for piece in text.split(";") if (part := normal_text(piece)) is not None}
    return tuple(sorted(parts)) or None


def normal_url(raw: Raw | Value) -> str | None:
    """A web address: scheme (https where none is written) and host in lower case, no lone slash at the end.
    Raises Unreadable for other schemes and for what has no host."""
    text = normal_text(raw)
    return None if text is None else _url(text)


def normal_owner(raw: Raw | Value) -> str | None:
    """A canonical owner: an e-mail address in lower case, or 'queue:<Name>'. Raises Unreadable."""
    text = normal_text(raw)
    if text is None or not text.startswith(QUEUE_PREFIX):
        return normal_email(text)
    name = normal_text(text.removeprefix(QUEUE_PREFIX))
    if name is None:
        raise Unreadable("this queue has no name")
    return QUEUE_PREFIX + name


def normalise(kind: FieldType, value: Raw | Value, country: str | None = None) -> Value:
    """The normal form of a value of this type. `country` (alpha-2) is where phone numbers without a country
    code and states are read in. Raises Unreadable."""
    return NORMALISERS[kind](value, country)


Normaliser = Callable[[Raw | Value, str | None], Value]


def _anywhere(normal: Callable[[Raw | Value], Value]) -> Normaliser:
    return lambda raw, _country: normal(raw)


_TEXT: Final = _anywhere(normal_text)
NORMALISERS: Final[dict[FieldType, Normaliser]] = {
    "text": _TEXT,
    "picklist": _TEXT,
    "number": _anywhere(normal_number),
    "money": _anywhere(normal_money),
    "boolean": _anywhere(normal_boolean),
    "date": _anywhere(normal_date),
    "datetime": _anywhere(normal_datetime),
    "multi_select": _anywhere(normal_multi_select),
    "email": _anywhere(normal_email),
    "phone": normal_phone,
    "country": _anywhere(normal_country),
    "state": normal_state,
    "url": _anywhere(normal_url),
    "owner": _anywhere(normal_owner),
}


@lru_cache(maxsize=16_384)
def _number(raw: str) -> int | float | None:
    text = raw.strip()
    if not text:
        return None
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f'"{text[:40]}" is no number')
    return _narrow(int(text) if text.lstrip("-+").isdigit() and len(text) <= 40 else float(text))


def _narrow(number: int | float) -> int | float:
    """An int where that is exact, and never wider than a database takes."""
    if isinstance(number, int):
        if abs(number) < _WIDEST:
            return number
        try:
            return float(number)
        except OverflowError:
            raise Unreadable("this number is too large") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise Unreadable(f"{number} is no number")
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


@lru_cache(maxsize=4096)
def _money(raw: str) -> int | float | None:
    text = raw.strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return _number(text)
    found = _MONEY.fullmatch(text)
    if found is None:
        raise Unreadable(f'"{text[:40]}" is no amount of money')
    digits = re.sub(r"['’\s]", "", found[1] + found[2])
    if "," in digits and "." in digits and digits.rindex(",") > digits.rindex("."):
        digits = digits.replace(".", "").replace(",", ".", 1)
    elif re.fullmatch(r"[-+]?[0-9]+,[0-9]{1,2}", digits):
        digits = digits.replace(",", ".")
    elif re.fullmatch(r"[-+]?[0-9]{1,3}(?:\.[0-9]{3}){2,}", digits):
        digits = digits.replace(".", "")
    try:
        return _number(digits)
    except Unreadable:
        raise Unreadable(f'"{text[:40]}" is no amount of money') from None


@lru_cache(maxsize=8192)
def _url(text: str) -> str:
    return _plain_url(text) or _parsed_url(text)


def _plain_url(text: str) -> str | None:
    """What the parser would make of an ordinary address, at a tenth of its price; None: not ordinary."""
    plain = _PLAIN_URL.fullmatch(text)
    if plain is None:
        return None
    return plain[1] if plain[2] == "/" else text


def _parsed_url(text: str) -> str:
    written = text if _SCHEME.match(text) and not re.match(r"[^/]*:[0-9]", text) else f"https://{text}"
    try:
        parts = urlsplit(written)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Unreadable(f'"{text[:60]}" is no web address') from None
    if parts.scheme.lower() not in ("http", "https"):
        raise Unreadable(f'"{text[:60]}" is no web address: it must begin with http:// or https://')
    if "." not in host.strip(".") or re.search(r"\s", text) or parts.username is not None:
        raise Unreadable(f'"{text[:60]}" is no web address')
    netloc = host if port is None else f"{host}:{port}"
    path = "" if parts.path == "/" and not parts.query and not parts.fragment else parts.path
    return urlunsplit((parts.scheme.lower(), netloc, path, parts.query, parts.fragment))
