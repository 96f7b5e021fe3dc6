"""The org as JSON, so that it survives a restart (`--state`).

Kept: rows, custom fields, rules, statuses, id counters, the delete log, change events. Not kept: sessions,
cursors, bulk jobs, faults, counts of calls. This file must not know where the JSON is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from connector.sandbox.salesforce.picklists import LeadStatus
from connector.sandbox.salesforce.schema import FieldSpec
from connector.sandbox.salesforce.standard import use_statuses
from connector.sandbox.salesforce.world import DuplicateRule, ValidationRule

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

FORMAT = 1
_TUPLES = ("picklist", "references")


def saved_state(org: SalesforceOrg) -> dict[str, Any]:
    """All of the org as JSON."""
    return {
        "format": FORMAT,
        "organization_id": org.organization_id,
        "admin_id": org.admin_id,
        "integration_user_id": org.integration_user_id,
        "assignment_owner": org.assignment_owner,
        "statuses": [asdict(status) for status in org.statuses],
        "custom_fields": {
            name: [asdict(field) for field in spec.fields.values() if field.custom]
            for name, spec in org.objects.items()
        },
        "tracked": {name: sorted(fields) for name, fields in org.tracked.items()},
        "validation_rules": [asdict(rule) for rules in org.rules.values() for rule, _ in rules],
        "duplicate_rules": [asdict(rule) for rule in org.duplicate_rules],
        "counters": dict(org.counters),
        "deleted": {name: list(log) for name, log in org.deleted.items() if log},
        "rows": {name: list(table.rows.values()) for name, table in org.tables.items() if table.rows},
        "changes": org.changes.to_json(),
    }


def load_state(org: SalesforceOrg, saved: Mapping[str, Any]) -> None:
    """Make the org what was saved. Raises ValueError for another format or another org's state."""
    if saved.get("format") != FORMAT:
        raise ValueError(f"the saved state is of format {saved.get('format')!r}, not {FORMAT}")
    if saved["organization_id"] != org.organization_id:
        raise ValueError(f"the saved state is of org {saved['organization_id']}, not {org.organization_id}")
    org.statuses = tuple(LeadStatus(**each) for each in saved["statuses"])
    use_statuses(org.objects["Lead"], org.statuses)
    for name, fields in saved["custom_fields"].items():
        for each in fields:
            org.add_field(name, FieldSpec(**{**each, **{key: tuple(each[key]) for key in _TUPLES}}))
    for name, tracked in saved.get("tracked", {}).items():
        org.track(name, tracked)
    org.rules.clear()
    for rule in saved["validation_rules"]:
        org.add_validation_rule(ValidationRule(**rule))
    org.duplicate_rules[:] = [
        DuplicateRule(**{**rule, "against": tuple(rule["against"])}) for rule in saved["duplicate_rules"]
    ]
    org.assignment_owner = saved["assignment_owner"]
    for name, table in org.tables.items():
        for row_id in list(table.rows):
            table.remove(row_id)
        for row in saved["rows"].get(name, ()):
            table.put(row["Id"], row)
        org.deleted[name] = [(moment_ms, row_id) for moment_ms, row_id in saved["deleted"].get(name, ())]
    org.counters.clear()
    org.counters.update(saved["counters"])
    _use_users(org, saved)
    if "changes" in saved:
        org.changes.from_json(saved["changes"])
    org.cursors.clear()
    org.bulk.jobs.clear()


def _use_users(org: SalesforceOrg, saved: Mapping[str, Any]) -> None:
    org.admin_id = saved["admin_id"]
    org.integration_user_id = saved["integration_user_id"]
    org.auth.run_as = org.integration_user_id
    org.auth.approved.add(org.integration_user_id)
    org.auth.add_static(org.session_id, org.integration_user_id)
