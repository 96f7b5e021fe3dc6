"""What HubSpot makes of a value that is written to a property: the text it stores, or why not. Pure.

Every stored value is text (hubspot.md section 4); "" means cleared. Numbers keep the text they were written
with. Refused values carry HubSpot's own code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from connector.sandbox.hubspot.definitions import Definition
from connector.sandbox.hubspot.problems import Invalid
from connector.sandbox.hubspot.times import day_of, iso, moment_of

References = Callable[[str], Collection[str]]
"""The allowed values of a definition's `reference`: owner ids, pipelines, stages."""

_EMAIL = re.compile(r"[^@\s,;<>()\[\]]+@[^@\s,;<>()\[\].]+(\.[^@\s,;<>()\[\].]+)+")
_BOOLEANS = frozenset({"true", "false"})


class InvalidValueError(Exception):
    """This value is refused; `found` says why."""

    def __init__(self, name: str, error: str, message: str) -> None:
        super().__init__(message)
        self.found = Invalid(name, error, message)


def text_of(name: str, value: Any) -> str:
    """The text of a JSON value. Numbers and booleans are taken for their text; null is not in HubSpot's
    schema (its behaviour is unknown), so it is refused here: clear with "". Raises InvalidValueError."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise InvalidValueError(name, "INVALID_VALUE", f'Property "{name}" must be a string')


def stored_text(definition: Definition, value: Any, references: References) -> str:
    """What is stored when `value` is written. Raises InvalidValueError."""
    text = text_of(definition.name, value)
    if not text:
        return ""
    check = _CHECKS.get(definition.type)
    if check is not None:
        return check(definition, text, references)
    return _email(definition, text) if definition.name == "email" else text


def _email(definition: Definition, text: str) -> str:
    address = text.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise InvalidValueError(definition.name, "INVALID_EMAIL", f"Email address {text} is invalid")
    return address


def _number(definition: Definition, text: str, _: References) -> str:
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise InvalidValueError(definition.name, "INVALID_LONG", f"{text} was not a valid long.")
    return text


def _date(definition: Definition, text: str, _: References) -> str:
    day = day_of(text)
    if day is None:
        raise InvalidValueError(
            definition.name, "INVALID_DATE", f"{text} is at a time other than midnight UTC"
        )
    return day


def _datetime(definition: Definition, text: str, _: References) -> str:
    moment_ms = moment_of(text)
    if moment_ms is None:
        raise InvalidValueError(definition.name, "INVALID_DATE", f"{text} was not a valid datetime")
    return iso(moment_ms)


def _boolean(definition: Definition, text: str, _: References) -> str:
    if text not in _BOOLEANS:
        raise _not_an_option(definition, text, ("true", "false"))
    return text


def _enumeration(definition: Definition, text: str, references: References) -> str:
    allowed = references(definition.reference) if definition.reference else definition.allowed
    wanted = [part for part in text.split(";") if part] if definition.multiple else [text]
    for each in wanted:
        if each not in allowed:
            raise _not_an_option(definition, each, [option.value for option in definition.options])
    return ";".join(dict.fromkeys(wanted)) if definition.multiple else text


def _not_an_option(definition: Definition, text: str, allowed: Collection[str]) -> InvalidValueError:
    listed = ", ".join(allowed)
    return InvalidValueError(
        definition.name, "INVALID_OPTION", f"{text} was not one of the allowed options: [{listed}]"
    )


_CHECKS: dict[str, Callable[[Definition, str, References], str]] = {
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "bool": _boolean,
    "enumeration": _enumeration,
}
