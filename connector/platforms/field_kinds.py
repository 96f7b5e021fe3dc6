"""Field kinds: what the types that platforms name in their metadata can hold, in words that both share.

Source: the describe answers and property lists in the platforms' documentation (Salesforce: field types of
the REST API; HubSpot: property types).
"""

from __future__ import annotations

from typing import Final, Literal

FieldKind = Literal[
    "text", "number", "boolean", "date", "datetime", "choice", "choices", "reference", "other"
]

KINDS: Final[dict[str, FieldKind]] = {
    # Salesforce
    "string": "text",
    "textarea": "text",
    "email": "text",
    "phone": "text",
    "url": "text",
    "encryptedstring": "text",
    "picklist": "choice",
    "combobox": "text",
    "multipicklist": "choices",
    "boolean": "boolean",
    "int": "number",
    "long": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
    "reference": "reference",
    "id": "reference",
    # HubSpot
    "number": "number",
    "bool": "boolean",
    "enumeration": "choices",
    "phone_number": "text",
}
"""HubSpot says "enumeration" of one choice and of several alike; `kind_of` tells them apart as little."""


def kind_of(native_type: str) -> FieldKind:
    """The kind of a platform's type; "other" for one that is not known here."""
    return KINDS.get(native_type, "other")
