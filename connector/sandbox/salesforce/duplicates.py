"""Duplicate rules: a new record that looks like an existing one is refused, with the matches in the answer.

The key `duplicateResut` is Salesforce's own misspelling. Source: facts/salesforce.md 7.3. This file must not
store anything.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.schema import ObjectSpec, Row
from connector.sandbox.salesforce.world import DuplicateRule, World

_ADVICE = "You're creating a duplicate record. We recommend you use an existing record instead."


def refuse_duplicates(world: World, spec: ObjectSpec, row: Row, allowed: bool, version: str) -> None:
    """Raises Refusal when a duplicate rule of the object matches and is not passed."""
    for rule in world.duplicate_rules:
        value = row.get(rule.field)
        if rule.object != spec.name or value is None or (rule.allow_save and allowed):
            continue
        matches = {name: found for name in rule.against if (found := _same(world, rule, name, value))}
        if matches:
            raise Refusal(
                "DUPLICATES_DETECTED",
                "Use one of these records?",
                extra={"duplicateResut": _result(rule, matches, version)},
            )


def _same(world: World, rule: DuplicateRule, object_name: str, value: Any) -> list[Row]:
    table = world.tables[object_name]
    if rule.field not in table.postings:
        table.index(rule.field)
    rows = (table.rows[row_id] for row_id in table.postings[rule.field].of(value))
    return [row for row in rows if not row.get("IsDeleted") and not row.get("IsConverted")]


def _result(rule: DuplicateRule, matches: dict[str, list[Row]], version: str) -> dict[str, Any]:
    return {
        "allowSave": rule.allow_save,
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": rule.object,
        "errorMessage": _ADVICE,
        "matchResults": [
            {
                "entityType": name,
                "errors": [],
                "matchEngine": "FuzzyMatchEngine",
                "matchRecords": [
                    {
                        "additionalInformation": [],
                        "fieldDiffs": [],
                        "matchConfidence": 100.0,
                        "record": {
                            "attributes": {
                                "type": name,
                                "url": f"/services/data/v{version}/sobjects/{name}/{row['Id']}",
                            },
                            "Id": row["Id"],
                        },
                    }
                    for row in rows
                ],
                "rule": f"Standard_{name}_Match_Rule_v1_1",
                "size": len(rows),
                "success": True,
            }
            for name, rows in matches.items()
        ],
    }
