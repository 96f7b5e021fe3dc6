"""Field fit: whether one field of a platform takes and gives the values of a canonical type. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from connector.platforms.field_kinds import FieldKind, kind_of
from connector.platforms.protocol import FieldInfo

_TEXTS: Final[frozenset[FieldKind]] = frozenset({"text", "choice", "choices", "other"})
_TAKES: Final[Mapping[str, frozenset[FieldKind]]] = {
    "number": frozenset({"number", *_TEXTS}),
    "money": frozenset({"number", "text", "other"}),
    "boolean": frozenset({"boolean", "number", *_TEXTS}),
    "date": frozenset({"date", "datetime", "text", "other"}),
    "datetime": frozenset({"datetime", "text", "other"}),
    "owner": frozenset({"reference", "number", *_TEXTS}),
}
"""Canonical type to the kinds of field that take it; every other type is written as text."""

_GIVES: Final[Mapping[str, frozenset[FieldKind]]] = {
    "number": frozenset({"number", *_TEXTS}),
    "money": frozenset({"number", *_TEXTS}),
    "boolean": frozenset({"boolean", "number", *_TEXTS}),
    "date": frozenset({"date", "datetime", "number", *_TEXTS}),
    "datetime": frozenset({"date", "datetime", "number", *_TEXTS}),
}
"""Canonical type to the kinds of field that it can be read from; every other type is read from any."""


def takes(kind: str, info: FieldInfo) -> bool:
    """Whether a value of the canonical type `kind` can be written there."""
    return kind_of(info.type) in _TAKES.get(kind, _TEXTS)


def gives(kind: str, info: FieldInfo) -> bool:
    """Whether what stands there can be read as the canonical type `kind`."""
    found = _GIVES.get(kind)
    return found is None or kind_of(info.type) in found


def is_text(info: FieldInfo) -> bool:
    """Whether any text may stand there, as long as it is not too long."""
    return kind_of(info.type) == "text" and info.options is None


def speaks(info: FieldInfo, values: Collection[str]) -> bool:
    """Whether one of these texts can be read from the field."""
    if kind_of(info.type) == "boolean":
        return any(value.lower() in ("true", "false") for value in values)
    return kind_of(info.type) in _TEXTS


def too_long(info: FieldInfo, values: Collection[str]) -> str | None:
    """The longest of `values`, if the field is a text that does not take it."""
    longest = max(values, key=len, default="")
    return longest if is_text(info) and info.length is not None and len(longest) > info.length else None


def not_offered(info: FieldInfo, values: Collection[str]) -> list[str]:
    """Those of `values` that the field refuses, because it takes none but its own."""
    if info.options is None or not info.restricted:
        return []
    offered = {option.lower() for option in info.options}
    return [value for value in values if value.lower() not in offered]


def with_article(word: str) -> str:
    """a text, an owner."""
    return f"{'an' if word[:1].lower() in 'aeio' else 'a'} {word}"


def listed(values: Collection[str]) -> str:
    """The first eight, in quotation marks."""
    shown = [f'"{value}"' for value in list(values)[:8]]
    return ", ".join(shown) + (f" and {len(values) - 8} more" if len(values) > 8 else "")
