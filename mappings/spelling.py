"""Spelling: how a pair reads a native value and writes a canonical one: converters, picklist tables, lengths.

`reader_for` and `writer_for` put a pair's two functions together from what the YAML says about it, so that at
run time nothing is left to decide. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from mappings.moments import ms_from_datetime
from mappings.normalise import NORMALISERS, normal_multi_select
from mappings.object_mapping import Reader, Writer
from mappings.phone_number import written_phone
from mappings.picklist_table import PicklistTable
from mappings.places import country_alpha3, country_name, state_name
from mappings.plain_text import cut_text, normal_text
from mappings.values import FieldType, NoSpelling, OwnerDirectory, Raw, Unreadable, Value

Convert = Callable[[Value, str | None], Raw]
"""(canonical value that is not None, the lead's country) -> native value."""


def _write_date_in_ms(value: Value, _country: str | None) -> Raw:
    return ms_from_datetime(str(value))


def _write_whole(value: Value, _country: str | None) -> Raw:
    return round(value) if isinstance(value, int | float) else str(value)


def _write_text(value: Value, _country: str | None) -> Raw:
    return normal_text(value)


def _write_as_is(value: Value, _country: str | None) -> Raw:
    return ";".join(value) if isinstance(value, list | tuple) else value


def _words(yes: str, no: str) -> Convert:
    return lambda value, _country: yes if value else no


WRITE_AS: Final[dict[FieldType, dict[str, Convert]]] = {
    "text": {"text": _write_as_is},
    "picklist": {"text": _write_as_is},
    "url": {"text": _write_as_is},
    "owner": {"id": _write_as_is},
    "email": {"text": _write_as_is},
    "multi_select": {"semicolons": _write_as_is},
    "number": {"number": _write_as_is, "text": _write_text, "whole": _write_whole},
    "money": {"number": _write_as_is, "text": _write_text, "whole": _write_whole},
    "boolean": {
        "boolean": _write_as_is,
        "true_false": _words("true", "false"),
        "yes_no": _words("Yes", "No"),
        "one_zero": _words("1", "0"),
    },
    "date": {"iso": _write_as_is, "epoch_ms": _write_date_in_ms},
    "datetime": {
        "iso": _write_as_is,
        "epoch_ms": _write_date_in_ms,
        "date": lambda value, _country: str(value)[:10],
    },
    "phone": {"e164": lambda value, _country: written_phone(str(value))},
    "country": {
        "code": _write_as_is,
        "name": lambda value, _country: country_name(str(value)),
        "alpha3": lambda value, _country: country_alpha3(str(value)),
    },
    "state": {"code": _write_as_is, "name": lambda value, country: state_name(str(value), country)},
}
"""The ways to write each type; the first is the default. All of them can be read."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """What the YAML says about how a pair is spelled. `table` is native to canonical, both normal."""

    side: str
    native: str
    type: FieldType
    write_as: str
    table: dict[str, Value] = field(default_factory=dict)
    unmapped: Literal["pass", "refuse"] = "pass"
    values: tuple[str, ...] | None = None
    max_length: int | None = None
    too_long: Literal["refuse", "truncate"] = "refuse"
    default_country: str | None = None


def reader_for(spelling: Spelling) -> Reader:
    """Native to canonical. The function it returns raises Unreadable."""
    kind, side, default_country = spelling.type, spelling.side, spelling.default_country
    normal = NORMALISERS[kind]
    if kind == "owner":

        def read_owner(raw: Raw, directory: OwnerDirectory, _country: str | None) -> Value:
            native_id = normal_text(raw)
            if native_id is None:
                return None
            owner = directory.email_of(side, native_id)
            if owner is None:
                raise Unreadable(f"{native_id} is not among the owners of {side}")
            return normal(owner, None)

        return read_owner
    if not spelling.table and spelling.values is None:
        if normal is NORMALISERS["text"]:
            return _read_text

        def read(raw: Raw, _directory: OwnerDirectory, country: str | None) -> Value:
            return normal(raw, country or default_country)

        return read
    table = _table(spelling)
    allowed = None if spelling.values is None else frozenset(spelling.values)

    def read_one(text: str, country: str | None) -> Value:
        value = normal(text, country) if table is None else normal(table.read(text), country)
        if allowed is not None and value is not None and value not in allowed:
            raise Unreadable(f'"{str(value)[:60]}" is not one of the values of this field')
        return value

    def read_picklist(raw: Raw, _directory: OwnerDirectory, country: str | None) -> Value:
        text = normal_text(raw)
        return None if text is None else read_one(text, country or default_country)

    def read_several(raw: Raw, _directory: OwnerDirectory, _country: str | None) -> Value:
        parts = normal_multi_select(raw) or ()
        values = parts if table is None else tuple(str(table.read(part)) for part in parts)
        for value in values:
            if allowed is not None and value not in allowed:
                raise Unreadable(f'"{value[:60]}" is not one of the values of this field')
        return normal_multi_select(values)

    return read_several if kind == "multi_select" else read_picklist


def _read_text(raw: Raw, _directory: OwnerDirectory, _country: str | None) -> Value:
    """Most fields are texts, and most texts are plain: those take no further call."""
    if isinstance(raw, str) and raw.isascii() and raw.isprintable():
        return raw.strip(" ") or None
    return normal_text(raw)


def writer_for(spelling: Spelling) -> Writer:
    """Canonical to native. The function it returns raises NoSpelling."""
    kind, side, native = spelling.type, spelling.side, spelling.native
    convert, default_country = WRITE_AS[kind][spelling.write_as], spelling.default_country
    table, max_length, cut = _table(spelling), spelling.max_length, spelling.too_long == "truncate"

    def spell(value: Value, country: str | None) -> Raw:
        if table is None:
            return convert(value, country)
        if isinstance(value, list | tuple):
            return ";".join(str(table.write(part)) for part in value)
        raw = table.write(value)
        return convert(raw, country) if raw is value else raw

    def write(value: Value, directory: OwnerDirectory, country: str | None) -> Raw:
        if kind == "owner":
            native_id = directory.native_of(side, str(value))
            if native_id is None:
                raise NoSpelling(f"{value} is not among the owners of {side}")
            return native_id
        raw = spell(value, country or default_country)
        if max_length is not None and isinstance(raw, str) and len(raw) > max_length:
            if not cut:
                raise NoSpelling(f"it has {len(raw)} characters, and {native} takes {max_length}")
            return cut_text(raw, max_length)
        return raw

    return write


def _table(spelling: Spelling) -> PicklistTable | None:
    if not spelling.table:
        return None
    return PicklistTable(spelling.native, spelling.table, refuse=spelling.unmapped == "refuse")
