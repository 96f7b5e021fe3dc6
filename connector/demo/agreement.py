"""Agreement: whether both platforms show what leadloop holds to be true, read from the platforms themselves.

Every person on a platform counts: one that leadloop does not know disagrees, and so does one whose leadloop
stage field, or whose native stage, says something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.agreement import stage_disagreement
from connector.installation import Installation
from connector.lead import LeadState
from connector.observation import RecordKey
from connector.sandbox.host import Sandbox
from connector.store import leads as lead_store
from connector.store.links import linked


@dataclass(slots=True)
class SideAgreement:
    """How many of a side's people agree, and what those that do not say (`record: what`)."""

    agree: int = 0
    of: int = 0
    disagreeing: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the demo prints it."""
        percent = 100.0 if not self.of else round(100 * self.agree / self.of, 2)
        return {"agree": self.agree, "of": self.of, "percent": int(percent) if percent == 100 else percent}


def people_of(sandbox: Sandbox) -> dict[str, dict[RecordKey, Mapping[str, Any]]]:
    """Every live person on each side: HubSpot contacts, Salesforce Contacts and Leads not converted."""
    salesforce: dict[RecordKey, Mapping[str, Any]] = {
        RecordKey("salesforce", name, row["Id"]): row
        for name in ("Lead", "Contact")
        for row in sandbox.salesforce.rows(name)
        if not row.get("IsConverted")
    }
    hubspot: dict[RecordKey, Mapping[str, Any]] = {
        RecordKey("hubspot", "contacts", str(row["hs_object_id"])): row
        for row in sandbox.hubspot.rows("contacts")
    }
    return {"salesforce": salesforce, "hubspot": hubspot}


def compare(installation: Installation, sandbox: Sandbox) -> dict[str, SideAgreement]:
    """Compare every person on both platforms with leadloop's own truth."""
    result: dict[str, SideAgreement] = {}
    for side, people in people_of(sandbox).items():
        with installation.database.read() as conn:
            links = linked(conn, people)
            stored = lead_store.read_leads(conn, {link.lead_id for link in links.values()})
        states = {lead.id: LeadState.from_json(lead.state) for lead in stored}
        found = SideAgreement(of=len(people))
        for key, row in people.items():
            link = links.get(key)
            state = states.get(link.lead_id) if link is not None else None
            target = installation.policy.mapping.sides[side].objects[key.object]
            wrong = "unknown to leadloop" if state is None else stage_disagreement(target, row, state)
            if wrong is None:
                found.agree += 1
            else:
                found.disagreeing[str(key)] = wrong
        result[side] = found
    return result
