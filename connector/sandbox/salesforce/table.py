"""The rows of one object, and the indexes that keep look-ups and polls fast.

A row is a dict that holds only fields that are not blank; it is never changed in place: a save puts a new
dict. Rows in the recycle bin stay here with `IsDeleted`. This file must not know rules or field types.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connector.sandbox.salesforce.schema import Row

STAMP = "SystemModstamp"
_STRIDE = 4_096


class StampOrder:
    """Ids in the order of (SystemModstamp, Id). A key that a later save made stale stays until there are
    more stale keys than rows, and is passed over."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, str]] = []

    def put(self, stamp: str, row_id: str, rows: dict[str, Row]) -> None:
        """Note that the row now has this stamp."""
        key = (stamp, row_id)
        if not self._keys or key > self._keys[-1]:
            self._keys.append(key)
        else:
            insort(self._keys, key)
        if len(self._keys) > 2 * len(rows) + 1_000:
            self._keys = sorted({(row[STAMP], row_id) for row_id, row in rows.items()})

    def between(self, low: str | None, high: str | None, rows: dict[str, Row]) -> Iterator[Row]:
        """The rows with low <= stamp <= high, in order."""
        first = 0 if low is None else bisect_left(self._keys, (low, ""))
        last = len(self._keys) if high is None else bisect_right(self._keys, (high, "\x7f"))
        previous: Row | None = None
        for start in range(first, last, _STRIDE):
            # by the stride, so that a short look does not pay for the whole table
            keys = self._keys[start : min(start + _STRIDE, last)]
            for stamp, row_id in keys:
                row = rows.get(row_id)
                if row is not None and row is not previous and row[STAMP] == stamp:
                    yield row
                    previous = row


