"""Salesforce record ids: 15 case-sensitive characters, or 18 with three check characters.

Here ids are read, repaired and issued. This file must not know which records exist.
Source: facts/salesforce.md 2.1 (checked there on 2,580 recorded ids).
"""

from __future__ import annotations

from functools import lru_cache

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK_BITS = {char: bits for bits, char in enumerate(_CHECK)}
_INSTANCE = "5g"


def check_characters(id15: str) -> str:
    """The three characters that make an 18-character id of a 15-character one."""
    return _check(id15[:5]) + _check(id15[5:10]) + _check(id15[10:])


@lru_cache(maxsize=65_536)
def _check(group: str) -> str:
    return _CHECK[sum(1 << bit for bit, char in enumerate(group) if "A" <= char <= "Z")]


def canonical(text: object) -> str | None:
    """The 18-character form of an id, with its letter case repaired from the check characters where an
    18-character id came in the wrong case. None when it is no id at all."""
    if not isinstance(text, str) or len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return None
    if len(text) == 15:
        return text + check_characters(text)
    if check_characters(text[:15]) == text[15:]:
        return text
    return _repaired(text)


def _repaired(text: str) -> str | None:
    body, check = text[:15], text[15:].upper()
    letters = []
    for at in (0, 5, 10):
        bits = _CHECK_BITS.get(check[at // 5])
        if bits is None:
            return None
        letters += [
            char.upper() if bits >> bit & 1 else char.lower() for bit, char in enumerate(body[at : at + 5])
        ]
    fixed = "".join(letters)
    return fixed + check if check_characters(fixed) == check else None


def issue(prefix: str, number: int) -> str:
    """The `number`-th id of the object with this key prefix. Ids ascend with their numbers."""
    digits = []
    for _ in range(15 - len(prefix) - len(_INSTANCE)):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    id15 = prefix + _INSTANCE + "".join(reversed(digits))
    return id15 + check_characters(id15)
