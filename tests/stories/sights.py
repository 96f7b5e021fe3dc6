"""Sights: what everybody sees of a lead: on the record in Salesforce, on the contact in HubSpot, and what
`leadloop explain` and `leadloop holds` tell. Reads only."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from connector.cli.explanation import explanation
from connector.cli.explanation_page import print_explanation
from connector.cli.offline import go_offline, preview
from connector.cli.plan import move_words, steps
from connector.store.leads import find_leads
from mappings.vocabulary import labelled
from tests.stories.scene import Scene

Sight = Mapping[str, Any]


def on_salesforce(scene: Scene, lead: str) -> Sight | None:
    """The fields of the record that users see, with `record` (Lead or Contact) and `Owner` (a name)."""
    found = scene.person(lead)
    if found is None:
        return None
    name, row = found
    return {**row, "record": name, "Owner": scene.owner_shown(row["OwnerId"])}


def on_hubspot(scene: Scene, lead: str) -> Sight | None:
    """The properties of the contact, with `Owner` (a name)."""
    row = scene.contact(lead)
    if row is None:
        return None
    known = scene.portal.crm.table("contacts").definitions
    shown = {name: row.get(name) for name in known}
    return {**shown, "Owner": scene.hubspot_owner_shown(row.get("hubspot_owner_id"))}


def explained(scene: Scene, lead: str) -> Sight | None:
    """What `leadloop explain --json` tells."""
    world = scene.world
    with world.database.read() as conn:
        found = find_leads(conn, scene.leads[lead].email)
        if not found:
            return None
        offline = go_offline(conn, world.database, world.config, world.clock)
        (seen,) = preview(conn, offline, found[:1], world.clock.now_ms())
        return explanation(conn, offline, seen, world.clock.now_ms())


def page_of(scene: Scene, told: Sight) -> str:
    """What `leadloop explain` prints, with its spaces run together."""
    out = io.StringIO()
    with redirect_stdout(out):
        print_explanation(labelled(dict(told), scene.world.config.vocabulary))
    return " ".join(out.getvalue().split())


def moves_of(told: Sight) -> list[tuple[str, str, str]]:
    """The ledger of a lead: each move, with who or what caused it, and with all that is told of it."""
    found: list[tuple[str, str, str]] = []
    for row in told["history"]:
        move = steps(row["from"], row["to"], row["skipped"])
        caused = move_words(row["cause"], row["actor"], None, None, [])
        all_of_it = move_words(row["cause"], row["actor"], row["reason"], row["outcome"], row["rules"])
        found.append((move, f"{move}, {caused}", f"{move}, {all_of_it}"))
    return found
