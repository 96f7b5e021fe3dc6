"""The types of the expression language, and which type a declared lead field has in it.

A type says what can be done with a value in a condition; the types of `mappings/` say how a value is
spelled. No values here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Type(StrEnum):
    """What a part of an expression is; the value is the word that messages use."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "true/false"
    DATE = "date"
    MOMENT = "date and time"
    TEXTS = "list of texts"


TIMES: Final = frozenset({Type.DATE, Type.MOMENT})

TYPE_OF_FIELD: Final[dict[str, Type]] = {
    "text": Type.TEXT,
    "picklist": Type.TEXT,
    "email": Type.TEXT,
    "phone": Type.TEXT,
    "country": Type.TEXT,
    "state": Type.TEXT,
    "url": Type.TEXT,
    "owner": Type.TEXT,
    "number": Type.NUMBER,
    "integer": Type.NUMBER,
    "money": Type.NUMBER,
    "boolean": Type.BOOLEAN,
    "date": Type.DATE,
    "datetime": Type.MOMENT,
    "multi_select": Type.TEXTS,
}
"""The canonical field types of `mappings/` by name, as `lead.yaml` spells them."""
