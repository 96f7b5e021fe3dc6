"""E-mail addresses into one spelling: lower case, NFC, no surrounding space. Syntax only: nothing is looked
up, and addresses in domains kept for documentation (`example`, `test`) are as good as others."""

from __future__ import annotations

import re
from functools import lru_cache

from mappings.values import Raw, Unreadable, Value

_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORDINARY = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@(?:{_LABEL}\.)+[a-z]{{2,63}}")
_SPACE = " \t\r\n\u00a0\u200b\ufeff\u2060"


def normal_email(raw: Raw | Value) -> str | None:
    """The address in lower case. Raises Unreadable for what no platform would take as an address."""
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise Unreadable(f"{raw!r} is no e-mail address")
    found = _normal(raw)
    if isinstance(found, Unreadable):
        raise Unreadable(*found.args)
    return found


@lru_cache(maxsize=16_384)
def _normal(raw: str) -> str | Unreadable | None:
    """The address, None for blank, or the error (returned, so that it is cached too)."""
    text = raw.strip(_SPACE).lower()
    if not text:
        return None
    if len(text) <= 254 and _ORDINARY.fullmatch(text):
        local, _, domain = text.partition("@")
        # "--" may be punycode, which has rules of its own
        if len(local) <= 64 and "--" not in domain:
            return text
    return _unusual(text)


def _unusual(text: str) -> str | Unreadable:
    from email_validator import EmailNotValidError, validate_email  # slow to import, seldom needed

    try:
        parts = validate_email(
            text, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError as why:
        return Unreadable(f"it is no e-mail address: {str(why).rstrip('.')}")
    if "." not in parts.domain:
        return Unreadable("it is no e-mail address: the part after the @-sign has no period")
    return parts.normalized.lower()