class IdOrder:
    """All ids in their order. One that was taken out stays, and is passed over."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def add(self, row_id: str) -> None:
        """Note an id that there has not been; ids are issued in their order, so it is nearly always last."""
        if not self._ids or row_id > self._ids[-1]:
            self._ids.append(row_id)
        elif self._ids[bisect_left(self._ids, row_id)] != row_id:
            insort(self._ids, row_id)

    def rows_from(self, low: str | None, rows: dict[str, Row]) -> Iterator[Row]:
        """The rows with low <= Id, in order."""
        first = 0 if low is None else bisect_left(self._ids, low)
        for start in range(first, len(self._ids), _STRIDE):
            # by the stride, so that a short look does not pay for the whole table
            for row_id in self._ids[start : start + _STRIDE]:
                if (row := rows.get(row_id)) is not None:
                    yield row


class Postings:
    """From the value of one field, letter case set aside, to the ids of the rows that have it."""

    def __init__(self, case_sensitive: bool = False) -> None:
        self._ids: dict[str, str | dict[str, None]] = {}
        self._case_sensitive = case_sensitive

    def _key(self, value: Any) -> str:
        return str(value) if self._case_sensitive else str(value).lower()

    def of(self, value: Any) -> tuple[str, ...]:
        """The ids of the rows with this value, in the order in which they got it."""
        found = self._ids.get(self._key(value))
        if found is None:
            return ()
        return (found,) if isinstance(found, str) else tuple(found)

    def add(self, value: Any, row_id: str) -> None:
        key = self._key(value)
        found = self._ids.get(key)
        if found is None:
            self._ids[key] = row_id
        elif isinstance(found, dict):
            found[row_id] = None
        elif found != row_id:
            self._ids[key] = {found: None, row_id: None}

    def drop(self, value: Any, row_id: str) -> None:
        key = self._key(value)
        found = self._ids.get(key)
        if isinstance(found, dict):
            found.pop(row_id, None)
            if not found:
                del self._ids[key]
        elif found == row_id:
            del self._ids[key]


class Table:
    """All rows of one object.

    While `lag_ms()` says that saves are seen late, `shown…` answers as queries would: a row that changed less
    than that long ago shows its older state, and a new one is absent."""

    def __init__(self, now_ms: Callable[[], int], lag_ms: Callable[[], int]) -> None:
        self.rows: dict[str, Row] = {}
        self.order = StampOrder()
        self.ids = IdOrder()
        self.postings: dict[str, Postings] = {}
        self._now_ms = now_ms
        self._lag_ms = lag_ms
        self._late: dict[str, list[tuple[int, Row | None]]] = {}

    def index(self, field: str, case_sensitive: bool = False) -> None:
        """Keep an index of this field from now on."""
        postings = self.postings[field] = Postings(case_sensitive)
        for row_id, row in self.rows.items():
            if (value := row.get(field)) is not None:
                postings.add(value, row_id)

    def put(self, row_id: str, row: Row) -> Row | None:
        """Store a row under its id. Returns the row that it replaces."""
        before = self.rows.get(row_id)
        self.rows[row_id] = row
        if before is None:
            self.ids.add(row_id)
        if before is None or before[STAMP] != row[STAMP]:
            self.order.put(row[STAMP], row_id, self.rows)
        self._reindex(row_id, before, row)
        if self._lag_ms() > 0:
            self._late.setdefault(row_id, []).append((self._now_ms(), before))
        return before

    def remove(self, row_id: str) -> None:
        """Forget a row altogether."""
        before = self.rows.pop(row_id, None)
        self._late.pop(row_id, None)
        if before is not None:
            self._reindex(row_id, before, {})

    def _reindex(self, row_id: str, before: Row | None, row: Row) -> None:
        for field, postings in self.postings.items():
            value = row.get(field)
            old = None if before is None else before.get(field)
            if value != old:
                if old is not None:
                    postings.drop(old, row_id)
                if value is not None:
                    postings.add(value, row_id)

    def shown(self, row_id: str) -> Row | None:
        """The row as a query shows it now; None when it does not."""
        versions = self._late.get(row_id)
        if versions is None:
            return self.rows.get(row_id)
        seen_until_ms = self._now_ms() - self._lag_ms()
        while versions and versions[0][0] <= seen_until_ms:
            versions.pop(0)
        if not versions:
            del self._late[row_id]
            return self.rows.get(row_id)
        return versions[0][1]

    def shown_by_id(self, row_ids: Iterable[str]) -> Iterator[Row]:
        """The rows with these ids as a query shows them now. Rows that are seen late come last, named or not:
        their older state may belong to the result."""
        rows = self.rows
        found = (row for row_id in row_ids if (row := rows.get(row_id)) is not None)
        return self._with_late(found) if self._late else found

    def shown_between(self, low: str | None, high: str | None) -> Iterator[Row]:
        """The rows with low <= SystemModstamp <= high, in that order, as a query shows them now. Rows that
        are seen late come last, whatever their stamp."""
        found = self.order.between(low, high, self.rows)
        return self._with_late(found) if self._late else found

    def shown_from_id(self, low: str | None) -> Iterator[Row]:
        """The rows with low <= Id, in that order, as a query shows them now. Rows that are seen late come
        last, whatever their id."""
        found = self.ids.rows_from(low, self.rows)
        return self._with_late(found) if self._late else found

    def shown_rows(self) -> Iterator[Row]:
        """All rows as a query shows them now."""
        return self._with_late(self.rows.values()) if self._late else iter(self.rows.values())

    def _with_late(self, found: Iterable[Row]) -> Iterator[Row]:
        late = {
            row_id: shown
            for row_id in list(self._late)
            if (shown := self.shown(row_id)) is not self.rows.get(row_id)
        }
        yield from (row for row in found if row["Id"] not in late)
        yield from (row for row in late.values() if row is not None)

    @property
    def seen_late(self) -> bool:
        """Whether some row is not shown as it is, so that no order of what is shown can be relied on."""
        return bool(self._late)
