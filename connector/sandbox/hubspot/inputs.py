"""What a write carries: its properties and its inline associations, read and refused. Stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.sandbox.hubspot.associations import TYPES
from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.problems import not_valid
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.writing import Link


def sent_properties(body: Mapping[str, Any]) -> dict[str, Any]:
    """The `properties` of a write. Raises Problem 400."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise not_valid("Invalid input JSON: properties must be an object")
    return properties


def links_of(crm: Crm, table: Table, body: Mapping[str, Any]) -> list[Link]:
    """The inline `associations` of a create. Raises Problem 400 for unknown types or records."""
    found: list[Link] = []
    for each in body.get("associations") or []:
        target_id = str(each.get("to", {}).get("id", ""))
        for kind in each.get("types") or []:
            known = TYPES.get(kind.get("associationTypeId", 0))
            if known is None or known.origin != table.kind.name:
                raise not_valid(f"{kind.get('associationTypeId')} is not an association type of this object")
            if crm.lookup(crm.tables[known.target], target_id) is None:
                raise not_valid(f"No {crm.tables[known.target].kind.singular} with ID {target_id} exists")
            found.append((known, int(target_id)))
    return found
