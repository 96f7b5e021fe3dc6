"""Everything a portal holds: tables, associations, owners, pipelines, and the switches of its behaviour.

State and look-ups only. How records are written is in `writing`, `lifecycle` and `merging`; how they are
shown in `rendering`; who may see them in `auth`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.associations import Associations
from connector.sandbox.hubspot.journal import Journal
from connector.sandbox.hubspot.pipelines import PIPELINES, Pipeline
from connector.sandbox.hubspot.problems import Problem, no_such_record, not_valid
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.standard import OBJECT_TYPES, object_type
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.times import iso
from connector.sandbox.hubspot.webhooks import Webhooks


@dataclass(slots=True)
class Owner:
    """A user as owner of records. The owner id is not the user id (hubspot.md section 11)."""

    owner_id: int
    user_id: int
    email: str
    first_name: str
    last_name: str
    created_ms: int
    active: bool = True

    def to_json(self) -> dict[str, Any]:
        """As in the owners API."""
        return {
            "id": str(self.owner_id),
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first_name,
            "lastName": self.last_name,
            "userId": self.user_id if self.active else None,
            "userIdIncludingInactive": self.user_id,
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.created_ms),
            "archived": not self.active,
            "teams": [],
        }


@dataclass
class Crm:
    """The portal's records and switches. The switches stand where HubSpot's behaviour is a setting of the
    account or not known for sure (hubspot.md section 22); the defaults are the commoner behaviour.

    `backward_lifecycle`: an earlier lifecycle stage without a clear before is answered with 200 and changes
    nothing ("ignore"), or is a 400 ("refuse"). `follow_merged_ids`: a read by an id that was merged away
    finds the survivor instead of nothing. `keep_primary_id`: a merge keeps the primary record's id.
    `sync_deals`: deals move the lifecycle stage of their contacts and companies. `touch_on_associate`: a new
    association, or the end of one, moves the modified date of both records."""

    clock: Clock
    portal_id: int
    app_id: int
    faults: Faults
    default_stage: str = "lead"
    backward_lifecycle: Literal["ignore", "refuse"] = "ignore"
    follow_merged_ids: bool = False
    keep_primary_id: bool = False
    sync_deals: bool = False
    touch_on_associate: bool = False
    tables: dict[str, Table] = field(init=False)
    associations: Associations = field(default_factory=Associations)
    webhooks: Webhooks = field(default_factory=Webhooks)
    journal: Journal = field(default_factory=Journal)
    owners: dict[int, Owner] = field(default_factory=dict)
    blocklist: set[str] = field(default_factory=set)
    pipelines: dict[str, tuple[Pipeline, ...]] = field(default_factory=lambda: dict(PIPELINES))
    _latest_ms: int = 0

    def __post_init__(self) -> None:
        self.tables = {kind.name: Table(kind) for kind in OBJECT_TYPES}

    def now_ms(self) -> int:
        """The clock's time, never going back: stamps only grow."""
        self._latest_ms = max(self._latest_ms, self.clock.now_ms())
        return self._latest_ms

    def start_at(self, moment_ms: int) -> None:
        """No time before this any more (a restored state)."""
        self._latest_ms = max(self._latest_ms, moment_ms)

    def table(self, name: str) -> Table:
        """The table of a path segment. Raises Problem 400, as HubSpot does for an unknown object type."""
        kind = object_type(name)
        if kind is None:
            raise not_valid(f"Unable to infer object type from: {name}")
        return self.tables[kind.name]

    def references(self, table: Table, reference: str) -> Collection[str]:
        """The allowed values of a property whose options live elsewhere."""
        if reference == "OWNER":
            return {str(owner_id) for owner_id in self.owners}
        pipelines = self.pipelines.get(table.kind.name, ())
        if reference == "PIPELINE":
            return [pipeline.pipeline_id for pipeline in pipelines]
        return [stage.stage_id for pipeline in pipelines for stage in pipeline.stages]

    def find(self, table: Table, text: str, id_property: str | None = None, archived: bool = False) -> Record:
        """One record by its id or by a unique property. Raises Problem 404; 400 for a property that is not
        unique."""
        record = self.lookup(table, text, id_property, archived)
        if record is None:
            raise no_such_record()
        return record

    def lookup(
        self, table: Table, text: str, id_property: str | None = None, archived: bool = False
    ) -> Record | None:
        """Like `find`, but None when there is none."""
        if id_property and id_property != "hs_object_id":
            if not table.is_unique(id_property) or self.faults.is_hidden(table.kind.name, id_property):
                raise not_unique(table, "read")
            holder = table.holder(id_property, text)
            return None if holder is None else table.live(holder)
        if not text.isdecimal():
            return None
        record = table.records.get(int(text))
        if record is None and self.follow_merged_ids:
            record = table.records.get(table.survivor(int(text)) or 0)
        if record is None or (record.archived_ms is not None) != archived:
            return None
        return record


def not_unique(table: Table, action: str) -> Problem:
    """400: the named property does not identify a record (reported for update and upsert)."""
    return not_valid(f"Unable to perform {action} by non-unique {table.kind.type_id} property")
