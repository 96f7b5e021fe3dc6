"""The org as data: objects, rows, rules and settings, and the undo log of a transaction.

Saving, removing, converting and querying are functions over a `World`; `SalesforceOrg` adds what people and
programs call. Everything here runs under `lock`. This file must not know HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from connector.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.salesforce import ids, stamps
from connector.sandbox.salesforce.change_events import ChangeEvents
from connector.sandbox.salesforce.field_history import history_object, history_of
from connector.sandbox.salesforce.outbound import OutboundMessages
from connector.sandbox.salesforce.picklists import DEVELOPER_STATUSES, STAGES, LeadStatus, Stage
from connector.sandbox.salesforce.schema import FieldSpec, ObjectSpec, Row
from connector.sandbox.salesforce.standard import standard_objects
from connector.sandbox.salesforce.table import Table

Test = Callable[[Row], bool]

_INDEXED_REFERENCES = frozenset({"Account", "Contact", "Lead", "Opportunity", "Campaign"})


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Refuses to save a row for which `when` holds: a SOQL condition, such as
    `Status = 'Working - Contacted' AND Phone = null`. `message` is the admin's own text; `field` is where
    the error shows, None at the top of the page."""

    object: str
    name: str
    when: str
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Looks, when a row of `object` is created, for rows of `against` with the same value in `field`.
    `allow_save`: an alert that a header gets past; otherwise a block."""

    object: str
    name: str
    field: str = "Email"
    against: tuple[str, ...] = ("Lead", "Contact")
    allow_save: bool = True


class World:
    """All that an org holds. `statuses` are the lead statuses, `stages` the opportunity stages."""

    def __init__(
        self,
        clock: Clock,
        organization_id: str,
        faults: Faults,
        statuses: Sequence[LeadStatus] = DEVELOPER_STATUSES,
        stages: Sequence[Stage] = STAGES,
    ) -> None:
        self.clock = clock
        self.faults = faults
        self.lock = threading.RLock()
        self.organization_id = ids.canonical(organization_id) or organization_id
        self.statuses = tuple(statuses)
        self.stages = tuple(stages)
        self.outbound = OutboundMessages(self.organization_id)
        self.responded = frozenset({"Responded"})
        self.assignment_owner: str | None = None
        self.edit_converted_leads = False
        self.objects: dict[str, ObjectSpec] = standard_objects(self.statuses, self.stages)
        self.tables: dict[str, Table] = {}
        self.rules: dict[str, list[tuple[ValidationRule, Test]]] = {}
        self.duplicate_rules: list[DuplicateRule] = []
        self.deleted: dict[str, list[tuple[int, str]]] = {}
        self.schema_changed_ms = clock.now_ms()
        self.tracked: dict[str, frozenset[str]] = {}
        self.counters: dict[str, int] = {}
        self._by_lower = {name.lower(): spec for name, spec in self.objects.items()}
        self._by_prefix = {spec.prefix: spec for spec in self.objects.values()}
        self.changes = ChangeEvents(clock.now_ms, self.objects)
        self._undo: list[tuple[str, str, Row | None, Row]] | None = None
        for spec in self.objects.values():
            self._open_table(spec)

    def _open_table(self, spec: ObjectSpec) -> None:
        table = Table(self.clock.now_ms, lambda: int(self.faults.visibility_lag_seconds * 1_000))
        self.tables[spec.name] = table
        self.deleted[spec.name] = []
        for each in spec.fields.values():
            self._index_field(table, each)

    @staticmethod
    def _index_field(table: Table, spec: FieldSpec) -> None:
        referenced = spec.type == "reference" and not _INDEXED_REFERENCES.isdisjoint(spec.references)
        if (spec.key or spec.unique or referenced) and spec.type != "id" and spec.name not in table.postings:
            table.index(spec.name, spec.case_sensitive)

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def now_stamp(self) -> str:
        """The present second, as a stamp."""
        return stamps.stamp(self.clock.now_ms() // 1_000)

    def find_object(self, name: str) -> ObjectSpec | None:
        """The object of this name, in any letter case."""
        return self.objects.get(name) or self._by_lower.get(name.lower())

    def object_of_id(self, row_id: str) -> ObjectSpec | None:
        """The object whose key prefix this id has."""
        return self._by_prefix.get(row_id[:3])

    def find_field(self, spec: ObjectSpec, name: str) -> FieldSpec | None:
        """The field of this name in any letter case, unless it is hidden from the integration user."""
        found = spec.find(name)
        if found is not None and self.faults.hidden_fields and self.faults.is_hidden(spec.name, found.name):
            return None
        return found

    def hidden(self, spec: ObjectSpec) -> frozenset[str]:
        """The names of the object's hidden fields."""
        return frozenset(field for name, field in self.faults.hidden_fields if name == spec.name)

    def add_field(self, object_name: str, spec: FieldSpec) -> None:
        """Add a field to an object. Raises KeyError for an unknown object."""
        with self.lock:
            self.objects[object_name].add(spec)
            self._index_field(self.tables[object_name], spec)
            self.schema_changed_ms = self.now_ms()

    def track(self, object_name: str, fields: Iterable[str]) -> None:
        """Keep the history of these fields from now on, beside those that are tracked already. Raises
        KeyError for an unknown object or field."""
        with self.lock:
            spec = self.objects[object_name]
            names = {spec.fields[name].name for name in fields}
            self.tracked[object_name] = self.tracked.get(object_name, frozenset()) | names
            if history_of(object_name) not in self.objects:
                history = history_object(object_name)
                self.objects[history.name] = self._by_lower[history.name.lower()] = history
                self._open_table(history)

    def new_id(self, spec: ObjectSpec) -> str:
        number = self.counters.get(spec.name, 0) + 1
        self.counters[spec.name] = number
        return ids.issue(spec.prefix, number)

    def row(self, row_id: str | None) -> Row | None:
        """The row of this 18-character id, deleted or not, whatever its object."""
        if row_id is None or (spec := self._by_prefix.get(row_id[:3])) is None:
            return None
        return self.tables[spec.name].rows.get(row_id)

    def live(self, row_id: str | None) -> Row | None:
        """The row of this id unless it is deleted."""
        row = self.row(row_id)
        return None if row is None or row.get("IsDeleted") else row

    def put(self, object_name: str, row: Row) -> None:
        """Store a row as it is, under its `Id`."""
        row_id = row["Id"]
        before = self.tables[object_name].put(row_id, row)
        self.outbound.note(object_name, row)
        if row.get("IsDeleted") and not (before or {}).get("IsDeleted"):
            self.deleted[object_name].append((self.now_ms(), row_id))
        if self._undo is not None:
            self._undo.append((object_name, row_id, before, row))
        elif self.changes.selected:
            self.changes.note([(object_name, before, row)])

    def children(self, object_name: str, field: str, parent_id: str) -> list[Row]:
        """The live rows of an object whose indexed reference field names this parent."""
        table = self.tables[object_name]
        rows = (table.rows[row_id] for row_id in table.postings[field].of(parent_id))
        return [row for row in rows if not row.get("IsDeleted")]

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """A stretch whose saves can be taken back: yields the function that does so. One inside another
        belongs to the outer one."""
        outer = self._undo
        log: list[tuple[str, str, Row | None, Row]] = []
        self._undo = log

        def roll_back() -> None:
            self._undo = None
            for object_name, row_id, before, _ in reversed(log):
                if before is None:
                    self.tables[object_name].remove(row_id)
                else:
                    self.tables[object_name].put(row_id, before)
            log.clear()
            self._undo = log

        try:
            yield roll_back
        except BaseException:
            roll_back()
            raise
        finally:
            self._undo = outer
            if outer is not None:
                outer.extend(log)
            elif self.changes.selected:
                self.changes.note(_by_record(log))


def _by_record(log: Sequence[tuple[str, str, Row | None, Row]]) -> list[tuple[str, Row | None, Row]]:
    """What became of each record in a transaction: as it was before, and as it is."""
    changed: dict[tuple[str, str], tuple[str, Row | None, Row]] = {}
    for object_name, row_id, before, row in log:
        first = changed.get((object_name, row_id), (object_name, before, row))
        changed[object_name, row_id] = (object_name, first[1], row)
    return list(changed.values())
