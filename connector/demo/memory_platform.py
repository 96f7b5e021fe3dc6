"""MemoryPlatform: a platform in this process, without HTTP, for a story of many days in a few seconds.

It keeps records, dates their changes and names their last writer, and nothing more: no limits, no picklists,
no flows. What the real platforms do is played by `connector.sandbox`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.clock import Clock
from connector.lane import Lane
from connector.observation import Observation, Raw
from connector.platforms.protocol import (
    Account,
    Batching,
    BulkPage,
    ChangePage,
    Cursor,
    FieldInfo,
    Histories,
    Listed,
    ListPage,
    Metadata,
    Owner,
    Reading,
    RecordWrite,
    Watch,
    WriteResult,
    Written,
)

OWN_USER = "leadloop-user"


@dataclass(slots=True)
class Record:
    """A record as the platform holds it."""

    fields: dict[str, Raw]
    stamp_ms: int
    by: str | None
    converted: bool = False
    refs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class MemoryPlatform:
    """One side. `natives` are its fields by object, `people` the owners by their id there, `defaults` what a
    new record of an object has; `created` names the field that dates its birth, by object."""

    side: str
    clock: Clock
    natives: Mapping[str, Sequence[str]]
    people: Mapping[str, str]
    defaults: Mapping[str, Mapping[str, Raw]] = field(default_factory=dict)
    created: Mapping[str, str] = field(default_factory=dict)
    batching: Batching = field(default_factory=lambda: Batching(read=200, write=200))
    records: dict[str, dict[str, Record]] = field(default_factory=dict)

    # people act ---------------------------------------------------------------------------------------------

    def insert(self, name: str, by: str | None, **fields: Raw) -> str:
        """A new record; returns its id."""
        table = self.records.setdefault(name, {})
        record_id = f"{name}-{len(table) + 1:05d}"
        now_ms = self.clock.now_ms()
        blank: dict[str, Raw] = dict.fromkeys(self.natives[name])
        born = {self.created[name]: iso(now_ms)} if name in self.created else {}
        table[record_id] = Record({**blank, **self.defaults.get(name, {}), **born, **fields}, now_ms, by)
        return record_id

    def update(self, name: str, record_id: str, by: str | None, **fields: Raw) -> None:
        """Somebody changes a record."""
        record = self.records[name][record_id]
        record.fields.update(fields)
        record.stamp_ms = max(self.clock.now_ms(), record.stamp_ms + 1)
        record.by = by

    # leadloop works: see `Platform` -------------------------------------------------------------------------

    def prove_identity(self) -> Account:
        """See `Platform`."""
        return Account(f"memory-{self.side}", self.side, OWN_USER)

    def describe(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Metadata:
        """See `Platform`."""
        del lane
        return Metadata(
            {
                name: {native: FieldInfo(native, "string", True, True) for native in self.natives[name]}
                for name in objects
                if name in self.natives
            }
        )

    def owners(self, lane: Lane = Lane.UPDATE) -> Sequence[Owner]:
        """See `Platform`."""
        del lane
        return [Owner(native, "person", mail, mail, True) for native, mail in self.people.items()]

    def count(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Mapping[str, int]:
        """See `Platform`."""
        del lane
        return {name: len(self.records.get(name, {})) for name in objects}

    def changes(self, watches: Sequence[Watch], lane: Lane = Lane.LOOK) -> Iterator[ChangePage]:
        """See `Platform`."""
        del lane
        for watch in watches:
            changed = [
                (record_id, record)
                for record_id, record in self.records.get(watch.object, {}).items()
                if record.stamp_ms >= watch.since_ms
            ]
            changed.sort(key=lambda item: (item[1].stamp_ms, item[0]))
            shown = [self._observe(watch.object, *item, watch.fields) for item in changed]
            reached = Cursor(shown[-1].stamp_ms, shown[-1].record_id) if shown else None
            yield ChangePage(watch.object, shown, reached, last=True)

    def everything(
        self,
        object_name: str,
        fields: Sequence[str],
        since_ms: int | None = None,
        resume: str = "",
        lane: Lane = Lane.BACKFILL,
        *,
        expected: int | None = None,
    ) -> Iterator[BulkPage]:
        """See `Platform`: one page."""
        del resume, expected
        for page in self.changes([Watch(object_name, tuple(fields), since_ms or 0)], lane):
            yield BulkPage(object_name, page.observations, "", last=True)

    def read(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str], lane: Lane = Lane.UPDATE
    ) -> Reading:
        """See `Platform`."""
        del lane
        table = self.records.get(object_name, {})
        found = [self._observe(object_name, each, table[each], fields) for each in ids if each in table]
        return Reading(found, [each for each in ids if each not in table])

    def listed(
        self, object_name: str, fields: Sequence[str], after: str | None = None, lane: Lane = Lane.BACKFILL
    ) -> ListPage:
        """See `Platform`."""
        del after, lane
        table = self.records.get(object_name, {})
        shown = [self._observe(object_name, each, record, fields) for each, record in table.items()]
        return ListPage([Listed(item.record_id, item.stamp_ms, fields=item.fields) for item in shown], None)

    def history(
        self,
        object_name: str,  # noqa: ARG002  # the protocol's signature
        ids: Sequence[str],  # noqa: ARG002  # as above
        fields: Sequence[str],  # noqa: ARG002  # as above
        lane: Lane = Lane.UPDATE,  # noqa: ARG002  # as above
    ) -> Histories:
        """Nothing is kept."""
        return {}

    def archived(self, object_name: str, after: str | None = None, lane: Lane = Lane.UPDATE) -> ListPage:
        """See `Platform`. Nothing is ever deleted here."""
        del object_name, after, lane
        return ListPage((), None)

    def find(
        self,
        object_name: str,
        key: str,
        values: Sequence[str],
        fields: Sequence[str],
        lane: Lane = Lane.UPDATE,
    ) -> Sequence[Observation]:
        """See `Platform`."""
        del lane
        table = self.records.get(object_name, {})
        return [
            self._observe(object_name, record_id, record, fields)
            for record_id, record in table.items()
            if record.fields.get(key) in values
        ]

    def write(self, writes: Sequence[RecordWrite], lane: Lane = Lane.UPDATE) -> Sequence[WriteResult]:
        """See `Platform`."""
        del lane
        results = []
        for item in writes:
            record_id = item.record_id
            if record_id is None:
                record_id = self.insert(item.object, OWN_USER, **item.fields)
            else:
                self.update(item.object, record_id, OWN_USER, **item.fields)
            stamp_ms = self.records[item.object][record_id].stamp_ms
            done = Written(record_id, self.clock.now_ms(), stamp_ms, created=item.record_id is None)
            results.append(WriteResult(item.token, done))
        return results

    def close(self) -> None:
        """See `Platform`."""

    def _observe(self, name: str, record_id: str, record: Record, fields: Sequence[str]) -> Observation:
        shown = {native: record.fields.get(native) for native in fields}
        return Observation(
            self.side,
            name,
            record_id,
            record.stamp_ms,
            self.clock.now_ms(),
            shown,
            converted=record.converted,
            refs=record.refs,
            modified_by=record.by,
        )


def iso(at_ms: int) -> str:
    """Epoch milliseconds as platforms spell a moment."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1_000:03d}Z"
