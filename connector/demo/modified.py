"""Modified: how many people's records were changed on each platform since a moment, by the platforms' own
stamps. Read from the sandbox's Python side, so that counting costs no API calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from connector.clock import SECOND_MS
from connector.sandbox.host import Sandbox


@dataclass(frozen=True, slots=True)
class Modified:
    """Records, not changes: one that was written twice counts once. `lifecycle_clears` are the contacts whose
    lifecycle stage was blanked on the way, which has to be a call of its own."""

    salesforce: int
    hubspot: int
    lifecycle_clears: int


def count_modified(sandbox: Sandbox, since_ms: int) -> Modified:
    """Leads and Contacts, and contacts, changed at `since_ms` (epoch milliseconds) or later."""
    org, portal = sandbox.salesforce, sandbox.hubspot
    moment = datetime.fromtimestamp(since_ms / SECOND_MS, UTC)
    salesforce = sum(
        org.query(f"SELECT COUNT() FROM {name} WHERE SystemModstamp >= {moment:%Y-%m-%dT%H:%M:%SZ}")[0][
            "count"
        ]
        for name in ("Lead", "Contact")
    )
    since = f"{moment:%Y-%m-%dT%H:%M:%S}.{since_ms % SECOND_MS:03}Z"
    # HubSpot's stamps are all of this one form, so that they compare as text
    changed = [row["id"] for row in portal.rows("contacts") if (row["lastmodifieddate"] or "") >= since]
    clears = sum(
        any(
            not version["value"] and version["timestamp"] >= since
            for version in portal.history("contacts", str(record_id), "lifecyclestage")
        )
        for record_id in changed
    )
    return Modified(salesforce, len(changed), clears)
