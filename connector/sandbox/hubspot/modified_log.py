"""Which records changed when, in order: the index behind a search sorted by the modified date.

An append-only list with holes: touching a record leaves a hole at its old place and appends it at the end,
so a write costs nothing that grows with the table, and a poll finds its first row by bisection. It knows
ids and moments only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

_HOLE = 0
_HOLES_KEPT = 2_000
"""Above this many holes the list is rewritten (about 10 ms for 100,000 records)."""


class ModifiedLog:
    """Record ids in ascending order of their modified moment; equal moments in the order of writing."""

    def __init__(self) -> None:
        self._moments: list[int] = []
        self._ids: list[int] = []
        self._place: dict[int, int] = {}
        self._holes: list[int] = []
        self._sorted = True

    def touch(self, record_id: int, moment_ms: int) -> None:
        """The record changed at `moment_ms`."""
        self.drop(record_id)
        if self._moments and moment_ms < self._moments[-1]:
            self._sorted = False
        self._place[record_id] = len(self._ids)
        self._moments.append(moment_ms)
        self._ids.append(record_id)

    def drop(self, record_id: int) -> None:
        """The record is not to be found any more."""
        place = self._place.pop(record_id, None)
        if place is not None:
            self._ids[place] = _HOLE
            self._holes.append(place)

    def span(self, low_ms: int | None, high_ms: int | None) -> tuple[int, int]:
        """The places from `low_ms` to `high_ms`, both inclusive; None is unbounded."""
        if len(self._holes) > _HOLES_KEPT or not self._sorted:
            self._rewrite()
        start = 0 if low_ms is None else bisect_left(self._moments, low_ms)
        stop = len(self._moments) if high_ms is None else bisect_right(self._moments, high_ms)
        return start, max(start, stop)

    def count(self, span: tuple[int, int]) -> int:
        """How many records a span holds."""
        start, stop = span
        return stop - start - sum(1 for place in self._holes if start <= place < stop)

    def ids(self, span: tuple[int, int], descending: bool = False) -> Iterator[int]:
        """The ids of a span in order."""
        places = self._ids[span[0] : span[1]]
        return (each for each in (reversed(places) if descending else places) if each)

    def _rewrite(self) -> None:
        kept = [
            (moment, record_id)
            for moment, record_id in zip(self._moments, self._ids, strict=True)
            if record_id
        ]
        if not self._sorted:
            kept.sort(key=lambda pair: pair[0])
        self._moments = [moment for moment, _ in kept]
        self._ids = [record_id for _, record_id in kept]
        self._place = {record_id: place for place, record_id in enumerate(self._ids)}
        self._holes = []
        self._sorted = True
