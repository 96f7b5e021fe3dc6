"""Text into one form: NFC, no surrounding space, no control characters. Everything else stays as it is:
emoji, right-to-left scripts and their marks, HTML, line breaks."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from mappings.values import Raw, Value

_LINE_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""C0 and C1 controls but tab and line feed, and lone surrogates, which no JSON or database takes."""

_EDGE: Final = "".join(map(chr, (*range(0x21), 0x7F, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C)))) + (
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""What is stripped at both ends: white space, zero-width space, byte order mark. Joiners and direction marks
are not: emoji and right-to-left names need them."""


def normal_text(raw: Raw | Value) -> str | None:
    """The text, or None when nothing is left. Numbers and booleans become their text."""
    if isinstance(raw, str):
        if raw.isascii() and raw.isprintable():
            return raw.strip(" ") or None
        text = _CONTROL.sub("", _LINE_BREAKS.sub("\n", raw))
        return unicodedata.normalize("NFC", text).strip(_EDGE) or None
    if raw is None:
        return None
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 2**53:
        return str(int(raw))
    if isinstance(raw, list | tuple):
        return normal_text(";".join(raw))
    return str(raw)


def cut_text(text: str, length: int) -> str:
    """At most `length` characters of a text, in normal form, without cutting an emoji or accent in two."""
    if len(text) <= length:
        return text
    end = length
    while end > 0 and (_joins(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return normal_text(text[: end or length]) or ""


def _joins(char: str) -> bool:
    """Whether a character belongs to the one before it: accents, joiners, variants, skin tones."""
    return (
        bool(unicodedata.combining(char))
        or char in "\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )
