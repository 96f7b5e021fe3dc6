"""Field history: the fields of Leads and Contacts that an admin has chosen to track, and who changed them
when.

An org without tracking has no history object at all; with it, each change of a tracked field is a row with
the old and the new value (object reference: LeadHistory, ContactHistory). Of long texts the row says only
that they changed. That values come as JSON of the field's own type is a guess. This file must not know how
rows are saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from connector.sandbox.salesforce.schema import ObjectSpec, Row, field_table

PREFIX: Final = "017"
_LONG: Final = 255
_TABLE: Final = """
Id                       id - di
IsDeleted                boolean - d
{parent}Id               reference {parent} - @{parent}
Field                    picklist 255 -
OldValue                 string 255 nx
NewValue                 string 255 nx
CreatedDate              datetime - d
CreatedById              reference User d @CreatedBy
"""


def history_of(object_name: str) -> str:
    """The name of the object with the history of this one."""
    return f"{object_name}History"


def history_object(object_name: str) -> ObjectSpec:
    """The specification of the history of an object."""
    fields = field_table(_TABLE.format(parent=object_name), {})
    return ObjectSpec(
        history_of(object_name),
        PREFIX,
        fields,
        createable=False,
        updateable=False,
        deletable=False,
        undeletable=False,
    )


def changes(
    spec: ObjectSpec, tracked: frozenset[str], before: Row, row: Row, by_user: str, now: str
) -> Iterator[Row]:
    """A row of history for each tracked field that a save has changed, without its id."""
    for name in sorted(tracked):
        old, new = before.get(name), row.get(name)
        if old == new:
            continue
        told = (spec.fields[name].length or 0) <= _LONG
        yield {
            "IsDeleted": False,
            f"{spec.name}Id": row["Id"],
            "Field": name,
            "OldValue": old if told else None,
            "NewValue": new if told else None,
            "CreatedDate": now,
            "CreatedById": by_user,
            "SystemModstamp": now,
        }
