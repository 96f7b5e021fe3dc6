"""Metadata: what a describe and the user tables say, as FieldInfo and Owner. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from connector.platforms.protocol import FieldInfo, Owner

# Compound values arrive as objects and cannot be written; their parts are fields of their own.
_COMPOUND = {"address", "location"}
_WITH_OPTIONS = {"picklist", "multipicklist", "combobox"}

USERS = "SELECT Id, Name, Email, IsActive FROM User"
QUEUES = "SELECT Id, Name FROM Group WHERE Type = 'Queue'"


def fields_of(describe: Mapping[str, Any]) -> dict[str, FieldInfo]:
    """The fields of one object's describe answer, without compound fields."""
    return {field["name"]: _field(field) for field in describe["fields"] if field["type"] not in _COMPOUND}


def fields_above(relation: str, describe: Mapping[str, Any]) -> dict[str, FieldInfo]:
    """The fields of a parent, as its child reads them: nobody writes them there."""
    return {
        f"{relation}.{name}": replace(
            field, name=f"{relation}.{name}", createable=False, updateable=False, required=False
        )
        for name, field in fields_of(describe).items()
    }


def parent_of(described: Mapping[str, Mapping[str, Any]], path: str) -> str | None:
    """The object that a relationship such as `Contact.Account` leads to; None where it is not known, or leads
    to several."""
    name, _, relation = path.partition(".")
    for field in described.get(name, {}).get("fields", ()):
        if field.get("relationshipName") == relation and len(field.get("referenceTo") or ()) == 1:
            return str(field["referenceTo"][0])
    return None


def _field(field: Mapping[str, Any]) -> FieldInfo:
    options = None
    if field["type"] in _WITH_OPTIONS:
        options = tuple(
            option["value"] for option in field.get("picklistValues") or () if option.get("active", True)
        )
    createable = bool(field.get("createable"))
    return FieldInfo(
        name=field["name"],
        type=field["type"],
        createable=createable,
        updateable=bool(field.get("updateable")),
        # a length of 0 means that the type has none
        length=field.get("length") or None,
        options=options,
        restricted=bool(field.get("restrictedPicklist")),
        unique=bool(field.get("unique")),
        required=createable and not field.get("nillable") and not field.get("defaultedOnCreate"),
    )


def owners_of(users: Iterable[Mapping[str, Any]], queues: Iterable[Mapping[str, Any]]) -> list[Owner]:
    """Users (ids begin with 005), inactive ones included, and queues (00G): both can own a Lead."""
    people = [
        Owner(row["Id"], "person", row.get("Name") or "", row.get("Email") or None, bool(row.get("IsActive")))
        for row in users
    ]
    return people + [Owner(row["Id"], "queue", row.get("Name") or "", None, True) for row in queues]
