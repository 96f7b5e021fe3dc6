"""A portal's records and settings as JSON, for the sandbox's state file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from connector.sandbox.hubspot.associations import Associations
from connector.sandbox.hubspot.crm import Crm, Owner
from connector.sandbox.hubspot.definitions import OPEN_OPTIONS, Definition, Option
from connector.sandbox.hubspot.journal import Journal
from connector.sandbox.hubspot.standard import standard_definitions
from connector.sandbox.hubspot.table import Table

_SWITCHES = (
    "portal_id",
    "app_id",
    "default_stage",
    "backward_lifecycle",
    "follow_merged_ids",
    "keep_primary_id",
    "sync_deals",
)


def crm_to_json(crm: Crm) -> dict[str, Any]:
    """The whole of it."""
    return {
        "switches": {name: getattr(crm, name) for name in _SWITCHES},
        "latest_ms": crm.now_ms(),
        "owners": [asdict(owner) for owner in crm.owners.values()],
        "blocklist": sorted(crm.blocklist),
        "associations": crm.associations.to_json(),
        "definitions": {
            name: [_definition_to_json(each) for each in table.definitions.values() if _is_own(each)]
            for name, table in crm.tables.items()
        },
        "tables": {name: table.to_json() for name, table in crm.tables.items()},
        "journal": crm.journal.to_json(),
    }


def crm_from_json(crm: Crm, state: Mapping[str, Any]) -> None:
    """Replace everything in `crm` by the state."""
    for name, value in state["switches"].items():
        setattr(crm, name, value)
    crm.start_at(state["latest_ms"])
    crm.owners = {each["owner_id"]: Owner(**each) for each in state["owners"]}
    crm.blocklist = set(state["blocklist"])
    crm.associations = Associations.from_json(state["associations"])
    for name, table in list(crm.tables.items()):
        definitions = standard_definitions(table.kind)
        for each in state["definitions"][name]:
            definitions[each["name"]] = _definition_from_json(each)
        crm.tables[name] = Table.from_json(table.kind, definitions, state["tables"][name])
    if "journal" in state:
        crm.journal = Journal.from_json(state["journal"])


def _is_own(definition: Definition) -> bool:
    """Whether the portal's people made or changed it."""
    return not definition.hubspot_defined or definition.name in OPEN_OPTIONS or definition.rule is not None


def _definition_to_json(definition: Definition) -> dict[str, Any]:
    found = asdict(definition)
    del found["allowed"]
    return found


def _definition_from_json(state: Mapping[str, Any]) -> Definition:
    options = tuple(Option(**each) for each in state["options"])
    rule = None if state["rule"] is None else (state["rule"][0], state["rule"][1])
    return Definition(**{**state, "options": options, "rule": rule})
