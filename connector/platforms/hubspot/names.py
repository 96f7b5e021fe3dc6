"""Names and ids of HubSpot: their shape, checked before they enter a path or a body. Pure."""

from __future__ import annotations

import re

_ID = re.compile(r"\d{1,20}\Z")
_OBJECT = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,200}\Z")


def is_id(text: str) -> bool:
    """Whether `text` is digits: record ids are numbers beyond 32 bits, sent as text."""
    return _ID.match(text) is not None


def is_object(text: str) -> bool:
    """Whether `text` can be an object type: `contacts`, `0-1`, `p_custom`."""
    return _OBJECT.match(text) is not None


def is_property(text: str) -> bool:
    """Whether `text` can be a property's internal name."""
    return _PROPERTY.match(text) is not None
