"""Redaction: what platforms say, made fit for logs and holds.

Error texts of both platforms quote the values they refuse (an e-mail address, a name that is too long), and
reasons get logged. This file takes personal data out of such text; it must not lose what an admin needs:
codes, field names, record ids, limits.
"""

from __future__ import annotations

import re

LONGEST_REASON = 400

_EMAIL = re.compile(r"[^\s\"'<>(){}\[\],;:=]+(?:@|%40)[^\s\"'<>(){}\[\],;:=]+")
_PHONE = re.compile(r"(?<![\w-])(?:\+\d[\d\s().-]{6,}\d|\(?\d{2,4}\)[\s.-]?\d[\d\s.-]{4,}\d)(?!\w)")
# The value sits between fixed words. Salesforce: STRING_TOO_LONG, INVALID_EMAIL_ADDRESS, JSON_PARSER_ERROR;
# HubSpot: PropertyValueCoordinates{… value=…}, 'Property values were not valid'.
_QUOTED_VALUE = (
    (re.compile(r"(data value too large: ).*?( \(max length)", re.DOTALL), r"\1…\2"),
    (re.compile(r"(invalid email address: ).*", re.DOTALL), r"\1…"),
    (re.compile(r"(Email address ).*?( is invalid)", re.DOTALL), r"\1…\2"),
    (re.compile(r"(from VALUE_\w+ value ).*?( or request may be| at \[line|$)", re.DOTALL), r"\1…\2"),
    (re.compile(r"(\bvalue=)[^}]*(})"), r"\1…\2"),
)


def redact(text: str) -> str:
    """`text` in one line, without e-mail addresses, telephone numbers and quoted values, and cut to
    `LONGEST_REASON` characters."""
    for pattern, replacement in _QUOTED_VALUE:
        text = pattern.sub(replacement, text)
    text = _EMAIL.sub("‹e-mail›", text)
    text = _PHONE.sub("‹phone›", text)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
