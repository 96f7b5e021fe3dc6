"""Records: which columns a read selects, and how a row becomes an Observation.

System columns (id, stamp, deletion, merge, conversion, last writer, references) are selected beside the
mapped ones and taken out again, so that an observation's fields are the mapped ones alone. This runs once
for every record ever read: no copies, no per-field work unless a column crosses a relationship.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connector.observation import Observation
from connector.platforms.errors import Refused
from connector.platforms.salesforce.ids import is_field_path, is_id, is_name
from connector.platforms.stamps import epoch_ms

_EVERY = ("Id", "SystemModstamp", "IsDeleted", "LastModifiedById")
# Only these three can be merged: the loser is deleted with MasterRecordId set to the winner.
_MERGED = {"Lead", "Contact", "Account"}
_REFERENCES = {
    "Lead": (
        ("Contact", "ConvertedContactId"),
        ("Account", "ConvertedAccountId"),
        ("Opportunity", "ConvertedOpportunityId"),
    ),
    "OpportunityContactRole": (("Contact", "ContactId"), ("Opportunity", "OpportunityId")),
    "CampaignMember": (("Lead", "LeadId"), ("Contact", "ContactId"), ("Campaign", "CampaignId")),
}
# A custom object that is an activity points at the person by a lookup of its own, which the mapping reads.
# WhoId is a Lead or a Contact; the first three characters of an id tell which.
_WHO = {"Task", "Event"}
_WHO_PREFIX = {"00Q": "Lead", "003": "Contact"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one read of one object."""

    object: str
    fields: tuple[str, ...]
    select: tuple[str, ...]
    extra: tuple[str, ...]
    crossing: tuple[str, ...]

    @classmethod
    def of(cls, object_name: str, fields: Iterable[str]) -> Columns:
        """The mapped `fields` and what the system needs. Raises Refused for a name that is none: names
        cannot be quoted in SOQL."""
        mapped = tuple(dict.fromkeys(fields))
        for name in mapped:
            if not is_field_path(name):
                raise Refused(f"{name!r} is not a Salesforce field name", "INVALID_FIELD", (name,))
        if not is_name(object_name):
            raise Refused(f"{object_name!r} is not a Salesforce object name", "INVALID_TYPE")
        system = list(_EVERY)
        if object_name in _MERGED:
            system.append("MasterRecordId")
        if object_name == "Lead":
            system.append("IsConverted")
        if object_name in _WHO:
            system.append("WhoId")
        system.extend(column for _, column in _REFERENCES.get(object_name, ()))
        extra = tuple(column for column in system if column not in mapped)
        return cls(
            object_name,
            mapped,
            tuple(dict.fromkeys((*system, *mapped))),
            ("attributes", *extra),
            tuple(name for name in mapped if "." in name),
        )

    def observe(self, rows: Sequence[dict[str, Any]], side: str, read_started_ms: int) -> list[Observation]:
        """The rows as observations; takes the rows over (they become the fields)."""
        name = self.object
        merged, converts = name in _MERGED, name == "Lead"
        references = _REFERENCES.get(name, ())
        who, custom = name in _WHO, name.endswith("__c")
        extra = self.extra
        observations = []
        for row in rows:
            refs: dict[str, tuple[str, ...]] = {}
            if references and (not converts or row["IsConverted"]):
                refs = {target: (row[column],) for target, column in references if row[column]}
            if who and row["WhoId"]:
                refs = {_WHO_PREFIX.get(row["WhoId"][:3], "Name"): (row["WhoId"],)}
            elif custom:
                refs = {
                    _WHO_PREFIX[value[:3]]: (value,)
                    for column in self.fields
                    if isinstance(value := row.get(column), str) and value[:3] in _WHO_PREFIX and is_id(value)
                }
            observation = Observation(
                side,
                name,
                row["Id"],
                epoch_ms(row["SystemModstamp"]),
                read_started_ms,
                row,
                row["IsDeleted"],
                row["MasterRecordId"] if merged else None,
                row["IsConverted"] if converts else False,
                refs,
                row["LastModifiedById"],
            )
            for column in extra:
                row.pop(column, None)
            if "" in row.values():
                row.update({column: None for column, value in row.items() if value == ""})
            if self.crossing:
                self._flatten(row)
            observations.append(observation)
        return observations

    def _flatten(self, row: dict[str, Any]) -> None:
        # {"Owner": {"Name": "x"}} becomes {"Owner.Name": "x"}; a null relationship means a null field
        for path in self.crossing:
            relation, _, column = path.partition(".")
            related = row.get(relation)
            row[path] = related.get(column) if isinstance(related, dict) else None
        for path in self.crossing:
            relation = path.partition(".")[0]
            if relation not in self.fields:
                row.pop(relation, None)
